"""`tidegate ship`: old logs to an Elasticsearch or OpenSearch server."""

import json
import logging
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from tidegate.cli.options import FILE, config_option
from tidegate.model.config import ElasticSettings
from tidegate.model.errors import CaptureError, SettingError, UsageError
from tidegate.model.text import safe_text
from tidegate.model.units import counted, human_bytes, human_count, human_duration, human_rate

if TYPE_CHECKING:
    from datetime import tzinfo

    from tidegate.sinks.elastic.replay.lines import LogReader
    from tidegate.sinks.elastic.replay.shipment import Count, Shipment

MOST_REASONS = 10


@click.command()
@click.argument("files", type=FILE, nargs=-1, metavar="FILE...")
@config_option
@click.option("--to", metavar="NAME", help="Which server of the configuration's, if there are several.")
@click.option(
    "--url", "urls", multiple=True, metavar="URL", help="A server that is not in the configuration."
)
@click.option("--user", default="", metavar="NAME", help="With --url: the user name.")
@click.option(
    "--password-file",
    type=FILE,
    default="",
    metavar="FILE",
    help="With --url: the file that holds the password.",
)
@click.option(
    "--api-key-file",
    type=FILE,
    default="",
    metavar="FILE",
    help="With --url: the file that holds an API key.",
)
@click.option(
    "--ca-file", type=FILE, default="", metavar="FILE", help="With --url: certificates to trust instead."
)
@click.option("--stream", default="", metavar="NAME", help="Beginning of the data streams' names: tidegate.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["auto", "jsonl", "ecs", "eve", "autonapt"]),
    default="auto",
    help="What the lines are, if it is not to be found out.",
)
@click.option("--table", default="", metavar="TABLE", help="The table of jsonl that could be of several.")
@click.option("--zone", default="UTC", metavar="ZONE", help="Time zone of AutoNapt's machine: Europe/Berlin.")
@click.option("--again", is_flag=True, help="From the beginning, wherever an earlier run stopped.")
@click.option("--templates", is_flag=True, help="Print the index templates, send nothing.")
def ship(
    files: tuple[str, ...],
    config: Path | None,
    to: str | None,
    urls: tuple[str, ...],
    user: str,
    password_file: str,
    api_key_file: str,
    ca_file: str,
    stream: str,
    kind: str,
    table: str,
    zone: str,
    again: bool,
    templates: bool,
) -> int:
    """Send old logs (jsonl, ecs, eve, AutoNapt's; also gzip; - is standard input) to a server.

    Rows that it has already are not doubled, and a run that was ended goes on where it stopped.
    Exit code 1 if any line was refused or not understood.
    """
    logging.basicConfig(format="tidegate: %(message)s", level=logging.INFO)
    named: dict[str, Any] = {
        "user": user,
        "password_file": password_file,
        "api_key_file": api_key_file,
        "ca_file": ca_file,
    }
    given = {name: text for name, text in named.items() if text}
    settings = _settings(config, to, urls, given, stream, sends=not templates)
    if templates:
        _print_templates(settings)
        return 0
    if not files:
        raise UsageError("no file to send; - is standard input")
    progress = Progress()
    shipment = _shipment(settings, kind, table, _zone(zone), again, progress)
    try:
        return max([_send(name, shipment, progress) for name in files])
    finally:
        shipment.close()


def _settings(
    config: Path | None,
    to: str | None,
    urls: tuple[str, ...],
    named: dict[str, Any],
    stream: str,
    sends: bool,
) -> ElasticSettings:
    from tidegate.settings.find import load

    if urls:
        if to:
            raise UsageError("--to names a server of the configuration: it does not go with --url")
        return _with(ElasticSettings("ship", urls), named | ({"stream": stream} if stream else {}))
    if named:
        raise UsageError("--user and files of secrets go with --url; others stand in the configuration")
    servers = load(config).elastic
    there = ", ".join(server.name for server in servers)
    if not servers and not sends:
        return _with(ElasticSettings("ship", ()), {"stream": stream} if stream else {})
    if not servers:
        raise UsageError("no server: name one with --url, or under elastic: in the configuration")
    if to is None and len(servers) > 1:
        raise UsageError(f"which server? say --to {there.replace(', ', ' or ')}")
    found = next((server for server in servers if to in (None, server.name)), None)
    if found is None:
        raise UsageError(f'there is no server "{to}"; there are {there}')
    return _with(found, {"stream": stream}) if stream else found


def _with(settings: ElasticSettings, named: dict[str, Any]) -> ElasticSettings:
    """The settings with what options say."""
    try:
        return replace(settings, **named)
    except SettingError as error:
        raise UsageError(f"--{error.key[0]}: {error.text}") from None


def _shipment(
    settings: ElasticSettings, kind: str, table: str, zone: "tzinfo", again: bool, progress: "Progress"
) -> "Shipment":
    from tidegate.sinks.elastic.replay.journal import Journal
    from tidegate.sinks.elastic.replay.recognise import KINDS, Recogniser
    from tidegate.sinks.elastic.replay.shipment import Shipment
    from tidegate.sinks.elastic.server import Server
    from tidegate.store.layout import default_root

    # Beside the store, not in it: that has to stay empty until it is made.
    state = os.environ.get("XDG_STATE_HOME")
    journal = Journal((Path(state) if state else default_root().parent) / "tidegate-ship")
    journal.prune()
    forced = next((each for each in KINDS if each == kind), None)
    recogniser = Recogniser(settings.stream, settings.format, forced, table, zone)
    return Shipment(settings, Server(settings), recogniser, journal, progress, again=again)


def _zone(name: str) -> "tzinfo":
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UsageError(f'"{name}" is no time zone: write UTC or Europe/Berlin') from None


def _print_templates(settings: ElasticSettings) -> None:
    from tidegate.sinks.elastic.template import names, template

    for table in names():
        name = f"{settings.stream}-{table}"
        click.echo(json.dumps({"name": name, "body": template(settings.stream, table, settings.format)}))


def _send(name: str, shipment: "Shipment", progress: "Progress") -> int:
    """One log; 1 if not all of it came through."""
    from tidegate.sinks.elastic.replay.lines import open_log

    started = time.monotonic()
    before = shipment.count
    try:
        with open_log(name) as reader:
            shipment.send(name, reader)
    except CaptureError as error:
        progress.end()
        click.echo(f"tidegate: {safe_text(str(error))}", err=True)
        if shipment.count is not before:  # else it was not even opened
            _say(name, shipment.count, shipment.start, time.monotonic() - started)
        return 1
    except BaseException:
        progress.end()
        _say(name, shipment.count, shipment.start, time.monotonic() - started)
        raise
    progress.end()
    _say(name, shipment.count, shipment.start, time.monotonic() - started)
    return 0 if shipment.count.is_whole else 1


def _say(name: str, count: "Count", start: int, seconds: float) -> None:
    """What became of a log's lines, to the last one."""
    parts = {
        "sent": count.sent,
        "there already": count.there,
        "refused": count.refused.total(),
        "not understood": count.not_understood.total(),
        "blank": count.blank,
    }
    told = ", ".join(
        f"{human_count(many)} {what}" for what, many in parts.items() if many or what in ("sent", "refused")
    )
    went_on = f" (went on after {human_bytes(start)})" if start else ""
    rate = f"; {human_duration(seconds)}, {human_rate(count.lines / max(seconds, 1e-9))}/s"
    click.echo(safe_text(f"{name}: {counted(count.lines, 'line')}{went_on}: {told}{rate}"))
    for what, reasons in (("refused", count.refused), ("not understood", count.not_understood)):
        for reason, many in reasons.most_common(MOST_REASONS):
            click.echo(safe_text(f"  {human_count(many)} {what}: {reason}"))


class Progress:
    """One line on stderr, if that is a terminal."""

    def __init__(self) -> None:
        self._shown = False
        self._last = 0.0

    def __call__(self, reader: "LogReader", count: "Count") -> None:
        """Draws the line anew, twice a second at most."""
        now = time.monotonic()
        if not sys.stderr.isatty() or now - self._last < 0.5:
            return
        self._last = now
        whole = reader.size
        part = f"{min(reader.position / whole, 1.0):4.0%} of {human_bytes(whole)}  " if whole else ""
        line = f"{part}{human_count(count.sent)} sent  {human_count(count.there)} there already"
        sys.stderr.write("\r" + line.ljust(79)[:79])
        sys.stderr.flush()
        self._shown = True

    def end(self) -> None:
        """Leaves the line as if nothing had been there."""
        if self._shown:
            sys.stderr.write("\r" + " " * 79 + "\r")
            sys.stderr.flush()
            self._shown = False
