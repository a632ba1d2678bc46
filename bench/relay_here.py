"""A relay with its events in a file of JSON lines: `relay_here.py LISTEN BACKEND THREADS LOG [FORMAT]`."""

import signal
import sys
from pathlib import Path

from tidegate import _core
from tidegate.relay.plan import Address, Backend, Door, Excerpts, Plan, Service
from tidegate.sinks.autonapt import Autonapt
from tidegate.sinks.cowrie import Cowrie
from tidegate.sinks.ecs import Ecs
from tidegate.sinks.text import text_of

LINES = {
    "jsonl": lambda batch: text_of("jsonl", batch),
    "autonapt": Autonapt().lines,
    "cowrie": Cowrie().lines,
    "ecs": Ecs().lines,
}


def main() -> None:
    """Runs it."""
    listen, backend, threads = map(int, sys.argv[1:4])
    service = Service(
        name="bench",
        doors=(Door("127.0.0.1", ((listen, listen),)),),
        backends=(Backend("backend", ((Address("127.0.0.1", backend), 1),)),),
        default="backend",
        excerpts=Excerpts(per_direction=256),
        listen_backlog=4096,
    )
    relay = _core.Relay(Plan((service,), threads=threads))
    signal.signal(signal.SIGTERM, lambda *_: relay.stop())
    lines = LINES[sys.argv[5] if len(sys.argv) > 5 else "jsonl"]
    with Path(sys.argv[4]).open("wb") as log:
        while (batches := relay.poll(0.5)) is not None:
            for batch in batches:
                if batch.table == "relay":
                    log.write(lines(batch))


if __name__ == "__main__":
    main()
