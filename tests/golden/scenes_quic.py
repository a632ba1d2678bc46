"""Scenes of QUIC: aioquic on both sides, from PyPI into an environment that is thrown away."""

import json
from pathlib import Path

from lab import CLIENT, SERVER, Lab, command
from scenes import SERVER4, SERVER6, Scene

PEER = Path(__file__).with_name("quic_peer.py")
V1, V2 = 1, 0x6B3343CF
SITE = {"server_name": "www.example.org", "alpn_protocols": ["h3"]}


class Peers:
    """Servers and calls of a scene."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._python = str(lab.scratch / "venv" / "bin" / "python")
        command("python3", "-m", "venv", str(lab.scratch / "venv"))
        command(self._python, "-m", "pip", "install", "--quiet", "aioquic")
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9000")
        key, cert = str(lab.scratch / "key.pem"), str(lab.scratch / "cert.pem")
        command(
            "openssl", "req", "-x509", *curve, "-subj", "/CN=www.example.org", "-keyout", key, "-out", cert
        )

    def serve(self, port: int, address: str = SERVER4, **options: object) -> None:
        """A server that takes HTTP/3 and h9."""
        words = {"alpn_protocols": ["h3", "h9"], "cert": str(self._lab.scratch), **options}
        self._lab.start(SERVER, self._python, str(PEER), "serve", address, str(port), json.dumps(words))
        self._lab.listening(port)

    def call(self, port: int, address: str = SERVER4, *, check: bool = True, **options: object) -> None:
        """One client."""
        words = json.dumps({**SITE, **options})
        self._lab.run(CLIENT, self._python, str(PEER), "call", address, str(port), words, check=check)


def quic(lab: Lab, file: Path) -> None:
    """Version 1, then with the session resumed; version 2 from the start, or chosen by the server; IPv6."""
    peers = Peers(lab)
    peers.serve(443)
    peers.serve(444, supported_versions=[V2, V1])
    peers.serve(446, SERVER6)
    with lab.capture(file):
        peers.call(443, times=2)
        peers.call(444, original_version=V2, supported_versions=[V2, V1])
        peers.call(444, original_version=V1, supported_versions=[V2, V1], server_name="chosen.example.org")
        peers.call(446, SERVER6, server_name="six.example.org", alpn_protocols=["h9", "h3"])


def quic_retry(lab: Lab, file: Path) -> None:
    """Retry; Version Negotiation; a ClientHello of two datagrams; no common ALPN; a port nobody serves."""
    peers = Peers(lab)
    peers.serve(443)
    peers.serve(444, retry=True)
    peers.serve(445, supported_versions=[V1])
    with lab.capture(file):
        peers.call(444, server_name="retry.example.org")
        peers.call(445, original_version=V2, supported_versions=[V2, V1], server_name="older.example.org")
        peers.call(443, server_name="large.example.org", quantum_readiness_test=True)
        peers.call(443, server_name="nothing.example.org", alpn_protocols=["h7"], check=False)
        peers.call(447, server_name="nobody.example.org", check=False)


SCENES: dict[str, Scene] = {"quic.pcap": quic, "quic_retry.pcap": quic_retry}
