"""Mail: the one door to SMTP. Pure of threads; who waits, and how often it is tried, is the caller's."""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import BinaryIO

from tidegate.model.config import MailSettings
from tidegate.model.errors import SettingError, TidegateError, UsageError
from tidegate.model.secret import read_secret
from tidegate.model.text import clip, one_line, safe_text
from tidegate.model.units import is_loopback

LONGEST_SUBJECT = 150
LONGEST_ANSWERS = 64 << 10
"""Bytes of all answers of a server to one letter."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.\-\[\]:]{1,255}")
_SERVER = re.compile(r"(?:\[([0-9A-Fa-f:.%]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?")
_PORTS = {"none": 25, "starttls": 587, "tls": 465}

Opened = Callable[[Callable[[], socket.socket | None]], None]
"""Is told where the connection's socket is found, for who wants to cut it."""


class MailError(TidegateError):
    """A mail that was not taken. `final` says whether trying again is of no use."""

    def __init__(self, text: str, final: bool) -> None:
        super().__init__(text)
        self.final = final


@dataclass(frozen=True)
class Letter:
    """What is sent. Texts may hold anything: headers and body are made safe here."""

    subject: str
    text: str
    date: datetime
    message_id: str
    """Letters, digits, dots and dashes; the same letter keeps it when it is sent again."""
    answers: str = ""
    """The message_id of the letter this one belongs to."""


class Mailer:
    """Sends letters by one server to the same people."""

    def __init__(self, settings: MailSettings) -> None:
        """Raises UsageError for an address, a server or a password file that cannot be."""
        self._settings = settings
        self._host, self._port = self._server()
        self._sender = settings.sender or f"tidegate@{_this_host()}"
        for address in (self._sender, *settings.to):
            if not _ADDRESS.fullmatch(address):
                key = "sender" if address == self._sender else "to"
                raise self._wrong(key, f'"{clip(safe_text(address), 60)}" is no mail address')
        if not settings.to:
            raise self._wrong("to", "nobody to write to; give addresses")
        if settings.timeout <= 0:
            raise self._wrong("timeout", "a timeout above 0 is needed")
        if settings.retries < 0:
            raise self._wrong("retries", "no negative retries: 0 or more")
        self._tls = self._context() if settings.security != "none" else None
        self._password = self._secret() if settings.user else ""

    def send(self, letter: Letter, opened: Opened | None = None) -> None:
        """Sends it; raises MailError or OSError."""
        message = self.message(letter)
        try:
            server = self._connected(opened)
            try:
                if self._settings.user:
                    server.login(self._settings.user, self._password)
                refused = server.send_message(message, self._sender, list(self._settings.to))
                _take_leave(server)
            finally:
                server.close()
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise MailError(f"every address was refused ({codes[0]})", all(c >= 500 for c in codes)) from None
        except smtplib.SMTPResponseException as error:
            final = 500 <= error.smtp_code < 600
            raise MailError(
                f"the server answered {error.smtp_code} {_said(error.smtp_error)}", final
            ) from None
        except smtplib.SMTPNotSupportedError as error:
            raise MailError(_said(str(error)), True) from None
        except smtplib.SMTPException as error:
            raise MailError(_said(str(error)) or type(error).__name__, False) from None
        if refused:
            raise MailError(f"{len(refused)} of {len(self._settings.to)} addresses were refused", True)

    def message(self, letter: Letter) -> EmailMessage:
        """The letter as it goes out."""
        domain = self._sender.partition("@")[2]
        message = EmailMessage(policy=SMTP)
        message["From"] = Address("Tidegate", addr_spec=self._sender)
        message["To"] = ", ".join(self._settings.to)
        message["Subject"] = one_line(letter.subject, LONGEST_SUBJECT)
        message["Date"] = format_datetime(letter.date)
        message["Message-ID"] = f"<{letter.message_id}@{domain}>"
        if letter.answers:
            message["In-Reply-To"] = message["References"] = f"<{letter.answers}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content("\n".join(map(safe_text, letter.text.split("\n"))), cte="quoted-printable")
        return message

    def _connected(self, opened: Opened | None) -> smtplib.SMTP:
        """A server that has said hello, encrypted as it should be."""
        security, timeout = self._settings.security, self._settings.timeout
        server: smtplib.SMTP
        if security == "tls":
            server = _BoundedTls(local_hostname=_this_host(), timeout=timeout, context=self._tls)
        else:
            server = _Bounded(local_hostname=_this_host(), timeout=timeout)
        if opened:
            opened(lambda: server.sock)
        try:
            server._host = self._host  # type: ignore[attr-defined] # the name that certificates are held against
            code, words = server.connect(self._host, self._port)
            if code != 220:
                raise smtplib.SMTPConnectError(code, words)
            if security == "starttls":
                server.starttls(context=self._tls)
        except BaseException:
            server.close()
            raise
        return server

    def _server(self) -> tuple[str, int]:
        match = _SERVER.fullmatch(self._settings.server)
        port = int(match[3]) if match and match[3] else _PORTS[self._settings.security]
        if not match or not 0 < port < 65536:
            server = clip(safe_text(self._settings.server), 60)
            raise self._wrong("server", f'"{server}" is no server: write mail.example.org:587')
        return match[1] or match[2], port

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._settings.ca_file or None)
        except OSError as error:
            reason = error.strerror or "no certificates"
            raise self._wrong("ca_file", f"{self._settings.ca_file}: {reason}") from None

    def _secret(self) -> str:
        if self._settings.security == "none" and not is_loopback(self._host):
            raise self._wrong("security", f"a password goes to {self._host} by starttls or tls only")
        try:
            return read_secret(Path(self._settings.password_file))
        except UsageError as error:
            raise self._wrong("password_file", str(error)) from None

    def _wrong(self, key: str, what: str) -> SettingError:
        return SettingError(what, key, of=f"mail {clip(self._settings.name, 40)}")


class _Answers:
    """What a server says, line by line, up to a bound: smtplib keeps all lines of an answer."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        self._file = file
        self.left = left

    def readline(self, most: int) -> bytes:
        line = self._file.readline(most)
        self.left -= len(line) + 64  # and what keeping it takes
        if self.left < 0:
            raise smtplib.SMTPServerDisconnected("the server's answer has no end")
        return line

    def close(self) -> None:
        self._file.close()


class _Bounded(smtplib.SMTP):
    """Hears a server out, but not for ever."""

    _left = LONGEST_ANSWERS

    def getreply(self) -> tuple[int, bytes]:
        """Takes an answer; raises SMTPServerDisconnected for one without an end."""
        if self.file is None and self.sock is not None:
            self.file = _Answers(self.sock.makefile("rb"), self._left)
        reply = super().getreply()
        if isinstance(self.file, _Answers):
            self._left = self.file.left  # STARTTLS makes a new one
        return reply


class _BoundedTls(_Bounded, smtplib.SMTP_SSL):
    """The same by TLS."""


def _take_leave(server: smtplib.SMTP) -> None:
    """The letter is taken: what the server says to a farewell changes nothing."""
    with suppress(smtplib.SMTPException, OSError):
        server.quit()


def _this_host() -> str:
    name = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:200].strip("-.")
    return name or "localhost"


def _said(text: str | bytes) -> str:
    return one_line(text.decode(errors="replace") if isinstance(text, bytes) else text, 200)
