"""Rules asked without a relay: where first bytes go, and what is found in rules."""

from dataclasses import replace

import pytest

from tidegate import _core
from tidegate.relay.plan import Backend, Limits, Rule, Service

GET = b"GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"


def service(*rules: Rule, **options: object) -> Service:
    backends = tuple(Backend(name, ()) for name in ("web", "ssh", "trap"))
    return Service("front", (), backends, "trap", rules=rules, **options)  # type: ignore[arg-type]


def goes(asked: Service, first: bytes, over: bool = False, port: int = 80, **more: str) -> str:
    """The backend; `wait` if more is needed."""
    taken = _core.relay_judge(asked, first, "192.0.2.1", port, over, **more)
    if taken is None:
        return "wait"
    return taken[0] or f"refused: {taken[3]}"


def kinds(*rules: Rule) -> list[tuple[str | None, str, bool]]:
    found = _core.relay_check(service(*rules))
    assert all(text and "\n" not in text for *_, text in found)
    return [(rule, kind, fatal) for rule, kind, fatal, _ in found]


def test_a_request_split_over_segments_is_recognised() -> None:
    asked = service(Rule("http", "web", services=("http",)), Rule("ssh", "ssh", pattern=rb"^SSH-\d"))
    assert goes(asked, b"GE") == "wait"
    assert goes(asked, b"GET /") == "web"
    assert goes(asked, b"SSH-2") == "ssh"
    assert goes(asked, b"\xff") == "trap"
    assert goes(asked, b"GE", over=True) == "trap"
    assert goes(asked, b"", over=True) == "trap"


def test_all_that_is_known_of_a_verdict_is_told() -> None:
    asked = service(Rule("own", "web", host=("*.example.org",)))
    assert _core.relay_judge(asked, GET, "192.0.2.1", 80, False) == ("web", "own", "http", "close")
    refused = service(Rule("own", None, host=("*.example.org",), refusal="tarpit"))
    assert _core.relay_judge(refused, GET, "192.0.2.1", 80, False) == (None, "own", "http", "tarpit")
    nowhere = replace(service(limits=Limits(refusal="reset")), default=None)
    assert _core.relay_judge(nowhere, GET, "192.0.2.1", 80, True) == (None, None, "http", "reset")


def test_conditions_on_client_and_port() -> None:
    here = Rule("here", "web", sources=("192.0.2.0/24",), ports=((80, 90),), countries=("de",))
    assert goes(service(here), b"", country="DE") == "web"
    assert goes(service(here), b"", country="FR") == "trap"
    assert goes(service(here), b"") == "trap"
    assert goes(service(here), b"", port=91, country="DE") == "trap"
    ports = service(port_defaults=((5900, 5999, "ssh"),))
    assert (goes(ports, b"", port=5901), goes(ports, b"", port=1)) == ("ssh", "trap")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule("bad", "web", pattern=b"("), 'rule "bad": pattern "(": unclosed group'),
        (Rule("bad", "web", pattern=rb"(a)\1"), "backreferences are not supported"),
        (Rule("bad", "web", pattern=b"(a|b)*a(a|b){20}"), "pattern too large"),
        (Rule("bad", "web", services=("gopher",)), 'no protocol "gopher" is recognised'),
        (Rule("bad", "web", sources=("here",)), 'network "here": write an address'),
        (Rule("bad", "gone"), 'no backend "gone" in this service'),
    ],
)
def test_what_cannot_be_is_said_in_a_line(rule: Rule, said: str) -> None:
    with pytest.raises(_core.UsageError) as raised:
        goes(service(rule), b"")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert kinds(rule) == [("bad", "backend" if "backend" in said else "wrong", True)]


def test_no_address_is_an_error_too() -> None:
    with pytest.raises(_core.UsageError, match="no IP address"):
        _core.relay_judge(service(), b"", "here", 80, True)


def test_rules_that_cannot_decide_are_found() -> None:
    get = Rule("get", "web", pattern=b"^GET ")
    assert kinds(get, Rule("admin", "trap", pattern=b"^GET /admin")) == [("admin", "unreachable", False)]
    assert kinds(get, Rule("again", "web", pattern=b"^GET ")) == [("again", "duplicate", False)]
    assert kinds(get, Rule("other", "ssh", pattern=b"^GET ")) == [("other", "conflict", False)]
    assert kinds(Rule("all", "web", pattern=b".*")) == [("all", "empty", False)]
    assert kinds(Rule("late", "web", pattern=b"admin")) == [("late", "waits", False)]
    assert kinds(Rule("vnc", "web", services=("vnc",))) == [("vnc", "never", False)]
    assert kinds(get, Rule("ssh", "ssh", services=("ssh",)), Rule("rest", "trap")) == []
    nowhere = replace(service(), default="gone")
    assert _core.relay_check(nowhere) == [(None, "backend", True, 'no backend "gone" in this service')]
