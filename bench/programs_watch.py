"""Watches the loopback until a line comes in, then writes who had which port: `programs_watch.py METHOD`.

METHOD is one of Tidegate's, `none` (the same watch without programs), or `psutil:SECONDS` (polling so often).
Says `ready`, then on the end a JSON object: CPU seconds used meanwhile, and pairs of ends with pid and name.
"""

import json
import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator

warnings.simplefilter("ignore", RuntimeWarning)  # a debug build says that it is slow

Found = dict[str, tuple[int | None, str | None]]


def tidegate(method: str, over: threading.Event) -> Iterator[Found]:
    """By `conn` rows: the last of each connection."""
    from tidegate import watch
    from tidegate.enrich.process import ProcessStage
    from tidegate.enrich.watch import local_addresses, open_source
    from tidegate.model.config.enrich import ProgramSettings

    settings = ProgramSettings(method=method)  # type: ignore[arg-type]
    wanted = method != "none"
    stages = [ProcessStage(open_source(settings), settings, local_addresses)] if wanted else []
    names = ["proto", "src_ip", "src_port", "process_pid", "process_name"]
    found: Found = {}
    with watch("lo") as live:
        ender = threading.Thread(target=lambda: (over.wait(), live.stop()), name="ender")
        ender.start()
        yield found
        for batch in live:
            made = [batch]
            for stage in stages:
                made = [other for one in made for other in stage.process(one)]
            for one in made:
                if one.table == "conn":
                    for proto, ip, port, pid, name in zip(*one.columns(names), strict=True):
                        found[f"{proto}{6 if ':' in ip else 4}:{port}"] = (pid, name)
        ender.join()
    for stage in stages:
        stage.close()
    yield found


def polling(pause: float, over: threading.Event) -> Iterator[Found]:
    """By psutil's table, again and again; names are asked for at once."""
    import psutil

    found: Found = {}
    yield found
    while not over.wait(pause):
        for one in psutil.net_connections("inet"):
            if one.pid and one.laddr:
                proto = "tcp" if one.type == 1 else "udp"
                key = f"{proto}{6 if ':' in one.laddr.ip else 4}:{one.laddr.port}"
                try:
                    found[key] = (one.pid, psutil.Process(one.pid).name())
                except psutil.Error:
                    continue
    yield found


def main() -> None:
    """Watches, and tells."""
    method = sys.argv[1]
    over = threading.Event()
    kind, _, pause = method.partition(":")
    watching = polling(float(pause), over) if kind == "psutil" else tidegate(method, over)
    next(watching)
    before = time.process_time()
    print("ready", flush=True)
    reader = threading.Thread(target=lambda: (sys.stdin.readline(), over.set()), name="reader")
    reader.start()
    found = next(watching)
    reader.join()
    print(json.dumps({"cpu": time.process_time() - before, "found": found, "pid": os.getpid()}))


if __name__ == "__main__":
    main()
