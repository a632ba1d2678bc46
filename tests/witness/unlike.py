"""The committed list of differences from what tshark hears, each with its reason. It stays short."""

from collections import Counter
from pathlib import Path

from spoken import Fact

BY_PORT = "tshark goes by the port, which is another protocol's"
CUT = "a request of which the capture has no whole line: no row"
BEGUN_INSIDE = "TLS that begins inside FTP or RDP, of which tshark knows the start of neither"
LOST = "a header field cut by lost bytes: no value"
FILES: dict[str, str] = {
    "communityid_tcp.pcap": CUT,
    "dns-edns-ecs-bad.pcap": "a question of the unassigned type 0 on a connection that says nothing else",
    "dns_dns-invalid-names.pcap": "a name that points to itself: refused and counted",
    "dns_types.pcap": "a dot within a label has a backslash in ours",
    "doc_advanced_devel_plugins_connkey-vxlan-fivetuple-plugin-src_Traces_vxlan-overlapping-http-get.pcap": (
        "three networks with the same addresses: tshark joins their segments"
    ),
    "ftp.pcap": BEGUN_INSIDE,
    "gre-erspan-vxlan.pcap": "a target with a blank in it: ours is all up to the version",
    "http_get-to-ssh-server.pcap": BY_PORT,
    "http_http-09-content-length-confusion.pcap": "HTTP/0.9: no row",
    "http_http-to-ssh.pcap": BY_PORT,
    "http_no-uri.pcap": "a request line without target: no row",
    "http_zero-length-bodies-with-drops.pcap": "requests behind lost bytes, of which tshark hears some",
    "http_pipelined.pcap": "tshark takes what follows the reply to a pipelined HEAD for its body",
    "https-connect.pcap": "of CONNECT without Host we take the target",
    "loss_near_receiver.pcap": LOST,
    "loss_near_sender.pcap": LOST,
    "missed.pcap": LOST,
    "pcaps_combined.pcap": CUT,
    "pcaps_tcp.pcap": CUT,
    "Pcap__Test_PcapExamples_example2.pcap": "a request sent again counts once",
    "postgresql_http-on-port-5432.pcap": BY_PORT,
    "redis_oss-fuzz-473580107.pcap": "bytes made by a fuzzer: a status line that nobody asked for",
    "screens.pcap": BEGUN_INSIDE,
    "socks.pcap": "HTTP inside a SOCKS connection, which we do not enter",
    "tls_ssl-to-http-server.pcap": "TLS said to a web server: its plain reply is not read as HTTP",
}
"""Files whose differences have a reason of their own."""


def explain(
    path: Path, fact: Fact, mine: Counter[Fact], theirs: Counter[Fact], apart: Counter[Fact]
) -> str | None:
    """Why a difference is right; None if there is no reason. `apart`: tshark without reassembly."""
    if theirs[fact] < mine[fact] <= apart[fact]:
        return "a message that lacks bytes: tshark hears it only segment by segment"
    return FILES.get(path.name)
