"""Rows and rules for tests of alerts, on a time that only exists here."""

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tidegate.alerts import Alerts
from tidegate.alerts.actions import Notice, Tellers
from tidegate.model.batch import Batch, make
from tidegate.model.config import AlertSettings, RuleSettings
from tidegate.model.tables import find_table

S = 1_000_000_000
T0 = 1_795_168_800 * S
"""2026-11-20 10:00:00 UTC."""

DEFAULTS = {"VARCHAR": "", "BOOLEAN": False}


def rows(table: str, *given: dict[str, Any]) -> Batch:
    """A batch; what is not given is missing where it may be, else empty or 0."""
    columns = [column for column in find_table(table).columns if not column.nullable]
    names = dict.fromkeys([*(column.name for column in columns), *(name for row in given for name in row)])
    kinds = {column.name: column.type for column in columns}
    return make(
        table,
        {
            name: [row.get(name, DEFAULTS.get(kinds[name], 0) if name in kinds else None) for row in given]
            for name in names
            if not kinds.get(name, "").startswith("MAP")
        },
    )


def asked(at: float, count: int = 1, **values: Any) -> Batch:
    """Requests at this second, without replies."""
    row = {"ts": T0 + int(at * S), "method": "GET", "host": "www.example.org", "section": "/"} | values
    return rows("http", *([row] * count))


def conn(uid: str, first: float, last: float | None = None, **values: Any) -> dict[str, Any]:
    """A row of a connection that is running, by the seconds of its first and last packet."""
    row: dict[str, Any] = {
        "uid": uid,
        "ts": T0 + int(first * S),
        "last_ts": T0 + int((first if last is None else last) * S),
        "state": "active",
        "conn_state": "S1",
        "proto": "tcp",
        "src_ip": "10.0.0.5",
        "dst_ip": "192.0.2.1",
        "dst_port": 443,
        "up_packets": 1,
        "up_bytes": 60,
    }
    return row | values


def rule(metric: str = "http_requests", threshold: float | None = 2, **values: Any) -> RuleSettings:
    """A rule of ten seconds that recovers at once."""
    given: dict[str, Any] = {"name": metric, "window": 10.0, "settle": 0.0, **values}
    return RuleSettings(metric=metric, threshold=threshold, **given)


class Watched:
    """A stage, what it was given, and the rows of `alert` that came of it."""

    def __init__(
        self,
        *rules: RuleSettings,
        state: Path | None = None,
        tellers: Tellers | None = None,
        **settings: Any,
    ) -> None:
        self.stage = Alerts(AlertSettings(rules=rules, **settings), "me", state, tellers)
        self.alerts: list[dict[str, Any]] = []

    def see(self, *batches: Batch) -> list[str]:
        """Takes batches; what was raised and recovered, as "raised rule key"."""
        return self._taken([made for batch in batches for made in self.stage.process(batch)])

    def tick(self, at: float) -> list[str]:
        """The time is so many seconds after T0."""
        return self._taken(self.stage.tick(T0 + int(at * S)))

    def ticks(self, first: int, last: int) -> list[str]:
        """One tick a second."""
        return [said for at in range(first, last + 1) for said in self.tick(at)]

    def close(self) -> None:
        self.stage.close()

    def kill(self) -> None:
        """As if the process died: nothing more is written."""
        self.stage._end()

    def _taken(self, batches: list[Batch]) -> list[str]:
        said = []
        for batch in batches:
            if batch.table != "alert":
                continue
            names = [column.name for column in find_table("alert").columns]
            for values in zip(*batch.columns(names), strict=True):
                row = dict(zip(names, values, strict=True))
                self.alerts.append(row)
                said.append(" ".join(filter(None, [row["state"], row["rule"], row["key"]])))
        return said


def notice(**values: Any) -> Notice:
    """What people are told."""
    row = {
        "ts": T0,
        "alert_id": "a1",
        "sensor": "me",
        "rule": "http-traffic",
        "key": None,
        "state": "raised",
        "severity": "warning",
        "metric": "http_messages",
        "value": 7001.0,
        "threshold": 7000.0,
        "clear": 7000.0,
        "peak": 7001.0,
        "since": T0,
        "duration": None,
        "message": "High traffic",
    }
    return Notice.of(row | values)


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS, and the file by which it is trusted; made by openssl, for 127.0.0.1 and localhost."""
    key, crt = folder / "key.pem", folder / "crt.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", str(key), "-out", str(crt)]
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing: no certificate for a test of TLS")
    subprocess.run(["openssl", *words, *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    return context, crt
