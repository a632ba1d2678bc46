"""The one door to an Elasticsearch or OpenSearch server: HTTP requests, one at a time, that can be cut.

Python's own HTTP client does: of the server's interface four requests are used. opensearch-py would bring
31 MB of other packages (gRPC among them) and 26 MB of memory, reads answers of any length, and can neither
bound the time of a whole request nor end one at a stop.
"""

import base64
import gzip
import http.client
import json
import os
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from socket import SHUT_RDWR, socket
from typing import Any
from urllib.parse import urlsplit

from tidegate.model.config import ElasticSettings
from tidegate.model.errors import SettingError, TidegateError
from tidegate.model.secret import secret_of
from tidegate.model.text import clip, one_line
from tidegate.model.units import is_loopback

LARGEST = 64 << 20
"""Bytes of an answer at most."""

CONNECT = 5.0
"""Seconds to connect at most: nobody can cut this."""

_WORTH = 1024
"""Bytes from which on a body is compressed."""


class ServerError(TidegateError):
    """No answer, or none that is of use; trying again may help."""


class DroppedError(ServerError):
    """The connection ended before there was an answer."""


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON; raises ServerError."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise ServerError(f"the answer ({self.status}) is no JSON: is this the right address?") from None

    def reason(self) -> str:
        """Why it was refused, in the server's words where there are some."""
        found: Any = None
        with suppress(ServerError):
            found = self.json()
        error = found.get("error") if isinstance(found, dict) else None
        said = error.get("reason") or error.get("type") if isinstance(error, dict) else error
        words = one_line(str(said), 200) if said else ""
        return f"the server answered {self.status}{f': {words}' if words else ''}"


@dataclass(frozen=True)
class _Node:
    host: str
    port: int
    tls: bool
    prefix: str

    @property
    def name(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Server:
    """The nodes of one cluster; requests go to one of them until it fails."""

    def __init__(self, settings: ElasticSettings, environment: Mapping[str, str] = os.environ) -> None:
        """Raises SettingError for a URL, a secret or a file of certificates that cannot be; asks nobody."""
        self._what = f"elastic {clip(settings.name, 40)}"
        self._nodes = [self._node(url) for url in settings.urls]
        if not self._nodes:
            raise self._wrong("urls", "a URL at least is needed")
        self._headers = {"User-Agent": "tidegate"} | self._credentials(settings, environment)
        self._tls = self._context(settings.ca_file) if any(node.tls for node in self._nodes) else None
        self._timeout = settings.timeout
        self._compress = settings.compress
        self._connection: http.client.HTTPConnection | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """The node that is asked next, as host and port."""
        return self._nodes[0].name

    def request(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> Answer:
        """One request to one node, and its answer; raises ServerError. The next goes elsewhere then."""
        kept = self._connection is not None
        try:
            return self._request(method, path, body, kind)
        except ServerError as error:
            if not (kept and isinstance(error, DroppedError)):
                self._elsewhere()
                raise
        # The server may have closed a connection that was idle: that says nothing yet.
        try:
            return self._request(method, path, body, kind)
        except ServerError:
            self._elsewhere()
            raise

    def cut(self) -> None:
        """Ends what is going on, at once, for good. Safe from any thread."""
        self._closed = True
        self._shut()

    def close(self) -> None:
        """Lets go of the connection."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _request(self, method: str, path: str, body: bytes, kind: str) -> Answer:
        over = threading.Event()

        def cut() -> None:
            over.set()
            self._shut()

        watch = threading.Timer(self._timeout, cut)
        watch.name = "tidegate-elastic-cut"
        watch.start()
        answer: Answer | None = None
        try:
            answer = self._exchange(method, path, body, kind)
        except (http.client.HTTPException, BrokenPipeError, ConnectionResetError) as error:
            if not over.is_set():
                raise DroppedError(f"{self.name}: {_said(error)}") from None
        except OSError as error:
            if not over.is_set():
                raise ServerError(f"{self.name}: {_said(error)}") from None
        finally:
            watch.cancel()
            watch.join()
            if answer is None:
                self.close()
        if over.is_set() or answer is None:  # half an answer is none
            self.close()
            raise ServerError(f"{self.name}: no answer in {self._timeout:g}s")
        return answer

    def _exchange(self, method: str, path: str, body: bytes, kind: str) -> Answer:
        node = self._nodes[0]
        if self._connection is None:
            self._connection = self._connect(node)
        if self._closed:  # looked at after connecting: what is cut later is a socket that is there
            raise ConnectionAbortedError("ended")
        headers = dict(self._headers)
        if body:
            headers["Content-Type"] = kind
        if self._compress and len(body) > _WORTH:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        try:
            self._connection.request(method, node.prefix + path, body or None, headers)
        except (BrokenPipeError, ConnectionResetError) as error:
            return self._hung_up(error)
        response = self._connection.getresponse()
        said = response.read(LARGEST + 1)
        if len(said) > LARGEST:
            raise http.client.HTTPException("its answer is too long")
        if response.will_close:
            self.close()
        return Answer(response.status, said)

    def _hung_up(self, error: OSError) -> Answer:
        """What the server said before it hung up on a request; raises if that is nothing."""
        try:
            response = self._connection.getresponse() if self._connection else None
            answer = Answer(response.status, response.read(LARGEST)) if response else None
        except (http.client.HTTPException, OSError):
            answer = None
        self.close()
        if answer is None:
            raise error
        return answer

    def _connect(self, node: _Node) -> http.client.HTTPConnection:
        patience = min(self._timeout, CONNECT)
        if node.tls:
            made: http.client.HTTPConnection = http.client.HTTPSConnection(
                node.host, node.port, timeout=patience, context=self._tls
            )
        else:
            made = http.client.HTTPConnection(node.host, node.port, timeout=patience)
        made.connect()
        made.sock.settimeout(self._timeout)
        return made

    def _elsewhere(self) -> None:
        self.close()
        self._nodes.append(self._nodes.pop(0))

    def _shut(self) -> None:
        found = self._connection.sock if self._connection else None
        if found is not None:
            with suppress(OSError):  # closed already, or not connected yet
                socket.shutdown(found, SHUT_RDWR)

    def _node(self, text: str) -> _Node:
        try:
            url = urlsplit(text)
            port = url.port
        except ValueError:
            raise self._wrong("urls", _NO_URL) from None
        if url.username or url.password:
            raise self._wrong("urls", "a URL holds a password: use user and password_file")
        good = url.scheme in ("http", "https") and url.hostname and text.isascii() and text.isprintable()
        if not good or url.query or url.fragment:
            raise self._wrong("urls", _NO_URL)
        tls = url.scheme == "https"
        return _Node(url.hostname or "", port or (443 if tls else 80), tls, url.path.rstrip("/"))

    def _credentials(self, settings: ElasticSettings, environment: Mapping[str, str]) -> dict[str, str]:
        try:
            password = secret_of("password", settings.password, settings.password_file, environment)
            key = secret_of("api_key", settings.api_key, settings.api_key_file, environment)
        except SettingError as error:
            raise SettingError(error.text, *error.key, of=self._what) from None
        if bool(settings.user) != bool(password) or (settings.user and key):
            raise self._wrong("user", "give user and password, or an API key, or none of them")
        if not settings.user and not key:
            return {}
        open_to = next((n.host for n in self._nodes if not n.tls and not is_loopback(n.host)), None)
        if open_to:
            raise self._wrong("urls", f"a password goes to {open_to} by https only")
        if settings.user:
            return {"Authorization": f"Basic {_base64(f'{settings.user}:{password}')}"}
        key = _base64(key) if ":" in key else key
        if not (key.isascii() and key.isprintable()):
            raise self._wrong("api_key", "it has to be printable ASCII")
        return {"Authorization": f"ApiKey {key}"}

    def _context(self, ca_file: str) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=ca_file or None)
        except OSError as error:
            raise self._wrong("ca_file", f"{ca_file}: {error.strerror or 'no certificates'}") from None

    def _wrong(self, key: str, what: str) -> SettingError:
        return SettingError(what, key, of=self._what)


_NO_URL = "its URL is none: write https://host:9200"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _said(error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return one_line(str(reason), 200)
