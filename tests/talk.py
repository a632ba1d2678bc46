"""A little traffic in every table, hostile text included, for questions to be asked about."""

from pathlib import Path

from rows import Conns, TableRows, Value

HOSTILE = "evil'; DROP TABLE http; --\\x1b[2J$limit"
"""What a stranger may send as a name: quotes, SQL, an escape as the core writes it, our own marks."""

A, B, SERVER, RESOLVER = "10.0.0.5", "10.0.0.6", "192.0.2.1", "10.0.0.1"
EARLY, NOON, LATE = "2026-11-20 10:00:00", "2026-11-20 12:00:00", "2026-11-20 14:00:00"


def everything() -> list[TableRows]:
    """The rows, by table."""
    return [conns(), http(), tls(), dns(), icmp(), ssh(), alert(), relay(), health()]


def store(root: Path) -> Path:
    """A store with all of them; the same path."""
    for rows in everything():
        rows.save(root)
    return root


def conns() -> TableRows:
    """A long connection to a named site, a nameless one, a lookup, three failures, a multicast."""
    web = {
        "src_ip": A,
        "dst_ip": SERVER,
        "dst_port": 443,
        "proto": "tcp",
        "service": "tls",
        "state": "closed",
    }
    lookup = {"proto": "udp", "service": "dns", "conn_state": "SF", "dst_ip": RESOLVER, "dst_port": 53}
    lost = {"proto": "tcp", "src_ip": A, "dst_ip": "192.0.2.9", "dst_port": 22, "state": "closed"}
    return (
        Conns()
        .add(
            **web,
            uid="C1",
            ts=EARLY,
            last_ts=LATE,
            name="WWW.example.org",
            name_source="sni",
            conn_state="SF",
            up_packets=3,
            down_packets=4,
            up_bytes=100,
            down_bytes=900,
            up_missed=5,
            dst_country="DE",
            dst_asn=64500,
            dst_as_org="Example Net",
            dst_city="Köln",
        )
        .add(
            **web | {"src_ip": B, "service": None},
            uid="C2",
            ts=LATE,
            last_ts=LATE,
            name="www.example.org",
            name_source="dns",
            conn_state="S1",
            up_bytes=10,
            dst_country="DE",
            dst_asn=64500,
            dst_as_org="Example Net",
            dst_city="Bonn",
        )
        .add(**lookup, uid="C3", src_ip=A, ts=EARLY, last_ts=EARLY, state="closed", up_bytes=60)
        .add(**lost, uid="C4", conn_state="S0", ts=NOON, last_ts=NOON)
        .add(**lost, uid="C5", conn_state="S0", ts=LATE, last_ts=LATE)
        .add(**lost | {"src_ip": B}, uid="C6", conn_state="REJ", ts=LATE, last_ts=LATE, down_retransmits=2)
        .add(
            uid="C7", src_ip=A, dst_ip="239.255.255.250", dst_port=1900, proto="udp", conn_state="S0",
            ts=EARLY, last_ts=EARLY, state="closed",
        )
    )  # fmt: skip


def http() -> TableRows:
    """Four requests to one site, one to a hostile one, one without a host; a reply without request."""
    a = {"src_ip": A, "dst_ip": SERVER, "uid": "C1"}
    return (
        TableRows("http")
        .add(**a, ts=EARLY, method="GET", host="Api.example", uri="/v1/x", section="/v1", status=200,
             reason="OK", request_body=10, response_body=90, latency=0.1)
        .add(**a, ts=NOON, method="GET", host="api.example", uri="/v1/y", section="/v1", status=404,
             reason="Not Found", response_body=5, latency=0.3)
        .add(**a, ts=LATE, method="POST", host="api.example", uri="/login", section="/login", status=200,
             reason="OK", request_body=20, latency=0.2)
        .add(**a | {"src_ip": B}, ts=LATE, method="GET", host="api.example", uri="/", section="/",
             incomplete="no reply")
        .add(**a, ts=LATE, method="GET", host=HOSTILE, uri="/" + HOSTILE, section="/" + HOSTILE, status=500,
             request_body=2**64 - 1, response_body=2**64 - 1, latency=9.0)
        .add(**a, ts=LATE, method="GET", uri="/", section="/", status=200, latency=0.01)
        .add(**a, ts=LATE, status=200, incomplete="no request")
    )  # fmt: skip


def tls() -> TableRows:
    """Two handshakes with a site by TCP and QUIC, one old, one that was never answered."""
    old = {"version": "TLSv1.0", "subject": "CN=old", "issuer": "CN=old", "not_before": "2001-01-01",
           "not_after": "2002-01-01"}  # fmt: skip
    return (
        TableRows("tls")
        .add(ts=EARLY, src_ip=A, dst_ip=SERVER, transport="tcp", sni="WWW.example.org", version="TLSv1.3",
             ja4="t13d1", established=True, resumed=True, ech=True)
        .add(ts=LATE, src_ip=B, dst_ip=SERVER, transport="quic", sni="www.example.org", version="TLSv1.3",
             ja4="q13d1", established=True)
        .add(ts=NOON, src_ip=A, dst_ip="192.0.2.3", dst_port=8443, transport="tcp", sni="old.example",
             ja4="t13d1", established=True, **old)
        .add(ts=LATE, src_ip=A, dst_ip="192.0.2.4", transport="tcp", client_version="TLSv1.2", ja4="t12d1")
    )  # fmt: skip


def dns() -> TableRows:
    """Two answers, a name that is not there, a resolver that is silent, a question to everybody."""
    udp = {"src_ip": A, "dst_ip": RESOLVER, "transport": "udp", "opcode": "QUERY"}
    return (
        TableRows("dns")
        .add(**udp, ts=EARLY, query="Example.org", qtype="A", rcode="NOERROR", rtt=0.01,
             answers=["192.0.2.1"], ttls=[60])
        .add(**udp, ts=LATE, query="example.org", qtype="AAAA", rcode="NOERROR", rtt=0.03)
        .add(**udp, ts=LATE, query=HOSTILE, qtype="A", rcode="NXDOMAIN", rtt=0.02)
        .add(**udp, ts=LATE, query="example.org", qtype="A")
        .add(**udp | {"transport": "mdns"}, ts=LATE, query="printer.local", qtype="PTR")
    )  # fmt: skip


def icmp() -> TableRows:
    """Three pings of which one is lost, and an error about a connection."""
    ping = {"src_ip": A, "dst_ip": SERVER, "proto": "icmp", "kind": "echo"}
    return (
        TableRows("icmp")
        .add(**ping, ts=EARLY, answered=True, rtt=0.01)
        .add(**ping, ts=NOON, answered=True, rtt=0.03)
        .add(**ping, ts=LATE, answered=False)
        .add(ts=LATE, src_ip="10.0.0.254", dst_ip=A, proto="icmp", kind="unreachable", code_name="host",
             about_uid="C1", about_proto="tcp", about_src_ip=A, about_src_port=40000, about_dst_ip=SERVER,
             about_dst_port=443)
    )  # fmt: skip


def ssh() -> TableRows:
    """Two clients at one server; one of them does not say what it is."""
    return (
        TableRows("ssh")
        .add(ts=EARLY, src_ip=A, dst_ip=SERVER, client="SSH-2.0-x", server="SSH-2.0-srv")
        .add(ts=LATE, src_ip=B, dst_ip=SERVER, server="SSH-2.0-srv")
    )


def alert() -> TableRows:
    """One that is over, told twice of its end, and one that is open, of a hostile key."""
    high = {"rule": "http-traffic", "metric": "http_messages", "severity": "warning", "threshold": 7.0}
    a = {**high, "alert_id": "a1", "since": EARLY}
    over = {"state": "recovered", "value": 0.0, "peak": 9.0, "duration": 7200.0, "message": "over"}
    return (
        TableRows("alert")
        .add(**a, ts=EARLY, state="raised", value=8.0, peak=8.0, message="high")
        .add(**a, **over, ts=NOON)
        .add(**a, **over, ts=NOON)
        .add(rule="scan", metric="distinct_ports", severity="critical", threshold=5.0, alert_id="a2",
             since=LATE, ts=LATE, state="raised", key=HOSTILE, value=6.0, peak=6.0, message=HOSTILE)
    )  # fmt: skip


def relay() -> TableRows:
    """A client that was carried, one of no known protocol and no backend, two refused; a notice."""
    web = {"service": "web", "client_ip": A, "server_port": 80, "client_country": "DE", "client_asn": 64500,
           "client_as_org": "Example Net", "uid": "R1", "connection_id": 1}  # fmt: skip
    odd = {"service": "web", "client_ip": B, "server_port": 8080, "uid": "R2", "connection_id": 2}
    return (
        TableRows("relay")
        .add(**web, ts=EARLY, type="accept")
        .add(**web, ts=EARLY, type="detect", protocol="http", rule="pages", detect_duration=0.1)
        .add(**web, ts=NOON, type="recv", payload=HOSTILE, sha256="aa", size=40)
        .add(**web, ts=LATE, type="close", up_bytes=40, down_bytes=60, duration=2.0, connect_duration=0.1)
        .add(**odd, ts=LATE, type="accept")
        .add(**odd, ts=LATE, type="detect", detect_duration=0.3)
        .add(**odd, ts=LATE, type="recv", payload="=1", sha256="bb", size=2)
        .add(**odd, ts=LATE, type="close", up_bytes=2, down_bytes=0, duration=4.0)
        .add(service="web", client_ip=B, server_port=80, ts=NOON, type="refused", cause="rate")
        .add(service="ssh", client_ip=B, server_port=22, ts=LATE, type="refused", cause="rate")
        .add(ts=LATE, type="notice", text="list read")
    )


def health() -> TableRows:
    """Three rows of one source, two hours apart, and one of the engine."""
    nothing: dict[str, Value] = {"key": [], "value": []}
    none: dict[str, Value] = {"malformed": nothing, "not_ip": nothing}
    some: dict[str, Value] = {
        "malformed": {"key": ["tcp header short"], "value": [1]},
        "not_ip": {"key": ["arp", "lldp"], "value": [3, 2]},
    }
    return (
        TableRows("health")
        .add(ts=EARLY, source="eth0", packets=10, bytes=1000, **some)
        .add(ts=NOON, source="eth0", packets=20, bytes=3000, dropped_kernel=2, duplicates=1, **none)
        .add(ts=LATE, source="eth0", packets=5, bytes=500, **none)
        .add(ts=LATE, dropped_queue=3, dropped_table=4, **none)
    )
