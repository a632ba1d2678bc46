"""What to do about what a mail server said. Pure."""

import re
import ssl

from tidegate.mail.account import Account
from tidegate.mail.errors import MailError
from tidegate.model.units import is_loopback

_PROVIDERS = (
    (
        ("gmail", "google", "gsmtp"),
        "Gmail takes an app password here, not that of the account: switch on 2-step verification, make one "
        "at https://myaccount.google.com/apppasswords, put its 16 letters into password_file; user is the "
        "whole address",
    ),
    (
        ("outlook", "office365", "hotmail", "live.com"),
        "Microsoft takes no passwords from programs any more for personal accounts; for an organisation's an "
        "administrator has to allow SMTP AUTH for the mailbox; otherwise send by another server",
    ),
    (
        ("yahoo", "aol"),
        "Yahoo and AOL take an app password here: account security, Generate app password",
    ),
    (
        ("icloud", "me.com", "apple"),
        "iCloud takes an app-specific password here: https://account.apple.com, Sign-In and Security",
    ),
    (
        ("gmx", "web.de", "mail.com"),
        "GMX, WEB.DE and mail.com take programs only once POP3 and IMAP access is switched on in the "
        "settings of the mailbox; with two-factor login they want an app password",
    ),
    (("fastmail", "messagingengine"), "Fastmail takes an app password here: Settings, Privacy & Security"),
    (("zoho",), "Zoho takes an app-specific password here where two-factor login is on"),
    (("yandex", "mail.ru"), "Yandex and Mail.ru take an app password here"),
    (("proton",), "Proton takes an SMTP token here: Settings, IMAP/SMTP, SMTP tokens"),
)
"""What is found in a host's name or an answer, and what is to be done there."""

_ANY = (
    "user or password are not right for this server; many want an app password (made in the settings of the "
    "account) instead of that of the account, and the whole address as user"
)


_REFUSED = {
    "connect": "it takes nothing from this address: send by the server of your provider, with a login",
    "hello": "it does not like the name we say hello by: give one with a dot as mail.hello",
    "recipient": "is the address right? A server that is not its own takes it after a login only",
}
"""What is to be done where a step was refused."""


def advice(account: Account, error: Exception) -> str:
    """What somebody can do about it, in a line; empty where nothing is known."""
    if isinstance(error, MailError):
        return _of_answer(account, error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(account, error.verify_code)
    if isinstance(error, ssl.SSLError):
        return _of_tls(account)
    if isinstance(error, TimeoutError | ConnectionError) or getattr(error, "errno", None):
        return _of_network(account)
    return ""


def _of_certificate(account: Account, code: int) -> str:
    """By OpenSSL's X509_V_ERR_…"""
    if code in (9, 10):  # not yet valid, not valid any more
        return f"is this machine's clock right (date)? If it is, whoever runs {account.host} has to renew it"
    if code in (62, 64):  # another name, another address
        return "give the name that stands in the certificate as server"
    return "a private authority's certificate, or one that a server has made for itself, goes into ca_file"


def _of_tls(account: Account) -> str:
    if account.security != "starttls":
        return "this port speaks no TLS from the beginning: security: starttls, mostly on port 587"
    where = f"{account.host}:{account.port}"
    return f"what it wants instead is shown by: openssl s_client -starttls smtp -connect {where}"


def _of_network(account: Account) -> str:
    if account.port == 25 and is_loopback(account.host):
        return "does this machine have a mail server? If not, give that of your provider as mail.server"
    if account.port == 25:
        return "many networks let nothing out on port 25: try port 587 with security: starttls"
    where = f"{account.host} right, and does it listen on port {account.port}"
    return f"is {where}? 587 is for starttls, 465 for tls"


def _of_answer(account: Account, error: MailError) -> str:
    if not error.code:
        return _of_none(account, error)
    if error.phase == "login" and error.code in (534, 535, 454, 501, 504, 530, 538):
        return _of_login(account, str(error))
    if error.code in (534, 535):
        return _of_login(account, str(error))
    if error.code == 530:
        if re.search("tls", str(error), re.IGNORECASE):
            return "it wants encryption first: security: starttls"
        return "it wants a login: give user and password_file"
    if 500 <= error.code < 600 and error.phase in _REFUSED:
        return _REFUSED[error.phase]
    if error.code == 552:
        return "the letter is too large for it: lower mail.max_size"
    if error.code in (550, 551, 553, 554) and error.phase == "mail":
        return "give mail.sender an address that may send here, mostly that of the user; or it wants a login"
    return ""


def _of_none(account: Account, error: MailError) -> str:
    """Of a server that did not answer, or does not offer what is wanted."""
    if "STARTTLS" in str(error):
        return "it knows no STARTTLS on this port: security: tls is mostly on port 465"
    if error.phase == "starttls" and account.security == "tls":
        return "does this port speak TLS from the beginning? 465 mostly does; 587 is for starttls"
    if "takes no login" in str(error):
        return "many offer it by starttls (port 587) or tls (465) only; where none is wanted leave user out"
    return ""


def _of_login(account: Account, said: str) -> str:
    text = f"{account.host} {said}".lower()
    return next((words for names, words in _PROVIDERS if any(name in text for name in names)), _ANY)
