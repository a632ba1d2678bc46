"""Regular expressions on bytes, checked by RE2: what it does not take cannot be matched in linear time."""

from tidegate.model.errors import UsageError
from tidegate.model.text import clip


def check_pattern(pattern: str) -> None:
    """Raises UsageError for what is none."""
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    try:
        re2.compile(pattern.encode(), options)
    except re2.error as error:
        said = error.args[0] if error.args else "no regular expression"
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise UsageError(f'"{clip(pattern, 40)}" is no pattern: {clip(text, 100)}') from None
