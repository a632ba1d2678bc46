"""-p LISTEN=BACKEND: what is read, and that each mistake is one line that says what is expected."""

import pytest

from tidegate.model.errors import UsageError
from tidegate.relay.specs import EXPECTED, parse_spec, parse_specs


@pytest.mark.parametrize(
    "text",
    [
        ":22=127.0.0.1:2222",
        "0.0.0.0:80=127.0.0.1:8080",
        "[::]:80=name:8080",
        ":25=unix:/run/x.sock",
        "1000-2000=:80",
    ],
)
def test_a_spec_becomes_a_service(text: str) -> None:
    listen, _, backend = text.partition("=")
    service = parse_spec(text)
    assert (service.name, service.listen, service.backend) == (listen, (listen,), backend)


@pytest.mark.parametrize(
    "text",
    ["", "=", "22", ":22", ":22=", "=:22", ":22:127.0.0.1:2222", ":99999=:1", ":22=nowhere", "::1:22=:1",
     ":22=1.2.3.4.5:1", ":22=:22=:22", "\n=\x1b", "🦊=🦊", "x" * 5000],
)  # fmt: skip
def test_a_bad_spec_is_one_line_that_says_what_is_expected(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec(text)
    said = str(caught.value)
    assert said.endswith(EXPECTED)
    assert len(said) < 600


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="is there already"):
        parse_specs([":22=:1", ":22=:2"])
    with pytest.raises(UsageError, match="is there already"):
        parse_specs([":22=:1"], parse_specs([":22=:2"]))
