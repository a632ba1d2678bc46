"""The scenes: which real programs talk in which capture. A new one is a function and a line at the end."""

import os
import random
import textwrap
from collections.abc import Callable
from pathlib import Path

import wraps
from lab import CLIENT, SERVER, Lab, command

SERVER4, SERVER6 = "192.0.2.2", "2001:db8::2"
HEADERS_ONLY = ("-s", "96")
Scene = Callable[[Lab, Path], None]

NGINX = """
    daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.log; user root;
    events {{ }}
    http {{
        access_log off; default_type text/plain;
        server {{
            listen 80; listen [::]:80; listen 443 ssl; root {dir};
            ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem;
        }}
    }}
"""


def python(code: str) -> tuple[str, str, str]:
    """A small program of its own, for what no tool offers."""
    return "python3", "-c", textwrap.dedent(code)


def no(*options: str) -> list[str]:
    """OpenSSH options, switched off."""
    return [word for option in options for word in ("-o", f"{option}=no")]


def nginx(lab: Lab) -> None:
    """A web server with a few pages."""
    (lab.scratch / "small").write_text("hello\n")
    (lab.scratch / "large").write_bytes(random.Random(1).randbytes(120_000))
    key, cert = str(lab.scratch / "key.pem"), str(lab.scratch / "cert.pem")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9000")
    command("openssl", "req", "-x509", *curve, "-subj", "/CN=www.example.org", "-keyout", key, "-out", cert)
    conf = lab.scratch / "nginx.conf"
    conf.write_text(NGINX.format(dir=lab.scratch))
    lab.start(SERVER, "nginx", "-c", str(conf), "-e", str(lab.scratch / "nginx.log"))
    lab.listening(80)


def http4(lab: Lab, file: Path) -> None:
    """curl and nginx over IPv4: one request; two on one connection; two pipelined; a missing page."""
    nginx(lab)
    site = f"http://{SERVER4}"
    pipelined = "GET /small HTTP/1.1\r\nHost: www.example.org\r\n\r\n"
    with lab.capture(file):
        lab.run(CLIENT, "curl", "-s", f"{site}/small")
        lab.run(CLIENT, "curl", "-s", f"{site}/small", f"{site}/small?again")
        lab.run(CLIENT, "curl", "-s", f"{site}/missing")
        program = python(f"""
            import socket
            s = socket.create_connection(("{SERVER4}", 80))
            s.sendall({pipelined!r}.encode() * 2)
            while s.recv(4096).count(b"hello") < 1: pass
            s.shutdown(socket.SHUT_WR)
            while s.recv(4096): pass
        """)
        lab.run(CLIENT, *program)


def http6(lab: Lab, file: Path) -> None:
    """curl and nginx over IPv6, with a neighbour discovery before it."""
    nginx(lab)
    with lab.capture(file):
        lab.run(CLIENT, "curl", "-s", f"http://[{SERVER6}]/small")


def tls(lab: Lab, file: Path) -> None:
    """curl and nginx over TLS 1.3 and 1.2, time stamps in nanoseconds."""
    nginx(lab)
    curl = ("curl", "-sk", "--resolve", f"www.example.org:443:{SERVER4}", "https://www.example.org/small")
    with lab.capture(file, "--time-stamp-precision=nano"):
        lab.run(CLIENT, *curl)
        lab.run(CLIENT, *curl, "--tls-max", "1.2")


def dns(lab: Lab, file: Path) -> None:
    """dig and dnsmasq: A, AAAA, no such name, over TCP, over IPv6, and a port nobody serves."""
    records = ("--address=/www.example.org/192.0.2.80", "--address=/www.example.org/2001:db8::80")
    lab.start(SERVER, "dnsmasq", "-k", "-C", "/dev/null", "--no-resolv", "--no-hosts", "--user=root",
              "--pid-file", "--local=/example.org/", *records)  # fmt: skip
    lab.listening(53)
    dig = ("dig", "+tries=1", "+time=1", f"@{SERVER4}")
    with lab.capture(file):
        lab.run(CLIENT, *dig, "www.example.org", "A")
        lab.run(CLIENT, *dig, "www.example.org", "AAAA")
        lab.run(CLIENT, *dig, "nobody.example.org", check=False)
        lab.run(CLIENT, *dig, "+tcp", "www.example.org")
        lab.run(CLIENT, "dig", "+tries=1", f"@{SERVER6}", "www.example.org")
        lab.run(CLIENT, *dig, "-p", "5300", "www.example.org", check=False)


def ping(lab: Lab, file: Path) -> None:
    """ping over IPv4 and IPv6, an address nobody has, and three replies to one name."""
    with lab.capture(file):
        lab.run(CLIENT, "ping", "-nc", "3", "-i", "0.01", SERVER4)
        lab.run(CLIENT, "ping", "-nc", "3", "-i", "0.01", SERVER6)
        lab.run(CLIENT, "ping", "-nc", "1", "-W", "1", "192.0.2.99", check=False)


def fragments(lab: Lab, file: Path) -> None:
    """Pings of 4,000 bytes and UDP datagrams of 5,000, in fragments, over IPv4 and IPv6."""
    for family, address in (("udp4-listen", SERVER4), ("udp6-listen", f"[{SERVER6}]")):
        port = "7004" if family == "udp4-listen" else "7006"
        lab.start(SERVER, "socat", f"{family}:{port},fork", "exec:cat")
        lab.listening(int(port))
        lab.scratch.joinpath(port).write_text(f"{address}:{port}")
    datagram = lab.scratch / "datagram"
    datagram.write_bytes(bytes(range(250)) * 20)
    with lab.capture(file):
        lab.run(CLIENT, "ping", "-nc", "2", "-i", "0.01", "-s", "4000", SERVER4)
        lab.run(CLIENT, "ping", "-nc", "2", "-i", "0.01", "-s", "4000", SERVER6)
        for address, family, number in ((SERVER4, "udp4", 7004), (SERVER6, "udp6", 7006)):
            program = python(f"""
                import socket
                family = socket.AF_INET6 if "{family}" == "udp6" else socket.AF_INET
                s = socket.socket(family, socket.SOCK_DGRAM)
                s.settimeout(1)
                s.sendto(open("{datagram}", "rb").read(), ("{address}", {number}))
                try: s.recv(9000)
                except TimeoutError: pass
            """)
            lab.run(CLIENT, *program)


def iperf(lab: Lab, file: Path) -> None:
    """iperf3, a short run over TCP and one over UDP, headers only (snap length 96)."""
    lab.start(SERVER, "iperf3", "-s")
    lab.listening(5201)
    with lab.capture(file, *HEADERS_ONLY):
        lab.run(CLIENT, "iperf3", "-c", SERVER4, "-n", "150K")
        lab.run(CLIENT, "iperf3", "-c", SERVER4, "-u", "-n", "60K", "-b", "2M")


def ssh(lab: Lab, file: Path) -> None:
    """An ssh session of one command, with keys made for it and thrown away."""
    host_key, key = str(lab.scratch / "host_key"), str(lab.scratch / "user_key")
    for made in (host_key, key):
        command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", made)
    Path("/run/sshd").mkdir(exist_ok=True)
    allow = ("-o", "PermitRootLogin=yes", "-o", f"AuthorizedKeysFile={key}.pub", *no("StrictModes", "UsePAM"))
    lab.start(SERVER, "/usr/sbin/sshd", "-D", "-f", "/dev/null", "-h", host_key, *allow)
    lab.listening(22)
    quiet = (*no("StrictHostKeyChecking"), "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes")
    with lab.capture(file):
        lab.run(CLIENT, "ssh", "-F", "/dev/null", "-i", key, *quiet, f"root@{SERVER4}", "echo hello")


def endings(lab: Lab, file: Path) -> None:
    """Refused, filtered, half-closed, reset by either end, and left open at the end of the capture."""
    chain = "add table inet t; add chain inet t i {type filter hook input priority 0;}"
    drop = f"{chain}; add rule inet t i tcp dport 81 drop"
    lab.run(SERVER, "nft", drop)
    lab.start(SERVER, "socat", "tcp4-listen:7001,fork,reuseaddr", "system:cat; echo bye")
    program = python("""
        import socket, struct
        linger = struct.pack("ii", 1, 0)
        s = socket.create_server(("", 7002))
        while True:
            c, _ = s.accept()
            c.recv(100)
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            c.close()
    """)
    lab.start(SERVER, *program)
    lab.listening(7001)
    lab.listening(7002)
    with lab.capture(file):
        lab.run(CLIENT, "ncat", "-w", "1", SERVER4, "82", check=False)
        lab.run(CLIENT, "ncat", "-w", "2", SERVER4, "81", check=False)
        lab.run(CLIENT, "sh", "-c", f"echo hello | socat -t 2 - tcp4:{SERVER4}:7001")
        program = python(f"""
            import socket, struct
            def call(port): return socket.create_connection(("{SERVER4}", port))
            reset = call(7001)
            reset.sendall(b"hello")
            reset.recv(5)
            reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            reset.close()
            by_server = call(7002)
            by_server.sendall(b"hello")
            try: by_server.recv(5)
            except ConnectionResetError: pass
        """)
        lab.run(CLIENT, *program)
        program = python(f"""
            import socket, time
            s = socket.create_connection(("{SERVER4}", 7001))
            s.sendall(b"hello")
            s.recv(5)
            time.sleep(60)
        """)
        lab.start(CLIENT, *program)
        lab.run(CLIENT, "sleep", "0.5")
    lab.run(SERVER, "nft", "flush", "ruleset")


def living(lab: Lab, file: Path) -> None:
    """A TCP connection and a ping that began before the capture and end after it."""
    lab.start(SERVER, "socat", "tcp4-listen:7001,fork,reuseaddr", "exec:cat")
    lab.listening(7001)
    program = python(f"""
        import socket, time
        s = socket.create_connection(("{SERVER4}", 7001))
        while True:
            s.sendall(b"still here\\n")
            s.recv(100)
            time.sleep(0.1)
    """)
    lab.start(CLIENT, *program)
    lab.run(CLIENT, "sleep", "0.3")
    with lab.capture(file):
        lab.run(CLIENT, "sleep", "0.5")


def zero_window(lab: Lab, file: Path) -> None:
    """A receiver that stops reading until its window is closed, then reads on; headers only."""
    program = python("""
        import socket, time
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("", 7003))
        s.listen()
        c, _ = s.accept()
        time.sleep(1.5)
        while c.recv(65536): pass
    """)
    lab.start(SERVER, *program)
    lab.listening(7003)
    with lab.capture(file, *HEADERS_ONLY):
        program = python(f"""
            import socket
            s = socket.create_connection(("{SERVER4}", 7003))
            s.sendall(bytes(60_000))
            s.shutdown(socket.SHUT_WR)
            s.recv(1)
        """)
        lab.run(CLIENT, *program)


def _lossy(lab: Lab, file: Path, *, mirror_first: bool) -> None:
    nginx(lab)
    chance = random.Random(7)
    lab.wire.lose = lambda frame, _direction: frame[12:14] == b"\x08\x00" and chance.random() < 0.06
    lab.wire.mirror_first = mirror_first
    with lab.capture(file, *HEADERS_ONLY):
        lab.run(CLIENT, "curl", "-s", "-o", "/dev/null", f"http://{SERVER4}/large")


def loss_near_sender(lab: Lab, file: Path) -> None:
    """A download that loses 6% of its packets after the mirror has seen them: retransmissions show."""
    _lossy(lab, file, mirror_first=True)


def loss_near_receiver(lab: Lab, file: Path) -> None:
    """A download that loses 6% of its packets before the mirror: holes, then late segments."""
    _lossy(lab, file, mirror_first=False)


def missed(lab: Lab, file: Path) -> None:
    """A download of which the mirror misses every tenth packet that its receiver got."""
    nginx(lab)
    count = iter(range(1_000_000))
    lab.wire.wrap = lambda frame, _direction: [] if next(count) % 10 == 9 else [frame]
    with lab.capture(file, *HEADERS_ONLY):
        lab.run(CLIENT, "curl", "-s", "-o", "/dev/null", f"http://{SERVER4}/large")


def _both_families(lab: Lab, file: Path) -> None:
    nginx(lab)
    with lab.capture(file):
        lab.run(CLIENT, "curl", "-s", f"http://{SERVER4}/small")
        lab.run(CLIENT, "curl", "-s", f"http://[{SERVER6}]/small")
        lab.run(CLIENT, "ping", "-nc", "1", SERVER4)


def wrapped(wrap: Callable[[bytes, int], list[bytes]]) -> Scene:
    """curl over IPv4 and IPv6 and a ping, with tags or a tunnel around them."""

    def scene(lab: Lab, file: Path) -> None:
        lab.wire.wrap = wrap
        _both_families(lab, file)

    return scene


def vxlan(lab: Lab, file: Path) -> None:
    """curl through the kernel's own VXLAN, over IPv4."""
    hosts = ((CLIENT, "192.0.2.1", SERVER4, 1), (SERVER, SERVER4, "192.0.2.1", 2))
    for host, local, remote, number in hosts:
        lab.run(host, "ip", "link", "add", "vx0", "address", f"02:00:00:00:01:0{number}", "type", "vxlan",
                "id", "77", "dstport", "4789", "local", local, "remote", remote)  # fmt: skip
        lab.run(host, "sysctl", "-qw", "net.ipv6.conf.vx0.disable_ipv6=1")
        lab.run(host, "ip", "addr", "add", f"198.51.100.{number}/24", "dev", "vx0")
        lab.run(host, "ip", "link", "set", "vx0", "up")
    nginx(lab)
    with lab.capture(file):
        lab.run(CLIENT, "curl", "-s", "http://198.51.100.2/small")
        lab.run(CLIENT, "ping", "-nc", "1", "198.51.100.2")


def cooked(version: str) -> Scene:
    """curl over the wire and over loopback, seen by tcpdump on all interfaces of the client."""

    def scene(lab: Lab, file: Path) -> None:
        nginx(lab)
        lab.start(CLIENT, "socat", "tcp4-listen:7001,fork,reuseaddr", "exec:cat")
        lab.listening(7001, CLIENT)
        with lab.capture(file, "-y", version, host=CLIENT, interface="any"):
            lab.run(CLIENT, "curl", "-s", f"http://{SERVER4}/small")
            lab.run(CLIENT, "sh", "-c", "echo hello | socat -t 1 - tcp4:127.0.0.1:7001")

    return scene


def raw(lab: Lab, file: Path) -> None:
    """A ping into a TUN device, which has no link header; nobody answers."""
    lab.run(CLIENT, "ip", "tuntap", "add", "tun0", "mode", "tun")
    lab.run(CLIENT, "sysctl", "-qw", "net.ipv6.conf.tun0.disable_ipv6=1")
    lab.run(CLIENT, "ip", "addr", "add", "198.51.100.1/24", "dev", "tun0")
    lab.run(CLIENT, "ip", "link", "set", "tun0", "up")
    holder = lab.start(CLIENT, "socat", "-u", "tun,tun-name=tun0,tun-type=tun,iff-no-pi", "/dev/null")
    lab.run(CLIENT, "sleep", "0.3")
    with lab.capture(file, host=CLIENT, interface="tun0"):
        lab.run(CLIENT, "ping", "-nc", "2", "-i", "0.01", "-W", "1", "198.51.100.2", check=False)
        lab.run(CLIENT, "ncat", "-w", "1", "198.51.100.2", "80", check=False)
    holder.terminate()


def several(lab: Lab, file: Path) -> None:
    """pcapng with two interfaces, the client's wire and its loopback (merged by mergecap)."""
    nginx(lab)
    lab.start(CLIENT, "socat", "tcp4-listen:7001,fork,reuseaddr", "exec:cat")
    lab.listening(7001, CLIENT)
    wire, loopback = lab.scratch / "wire.pcap", lab.scratch / "loopback.pcap"
    with (
        lab.capture(wire, host=CLIENT),
        lab.capture(loopback, "--time-stamp-precision=nano", host=CLIENT, interface="lo"),
    ):
        lab.run(CLIENT, "curl", "-s", f"http://{SERVER4}/small")
        lab.run(CLIENT, "sh", "-c", "echo hello | socat -t 1 - tcp4:127.0.0.1:7001")
    command("mergecap", "-F", "pcapng", "-I", "none", "-w", str(file), str(wire), str(loopback))
    kernel = f"Linux {os.uname().release}".encode()
    file.write_bytes(file.read_bytes().replace(kernel, b"Linux".ljust(len(kernel))))


SCENES: dict[str, Scene] = {
    "http4.pcap": http4,
    "http6.pcap": http6,
    "tls.pcap": tls,
    "dns.pcap": dns,
    "ping.pcap": ping,
    "fragments.pcap": fragments,
    "iperf.pcap": iperf,
    "ssh.pcap": ssh,
    "endings.pcap": endings,
    "living.pcap": living,
    "zero_window.pcap": zero_window,
    "loss_near_sender.pcap": loss_near_sender,
    "loss_near_receiver.pcap": loss_near_receiver,
    "missed.pcap": missed,
    "vlan.pcap": wrapped(wraps.vlan),
    "qinq.pcap": wrapped(wraps.qinq),
    "ipip.pcap": wrapped(wraps.ipip),
    "6in4.pcap": wrapped(wraps.six_in_four),
    "in_six.pcap": wrapped(wraps.in_six),
    "gre.pcap": wrapped(wraps.gre),
    "gretap.pcap": wrapped(wraps.gretap),
    "vxlan.pcap": vxlan,
    "cooked1.pcap": cooked("LINUX_SLL"),
    "cooked2.pcap": cooked("LINUX_SLL2"),
    "raw.pcap": raw,
    "several.pcapng": several,
}
