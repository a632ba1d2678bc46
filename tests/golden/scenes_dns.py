"""Scenes of names and pings: knot, avahi, dig, ping. Needs the Debian packages knot and avahi-daemon too."""

import textwrap
from pathlib import Path

from lab import CLIENT, SERVER, Lab
from scenes import SERVER4, SERVER6, Scene, nginx, python

BEHIND4, BEHIND6 = "198.51.100.9", "2001:db8:9::9"

ZONE = r"""
    $ORIGIN example.org.
    $TTL 300
    @         SOA   ns1 hostmaster 2026112001 7200 900 604800 300
    @         NS    ns1
    @         NS    ns2.example.net.
    @         MX    10 mail
    @         TXT   "v=spf1 -all" "a \"quoted\" one"
    @         CAA   0 issue "ca.example.net"
    @         CAA   128 iodef "mailto:security@example.org"
    @         HTTPS 1 . alpn="h3,h2" ipv4hint=192.0.2.80 ipv6hint=2001:db8::80
    ns1       A     192.0.2.2
    mail      A     192.0.2.25
    www       A     192.0.2.80
    www       A     192.0.2.81
    www       AAAA  2001:db8::80
    shop      CNAME cart
    cart      CNAME www
    here      A     192.0.2.2
    blog      CNAME here
    _sip._udp SRV   5 10 5060 mail
    _dns      SVCB  1 ns1 alpn=dot port=853 key667=hello
    _443._tcp TLSA  3 1 1 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3
    _ftp._tcp NAPTR 10 100 "S" "FTP" "" ftp.example.org.
    a\.b      A     192.0.2.99
    odd       TYPE65400 \# 4 01020304
    pc        HINFO "amd64" "linux"
    large     TXT   "{large}" "{large}" "{large}" "{large}" "{large}" "{large}"
"""

REVERSE = """
    $ORIGIN 2.0.192.in-addr.arpa.
    $TTL 300
    @  SOA ns1.example.org. hostmaster.example.org. 1 7200 900 604800 300
    @  NS  ns1.example.org.
    80 PTR www.example.org.
"""

SIGNED = """
    $ORIGIN signed.example.
    $TTL 300
    @   SOA ns1.example.org. hostmaster.example.org. 1 7200 900 604800 300
    @   NS  ns1.example.org.
    sub NS  ns1.example.org.
    sub DS  12345 13 2 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3
    www A   192.0.2.80
"""

KNOT = """
    server:
        rundir: {dir}
        listen: [ 192.0.2.2@53, 2001:db8::2@53 ]
        version: lab
    database:
        storage: {dir}
    acl:
      - id: all
        address: 192.0.2.0/24
        action: transfer
    template:
      - id: default
        storage: {dir}
    zone:
      - domain: example.org
        acl: all
      - domain: 2.0.192.in-addr.arpa
      - domain: signed.example
        dnssec-signing: on
      - domain: broken.example
"""

SERVICE = """<?xml version="1.0" standalone='no'?>
<!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group>
  <name replace-wildcards='yes'>Printer on %h</name>
  <service><type>_ipp._tcp</type><port>631</port><txt-record>pdl=application/pdf</txt-record></service>
</service-group>
"""


def knot(lab: Lab) -> None:
    """A name server with a zone of many types, its reverse, a signed one, and one that is broken."""
    zones = {
        "example.org": ZONE.replace("{large}", "x" * 250),
        "2.0.192.in-addr.arpa": REVERSE,
        "signed.example": SIGNED,
    }
    for name, zone in zones.items():
        (lab.scratch / f"{name}.zone").write_text(textwrap.dedent(zone))
    conf = lab.scratch / "knot.conf"
    conf.write_text(textwrap.dedent(KNOT).format(dir=lab.scratch))
    lab.start(SERVER, "knotd", "-c", str(conf))
    lab.listening(53)
    dig = ("dig", f"@{SERVER4}", "+short", "+tries=1", "+time=1")
    lab.until(lambda: "192.0.2" in lab.run(CLIENT, *dig, "www.signed.example", check=False), "knot")


def dns_types(lab: Lab, file: Path) -> None:
    """dig and knot: a zone's types over UDP, in any case, escaped, by number, from CHAOS, over IPv6."""
    knot(lab)
    dig = ("dig", "+tries=1", "+time=2", f"@{SERVER4}")
    asked = (
        "example.org SOA, example.org NS, example.org MX, example.org TXT, example.org CAA,"
        "example.org HTTPS,"
        "WWW.eXample.ORG A, www.example.org AAAA, shop.example.org A, _sip._udp.example.org SRV,"
        "_dns.example.org SVCB, _443._tcp.example.org TLSA, _ftp._tcp.example.org NAPTR, a\\.b.example.org A,"
        "odd.example.org TYPE65400, pc.example.org HINFO, example.org ANY, 80.2.0.192.in-addr.arpa PTR"
    )
    with lab.capture(file):
        for words in asked.split(","):
            lab.run(CLIENT, *dig, *words.split())
        lab.run(CLIENT, *dig, "version.server", "CH", "TXT")
        lab.run(CLIENT, "dig", "+tries=1", f"@{SERVER6}", "www.example.org", "AAAA")


def dns_failures(lab: Lab, file: Path) -> None:
    """dig and knot: no such name, no such type, a broken zone, one not served, no answer, a later EDNS."""
    knot(lab)
    dig = ("dig", "+tries=1", "+time=1", f"@{SERVER4}")
    with lab.capture(file):
        lab.run(CLIENT, *dig, "nobody.example.org")
        lab.run(CLIENT, *dig, "mail.example.org", "AAAA")
        lab.run(CLIENT, *dig, "www.broken.example")
        lab.run(CLIENT, *dig, "www.example.com")
        lab.run(CLIENT, *dig, "+edns=1", "+noednsnegotiation", "www.example.org")
        lab.run(CLIENT, *dig, "+noedns", "+norecurse", "www.example.org")
        lab.run(CLIENT, *dig, "+opcode=NOTIFY", "example.org", "SOA", check=False)
        lost = iter((True, False, False))
        lab.wire.mirror_first = True
        lab.wire.lose = lambda frame, direction: direction == 0 and b"\x03www" in frame and next(lost, False)
        lab.run(CLIENT, "dig", "+tries=2", "+time=1", f"@{SERVER4}", "www.example.org")
        lab.wire.lose = lambda frame, direction: b"\x03www" in frame
        lab.run(CLIENT, *dig, "www.example.org", check=False)


def dns_tcp(lab: Lab, file: Path) -> None:
    """dig and knot: a reply too large for UDP and again over TCP, two on one connection, a zone transfer."""
    knot(lab)
    dig = ("dig", "+tries=1", "+time=2", f"@{SERVER4}")
    with lab.capture(file):
        lab.run(CLIENT, *dig, "large.example.org", "TXT")
        lab.run(CLIENT, *dig, "+tcp", "+keepopen", "www.example.org", "A", "www.example.org", "AAAA")
        lab.run(CLIENT, *dig, "example.org", "AXFR")
        lab.run(CLIENT, *dig, "+dnssec", "www.signed.example")
        lab.run(CLIENT, *dig, "+dnssec", "nobody.signed.example")
        lab.run(CLIENT, *dig, "+dnssec", "signed.example", "DNSKEY")
        lab.run(CLIENT, *dig, "+dnssec", "sub.signed.example", "DS")


def dns_names(lab: Lab, file: Path) -> None:
    """curl and ping after dig: connections to addresses that answers named, one by an alias, one by none."""
    nginx(lab)
    knot(lab)
    dig = ("dig", "+tries=1", "+time=2", f"@{SERVER4}")
    with lab.capture(file):
        lab.run(CLIENT, "ping", "-nc", "1", SERVER4)
        lab.run(CLIENT, *dig, "blog.example.org")
        lab.run(CLIENT, "curl", "-sk", f"https://{SERVER4}/small")
        lab.run(CLIENT, "sh", "-c", f"echo hello | ncat --udp -w 1 {SERVER4} 9", check=False)
        lab.run(CLIENT, "curl", "-sk", f"http://[{SERVER6}]/small")


def mdns(lab: Lab, file: Path) -> None:
    """avahi on both hosts announces a printer; dig asks for it as an old resolver does."""
    for name in ("left", "right"):
        folder = lab.scratch / name
        (folder / "services").mkdir(parents=True)
        (folder / "services" / "printer.service").write_text(SERVICE)
        (folder / "avahi.conf").write_text(
            f"[server]\nhost-name={name}\nenable-dbus=no\nallow-interfaces=net0\n[rlimits]\n[publish]\n"
        )
    # Each daemon has /etc/avahi and /run/avahi-daemon for itself.
    start = "mkdir -p /run/avahi-daemon; mount --bind {0} /etc/avahi; mount -t tmpfs none /run/avahi-daemon; "
    start += "exec avahi-daemon -f {0}/avahi.conf --no-drop-root --no-chroot --no-rlimits"
    lab.run(CLIENT, "ip", "route", "add", "224.0.0.0/4", "dev", "net0")
    with lab.capture(file, "udp", "port", "5353"):
        for host, name in ((CLIENT, "left"), (SERVER, "right")):
            lab.start(host, "unshare", "-m", "sh", "-c", start.format(lab.scratch / name))
        lab.run(CLIENT, "sleep", "4")
        multicast = ("dig", "+tries=1", "+time=1", "-p", "5353", "@224.0.0.251")
        lab.run(CLIENT, *multicast, "right.local", check=False)
        lab.run(CLIENT, *multicast, "_ipp._tcp.local", "PTR", check=False)
        lab.run(CLIENT, "dig", "+tries=1", "+time=1", "-p", "5353", f"@{SERVER4}", "right.local", check=False)


def llmnr(lab: Lab, file: Path) -> None:
    """A small responder, since a real one (systemd-resolved) wants systemd: a name it has, and one not."""
    responder = python("""
        import socket, struct
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("", 5355))
        group = socket.inet_aton("224.0.0.252") + socket.inet_aton("192.0.2.2")
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        while True:
            query, peer = s.recvfrom(512)
            if b"\\x05right" in query:
                answer = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x1e\\0\\4" + socket.inet_aton("192.0.2.2")
                head = query[:2] + struct.pack("!5H", 0x8000, 1, 1, 0, 0)
                s.sendto(head + query[12:] + answer, peer)
    """)
    lab.start(SERVER, *responder)
    lab.listening(5355)
    lab.run(CLIENT, "ip", "route", "add", "224.0.0.0/4", "dev", "net0")
    dig = ("dig", "+tries=1", "+time=1", "+norecurse", "+noedns", "-p", "5355")
    with lab.capture(file):
        lab.run(CLIENT, *dig, "@224.0.0.252", "right", check=False)
        lab.run(CLIENT, *dig, "@224.0.0.252", "nobody", check=False)
        lab.run(CLIENT, *dig, f"@{SERVER4}", "right", check=False)


def _is_echo(frame: bytes) -> bool:
    """Whether a frame is an echo request or reply, of either IP version."""
    return (frame[20] == 58 and frame[54] in {128, 129}) or (frame[12:14] == b"\x08\x00" and frame[23] == 1)


def pings(lab: Lab, file: Path) -> None:
    """ping over IPv4 and IPv6 with every fifth lost; two at once; a large one in fragments."""
    with lab.capture(file):
        lab.run(CLIENT, "ping", "-nc", "2", "-i", "0.01", SERVER4)
        lab.run(CLIENT, "sh", "-c", f"ping -nc 2 -i 0.01 {SERVER4} & ping -nc 2 -i 0.01 {SERVER4}; wait")
        lab.run(CLIENT, "ping", "-nc", "1", "-s", "3000", SERVER4)
        lab.wire.mirror_first = True
        count = iter(range(1_000_000))
        lab.wire.lose = lambda frame, _direction: _is_echo(frame) and next(count) % 5 == 2
        for address in (SERVER4, SERVER6):
            lab.run(CLIENT, "ping", "-nc", "6", "-i", "0.01", "-W", "1", address, check=False)


def icmp_errors(lab: Lab, file: Path) -> None:
    """Closed ports, too few hops, packets too big, routes prohibited or missing: errors of IPv4 and IPv6."""
    router = (
        "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 "
        "net.ipv6.icmp.ratelimit=0; ip tuntap add behind mode tun; ip link set behind mtu 1300 up;"
        "ip route add 198.51.100.0/26 dev behind; ip -6 route add 2001:db8:9::/64 dev behind;"
        "ip route add prohibit 198.51.100.64/26; ip -6 route add prohibit 2001:db8:a::/64;"
        "ip route add unreachable 198.51.100.128/26; ip -6 route add unreachable 2001:db8:b::/64"
    )
    lab.run(SERVER, "sh", "-ec", router)
    lab.start(SERVER, "socat", "-u", "tun,tun-name=behind,tun-type=tun,iff-no-pi", "/dev/null")
    lab.until(lambda: "LOWER_UP" in lab.run(SERVER, "ip", "link", "show", "behind"), "the link behind")
    lab.run(CLIENT, "ip", "route", "add", "198.51.100.0/24", "via", SERVER4)
    lab.run(CLIENT, "ip", "-6", "route", "add", "2001:db8:8::/45", "via", SERVER6)
    ping = ("ping", "-nc", "1", "-W", "1")
    with lab.capture(file):
        for address in (SERVER4, SERVER6):
            lab.run(
                CLIENT, "dig", "+tries=1", "+time=1", "-p", "5300", f"@{address}", "example.org", check=False
            )
        for address in (BEHIND4, BEHIND6):
            lab.run(CLIENT, *ping, "-t", "1", address, check=False)
            lab.run(CLIENT, *ping, "-M", "do", "-s", "1400", address, check=False)
        program = python(f"""
            import socket
            for family, option, address in (
                (socket.AF_INET, (socket.IPPROTO_IP, socket.IP_TTL), "{BEHIND4}"),
                (socket.AF_INET6, (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS), "{BEHIND6}"),
            ):
                s = socket.socket(family, socket.SOCK_DGRAM)
                s.setsockopt(*option, 1)
                s.sendto(b"probe", (address, 33434))
        """)
        lab.run(CLIENT, *program)
        for address in ("198.51.100.70", "[2001:db8:a::9]"):
            lab.run(CLIENT, "curl", "-s", "-m", "1", f"http://{address}/", check=False)
        for address in ("198.51.100.130", "2001:db8:b::9"):
            lab.run(CLIENT, *ping, address, check=False)


SCENES: dict[str, Scene] = {
    "dns_types.pcap": dns_types,
    "dns_failures.pcap": dns_failures,
    "dns_tcp.pcap": dns_tcp,
    "dns_names.pcap": dns_names,
    "mdns.pcap": mdns,
    "llmnr.pcap": llmnr,
    "pings.pcap": pings,
    "icmp_errors.pcap": icmp_errors,
}
