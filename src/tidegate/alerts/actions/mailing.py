"""Action: a mail."""

from dataclasses import replace
from datetime import datetime

from tidegate.alerts.actions.notice import Notice
from tidegate.alerts.actions.teller import RefusedError, Send
from tidegate.mail import Letter, Mailer, MailError, check_addresses, open_account
from tidegate.mail.line import Line
from tidegate.model.config import AlertMailSettings, MailSettings
from tidegate.model.errors import SettingError
from tidegate.model.text import clip


def mailer(settings: AlertMailSettings) -> Send:
    """Sends notices as mails; raises UsageError for settings that cannot be."""
    people = _people(settings)

    def send(notice: Notice, line: Line) -> None:
        try:
            people.send(letter(notice), line.opened)
        except MailError as error:
            if error.final:
                raise RefusedError(str(error)) from None
            raise

    return send


def _people(settings: AlertMailSettings) -> Mailer:
    of = f"mail {clip(settings.name, 40)}"
    try:
        account = open_account(_server(settings), of)
        check_addresses(settings.to, "to")
        if settings.retries < 0:
            raise SettingError("no negative retries: 0 or more", "retries")
        return Mailer(account, settings.to)
    except SettingError as error:
        raise SettingError(error.text, *error.key, of=of) from None


def _server(settings: AlertMailSettings) -> MailSettings:
    """Its own account, or that of section mail."""
    through = settings.through
    sender = settings.sender or through.sender
    if not settings.server and not settings.user and settings.security == "none":
        return replace(through, sender=sender, timeout=settings.timeout)
    return MailSettings(
        server=settings.server or through.server,
        security=settings.security,
        user=settings.user,
        password_file=settings.password_file,
        ca_file=settings.ca_file,
        hello=through.hello,
        sender=sender,
        timeout=settings.timeout,
    )


def letter(notice: Notice) -> Letter:
    """The mail of a notice; that an alert is over answers the mail of the alert."""
    name, state = f"alert.{notice.data['alert_id']}", notice.data["state"]
    return Letter(
        subject=f"[tidegate {notice.data['sensor']}] {notice.title}",
        text=notice.text(),
        date=datetime.fromisoformat(str(notice.data["ts"])),
        message_id=f"{name}.{state}",
        answers=f"{name}.raised" if notice.recovered else "",
    )
