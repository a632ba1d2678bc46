"""`tidegate report`: a page with pictures, tables and text, of a store, a capture, or of now."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from tidegate.cli.completing import completing, day_names, interface_names, report_words, zone_names
from tidegate.cli.options import DURATION, FILE, PATH, Parsed, config_option, place_option, store_option
from tidegate.cli.reporting import Reporting
from tidegate.model.text import safe_text
from tidegate.model.zone import find_zone, told, zone_of

if TYPE_CHECKING:
    from tidegate.model.config import Config
    from tidegate.model.document import Document


class Report(click.RichCommand):
    """The verb, and the one below it: `tidegate report list`."""

    def below(self) -> dict[str, click.Command]:
        """The commands below it, as of a group."""
        from tidegate.cli.report_list import list_reports

        return {"list": list_reports}

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Of what is asked for: a report, or the list of those that were mailed."""
        if args[:1] != ["list"]:
            return super().make_context(info_name, args, parent, **extra)
        return self.below()["list"].make_context(f"{info_name} list", args[1:], parent, **extra)


@click.command(cls=Report)
@click.argument("words", nargs=-1, metavar="[NAME] [FILTER]", shell_complete=report_words)
@click.option("--from", "begin", default="", metavar="TIME", help='Its beginning: 22:00, "2026-11-19 22:00".')
@click.option("--to", "end", default="", metavar="TIME", help="Its end: 06:00; now unless given.")
@click.option("--last", default="", metavar="TIME", help="The time before now: 24h, 7d.")
@click.option(
    "--day", default="", metavar="DAY", shell_complete=completing(day_names),
    help="A day: today, yesterday, 2026-11-20.",
)  # fmt: skip
@click.option(
    "--zone", type=Parsed("zone", find_zone), shell_complete=completing(zone_names),
    help="Time zone, such as Europe/Berlin (the schedule's, else the machine's).",
)  # fmt: skip
@store_option
@click.option(
    "-r", "--read", "files", type=FILE, multiple=True, metavar="FILE", help="Of this capture; repeatable."
)
@click.option("--capture", "seconds", type=DURATION, help="Capture for this time first: 10m, 8h.")
@click.option(
    "-i",
    "--interface",
    "interfaces",
    multiple=True,
    metavar="IFACE",
    shell_complete=completing(interface_names),
    help="With --capture: where; repeatable.",
)
@place_option
@click.option(
    "--own", multiple=True, metavar="ADDRESS", help="An address that counts as this machine's; repeatable."
)
@click.option("--no-compare", is_flag=True, help="Do not compare with the period before.")
@click.option("-o", "--output", "folder", type=PATH, metavar="DIR", help="Where it goes (NAME-END, here).")
@click.option("--open", "opened", is_flag=True, help="Show it in the browser.")
@click.option("--mail", "mailed", is_flag=True, help="Mail it as the configuration says.")
@click.option("--list", "listed", is_flag=True, help="List the reports there are.")
@click.option("--show", "shown", is_flag=True, help="Print the report's file, to be copied and changed.")
@config_option
def report(**options: Any) -> int:
    """Report on what was seen: one page (HTML) that needs nothing else; beside it pictures, tables, text.

    NAME is overnight (unless given), pings, web, relay, quota, one of your own (see --list), or a file.
    FILTER, after the name, is a BPF expression for what is captured or read.

    tidegate report list shows which were mailed, when, to whom, or why not.
    """
    asked = Reporting(**options)
    if asked.listed:
        click.echo(asked.overview())
        return 0
    if asked.shown:
        click.echo(asked.text(), nl=False)
        return 0
    return _report(asked)


def _report(asked: Reporting) -> int:
    from tidegate.app import checking, reporting
    from tidegate.reports.writing import write, write_named
    from tidegate.settings import find

    config = checking.load_to_mail(asked.config) if asked.mailed else find.load(asked.config)
    with asked.source(config) as wanted, _ticking() as tick:
        document = reporting.make_report(wanted, config, asked.folders, tick)
    page = write(document, asked.folder) if asked.folder else write_named(document, Path())
    click.echo(page)
    if document.nothing:
        click.echo(f"tidegate: {document.nothing}", err=True)
    for fault in document.faults:
        click.echo(f"tidegate: {asked.name}: {fault}", err=True)
    if asked.opened:
        _show(page)
    code = _mail(document, config) if asked.mailed else 0
    return code or int(bool(document.faults))


def _mail(document: "Document", config: "Config") -> int:
    """Says what became of it; 1 unless everybody has it."""
    from tidegate.app.posting import mail_document
    from tidegate.mail.outbox import OutboxError

    try:
        outcome = mail_document(document, config)
    except OutboxError as error:  # the page is there, and was named
        click.echo(f"tidegate: not mailed: {safe_text(str(error))}", err=True)
        return error.exit_code
    click.echo(f"tidegate: {outcome.said}", err=True)
    if outcome.state == "waiting":
        zone = zone_of(config.schedule.zone)  # as `tidegate report list` tells it
        when = f" from {told(datetime.fromtimestamp(outcome.again, UTC), zone)} on" if outcome.again else ""
        next_ = f"tidegate run tries again{when}, tidegate mail retry at once"
        click.echo(f"tidegate: it is kept in the outbox: {next_}", err=True)
    return 0 if outcome.done else 1


def _show(page: Path) -> None:
    import webbrowser

    if not webbrowser.open(page.absolute().as_uri()):
        click.echo(f"tidegate: no browser is found here; open {page} in one", err=True)


@contextmanager
def _ticking() -> Iterator[Callable[[str], None]]:
    """Says on a terminal what is being asked."""
    import sys

    def tell(title: str) -> None:
        from tidegate.model.text import one_line

        if sys.stderr.isatty():
            click.echo(f"\r{one_line(title, 60):<60}", err=True, nl=False)

    try:
        yield tell
    finally:
        if sys.stderr.isatty():
            click.echo(f"\r{'':<60}\r", err=True, nl=False)
