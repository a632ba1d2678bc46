"""What `tidegate control status` says of a Tidegate that has its troubles, in words of a line each."""

from typing import Any

from tidegate.cli.control import _status

ANSWER: dict[str, Any] = {
    "capturing": True,
    "error": "",
    "uptime": 5.0,
    "pid": 7,
    "user": "me",
    "packets": 1,
    "bytes": 2,
    "connections": 3,
    "flows": 1,
    "store": "/s",
    "config": "",
    "reload_error": "",
}


def said(**changes: Any) -> list[str]:
    usual = _status(ANSWER)
    return [line for line in _status(ANSWER | changes) if line not in usual]


def test_all_is_well() -> None:
    assert "capture   none" in _status(ANSWER)
    assert "store     /s" in _status(ANSWER)


def test_what_is_missing_lost_or_late_is_said() -> None:
    assert said(interfaces=["lo"], waiting_for=["wg0", "wlan0"]) == [
        "capture   lo; waiting for wg0, wlan0, not there"
    ]
    assert said(stored_lost=7) == ["store     /s  7 ROWS NOT STORED, the disk took none"]
    fine = {"name": "fine", "lost": 0, "waiting": 0, "lag": 0.0}
    chat = {"name": "chat", "lost": 2, "waiting": 0, "lag": 0.0}
    me = {"name": "me", "lost": 1, "waiting": 3, "lag": 4.0}
    assert said(notices=[fine, chat, me]) == [
        "chat      NOT TOLD of 2 alerts",
        "me        NOT TOLD of 1 alert; 3 to be told, for 4.00 s",
    ]
    assert said(capturing=False, error="no rights") == ["capture   none  NOT RUNNING: no rights"]
