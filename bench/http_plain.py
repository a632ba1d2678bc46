"""Plain HTTP: every request of nginx's own log counted, and the whole command's speed beside httpry's."""

import contextlib
import json
import random
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from measure import BUILT, Check, Report, Run, median, ratio, run, side_by_side

REQUESTS = 100_000
CLIENTS = 40
PORT = 80
MPPS = 1.5
OF_HTTPRY = 1.0
NAMESPACE = "tgb-http"
PATIENCE = 20.0
METHODS = ("GET",) * 12 + ("HEAD", "POST", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND")
PAGES = ("", "small", "api/v1/users", "api/v1/users/7", "static/style.css")
PLACES = (*PAGES, *["large"] * 4, "missing", "moved", "forbidden", "empty", "broken")
HTTPRY = "httpry -r"

NGINX = """
    daemon off; pid {dir}/nginx.pid; error_log {dir}/nginx.err; user root; worker_processes 1;
    events {{ worker_connections 1024; }}
    http {{
        log_format asked escape=none '$host\t$request\t$status';
        access_log {dir}/access.log asked; default_type text/plain; keepalive_requests 100000;
        server {{
            listen {port}; root {dir};
            location = /empty {{ return 204; }}
            location = /moved {{ return 302 /small; }}
            location = /forbidden {{ return 403; }}
            location = /broken {{ return 500 "broken"; }}
            location /api/ {{ return 200 "{{\\"answer\\": 42}}"; }}
            location / {{ error_page 405 =200 /small; }}
        }}
    }}
"""

CLIENT = """
    import http.client, json, sys
    requests = json.load(open(sys.argv[1]))
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]))
    for number, (host, method, uri) in enumerate(requests):
        body = b"x" * (number % 900) if method in ("POST", "PUT") else None
        connection.request(method, uri, body, {"Host": host, "User-Agent": "bench", "Accept": "*/*"})
        connection.getresponse().read()
        if number % 50 == 49:
            connection.close()
"""

Asked = Counter[tuple[str, ...]]


def inside(*words: str) -> list[str]:
    """The same command in the benchmark's own namespace."""
    return ["ip", "netns", "exec", NAMESPACE, *words]


def requests(number: int) -> list[tuple[str, str, str]]:
    """What a client asks for: host, method and target, the same each time."""
    chance = random.Random(number)
    asked = []
    for count in range(REQUESTS // CLIENTS):
        host = f"www{chance.randrange(50)}.example.org"
        query = f"?n={count}" if chance.random() < 0.3 else ""
        asked.append((host, chance.choice(METHODS), f"/{chance.choice(PLACES)}{query}"))
    return asked


@contextlib.contextmanager
def namespace() -> Iterator[None]:
    """A loopback of its own, on which segments are no larger than on a wire."""
    subprocess.run(["ip", "netns", "del", NAMESPACE], stderr=subprocess.DEVNULL, check=False)
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    try:
        small = ("mtu", "1500", "gso_max_segs", "1")
        subprocess.run(["ip", "-n", NAMESPACE, "link", "set", "lo", *small, "up"], check=True)
        yield
    finally:
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=False)


@contextlib.contextmanager
def program(*words: str, ready: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """A program in the namespace while the block lasts."""
    started = subprocess.Popen(inside(*words), stderr=(BUILT / "stderr").open("wb"))
    try:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if time.monotonic() > deadline or started.poll() is not None:
                raise SystemExit(f"{words[0]} did not start: {(BUILT / 'stderr').read_text()}")
            time.sleep(0.05)
        yield started
    finally:
        started.send_signal(signal.SIGINT if words[0] == "tcpdump" else signal.SIGTERM)
        started.wait(PATIENCE)


def listening() -> bool:
    """Whether nginx listens."""
    asked = inside("ss", "-Hltn", f"sport = :{PORT}")
    return bool(subprocess.run(asked, check=True, capture_output=True).stdout)


def ask(folder: Path) -> None:
    """Every client asks its questions, some at the same time."""
    clients = []
    script = folder / "client.py"
    script.write_text("\n".join(line.removeprefix("    ") for line in CLIENT.splitlines()))
    for number in range(CLIENTS):
        questions = folder / f"requests-{number}"
        questions.write_text(json.dumps(requests(number)))
        clients.append(inside("python3", str(script), str(questions), str(PORT)))
    while clients:
        running = [subprocess.Popen(words) for words in clients[:4]]
        clients = clients[4:]
        if any(client.wait() for client in running):
            raise SystemExit("a client failed; nothing was measured")


def make(capture: Path, log: Path) -> None:
    """Makes the capture and nginx's log of the same requests."""
    with tempfile.TemporaryDirectory() as scratch, namespace():
        folder = Path(scratch)
        (folder / "small").write_text("small\n")
        (folder / "index.html").write_text("<p>index</p>\n")
        (folder / "large").write_bytes(b"0123456789" * 1500)
        (folder / "static").mkdir()
        (folder / "static" / "style.css").write_text("p { color: red }\n")
        folder.chmod(0o755)
        (folder / "nginx.conf").write_text(NGINX.format(dir=folder, port=PORT))
        made = folder / "made.pcap"
        tcpdump = ("tcpdump", "-i", "lo", "-B", "65536", "-Z", "root", "-U", "-w", str(made), "tcp or udp")
        with program("nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "err"), ready=listening):
            heard = BUILT / "stderr"
            with program(*tcpdump, ready=lambda: b"listening on" in heard.read_bytes()):
                ask(folder)
                until_written(made)
            lost = heard.read_text()
        if "\n0 packets dropped by kernel" not in lost:
            raise SystemExit(f"tcpdump lost packets, nothing to compare: {lost}")
        shutil.copy(folder / "access.log", log)
        shutil.move(made, capture)


def until_written(capture: Path) -> None:
    """Waits until tcpdump has written all there is: until a last datagram stands in its file."""
    last = b"that was the last of them"
    send = f"import socket; socket.socket(type=socket.SOCK_DGRAM).sendto({last!r}, ('127.0.0.1', 9))"
    subprocess.run(inside("python3", "-c", send), check=True)
    deadline = time.monotonic() + PATIENCE
    while not capture.read_bytes().endswith(last):
        if time.monotonic() > deadline:
            raise SystemExit("tcpdump did not write the last packet; nothing was measured")
        time.sleep(0.2)


def logged(log: Path) -> Asked:
    """Host, method, target and status of every request, as nginx has them."""
    asked: Asked = Counter()
    for line in log.read_text().splitlines():
        host, request, status = line.split("\t")
        method, target, _ = request.split(" ")
        asked[host, method, target, status] += 1
    return asked


def counted(tidegate: str, capture: Path) -> Asked:
    """The same as we have them."""
    words = [tidegate, "read", str(capture), "--table", "http", "--format", "jsonl"]
    rows = (json.loads(line) for line in run(words).output.splitlines())
    return Counter(tuple(str(row[name]) for name in ("host", "method", "uri", "status")) for row in rows)


def packets_in(capture: Path) -> int:
    """Records of a pcap file with little-endian headers, as tcpdump writes it here."""
    data = capture.read_bytes()
    at, found = 24, 0
    while at + 16 <= len(data):
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
        found += 1
    return found


def to_parquet(tidegate: str, capture: Path) -> Run:
    """The whole command with all tables, its files thrown away."""
    with tempfile.TemporaryDirectory(dir=BUILT) as folder:
        return run([tidegate, "read", str(capture), "--format", "parquet", "-o", f"{folder}/out"])


def http(tidegate: str, rounds: int) -> Report:
    """Counts, then reads the capture with both programs in turn."""
    capture, log = BUILT / "http.pcap", BUILT / "http.log"
    if not (capture.exists() and log.exists()):
        make(capture, log)
    theirs, mine = logged(log), counted(tidegate, capture)
    programs = {"tidegate to Parquet": lambda: to_parquet(tidegate, capture)}
    if shutil.which("httpry"):
        programs[HTTPRY] = lambda: run(["httpry", "-q", "-r", str(capture), "-o", "/dev/null"])
    runs = side_by_side(programs, rounds)
    packets = packets_in(capture)
    rows: list[tuple[str, ...]] = [("", "Mpps per CPU-second", "requests per CPU-second", "CPU s", "peak MB")]
    for name, each in runs.items():
        cpu = median(each, lambda one: one.cpu)
        peak = max(one.peak for one in each) / 1e6
        rows.append(
            (name, f"{packets / cpu / 1e6:.3f}", f"{theirs.total() / cpu:,.0f}", f"{cpu:.3f}", f"{peak:.0f}")
        )
    command = runs["tidegate to Parquet"]
    rate = packets / median(command, lambda one: one.cpu) / 1e6
    checks = [
        Check("requests in nginx's log", theirs.total(), 30_000, at_least=True),
        Check("of them missing or different in table http", (theirs - mine).total(), 0, at_least=False),
        Check("rows of table http that nginx does not have", (mine - theirs).total(), 0, at_least=False),
        Check("whole command, Mpps per CPU-second", rate, MPPS, at_least=True),
    ]
    if httpry := runs.get(HTTPRY):
        times = ratio(httpry, command)
        checks.append(Check("whole command, times httpry's rate", times, OF_HTTPRY, at_least=True))
    return Report(rows, checks)


def possible() -> str:
    """Why this cannot be measured here; empty if it can."""
    made = (BUILT / "http.pcap").exists()
    missing = [name for name in ("nginx", "tcpdump", "ip", "ss") if shutil.which(name) is None]
    return "" if made or not missing else f"missing: {', '.join(missing)}"
