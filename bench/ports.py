"""Wide ports: time and memory to open 65,000, new connections a second beside one plain port."""

import contextlib
import os
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from measure import Check, Report, compiled

from tidegate.helper.messages import Steer
from tidegate.helper.own import OwnRights
from tidegate.relay.steering import METHODS, refusal

ANY, HERE = "0.0.0.0", "127.0.0.1"
WIDE = ((1, 65_000),)
PLAIN = 65_500
CONNECTIONS = 10_048
TURNS = 3
"""Of plain and steered ports in each round; other work of the machine hits single ones."""
SOCKETS = 15_000
"""Ports with a socket each, whose cost is then scaled up: open files are limited."""


def possible() -> str | None:
    """Why it cannot be measured here."""
    return None if os.geteuid() == 0 else "it needs root"


def ports(rounds: int) -> Report:
    """In a network namespace of its own, in a process of its own."""
    words = [sys.executable, __file__, str(rounds), compiled("ports")]
    done = subprocess.run(["unshare", "-n", *words], stdout=subprocess.PIPE, text=True, check=True)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    report = Report([tuple(line) for line in lines])
    best = {line[0]: line for line in lines}.get("sk_lookup")
    if best:
        report.checks = [
            Check("65,000 ports open by sk_lookup", float(best[1]), 0.5, at_least=False, unit=" s"),
            Check("their memory", float(best[2]), 60, at_least=False, unit=" MB"),
            Check("new connections/s, of one plain port", float(best[3]), 0.95, at_least=True),
        ]
    return report


def kernel_memory() -> float:
    """Megabytes of the kernel's own memory, and of this process."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    sizes = {key: int(rest.split()[0]) for key, rest in (line.split(":") for line in lines)}
    status = Path("/proc/self/status").read_text()
    mine = int(status.split("VmRSS:")[1].split()[0])
    return (sizes["Slab"] + sizes["Percpu"] + sizes["VmallocUsed"] + mine) / 1024


@contextlib.contextmanager
def serving(program: str, listener: socket.socket) -> Iterator[None]:
    """A loop that accepts and closes."""
    words = [program, "serve", str(listener.fileno())]
    server = subprocess.Popen(words, pass_fds=[listener.fileno()])
    try:
        yield
    finally:
        server.kill()
        server.wait()


def rate(program: str, first: int, last: int) -> float:
    """New connections a second."""
    words = [program, "connect", HERE, str(first), str(last), str(CONNECTIONS)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    return CONNECTIONS / float(done.stdout)


def of_plain(program: str, listener: socket.socket, rounds: int) -> float:
    """The median of the rounds' ratios, steered ports over one plain port, which takes turns with them."""
    with socket.create_server((HERE, PLAIN), backlog=4096) as plain:
        ratios = []
        for _ in range(rounds * TURNS):
            with serving(program, plain):
                under = rate(program, PLAIN, PLAIN)
            with serving(program, listener):
                ratios.append(rate(program, *WIDE[0]) / under)
    return statistics.median(ratios)


def steered(program: str, rounds: int) -> Iterator[tuple[str, float, float, float]]:
    """Method, seconds, megabytes, ratio."""
    rights = OwnRights()
    for method in METHODS:
        if refusal(method, rights):
            continue
        before, start = kernel_memory(), time.perf_counter()
        opened = rights.steer(Steer(method, ANY, WIDE, (), 1))
        took, memory = time.perf_counter() - start, kernel_memory() - before
        yield method, took, max(memory, 0.0), of_plain(program, opened.sockets[0], rounds)
        rights.release(opened.number)
        for one in opened.sockets:
            one.close()


def a_socket_each() -> tuple[float, float]:
    """Seconds and megabytes for 65,000, scaled from fewer."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (SOCKETS + 100,) * 2)
    before, start = kernel_memory(), time.perf_counter()
    sockets = [socket.create_server((HERE, port)) for port in range(1, SOCKETS + 1)]
    took, memory = time.perf_counter() - start, kernel_memory() - before
    for one in sockets:
        one.close()
    many = WIDE[0][1] / SOCKETS
    return took * many, memory * many


def main() -> None:
    """Lines for the report; runs in the namespace."""
    rounds, program = int(sys.argv[1]), sys.argv[2]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    print("way", "seconds to open", "MB", "connections/s of plain", sep="\t")
    took, memory = a_socket_each()  # before connections have left ports that are not free yet
    print("a socket each", f"{took:.2f}", f"{memory:.0f}", "-", sep="\t", flush=True)
    for method, took, memory, share in steered(program, rounds):
        print(method, f"{took:.4f}", f"{memory:.1f}", f"{share:.3f}", sep="\t", flush=True)


if __name__ == "__main__":
    main()
