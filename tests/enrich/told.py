"""A source of programs that tells what a test says, and rows of `conn` to fill."""

from collections.abc import Sequence
from typing import Any

from tidegate.enrich.process import ProcessStage
from tidegate.enrich.records import Raw
from tidegate.model.batch import Batch, make
from tidegate.model.config.enrich import ProgramSettings
from tidegate.model.tables import all_tables

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND
HERE, THERE = "10.0.0.1", "192.0.2.7"


class Told:
    """Tells its records once, and answers questions from `answers`."""

    def __init__(self, method: str = "bpf") -> None:
        self.method = method
        self.records: list[Raw] = []
        self.answers: list[Raw] = []
        self.asked = 0
        self.stopped = False

    def poll(self, timeout: float) -> list[Raw]:
        told, self.records = self.records, []
        return told

    def lookup(
        self, proto: str, local_ip: str, local_port: int, remote_ip: str | None = None, remote_port: int = 0
    ) -> list[Raw]:
        self.asked += 1
        return self.answers

    def stop(self) -> None:
        self.stopped = True

    def program(self, id: int, name: str = "curl", **other: Any) -> None:
        self.records.append(program(id, name, **other))

    def socket(self, action: str, program: int, **other: Any) -> None:
        self.records.append(socket(action, program, **other))


def program(id: int, name: str = "curl", **other: Any) -> Raw:
    given = {
        "pid": 1000 + id, "started": NOW - id, "parent_pid": 1, "parent": "init", "uid": 0, "name": name,
        "path": f"/bin/{name}", "cmdline": f"{name} -x", "cgroup": "/", **other,
    }  # fmt: skip
    return ("program", id, *given.values())


def socket(action: str, program: int, **other: Any) -> Raw:
    given = {
        "ts": NOW, "action": action, "method": "bpf", "proto": "tcp", "local_ip": HERE, "local_port": 40000,
        "remote_ip": THERE, "remote_port": 443, "program": program, "uid": None, **other,
    }  # fmt: skip
    return ("socket", *given.values())


def stage(source: Told, **settings: Any) -> ProcessStage:
    return ProcessStage(source, ProgramSettings(**settings), lambda: [HERE, "10.0.0.2", "2001:db8::1"])


def conn(**other: Any) -> Batch:
    """One connection from here to there, first seen now."""
    given = {
        "uid": "C1", "proto": "tcp", "src_ip": HERE, "src_port": 40000, "dst_ip": THERE, "dst_port": 443,
        "ts": NOW, "last_ts": NOW + SECOND, "state": "active", **other,
    }  # fmt: skip
    columns = next(table.columns for table in all_tables() if table.name == "conn")
    needed = {one.name: "" if one.type == "VARCHAR" else 0 for one in columns if not one.nullable}
    return make("conn", {name: [value] for name, value in (needed | given).items()})


def said(stage: ProcessStage, batch: Batch, names: Sequence[str] = ("name", "confidence")) -> list[Any]:
    """What the row says of the program here, then of the peer's."""
    (made,) = stage.process(batch)
    columns = [f"{prefix}{name}" for prefix in ("process_", "peer_process_") for name in names]
    return [values[0] for values in made.columns(columns)]
