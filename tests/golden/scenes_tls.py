"""TLS scenes: openssl's client and server, every version, resumed, refused, asked again, with long hellos."""

import shlex
from pathlib import Path

from lab import CLIENT, SERVER, Lab, command
from scenes import SERVER4, Scene

NAME = "www.example.org"
OLD = ("-cipher", "DEFAULT@SECLEVEL=0")
ALPN = ("-alpn", "h2,http/1.1")
EC = shlex.split("-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9000")


def certificates(lab: Lab) -> None:
    """An authority, and a certificate for the server that it signed, with two DNS names."""
    ca, key, cert = (str(lab.scratch / name) for name in ("ca.pem", "key.pem", "cert.pem"))
    authority = str(lab.scratch / "ca.key")
    make = ("openssl", "req", "-x509", *EC)
    command(*make, "-subj", "/O=Acme, Inc./CN=Acme Root", "-keyout", authority, "-out", ca)
    names = ("-addext", f"subjectAltName=DNS:{NAME},DNS:*.example.org")
    subject = ("-subj", f"/C=XX/O=Example/CN={NAME}", "-CA", ca, "-CAkey", authority)
    command(*make, *subject, *names, "-keyout", key, "-out", cert)


def server(lab: Lab, port: int, *options: str) -> None:
    """A server that answers GET, with the authority's certificate behind its own."""
    ca, key, cert = (str(lab.scratch / name) for name in ("ca.pem", "key.pem", "cert.pem"))
    lab.start(SERVER, "openssl", "s_server", "-www", "-accept", str(port), "-cert", cert, "-key", key,
              "-cert_chain", ca, *options)  # fmt: skip
    lab.listening(port)


def client(lab: Lab, port: int, *options: str, name: tuple[str, ...] = ("-servername", NAME)) -> None:
    """A client that shakes hands, asks for a page and goes; it may fail."""
    words = ("openssl", "s_client", "-connect", f"{SERVER4}:{port}", "-ign_eof", *name, *options)
    asked = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 5 {shlex.join(words)}"
    lab.run(CLIENT, "sh", "-c", asked, check=False)


def tls_versions(lab: Lab, file: Path) -> None:
    """A handshake in each of TLS 1.0 to 1.3 with ALPN; one in which the server chooses; one without name."""
    certificates(lab)
    server(lab, 4431, *OLD, *ALPN)
    server(lab, 4432, "-tls1_2")
    with lab.capture(file):
        for version in ("-tls1", "-tls1_1", "-tls1_2", "-tls1_3"):
            client(lab, 4431, version, *OLD, *ALPN)
        client(lab, 4432)
        client(lab, 4431, *ALPN, name=("-noservername",))


def tls_resumed(lab: Lab, file: Path) -> None:
    """A first and a second connection: TLS 1.2 by session number, by ticket, TLS 1.3 by key."""
    certificates(lab)
    server(lab, 4431)
    session = str(lab.scratch / "session")
    with lab.capture(file):
        for options in (("-tls1_2", "-no_ticket"), ("-tls1_2",), ("-tls1_3",)):
            client(lab, 4431, *options, "-sess_out", session)
            client(lab, 4431, *options, "-sess_in", session)


def tls_refused(lab: Lab, file: Path) -> None:
    """No common cipher, version or protocol; a client that knows no authority; one without certificate."""
    certificates(lab)
    server(lab, 4431, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384", "-alpn", "h2")
    server(lab, 4432, "-tls1_2", "-Verify", "1", "-verify_return_error")
    with lab.capture(file):
        client(lab, 4431, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA")
        client(lab, 4431, "-tls1_3")
        client(lab, 4431, "-alpn", "http/1.1")
        client(lab, 4431, "-verify_return_error", "-verify", "1")
        client(lab, 4432)


def tls_retry(lab: Lab, file: Path) -> None:
    """A server that takes another group than the client guessed, then a client that guesses right."""
    certificates(lab)
    server(lab, 4431, "-tls1_3", "-groups", "P-384")
    with lab.capture(file):
        client(lab, 4431, "-groups", "X25519:P-384")
        client(lab, 4431, "-groups", "P-384:X25519")


def tls_client_certificate(lab: Lab, file: Path) -> None:
    """A client with a certificate, in TLS 1.2, where it is in clear, and in TLS 1.3."""
    certificates(lab)
    server(lab, 4431, "-Verify", "1", "-CAfile", str(lab.scratch / "ca.pem"))
    mine = ("-cert", str(lab.scratch / "cert.pem"), "-key", str(lab.scratch / "key.pem"))
    with lab.capture(file):
        for version in ("-tls1_2", "-tls1_3"):
            client(lab, 4431, version, *mine)


def tls_long_hello(lab: Lab, file: Path) -> None:
    """A ClientHello of three segments, for its many protocols, over a wire of small packets."""
    certificates(lab)
    server(lab, 4431, "-alpn", "h2")
    for host in (CLIENT, SERVER):
        lab.run(host, "ip", "link", "set", "net0", "mtu", "1280")
    many = ",".join(f"protocol-{number:03}-of-many" for number in range(120))
    with lab.capture(file):
        for version in ("-tls1_2", "-tls1_3"):
            client(lab, 4431, version, "-alpn", f"{many},h2")


SCENES: dict[str, Scene] = {
    "tls_versions.pcap": tls_versions,
    "tls_resumed.pcap": tls_resumed,
    "tls_refused.pcap": tls_refused,
    "tls_retry.pcap": tls_retry,
    "tls_client_certificate.pcap": tls_client_certificate,
    "tls_long_hello.pcap": tls_long_hello,
}
