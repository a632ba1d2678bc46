"""What can go wrong with a mail."""

import ssl

from tidegate.model.errors import TidegateError

STEPS = {
    "connect": "when it should have greeted us",
    "hello": "when we said hello (EHLO)",
    "starttls": "when TLS was to begin",
    "login": "at the login",
    "mail": "when it was told from whom and to whom the letter is",
    "data": "when it was given the letter",
}
"""What was under way, by its phase."""


def at_step(phase: str) -> str:
    """The step in words, to be put behind others; nothing for none that is known."""
    return f" {STEPS[phase]}" if phase in STEPS else ""


def tls_words(error: ssl.SSLError) -> str:
    """What is wrong with TLS, without the names of OpenSSL's source files."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not accepted: {error.verify_message}"
    reason = (error.reason or "it ended").lower().replace("_", " ")
    return f"TLS could not be begun: {reason}"


class MailError(TidegateError):
    """A mail that was not taken. `final` says whether trying again is of no use."""

    def __init__(self, text: str, final: bool, code: int = 0, phase: str = "") -> None:
        """`code` is the server's, 0 where it said nothing; `phase` what was under way: login, mail, data …"""
        super().__init__(text)
        self.final = final
        self.code = code
        self.phase = phase


class TooLargeError(MailError):
    """A letter that the server takes nobody's of that size."""

    def __init__(self, limit: int) -> None:
        """`limit` is in bytes."""
        super().__init__(f"552 the server takes letters of {limit:,} bytes at most", True, 552, "mail")
        self.limit = limit
