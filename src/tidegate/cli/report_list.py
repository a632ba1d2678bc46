"""`tidegate report list`: which reports were mailed, when, to whom, or why not."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from tidegate.cli.options import config_option, store_option
from tidegate.model.text import clip, safe_text
from tidegate.model.zone import zone_name, zone_of

if TYPE_CHECKING:
    from tidegate.mail.slip import Slip


@click.command("list")
@config_option
@store_option
@click.option(
    "-n",
    "--limit",
    metavar="N",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Mails at most, the latest.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a mail instead of lines.")
def list_reports(config: Path | None, store: Path | None, limit: int, as_json: bool) -> None:
    """List mailed reports: what was sent, when, to whom, or why not."""
    from tidegate.app.checking import load_schedule
    from tidegate.app.paths import in_store, outbox_folder
    from tidegate.mail.outbox import Outbox

    settings = in_store(load_schedule(config), store)
    folder = outbox_folder(settings)
    outbox = Outbox(folder, settings.mail.outbox_size) if folder.is_dir() else None
    slips = [*outbox.done(), *outbox.waiting()] if outbox else []
    zone = zone_of(settings.schedule.zone)
    latest = sorted(slips, key=lambda slip: slip.created)[-limit:]
    if latest and not as_json:
        click.echo(f"times are of {zone_name(zone)}")
    for slip in latest:
        if as_json:
            click.echo(json.dumps(asdict(slip)))
        else:
            click.echo("\n".join(map(safe_text, _lines(slip, zone))))
    if outbox and (damaged := outbox.damaged()):
        kept = safe_text(str(damaged[0].parent / "*.broken"))
        click.echo(f"tidegate: letters that were damaged on disk are kept: {kept} ({len(damaged)})", err=True)
    if not slips and not as_json:
        click.echo("no report was mailed yet")


def _lines(slip: "Slip", zone: tzinfo) -> Iterator[str]:
    when = _shown(slip.finished if slip.finished is not None else slip.created, zone)
    yield f"{when}  {slip.state:11} {slip.report:12} {clip(slip.subject, 80)}"
    if slip.taken:
        yield f"{'':18}to {', '.join(slip.taken)}"
    for address, why in slip.refused.items():
        yield f"{'':18}not to {address}: {why}"
    if slip.state == "waiting":
        tries = f"{slip.tries} tr{'y' if slip.tries == 1 else 'ies'}, next at {_shown(slip.again, zone)}"
        yield f"{'':18}still to {', '.join(slip.left)}{f'; {tries}: {slip.said}' if slip.tries else ''}"
    elif slip.left:  # given up, or no room
        yield f"{'':18}not to {', '.join(slip.left)}: {slip.said}"


def _shown(moment: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(moment, zone).strftime("%Y-%m-%d %H:%M")
