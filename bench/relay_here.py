"""A relay with its events in a file of JSON lines: `relay_here.py LISTEN BACKEND THREADS LOG`."""

import signal
import sys
from pathlib import Path

from tidegate import _core
from tidegate.relay.plan import Address, Backend, Door, Excerpts, Plan, Service


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
    writer = _core.TextWriter("jsonl")
    with Path(sys.argv[4]).open("wb") as log:
        while (batches := relay.poll(0.5)) is not None:
            for batch in batches:
                if batch.table == "relay":
                    log.write(writer.write(batch))


if __name__ == "__main__":
    main()
