"""Watches all interfaces of its namespace until a line comes in, then writes the last row of each connection.

`python watching.py METHOD`, in a namespace of the caller's; says `ready METHOD` first. The line is 0, or a
port: then it goes on until a connection to that port has a name, or for ten seconds. Rows are JSON lines.
"""

import json
import sys
import threading
import time
import warnings

warnings.simplefilter("ignore", RuntimeWarning)  # a debug build says that it is slow

import tidegate  # noqa: E402
from tidegate.enrich.process import COLUMNS, READ, ProcessStage  # noqa: E402
from tidegate.enrich.watch import local_addresses, open_source  # noqa: E402
from tidegate.model.config import EngineSettings, WatchSettings  # noqa: E402
from tidegate.model.config.enrich import ProgramSettings  # noqa: E402

NAMES = [
    *READ,
    "conn_state",
    *(f"{prefix}{name}" for prefix in ("process_", "peer_process_") for name in COLUMNS),
]


def main() -> None:
    """Watches."""
    settings = ProgramSettings(method=sys.argv[1])  # type: ignore[arg-type]
    source = open_source(settings)
    stage = ProcessStage(source, settings, local_addresses)
    engine = EngineSettings(opened=True, interim=0.2)
    last: dict[str, dict[str, object]] = {}
    with tidegate.watch(settings=WatchSettings(engine=engine)) as watch:
        named = {0}

        def stop() -> None:
            port, deadline = int(sys.stdin.readline()), time.monotonic() + 10
            while port not in named and time.monotonic() < deadline:
                time.sleep(0.02)
            watch.stop()

        stopper = threading.Thread(target=stop, name="stopper")
        stopper.start()
        print("ready", source.method, flush=True)
        for batch in watch:
            for made in stage.process(batch):
                if made.table == "conn":
                    rows = [
                        dict(zip(NAMES, row, strict=True)) for row in zip(*made.columns(NAMES), strict=True)
                    ]
                    last.update({str(row["uid"]): row for row in rows})
                    named.update(int(row["dst_port"]) for row in rows if row["process_name"])
        stopper.join()
    stage.close()
    for row in last.values():
        print(json.dumps(row))


if __name__ == "__main__":
    main()
