"""Where mail is handed in, and as whom: settings made true, with the password read."""

import os
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tidegate.model.config.mail import MailSettings, Security
from tidegate.model.errors import SettingError, UsageError
from tidegate.model.secret import secret_in, secret_of
from tidegate.model.text import clip, safe_text
from tidegate.model.units import is_loopback

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(
    rf"(?=.{{1,64}}@.{{1,255}}\Z){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Za-z.:]+\])"
)
_HOST = r"\w(?:[\w-]{0,61}\w)?"
_SERVER = re.compile(rf"(?:\[([\w:.%]+)\]|((?:{_HOST}\.)*{_HOST}\.?))(?::(\d{{1,5}}))?", re.ASCII)
_HELLO = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")
_PORTS = {"none": 25, "starttls": 587, "tls": 465}
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Account:
    """A server, and how to behave there."""

    host: str
    port: int
    security: Security
    sender: str
    hello: str
    """What to say hello by; empty: whatever fits the connection."""
    timeout: float
    user: str
    password: str = field(repr=False)
    tls: ssl.SSLContext | None = field(repr=False)


def open_account(
    settings: MailSettings, of: str = "mail", environment: Mapping[str, str] = os.environ
) -> Account:
    """Looks at every setting and reads the password; raises SettingError, which begins with `of`."""
    try:
        return _account(settings, environment)
    except SettingError as error:
        raise SettingError(error.text, *error.key, of=of) from None


def _account(settings: MailSettings, environment: Mapping[str, str]) -> Account:
    host, port = _server(settings)
    sender = settings.sender or f"tidegate@{this_host()}"
    check_addresses((sender,), "sender")
    check_addresses(settings.to, "to")
    if settings.hello and not _HELLO.fullmatch(settings.hello):
        raise SettingError(f'"{clip(safe_text(settings.hello), 60)}" is no host name', "hello")
    if settings.timeout <= 0:
        raise SettingError("a timeout above 0 is needed", "timeout")
    tls = _context(settings.ca_file) if settings.security != "none" else None
    user = _user(settings, environment)
    password = _password(settings, host, environment) if user else ""
    return Account(
        host, port, settings.security, sender, settings.hello, settings.timeout, user, password, tls
    )


def check_addresses(addresses: tuple[str, ...], key: str) -> None:
    """Raises SettingError for what is no mail address."""
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise SettingError(f'"{clip(safe_text(address), 60)}" is no mail address', key)


def this_host() -> str:
    """The host's name, as far as it can stand in an address."""
    labels = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:200].split(".")
    name = ".".join(filter(None, (label[:63].strip("-") for label in labels)))
    return name or "localhost"


def _server(settings: MailSettings) -> tuple[str, int]:
    match = _SERVER.fullmatch(settings.server)
    port = int(match[3]) if match and match[3] else _PORTS[settings.security]
    if not match or not 0 < port < 65536:
        server = clip(safe_text(settings.server), 60)
        raise SettingError(f'"{server}" is no server: write mail.example.org:587', "server")
    return match[1] or match[2], port


def _context(ca_file: str) -> ssl.SSLContext:
    if ca_file and Path(ca_file).is_fifo():  # OpenSSL would wait for whoever writes to it
        raise SettingError(f"{ca_file} is no file that could be read", "ca_file")
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ValueError) as error:
        known = isinstance(error, OSError) and not isinstance(error, ssl.SSLError)
        why = getattr(error, "strerror", "") if known else "holds no certificates (PEM)"
        raise SettingError(f"{ca_file}: {why}", "ca_file") from None


def _user(settings: MailSettings, environment: Mapping[str, str]) -> str:
    if settings.user and settings.user_file:
        raise SettingError("give user or user_file, not both", "user")
    if settings.user_file:
        try:
            return secret_in(settings.user_file, "user name", environment)
        except UsageError as error:
            raise SettingError(str(error), "user_file") from None
    named = _VARIABLE.fullmatch(settings.user)
    if named and not environment.get(named[1]):
        raise SettingError(f"the environment has no variable {named[1]}", "user")
    return environment[named[1]] if named else settings.user


def _password(settings: MailSettings, host: str, environment: Mapping[str, str]) -> str:
    if settings.security == "none" and not is_loopback(host):
        raise SettingError(f"a password goes to {host} by starttls or tls only", "security")
    if not settings.password and not settings.password_file:
        raise SettingError("a user needs a password: give password_file", "password_file")
    return secret_of("password", settings.password, settings.password_file, environment)
