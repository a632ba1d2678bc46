"""Action: a mail."""

from datetime import datetime

from tidegate.alerts.actions.notice import Notice
from tidegate.alerts.actions.teller import Line, RefusedError, Send
from tidegate.mail import Letter, Mailer, MailError
from tidegate.model.config import MailSettings


def mailer(settings: MailSettings) -> Send:
    """Sends notices as mails; raises UsageError for settings that cannot be."""
    people = Mailer(settings)

    def send(notice: Notice, line: Line) -> None:
        try:
            people.send(letter(notice), line.opened)
        except MailError as error:
            if error.final:
                raise RefusedError(str(error)) from None
            raise

    return send


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
