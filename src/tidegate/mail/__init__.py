"""Mail: letters, reports and their outbox, and the one door to SMTP."""

from tidegate.mail.account import Account, check_addresses, open_account
from tidegate.mail.errors import MailError
from tidegate.mail.letter import Letter
from tidegate.mail.mailer import Mailer

__all__ = ["Account", "Letter", "MailError", "Mailer", "check_addresses", "open_account"]
