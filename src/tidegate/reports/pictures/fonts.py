"""Fonts: the one that comes with matplotlib, and those of the system for signs that it lacks.

The system's are looked for when such a sign is to be drawn, never before: most reports have none.
"""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

OWN = "DejaVu Sans"
"""Comes with matplotlib: Latin, Greek, Cyrillic, Arabic, and no Chinese, Japanese or Korean."""
MOST = 500
"""Fonts of the system that are opened at most."""
_NO_SIGNS = ("Last Resort", "LastResort", "Adobe Blank")
"""Fonts that have every sign and show none of them: boxes, or nothing. matplotlib brings the first."""


def families(words: str) -> tuple[str, ...]:
    """Our font, and the system's that have signs of these words which ours lacks; the first come first."""
    own = _open(OWN)
    missing = frozenset(sign for sign in words if own and not own.get_char_index(ord(sign)))
    return (OWN, *(_others(missing) if missing else ()))


def has(found: tuple[str, ...], sign: str) -> bool:
    """Whether one of these fonts can draw it."""
    return any((font := _open(name)) and font.get_char_index(ord(sign)) for name in found)


@cache
def _others(missing: frozenset[str]) -> tuple[str, ...]:
    """As few as have all of these signs, or as many of them as anybody has."""
    having: dict[str, frozenset[str]] = {}
    for name in _installed():
        font = _open(name)
        signs = frozenset(sign for sign in missing if font and _draws(font, sign))
        if signs:
            having[name] = signs
        if signs == missing:
            break
    found = []
    while missing and having:
        name = max(having, key=lambda each: len(having[each] & missing))
        if not having[name] & missing:
            break
        found.append(name)
        missing -= having[name]
    return tuple(found)


@cache
def _installed() -> tuple[str, ...]:
    """Families of the system, those that go with ours first.

    Also what was installed since matplotlib made its list, which it keeps in the user's cache for ever.
    """
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {entry.fname for entry in fontManager.ttflist}
    for path in findSystemFonts():
        if path not in known:
            try:
                fontManager.addfont(path)
            except (OSError, RuntimeError, ValueError):  # one that cannot be read is not there
                continue
    names = {entry.name for entry in fontManager.ttflist if not entry.name.startswith(_NO_SIGNS)} - {OWN}
    return tuple(sorted(names, key=lambda name: ("Mono" in name, "Serif" in name, "Sans" not in name, name)))[
        :MOST
    ]


def _open(name: str) -> "FT2Font | None":
    """The very file that matplotlib draws a family with."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    try:
        return get_font(findfont(FontProperties(family=[name]), fallback_to_default=False))
    except (OSError, RuntimeError, ValueError):
        return None


def _draws(font: "FT2Font", sign: str) -> bool:
    """Whether it has an outline for the sign: coloured pictures of emoji have none."""
    try:
        font.set_size(10, 72)
        return bool(font.get_char_index(ord(sign)) and font.load_char(ord(sign)))
    except (RuntimeError, ValueError):
        return False
