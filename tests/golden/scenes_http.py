"""Scenes of HTTP/1: curl, nginx, Python's server and small programs for what no tool offers."""

import textwrap
from pathlib import Path

from lab import CLIENT, SERVER, Lab
from scenes import SERVER4, Scene, nginx, python

SITE = f"http://{SERVER4}"
WEB = 8000

SERVER_PROGRAM = """
    import base64, hashlib, socket
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "small/1.0", ""

        def reply(self, status, body=b"", **headers):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            if status not in (101, 204, 304):
                self.send_header("Content-Length", len(body))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def body(self):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def do_GET(self):
            if self.path == "/chunks":
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.send_header("Trailer", "Checksum")
                self.end_headers()
                for piece in (b"hello", b"x" * 3000, b"bye"):
                    self.wfile.write(b"%x;n=1\\r\\n%s\\r\\n" % (len(piece), piece))
                self.wfile.write(b"0\\r\\nChecksum: 42\\r\\n\\r\\n")
            elif self.path == "/until-close":
                self.close_connection = True
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"y" * 5000)
            elif self.path == "/chat":
                key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
                accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
                self.reply(101, Upgrade="websocket", Connection="Upgrade", Sec_WebSocket_Accept=accept)
                self.wfile.write(b"\\x81\\x05hello")
                self.rfile.read(2)
                self.close_connection = True
            elif self.path == "/moved":
                self.reply(302, Location="/chunks?from=moved")
            elif self.path == "/nothing":
                self.reply(204)
            elif self.path == "/same":
                self.reply(304, ETag='"1"')
            elif self.path == "/secret" and "Authorization" not in self.headers:
                self.reply(401, b"who?", WWW_Authenticate='Basic realm="x"')
            else:
                self.reply(200, b"hello\\n", Content_Type="text/plain")

        do_HEAD = do_GET

        def do_PUT(self):
            self.reply(201, b"%d" % len(self.body()))

        do_POST = do_PUT

        def do_PROPFIND(self):
            self.body()
            self.reply(207, b"<multistatus/>", Content_Type="application/xml")

        def do_CONNECT(self):
            if "Proxy-Authorization" not in self.headers:
                return self.reply(407, b"who?", Proxy_Authenticate='Basic realm="x"')
            host, port = self.path.rsplit(":", 1)
            back = socket.create_connection((host, int(port)))
            self.wfile.write(b"HTTP/1.1 200 Connection established\\r\\n\\r\\n")
            self.relay(back)

        def relay(self, back):
            import threading
            def copy(source, sink):
                while data := source.recv(65536):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)
            there = threading.Thread(target=copy, args=(self.connection, back))
            there.start()
            copy(back, self.connection)
            there.join()
            self.close_connection = True

    ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


def web(lab: Lab) -> str:
    """A web server that does what nginx does not; its address."""
    lab.start(SERVER, "python3", "-c", textwrap.dedent(SERVER_PROGRAM))
    lab.listening(WEB)
    return f"{SITE}:{WEB}"


def curl(lab: Lab, *words: str) -> None:
    """curl, silent, its output thrown away."""
    urls = (word for word in words if "://" in word)
    thrown_away = (word for _ in urls for word in ("-o", "/dev/null"))
    lab.run(CLIENT, "curl", "-s", *words, *thrown_away)


def http_bodies(lab: Lab, file: Path) -> None:
    """A length, chunks with extensions and a trailer, 204, 304, 302; HEAD; bodies until close."""
    site = web(lab)
    paths = ("hello", "chunks", "nothing", "same", "moved")
    with lab.capture(file):
        curl(lab, *(f"{site}/{path}?n=1" if path == "hello" else f"{site}/{path}" for path in paths))
        curl(lab, "--head", f"{site}/hello")
        curl(lab, f"{site}/until-close")
        curl(lab, "--http1.0", f"{site}/until-close")


def http_uploads(lab: Lab, file: Path) -> None:
    """100-continue with an upload, a chunked upload, a form, and PROPFIND."""
    site = web(lab)
    upload = lab.scratch / "upload"
    upload.write_bytes(b"0123456789" * 500)
    with lab.capture(file):
        curl(lab, "-H", "Expect: 100-continue", "-T", str(upload), f"{site}/upload")
        curl(lab, "-d", "name=value", "-e", f"{site}/form?id=1", f"{site}/form")
        body = ("-d", "<propfind/>", "-H", "Content-Type: application/xml", "-H", "Depth: 1")
        curl(lab, "-X", "PROPFIND", *body, f"{site}/dav/")
        lab.run(CLIENT, "curl", "-s", "-X", "POST", "-H", "Transfer-Encoding: chunked", "-H", "Expect:",
                "-d", "some text", "-o", "/dev/null", f"{site}/chunked")  # fmt: skip


def http_pipelined(lab: Lab, file: Path) -> None:
    """nginx is asked five things in one segment, then in two that divide a word; one of them is missing."""
    nginx(lab)
    wanted = ("GET /small", "HEAD /small", "GET /none", "OPTIONS /small", "GET /small")
    asked = "".join(f"{line} HTTP/1.1\r\nHost: www.example.org\r\n\r\n" for line in wanted)
    with lab.capture(file):
        program = python(f"""
            import socket, time
            asked = {asked!r}.encode()
            for cut in (len(asked), 100):
                s = socket.create_connection(("{SERVER4}", 80))
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                s.sendall(asked[:cut])
                time.sleep(0.05)
                s.sendall(asked[cut:])
                s.shutdown(socket.SHUT_WR)
                while s.recv(4096): pass
        """)
        lab.run(CLIENT, *program)


def http_secrets(lab: Lab, file: Path) -> None:
    """Basic authentication asked for and given, a bearer token, cookies, and headers of 20 KB."""
    site = web(lab)
    with lab.capture(file):
        curl(lab, f"{site}/secret")
        curl(lab, "-u", "user:password", "-b", "session=1234", f"{site}/secret?token=5678")
        curl(lab, "-H", "Authorization: Bearer abcdef", "-A", "small/2.0", f"{site}/api/v1/secret")
        large = [word for number in range(20) for word in ("-H", f"X-Large-{number}: {'v' * 1000}")]
        curl(lab, *large, f"{site}/large")


def http_proxy(lab: Lab, file: Path) -> None:
    """Through a proxy: a plain request with an absolute URI, CONNECT refused, CONNECT with TLS inside."""
    nginx(lab)
    site = web(lab)
    with lab.capture(file):
        curl(lab, "-x", site, "http://www.example.org/through/proxy")
        lab.run(CLIENT, "curl", "-s", "-k", "-x", site, "https://www.example.org/small", check=False)
        inside = ("--connect-to", f"www.example.org:443:{SERVER4}:443", "-k", "-U", "user:password", "-p")
        lab.run(CLIENT, "curl", "-s", *inside, "-x", site, "https://www.example.org/small")


def http_websocket(lab: Lab, file: Path) -> None:
    """An upgrade to WebSocket, and a message each way."""
    web(lab)
    asked = (
        f"GET /chat HTTP/1.1\r\nHost: {SERVER4}:{WEB}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with lab.capture(file):
        program = python(f"""
            import socket
            s = socket.create_connection(("{SERVER4}", {WEB}))
            s.sendall({asked!r}.encode())
            said = b""
            while not said.endswith(b"hello"): said += s.recv(4096)
            s.sendall(b"\\x88\\x80")
            s.recv(1)
        """)
        lab.run(CLIENT, *program)


def http_missed(lab: Lab, file: Path) -> None:
    """The mirror misses frames that arrive: in a body, a whole request, a whole reply, in chunks' framing."""
    nginx(lab)
    site = web(lab)
    large = 0

    def hide(frame: bytes, direction: int) -> list[bytes]:
        nonlocal large
        large += direction == 1 and len(frame) > 1000
        third = direction == 1 and len(frame) > 1000 and large == 3
        hidden = (b"GET /hidden", b"404 Not Found", b"5;n=1")
        return [] if third or any(word in frame for word in hidden) else [frame]

    lab.wire.wrap = hide
    (lab.scratch / "medium").write_bytes(b"m" * 12_000)
    with lab.capture(file):
        curl(lab, *(f"{SITE}/{path}" for path in ("medium", "small", "hidden", "none", "small?last")))
        curl(lab, f"{site}/chunks", f"{site}/hello")


SCENES: dict[str, Scene] = {
    "http_bodies.pcap": http_bodies,
    "http_uploads.pcap": http_uploads,
    "http_pipelined.pcap": http_pipelined,
    "http_secrets.pcap": http_secrets,
    "http_proxy.pcap": http_proxy,
    "http_websocket.pcap": http_websocket,
    "http_missed.pcap": http_missed,
}
