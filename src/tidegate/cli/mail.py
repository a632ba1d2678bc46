"""`tidegate mail`: does mail work, and if not, what is to be done."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import rich_click as click

from tidegate.cli.options import config_option, store_option
from tidegate.model.errors import SettingError, UsageError
from tidegate.model.text import safe_text

if TYPE_CHECKING:
    from tidegate.mail import Account

LONGEST_TEST = 3
"""Timeouts of the server's that a test takes at most: one that drips its answers would keep it for ever."""


@click.group()
def mail() -> None:
    """Try the mail server of the configuration, or send at once what waits."""


@mail.command()
@click.argument("to", required=False)
@config_option
def test(to: str | None, config: Path | None) -> int:
    """Send a short mail, to TO or to mail.to, and show what is said; passwords are hidden.

    Without anybody to write to it only says hello and logs in.
    """
    from tidegate.mail import MailError, check_addresses
    from tidegate.mail.advice import advice

    account, people = _account(config)
    people = (to,) if to else people
    _checked(lambda: check_addresses(people, "to"))
    try:
        _talk(account, people)
    except (MailError, OSError) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        click.echo(f"tidegate: {safe_text(what or type(error).__name__)}", err=True)
        if help := advice(account, error):
            click.echo(f"tidegate: {help}", err=True)
        return 1
    return 0


@mail.command()
@config_option
@store_option
def retry(config: Path | None, store: Path | None) -> int:
    """Try to send at once what waits in the outbox."""
    import time

    from tidegate.app.checking import load
    from tidegate.app.paths import in_store
    from tidegate.app.posting import open_outbox, outcome
    from tidegate.mail.sending import Sender

    settings = in_store(load(config), store)
    account, _ = _account(config)
    outbox = open_outbox(settings)
    before = outbox.waiting()
    outbox.hurry()
    if not Sender(outbox, account, settings.mail.keep, time.time, tells=False).send_due():
        click.echo("a running Tidegate is sending; see tidegate report list")
        return 0
    said = [outcome(outbox.known(slip.message_id)) for slip in before]
    for slip, each in zip(before, said, strict=True):
        click.echo(f"{safe_text(slip.subject)}: {safe_text(each.said)}")
    click.echo("nothing waits" if not before else "", nl=not before)
    return 0 if all(each.done for each in said) else 1


def _account(config: Path | None) -> "tuple[Account, tuple[str, ...]]":
    """Who mail is sent as, and to whom by default; looks at section mail alone, whatever else is wrong."""
    from tidegate.mail import open_account
    from tidegate.settings import find
    from tidegate.settings.build import examine
    from tidegate.settings.problem import ConfigError, located

    document = find.read(config)
    settings, problems = examine(document)
    if wrong := [problem for problem in problems if problem.path[:1] == ("mail",)]:
        raise ConfigError(wrong)
    try:
        return open_account(settings.mail, ""), settings.mail.to
    except SettingError as error:
        raise located(document, SettingError(error.text, "mail", *error.key)) from None


def _checked(check: Callable[[], None]) -> None:
    try:
        check()
    except SettingError as error:
        raise UsageError(error.text) from None


def _talk(account: "Account", people: tuple[str, ...]) -> None:
    from tidegate.mail import Letter, MailError
    from tidegate.mail.account import this_host
    from tidegate.mail.letter import message
    from tidegate.mail.line import Line, limited
    from tidegate.mail.server import deliver, greet

    line = Line()

    def show(text: str) -> None:
        click.echo(safe_text(text))

    if not people:
        with limited(line, LONGEST_TEST * account.timeout):
            greet(account, show, line.opened)
        click.echo("the server is right; give an address to send a mail: tidegate mail test kim@example.org")
        return
    text = f"This is a test of Tidegate on {this_host()}. Who reads it knows that reports can arrive.\n"
    letter = Letter("Tidegate: a test", text, datetime.now(UTC).astimezone(), f"test.{uuid4().hex}")
    made = message(letter, account.sender, people).as_bytes()
    with limited(line, LONGEST_TEST * account.timeout):
        delivery = deliver(account, made, people, line.opened, heard=show)
    if delivery.taken:
        click.echo(f"the server took it for {', '.join(map(safe_text, delivery.taken))}")
    for address, answer in delivery.refused.items():
        raise MailError(f"{address} was refused: {answer}", answer.final, answer.code, "recipient")
