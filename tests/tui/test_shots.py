"""The screen looks as it did when somebody looked at it; see shots.py."""

import pytest
import screens
import shots

from tidegate.tui.look import ASCII, Look


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


def kept(name: str) -> str:
    return (shots.SHOTS / f"{name}.txt").read_text().removesuffix("\n")


@pytest.mark.parametrize("size", shots.SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", shots.STATES)
def test_a_tab(name: str, size: tuple[int, int]) -> None:
    assert screens.after(*shots.STATES[name], size=size) == kept(f"{name}-{size[0]}x{size[1]}")


def test_with_plain_characters() -> None:
    for name, keys in (("now", ()), ("conns", ("2",))):
        shot = screens.after(*keys, look=Look(signs=ASCII))
        assert shot.isascii()
        assert shot == kept(f"{name}-ascii")


def test_very_small_and_wide() -> None:
    assert screens.after(size=(20, 5)) == kept("tiny")
    assert screens.after("2", size=(160, 40)) == kept("wide")
