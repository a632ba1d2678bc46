"""The mail server: whether it answers, encrypts as it should and takes our login."""

from collections.abc import Iterator
from dataclasses import replace

from tidegate.doctor.finding import Finding, broken, ok
from tidegate.mail import MailError, open_account
from tidegate.mail.advice import advice
from tidegate.mail.line import Line, limited
from tidegate.mail.server import greet
from tidegate.model.config import Config
from tidegate.model.errors import SettingError
from tidegate.model.text import one_line

PATIENCE = 5.0
"""Seconds for one answer; three times as long for all."""


def check_mail(config: Config) -> Iterator[Finding]:
    """Says hello to the server of section mail, where something is sent by it."""
    reports = any(each.mail for each in config.schedule.reports)
    alerts = any(not each.server for each in config.alerts.mails)
    if not config.mail.to and not reports and not alerts:
        return
    try:
        account = open_account(config.mail, "mail")
    except SettingError as error:
        yield broken("mail", str(error), "tidegate config explain mail")
        return
    where, line = f"{account.host} port {account.port}", Line()
    try:
        with limited(line, 3 * PATIENCE, "tidegate-doctor-mail"):
            greet(replace(account, timeout=PATIENCE), opened=line.opened)
    except (MailError, OSError) as error:
        words = error.strerror if isinstance(error, OSError) else None
        said = one_line(words or str(error), 200)
        help = advice(account, error) or "tidegate mail test shows what is said"
        yield broken("mail", f"{where}: {said}", f"{help}; reports wait on disk meanwhile")
        return
    yield ok("mail", f"{where} answers{' and takes the login' if account.user else ''}")
