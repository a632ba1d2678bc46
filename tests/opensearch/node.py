"""A real OpenSearch on loopback: started from Maven's packages, as an ordinary user, ended by its process id.

    python tests/opensearch/node.py        fetches it, starts it, says where it is, until Ctrl-C

What is fetched stays in build/opensearch/ of the repository.
"""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "build" / "opensearch"
PORTS = range(9210, 9299)
"""Where the runner looks for a free one."""

MAIN = "org.codelibs.opensearch.runner.OpenSearchRunner"
JAVA = ["java", "-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]

SETTINGS = """\
discovery.type: single-node
http.max_content_length: 1mb
cluster.routing.allocation.disk.threshold_enabled: false
"""
"""1 MB: so that a request can be too large for it. A disk that is nearly full is no concern of the tests."""


def missing() -> str:
    """What keeps it from being started here; empty if nothing does."""
    absent = [name for name in ("java", "mvn") if not shutil.which(name)]
    return f"{' and '.join(absent)} missing: apt install default-jre-headless maven" if absent else ""


def fetch() -> Path:
    """The directory of its packages, fetched unless they are there."""
    wanted = (Path(__file__).parent / "pom.xml").read_text()
    stamp = LIBRARY / "pom.xml"
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(LIBRARY, ignore_errors=True)
        LIBRARY.mkdir(parents=True)
        subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={LIBRARY / 'lib'}"],
            cwd=Path(__file__).parent,
            check=True,
            timeout=300,
        )
        stamp.write_text(wanted)
    return LIBRARY / "lib"


class Node:
    """A running node."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """One request, and its answer as JSON."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def count(self, stream: str, query: object = None) -> int:
        """Documents that are found in a stream."""
        self.ask("POST", f"/{stream}/_refresh")
        return int(self.ask("POST", f"/{stream}/_count", {"query": query or {"match_all": {}}})["count"])

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It answers nobody meanwhile, and goes on afterwards."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def running(patience: float = 90.0) -> Iterator[Node]:
    """Starts an empty node and ends it; raises RuntimeError with its last words if it does not start."""
    library = fetch()
    port = next(port for port in PORTS if _is_free(port))
    with tempfile.TemporaryDirectory(prefix="tidegate-opensearch-") as place:
        shutil.copytree(library, Path(place) / "lib")  # which an ordinary user can read
        home = Path(place) / "home"
        (home / "node_1" / "config").mkdir(parents=True)
        (home / "node_1" / "config" / "opensearch.yml").write_text(SETTINGS)
        user = _ordinary_user(Path(place))
        words = [*JAVA, "-cp", f"{place}/lib/*", MAIN, "-basePath", str(home), "-numOfNode", "1"]
        words += ["-clusterName", "tidegate-tests", "-baseHttpPort", str(port - 1)]
        said = Path(place) / "said"
        with said.open("wb") as out:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=home,
                user=user,
                group=user and _group(user),
                extra_groups=[] if user else None,
            )
            try:
                _wait(process, port, said, patience)
                yield Node(process, port)
            finally:
                process.kill()  # its store goes with the directory: nothing is worth waiting for
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, said: Path, patience: float) -> None:
    ends = time.monotonic() + patience
    node = Node(process, port)
    while process.poll() is None and time.monotonic() < ends:
        try:
            node.ask("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s")
        except OSError:
            time.sleep(0.1)
        else:
            return
    process.kill()
    raise RuntimeError(f"OpenSearch did not start: {said.read_text()[-2000:]}")


def _ordinary_user(place: Path) -> int | None:
    """Root is refused by OpenSearch; then it is nobody, who gets the directory."""
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam("nobody").pw_uid
    for path in (place, *place.rglob("*")):
        os.chown(path, user, _group(user))
    return user


def _group(user: int) -> int:
    return pwd.getpwuid(user).pw_gid


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


if __name__ == "__main__":
    started = time.monotonic()
    with running() as node:
        print(f"{node.url} after {time.monotonic() - started:.1f} s; Ctrl-C ends it", flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()
