"""Rows as records of logging: real handlers, real sockets, and what is wrong with a configuration."""

import errno
import logging
import logging.handlers
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers import wait_for
from log_rows import HOSTILE, START, conns, rows
from tidegate.model.errors import UsageError
from tidegate.sinks import emitter
from tidegate.sinks.logger import LOGGER, LoggerSink

PROGRAM = {
    "process_name": ["curl"],
    "process_path": ["/usr/bin/curl"],
    "process_parent": ["bash"],
    "process_user": ["alice"],
    "process_started": [START],
}


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """The logger as it was."""
    yield
    logger = logging.getLogger(LOGGER)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


def config(handler: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"version": 1, "handlers": {"h": handler}, "root": {"level": "DEBUG", "handlers": ["h"]}} | more


def test_a_rotating_file_gets_the_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    handler = {
        "class": "logging.handlers.RotatingFileHandler",
        "filename": str(path),
        "maxBytes": 2000,
        "backupCount": 100,
    }
    sink = LoggerSink(config(handler))
    for first in range(0, 100, 10):
        sink.write(conns(10, first))
    sink.close()
    files = sorted(tmp_path.iterdir(), key=lambda file: -int(file.suffix[1:] or 0))
    assert len(files) > 3
    found = [line.split("\t") for file in files for line in file.read_text().splitlines()]
    assert [cells[2] for cells in found] == [str(number) for number in range(100)]
    assert {len(cells) for cells in found} == {11}
    assert sink.lost == 0


def test_conmons_own_formatter_gives_eleven_columns(tmp_path: Path) -> None:
    path = tmp_path / "log"
    formatter = {"format": "%(asctime)s%(message)s", "datefmt": "%Y-%m-%d %H:%M:%S"}
    handler = {"class": "logging.FileHandler", "filename": str(path), "formatter": "simple"}
    given = config(handler, formatters={"simple": formatter})
    sink = LoggerSink(given | {"per": "segment"})
    sink.write(
        rows("packet", 1, uid=["C00000000"], payload_size=[3], excerpt=[r"abc\t"], src_ip=["192.0.2.9"])
    )
    sink.write(conns(1, **PROGRAM, state=["active"]))
    sink.close()
    cells = path.read_text().removesuffix("\n").split("\t")
    assert len(cells) == 11
    assert len(cells[0]) == len("2026-11-20 10:20:54")
    assert cells[1] == "192.0.2.9"
    assert cells[5:9] == ["curl", "/usr/bin/curl", "bash", "alice"]
    assert cells[10] == r"abc\t"
    assert given["formatters"]["simple"] == formatter, "what was given is not changed"


def test_fields_of_the_row_are_attributes_of_the_record(tmp_path: Path) -> None:
    path = tmp_path / "log"
    formatter = {
        "format": "%(levelname)s|%(uid)s|%(process_user)s|%(row_name)s|%(program)s|%(up_bytes)d|%(text)s"
    }
    handler = {"class": "logging.FileHandler", "filename": str(path), "formatter": "f"}
    sink = LoggerSink(config(handler, formatters={"f": formatter}, filter="prog:curl"))
    sink.write(conns(1, **PROGRAM, name=["a.example"], up_bytes=[7]))
    sink.write(conns(1, name=["not wanted"]))
    sink.close()
    assert path.read_text() == (
        "INFO|C00000000|alice|a.example|curl|7|"
        "closed SF duration=0.000000 up=7 down=0 service=- name=a.example\n"
    )


def test_syslog_over_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        handler = {
            "class": "logging.handlers.SysLogHandler",
            "address": list(server.getsockname()),
            "facility": "daemon",
        }
        sink = LoggerSink(config(handler))
        sink.write(conns(len(HOSTILE), name=[text[:100] for text in HOSTILE]))
        sink.close()
        got = [server.recv(65_536) for _ in HOSTILE]
    assert sink.lost == 0
    for message in got:
        assert message.startswith(b"<30>2026-11-20T10:20:54")
        assert message.endswith(b"\x00")
        assert message.count(b"\t") == 10
        assert not any(control in message[:-1] for control in (b"\x00", b"\n", b"\x1b", b"\x07", b"\xc2\x9b"))


def test_syslog_over_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        server.settimeout(10)
        sink = LoggerSink(config({"class": "logging.handlers.SysLogHandler", "address": path}))
        sink.write(conns(1, **PROGRAM))
        sink.close()
        cells = server.recv(65_536).rstrip(b"\x00").decode().split("\t")
    assert cells[0] == "<14>2026-11-20T10:20:54.000000Z"
    assert cells[5] == "curl"


def test_several_handlers_and_a_logger_of_its_own(tmp_path: Path) -> None:
    handlers = {
        name: {"class": "logging.FileHandler", "filename": str(tmp_path / name), "level": level}
        for name, level in (("all", "DEBUG"), ("errors", "ERROR"))
    }
    given = {"version": 1, "handlers": handlers, "loggers": {LOGGER: {"handlers": ["all", "errors"]}}}
    sink = LoggerSink(given)
    sink.write(conns(2))
    sink.close()
    assert len((tmp_path / "all").read_text().splitlines()) == 2
    assert (tmp_path / "errors").read_text() == ""


def test_our_own_messages_stay_out_of_it_and_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "log"
    sink = LoggerSink(config({"class": "logging.FileHandler", "filename": str(path)}))
    logging.getLogger("tidegate.sinks.logfile").warning("ours")
    sink.write(conns(1))
    sink.close()
    assert "ours" not in path.read_text()
    assert [record.getMessage() for record in caplog.records] == ["ours"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "no handlers for the rows"),
    ({"version": 1, "per": "packet"}, "per is connection or segment"),
    ({"version": 1, "filter": "status:1"}, 'filter: "status:1" looks at status'),
    ({"version": 1, "root": None}, "no handlers for the rows"),
    ({"version": 2, "root": {}}, "Unsupported version: 2"),
    ({"version": 1, "incremental": True, "root": {}}, "incremental configurations"),
    (config({"class": "logging.NoSuchHandler"}), "Unable to configure handler 'h'"),
    (config({"class": "no.such.module.Handler"}), "Cannot resolve 'no.such.module.Handler'"),
    (config({"class": "logging.FileHandler"}), "'filename'"),
    (config({"class": "logging.FileHandler", "filename": "/no/such/dir/x"}), "No such file or directory"),
    (config({"class": "logging.StreamHandler", "formatter": "f"}), "Unable to set formatter 'f'"),
    ({"version": 1, "root": {"handlers": ["x"]}}, "Unable to configure logger 'tidegate.rows'"),
    ({"version": 1, "root": {"level": "LOUD"}}, "Unknown level: 'LOUD'"),
    ({"version": 1, "root": 5}, "Unable to configure logger"),
    ({"version": 1, "loggers": [], "root": {}}, "loggers has to be names"),
    ({"version": 1, "handlers": 5, "root": {}}, "handlers has to be names"),
    ({"version": 1, "formatters": {"f": 5}, "root": {}}, "Unable to configure formatter 'f'"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_what_is_wrong_is_one_clear_line(given: dict[str, Any], message: str) -> None:
    before = threading.active_count()
    with pytest.raises(UsageError) as error:
        LoggerSink(given)
    assert str(error.value).startswith("logger: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert threading.active_count() == before


class Slow(logging.Handler):
    """A handler that waits for a test."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.got = 0

    def emit(self, record: logging.LogRecord) -> None:
        assert self.go.wait(30)
        self.got += 1


def test_a_slow_handler_keeps_nobody_waiting_and_its_loss_is_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(emitter, "HELD", 10)
    slow = Slow()
    sink = LoggerSink(config({"()": lambda: slow}))
    for first in range(0, 100, 10):
        sink.write(conns(10, first))
    assert sink.lost in (89, 90)
    slow.go.set()
    sink.close()
    assert slow.got == 100 - sink.lost
    assert f"logger: {sink.lost} rows were lost" in caplog.text


def test_a_handler_that_fails_is_counted_and_leaves_no_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    handlers = {
        "broken": {"class": "logging.handlers.SysLogHandler", "address": str(tmp_path / "socket")},
        "good": {"class": "logging.FileHandler", "filename": str(tmp_path / "log")},
    }
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "socket"))
        sink = LoggerSink({"version": 1, "handlers": handlers, "root": {"handlers": list(handlers)}})
    (tmp_path / "socket").unlink()
    sink.write(conns(3))
    sink.close()
    assert sink.lost == 3
    assert len((tmp_path / "log").read_text().splitlines()) == 3
    assert caplog.text.count("logger: handler broken: No such file or directory; rows it does not") == 1
    assert sink.trouble == "handler broken: No such file or directory; 3 rows lost"
    assert "Traceback" not in capfd.readouterr().err


class Moody(logging.Handler):
    """Fails as it is told: by itself, as the library does it, or when it is closed."""

    def __init__(self, how: str = "") -> None:
        super().__init__()
        self.how = how
        self.got = 0
        self.closed = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.got += 1
        if self.how == "raises":
            raise RuntimeError("no\nmood")
        if self.how == "refuses":
            try:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                self.handleError(record)

    def close(self) -> None:
        super().close()
        self.closed += 1
        if self.how:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("how", ["raises", "refuses"])
def test_it_works_again_when_a_handler_takes_rows_again(how: str) -> None:
    moody = Moody(how)
    sink = LoggerSink(config({"()": lambda: moody}))
    sink.write(conns(2))
    wait_for(lambda: sink.lost == 2 and sink.trouble)
    assert sink.trouble.startswith("handler h: ")
    assert "\n" not in sink.trouble
    moody.how = ""
    sink.write(conns(1))
    wait_for(lambda: not sink.trouble)
    sink.close()
    assert (moody.got, sink.lost) == (3, 2)


def test_it_works_again_when_there_is_room_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitter, "HELD", 10)
    slow = Slow()
    sink = LoggerSink(config({"()": lambda: slow}))
    sink.write(conns(50))
    assert "its handlers are too slow" in sink.trouble
    slow.go.set()
    wait_for(lambda: not sink.trouble)
    assert sink.lost >= 39
    sink.close()


def test_each_handler_that_fails_is_named_once_and_stops_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    moody = [Moody("raises"), Moody("refuses"), Moody()]
    handlers: dict[str, Any] = {f"m{at}": {"()": lambda at=at: moody[at]} for at in range(3)}
    if Path("/dev/full").exists():
        handlers = {"full": {"class": "logging.FileHandler", "filename": "/dev/full", "mode": "w"}} | handlers
    sink = LoggerSink({"version": 1, "handlers": handlers, "root": {"handlers": list(handlers)}})
    for each in moody:
        each.closed = 0  # configuring closes handlers of before
    sink.write(conns(3))
    sink.close()
    assert [each.got for each in moody] == [3, 3, 3]
    assert [each.closed for each in moody] == [1, 1, 1]
    for each in moody:
        each.how = ""
    failing = len(handlers) - 1
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == failing + 1
    assert "logger: handler m0: no mood; rows it does not take are lost, and counted" in told
    assert sum("m1: No space left on device;" in line for line in told) == 1
    assert sum("full (/dev/full): No space left on device;" in line for line in told) == failing - 2
    assert told[-1] == f"logger: {3 * failing} rows were lost"


def test_files_are_opened_anew_after_a_rename(tmp_path: Path) -> None:
    path, moved = tmp_path / "log", tmp_path / "moved"
    sink = LoggerSink(config({"class": "logging.FileHandler", "filename": str(path)}))
    sink.write(conns(2))
    wait_for(lambda: path.read_text().count("\n") == 2)
    path.rename(moved)
    sink.reopen()
    sink.write(conns(3))
    sink.close()
    assert (moved.read_text().count("\n"), path.read_text().count("\n")) == (2, 3)


def test_close_twice(tmp_path: Path) -> None:
    sink = LoggerSink(config({"class": "logging.FileHandler", "filename": str(tmp_path / "log")}))
    sink.close()
    sink.close()
    assert sink.lost == 0
