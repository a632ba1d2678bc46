"""Sends short letters to the same people, one attempt each; who tries again, and when, is the caller's."""

from tidegate.mail.account import Account
from tidegate.mail.errors import MailError
from tidegate.mail.letter import Letter, message
from tidegate.mail.line import Opened
from tidegate.mail.server import deliver
from tidegate.model.errors import SettingError


class Mailer:
    """By one account."""

    def __init__(self, account: Account, to: tuple[str, ...]) -> None:
        """`to` are addresses that were looked at; raises SettingError if there is none."""
        if not to:
            raise SettingError("nobody to write to; give addresses", "to")
        self._account = account
        self._to = to

    def send(self, letter: Letter, opened: Opened | None = None) -> None:
        """Sends it; raises MailError or OSError, also where only some have it."""
        made = message(letter, self._account.sender, self._to)
        delivery = deliver(self._account, made.as_bytes(), self._to, opened)
        answers = list(delivery.refused.values())
        if answers and not delivery.taken:
            final = all(each.final for each in answers)
            raise MailError(f"every address was refused ({answers[0].code})", final, answers[0].code, "mail")
        if answers:
            raise MailError(f"{len(answers)} of {len(self._to)} addresses were refused", True)
