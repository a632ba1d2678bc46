"""Action: JSON by POST to a URL."""

import http.client
import json
import os
import re
import ssl
from urllib.parse import urlsplit

from tidegate.alerts.actions.notice import Notice
from tidegate.alerts.actions.teller import RefusedError
from tidegate.mail.line import Line
from tidegate.model.config import WebhookSettings
from tidegate.model.errors import SettingError, TidegateError
from tidegate.model.text import clip

AGAIN = frozenset({408, 425, 429})
"""Client errors after which trying again is of use; after others it is not."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_OWN = frozenset({"content-length", "host", "transfer-encoding", "connection"})


class AnswerError(TidegateError):
    """The server's answer is no success; trying again may help."""


class Webhook:
    """Posts notices. Redirections are not followed; the answer's body is not read."""

    def __init__(self, settings: WebhookSettings) -> None:
        """Raises SettingError for a URL or a header that cannot be."""
        try:
            url = urlsplit(settings.url)
            self._port = url.port
        except ValueError:
            raise _wrong(settings, "url", "its URL is none: write https://host/path") from None
        if url.scheme not in ("http", "https") or not url.hostname or not _printable(settings.url):
            raise _wrong(settings, "url", "its URL is none: write https://host/path")
        if url.username or url.password:
            raise _wrong(settings, "url", 'its URL holds a password: use headers, "Authorization: ..."')
        self._host = url.hostname
        self._path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        self._tls = _context(settings) if url.scheme == "https" else None
        self._timeout = settings.timeout
        if settings.timeout <= 0:
            raise _wrong(settings, "timeout", "a timeout above 0 is needed")
        if settings.retries < 0:
            raise _wrong(settings, "retries", "no negative retries: 0 or more")
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": "tidegate",
            "Connection": "close",
            **dict(_header(settings, each) for each in settings.headers),
        }

    def __call__(self, notice: Notice, line: Line) -> None:
        """One attempt; see Send."""
        body = json.dumps({**notice.data, "text": notice.line}, ensure_ascii=True).encode()
        connection = self._connection()
        line.opened(lambda: connection.sock)
        try:
            connection.request("POST", self._path, body, self._headers)
            status = connection.getresponse().status
        except http.client.HTTPException as error:
            raise AnswerError(f"no HTTP answer: {type(error).__name__}") from None
        finally:
            connection.close()
        if 200 <= status < 300:
            return
        if status in AGAIN or status >= 500:
            raise AnswerError(f"the server answered {status}")
        raise RefusedError(f"the server answered {status}")

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)


def _context(settings: WebhookSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as error:
        reason = error.strerror or "no certificates"
        raise _wrong(settings, "ca_file", f"{settings.ca_file}: {reason}") from None


def _header(settings: WebhookSettings, text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not _NAME.fullmatch(name.strip()) or name.strip().lower() in _OWN:
        raise _wrong(settings, "headers", f'a header is "Name: value", not "{clip(name, 40)}"')
    value = _VARIABLE.sub(lambda match: _variable(settings, match[1]), value).strip()
    if not _printable(value):
        raise _wrong(settings, "headers", f"header {name.strip()}: only printable ASCII can be sent")
    return name.strip(), value


def _variable(settings: WebhookSettings, name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise _wrong(settings, "headers", f"the environment has no variable {name}")
    return value


def _printable(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _wrong(settings: WebhookSettings, key: str, what: str) -> SettingError:
    """What is said of a mistake. Never the URL itself: those of chat services are secrets."""
    return SettingError(what, key, of=f"webhook {clip(settings.name, 40)}")
