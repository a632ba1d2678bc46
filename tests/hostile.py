"""Text that strangers might choose to harm a terminal, a log or a reader, and how to see that it did not."""

import re

from terminal import plain_after

HOSTILE = {
    "markup": "[/foo] [bold]x[/bold] [link=http://x]y",
    "osc52": "\x1b]52;c;ZXZpbA==\x07",
    "title": "\x1b]0;owned\x1b\\",
    "csi": "\x1b[2J\x1b[31mred",
    "c1": "\x9b31m\x90q\x9c",
    "bidi": "\u202egpj.exe\u2066",
    "breaks": "a\r\nb\x00c\x08\x7f\u2028d",
    "zalgo": "e" + "\u0301" * 200,
    "surrogate": "x\udc80y",
    "invisible": "a\u200bb\ufeffc\u00add",
    "wide": "漢字" * 200,
    "long": "A" * 65_536,
}
INVALID = b"\xff\xfe\x80Host\xc3("


def safe(text: str) -> bool:
    """Whether a terminal does nothing with it but show it, from left to right."""
    return not re.search(
        "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]", text
    )


def sent() -> list[bytes]:
    """All of it, as bytes of one line."""
    texts = [text.encode("utf-8", "surrogateescape") for text in HOSTILE.values()] + [INVALID]
    return [text.replace(b"\r", b"").replace(b"\n", b"") for text in texts]


def check_bytes(raw: bytes) -> None:
    """Nothing of a stranger's text reached the terminal as a command."""
    assert b"\x1b]52" not in raw
    assert b"\x1b]0;" not in raw
    left = plain_after(raw)
    assert not re.search(rb"[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]", left), left[:200]
    text = left.decode("utf-8")
    assert safe(text.replace("\r", "").replace("\n", "").replace("\x08", "").replace("\x1b", "")), (
        "control left"
    )


ACTS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff]")
"""What no line holds: controls, and what turns or breaks it. A space without width is text to a log."""


def check_lines(text: bytes) -> None:
    """The same of a file, which holds lines and tabs and no command at all."""
    lines = text.decode("utf-8").replace("\t", "").split("\n")
    assert not any(map(ACTS.search, lines)), next(ascii(line) for line in lines if ACTS.search(line))
