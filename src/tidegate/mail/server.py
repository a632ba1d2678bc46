"""An SMTP server: the one door to it. Hears it out, but not for ever; what is said can be listened to."""

import base64
import errno
import hmac
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from tidegate.mail.account import Account, this_host
from tidegate.mail.errors import MailError, TooLargeError, at_step, tls_words
from tidegate.mail.line import Opened
from tidegate.model.text import one_line

LONGEST_ANSWERS = 64 << 10
"""Bytes of all answers of a server to one letter."""
FAREWELL = 2.0
"""Seconds that a server has for its answer to QUIT: nothing depends on it."""

Heard = Callable[[str], None]
"""Is given each line of the dialogue: `> ` what we say, `< ` what the server answers, `  ` what happens."""


@dataclass(frozen=True)
class Answer:
    """What a server said to an address."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}"

    @property
    def final(self) -> bool:
        """Whether it will not say anything else later."""
        return self.code >= 500


@dataclass
class Delivery:
    """What became of a letter: everybody it was for is in one of these."""

    taken: list[str] = field(default_factory=list)
    refused: dict[str, Answer] = field(default_factory=dict)
    """Addresses that were not taken, now (4xx) or for good (5xx)."""


def deliver(
    account: Account,
    letter: bytes,
    to: Sequence[str],
    opened: Opened | None = None,
    heard: Heard | None = None,
) -> Delivery:
    """Hands in one letter; raises MailError or OSError where nobody got it."""
    server = _made(account, heard)
    with _understood(server), _closed(server):
        _connect(server, account, opened)
        server.phase = "mail"
        server.ehlo_or_helo_if_needed()
        sizes = [f"size={len(letter)}"] if server.has_extn("size") else []
        limit = server.esmtp_features.get("size", "").strip()
        if limit.isascii() and limit.isdigit() and 0 < int(limit[:18]) < len(letter):
            raise TooLargeError(int(limit))
        _well(*server.mail(account.sender, sizes))
        delivery = _addressed(server, to)
        if delivery.taken:
            server.phase = "data"
            _well(*server.data(letter))
        _take_leave(server, opened)
    return delivery


def greet(account: Account, heard: Heard | None = None, opened: Opened | None = None) -> None:
    """Only says hello and logs in; raises as `deliver`."""
    server = _made(account, heard)
    with _understood(server), _closed(server):
        _connect(server, account, opened)
        _take_leave(server, opened)


class Session(smtplib.SMTP):
    """A conversation."""

    _left = LONGEST_ANSWERS
    phase = "connect"
    heard: Heard | None = None
    whole: ssl.SSLContext | None = None
    """By which TLS begins before anything is said."""
    _letter = 0

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """A connection to the first address that takes it; it can be cut off before it stands."""
        wrong = OSError(errno.EHOSTUNREACH, "no address is known")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            self.sock = found = socket.socket(family, kind, protocol)
            found.settimeout(timeout)
            try:
                found.connect(address)
            except OSError as error:
                found.close()
                wrong = error
            else:
                return self.encrypted(found, self.whole) if self.whole else found
        raise wrong

    def encrypted(self, plain: socket.socket, tls: ssl.SSLContext) -> ssl.SSLSocket:
        """Begins TLS, which can be cut off meanwhile; what was said before counts no more."""
        before, self.phase = self.phase, "starttls"
        name = self._host  # type: ignore[attr-defined] # smtplib's own
        self.sock = found = tls.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False)
        found.do_handshake()
        self.file = self.helo_resp = self.ehlo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False
        self.phase = before
        return found

    def getreply(self) -> tuple[int, bytes]:
        """Takes an answer; raises _EndlessError for one without an end."""
        if self.file is None and self.sock is not None:
            self.file = _Answers(self.sock.makefile("rb"), self._left)
        reply = super().getreply()
        if isinstance(self.file, _Answers):
            self._left = self.file.left  # STARTTLS makes a new one
        if self.heard:
            lines = reply[1].decode(errors="replace").split("\n")
            for number, line in enumerate(lines):
                self.heard(f"< {reply[0]}{' ' if number == len(lines) - 1 else '-'}{one_line(line, 200)}")
            if reply[0] == 354 and self._letter:
                self.heard(f"  (the letter, {self._letter:,} bytes)")
        return reply

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Says something."""
        if self.heard:
            self.heard(f"> {one_line(f'{cmd} {args}', 200)}")
        super().putcmd(cmd, args)

    def data(self, msg: object) -> tuple[int, bytes]:
        """Says that a letter follows, and the letter."""
        self._letter = len(msg) if isinstance(msg, bytes) else 0
        return super().data(msg)  # type: ignore[arg-type]

    def introduce(self, user: str, password: str) -> None:
        """Logs in, in one of the ways the server knows; raises SMTPException.

        One attempt only: servers lock out who tries again and again.
        """
        self.ehlo_or_helo_if_needed()
        ways = self.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in ways:
            code, words = self._secretly("AUTH PLAIN", self._by_lines, [f"\0{user}\0{password}"])
        elif "LOGIN" in ways:
            code, words = self._secretly("AUTH LOGIN", self._by_lines, [user, password])
        elif "CRAM-MD5" in ways:
            code, words = self._secretly("AUTH CRAM-MD5", self._by_challenge, [user, password])
        else:
            raise smtplib.SMTPNotSupportedError("the server takes no login that is known here (PLAIN, LOGIN)")
        if code not in (235, 503):
            raise smtplib.SMTPAuthenticationError(code, words)

    def _secretly(
        self, command: str, talk: Callable[[str, list[str]], tuple[int, bytes]], secrets: list[str]
    ) -> tuple[int, bytes]:
        """A login of which nobody hears more than its kind and its end."""
        if self.heard:
            self.heard(f"> {command} ****")
        heard, self.heard = self.heard, None
        try:
            answer = talk(command, secrets)
        finally:
            self.heard = heard
        if self.heard:
            words = _without(answer[1].decode(errors="replace"), [*secrets, *map(_coded, secrets)])
            self.heard(f"< {answer[0]} {one_line(words, 200)}")
        return answer

    def _by_lines(self, command: str, secrets: list[str]) -> tuple[int, bytes]:
        """The secrets, one after the other, in UTF-8."""
        answer = self.docmd(command, _coded(secrets[0]))
        for each in secrets[1:]:
            if answer[0] != 334:
                break
            answer = self.docmd(_coded(each))
        return answer

    def _by_challenge(self, command: str, secrets: list[str]) -> tuple[int, bytes]:
        """A digest of the password and what the server asks."""
        code, words = self.docmd(command)
        if code != 334:
            return code, words
        user, password = secrets
        try:
            digest = hmac.new(password.encode(), base64.b64decode(words), "md5").hexdigest()
        except ValueError:  # no base64, or a system that knows no MD5
            raise smtplib.SMTPException("what the server asks (CRAM-MD5) cannot be answered") from None
        return self.docmd(_coded(f"{user} {digest}"))


class _EndlessError(Exception):
    """An answer without an end. No OSError: smtplib would take it for a server that hung up."""


class _Answers:
    """What a server says, line by line, up to a bound: smtplib keeps all lines of an answer."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        self._file = file
        self.left = left

    def readline(self, most: int) -> bytes:
        line = self._file.readline(most)
        self.left -= len(line) + 64  # and what keeping it takes
        if self.left < 0 or len(line) == most:
            raise _EndlessError
        return line if line.endswith(b"\n") else b""  # half a line is no answer, even if it begins well

    def close(self) -> None:
        self._file.close()


def _made(account: Account, heard: Heard | None) -> Session:
    server = Session(local_hostname=account.hello or this_host(), timeout=account.timeout)
    server.whole = account.tls if account.security == "tls" else None
    server.heard = heard
    return server


def _connect(server: Session, account: Account, opened: Opened | None) -> None:
    """Until the server has said hello, encrypted as it should be, and knows who we are."""
    if opened:
        opened(lambda: server.sock)
    if server.heard:
        server.heard(f"  connecting to {account.host} port {account.port}")
    server._host = account.host  # type: ignore[attr-defined] # the name that certificates are held against
    code, words = server.connect(account.host, account.port)
    if code != 220:
        raise smtplib.SMTPConnectError(code, words)
    server.phase = "hello"
    if not account.hello and "." not in server.local_hostname:
        server.local_hostname = _literal(server.sock)
    if account.security == "starttls":
        _start_tls(server, account.tls)
    if isinstance(server.sock, ssl.SSLSocket) and server.heard:
        server.heard(f"  {_described(server.sock)}")
    server.ehlo_or_helo_if_needed()
    if account.user:
        server.phase = "login"
        server.introduce(account.user, account.password)


def _start_tls(server: Session, tls: ssl.SSLContext | None) -> None:
    server.ehlo_or_helo_if_needed()
    if not server.has_extn("starttls"):
        raise smtplib.SMTPNotSupportedError("the server knows no STARTTLS")
    server.phase = "starttls"
    _well(*server.docmd("STARTTLS"))
    if server.sock and tls:
        server.encrypted(server.sock, tls)
    server.phase = "hello"


def _well(code: int, words: bytes) -> None:
    """Raises SMTPResponseException unless it is a yes: any code that begins with 2 (RFC 5321, 4.3.2)."""
    if code // 100 != 2:
        raise smtplib.SMTPResponseException(code, words)


def _literal(sock: socket.socket | None) -> str:
    """Our address as a name to say hello by: what RFC 5321 wants of machines without a name with dots."""
    address = sock.getsockname()[0].partition("%")[0] if sock else "127.0.0.1"
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _described(sock: ssl.SSLSocket) -> str:
    """How the connection is encrypted."""
    cipher = sock.cipher()
    found = sock.getpeercert() or {}
    ends = f", certificate until {found['notAfter']}" if "notAfter" in found else ""
    return f"{sock.version()}, {cipher[0] if cipher else 'unknown cipher'}{ends}"


def _addressed(server: Session, to: Sequence[str]) -> Delivery:
    delivery = Delivery()
    for address in to:
        code, words = server.rcpt(address)
        if code // 100 == 2:
            delivery.taken.append(address)
        elif code == 421:
            raise smtplib.SMTPResponseException(code, words)
        else:
            delivery.refused[address] = Answer(code, said(words))
    return delivery


@contextmanager
def _closed(server: Session) -> Iterator[None]:
    try:
        yield
    finally:
        server.close()


@contextmanager
def _understood(server: Session) -> Iterator[None]:
    """What smtplib raises, as MailError."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        words, code = said(error.smtp_error), error.smtp_code
        text = f"the server answered {code} {words}" if code >= 0 else f"no answer of a mail server: {words}"
        raise MailError(text, 500 <= code < 600, max(code, 0), server.phase) from None
    except smtplib.SMTPNotSupportedError as error:
        raise MailError(said(str(error)), True, 0, server.phase) from None
    except smtplib.SMTPException as error:
        raise MailError(_hung_up(server, error), False, 0, server.phase) from None
    except _EndlessError:
        text = f"the server's answer has no end{at_step(server.phase)}"
        raise MailError(text, False, 0, server.phase) from None
    except ssl.SSLError as error:
        error.strerror = tls_words(error)
        raise
    except TimeoutError:
        if server.phase == "connect":  # the network's doing, not the server's
            raise TimeoutError(f"no connection in {server.timeout:g} s") from None
        raise MailError(_silent(server), False, 0, server.phase) from None
    except UnicodeError:  # an address or a name that no server could be told
        raise MailError("a name or an address has letters that SMTP does not know", True) from None


def _hung_up(server: Session, error: smtplib.SMTPException) -> str:
    """Why there was no answer: smtplib has one word for a server that is silent and for one that goes."""
    cause = error.__context__
    if isinstance(cause, TimeoutError):
        return _silent(server)
    if isinstance(error, smtplib.SMTPServerDisconnected) and (cause or "closed" in str(error)):
        return f"the server hung up{at_step(server.phase)}"
    return said(str(error)) or type(error).__name__


def _silent(server: Session) -> str:
    return f"the server said nothing for {server.timeout:g} s{at_step(server.phase)}"


def _take_leave(server: Session, opened: Opened | None) -> None:
    """All is said and done: no answer to a farewell changes that, and neither does a cut."""
    if opened:
        opened(None)
    with suppress(smtplib.SMTPException, OSError):
        server.putcmd("quit")
        if server.sock:
            server.sock.settimeout(min(server.timeout, FAREWELL))
            words = server.sock.recv(512)
            if server.heard:
                server.heard(f"< {one_line(words.decode(errors='replace'), 200)}")


def said(text: str | bytes) -> str:
    """A server's words, harmless and in one line."""
    return one_line(text.decode(errors="replace") if isinstance(text, bytes) else text, 200)


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _without(text: str, secrets: Sequence[str]) -> str:
    """The text without what must not be shown, should a server repeat it."""
    for secret in secrets:
        for part in re.split("\0", secret):
            text = text.replace(part, "****") if len(part) > 3 else text
    return text
