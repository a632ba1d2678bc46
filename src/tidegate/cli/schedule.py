"""`tidegate schedule`: what is done by the clock, when next, when last, and how it went."""

import json
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from tidegate.cli.options import config_option, store_option
from tidegate.model.text import clip, safe_text
from tidegate.model.units import human_bytes
from tidegate.model.zone import zone_name, zone_of

if TYPE_CHECKING:
    from tidegate.mail.outbox import Outbox
    from tidegate.model.config import Config, WindowSettings
    from tidegate.schedule.book import Book, Run
    from tidegate.schedule.planner import Plan
    from tidegate.schedule.spans import Span

_PATIENCE = 2.0
"""Seconds that a running Tidegate has to answer."""
_SHOWN = "%a %Y-%m-%d %H:%M"


@click.command()
@config_option
@store_option
@click.option(
    "-n",
    "--limit",
    metavar="N",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Last times of each report.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def schedule(config: Path | None, store: Path | None, limit: int, as_json: bool) -> None:
    """List reports and recordings: when they are next, when reports were made last, and what became of them.

    `tidegate run` serves the schedule; this only looks, whether one runs or not.
    """
    from tidegate.app.checking import broken_reports, load_schedule
    from tidegate.app.paths import in_store

    settings = load_schedule(config)
    found = _found(in_store(settings, store), limit, time.time(), broken_reports(settings, config))
    found["served"] = _served(settings, store)
    click.echo(json.dumps(found) if as_json else "\n".join(_lines(found)))
    if found["served"] is False and (found["reports"] or found["windows"]) and not as_json:
        click.echo("note: nothing of it is done now; start one that does: tidegate run", err=True)


def _served(config: "Config", store: Path | None) -> bool | None:
    """Whether a Tidegate runs that does it; None where we may not ask."""
    from tidegate.app.paths import control_of
    from tidegate.model.errors import UsageError
    from tidegate.pipeline.control import NobodyError, ask

    try:
        parts = ask(control_of(config, store), {"do": "status"}, _PATIENCE).get("parts", [])
        return any(str(part["name"]).split()[0] in ("schedule", "window") for part in parts)
    except NobodyError:
        return False
    except (UsageError, LookupError, TypeError):
        return None


def _found(config: "Config", limit: int, now: float, broken: Mapping[str, str]) -> dict[str, Any]:
    """Everything as plain data."""
    from tidegate.app.paths import outbox_folder, schedule_path, store_root
    from tidegate.app.posting import people_of
    from tidegate.mail.outbox import Outbox, OutboxError
    from tidegate.schedule import plans
    from tidegate.schedule.book import BrokenBookError, read_book
    from tidegate.schedule.spans import in_utc

    moment, zone = in_utc(now), zone_of(config.schedule.zone)
    try:
        book = read_book(schedule_path(config))
    except BrokenBookError as error:
        mended = "tidegate run sets it aside, and begins anew"
        raise click.ClickException(f"{error}; {mended}") from None
    folder = outbox_folder(config)
    try:
        outbox = Outbox(folder, config.mail.outbox_size) if folder.is_dir() else None
    except OutboxError as error:  # the times are for all who may read the store
        click.echo(f"tidegate: what became of mails is not known: {safe_text(str(error))}", err=True)
        outbox = None
    reports = []
    for plan in plans.plans(config.schedule):
        last = [_run(run, zone, outbox) for run in _runs(book, plan)[:limit]]
        following = plan.when.next(moment).astimezone(zone).isoformat()
        whom = people_of(plan.settings, config)
        reports.append({"name": plan.name, "report": plan.report, "at": plan.when.text, "to": whom,
                        "next": following, "last": last, "broken": broken.get(plan.name)})  # fmt: skip
    windows = []
    for settings, span in plans.windows(config.schedule):
        current = span.current(moment)
        each = current or span.next(moment)
        windows.append({"name": settings.name, "filter": settings.filter, "interface": settings.interface,
                        "now": current is not None, "begin": each.begin.astimezone(zone).isoformat(),
                        "end": each.end.astimezone(zone).isoformat(),
                        "last": _recorded(settings, span, store_root(config))})  # fmt: skip
    return {"zone": zone_name(zone), "reports": reports, "windows": windows}


def _recorded(settings: "WindowSettings", span: "Span", root: Path) -> dict[str, Any] | None:
    """When it last began to record, and what there is of it; the names of its files tell."""
    from tidegate.app.windows_part import files_of, window_of

    stem = len(settings.name) + len("-20261121-220000")
    try:
        files = files_of(window_of(settings, span, root))
    except OSError:  # which are not for us
        return None
    if not files:
        return None
    latest = files[-1][0].name[:stem]
    last = [(path, size) for path, size in files if path.name.startswith(latest)]
    try:
        began = datetime.strptime(latest[-15:], "%Y%m%d-%H%M%S").replace(tzinfo=span.zone)
    except ValueError:  # somebody else's file
        return None
    return {"begin": began.isoformat(), "bytes": sum(size for _, size in last),
            "files": [str(path) for path, _ in last]}  # fmt: skip


def _runs(book: "Book", plan: "Plan") -> "list[Run]":
    """The latest first."""
    entry = book.entries.get(plan.name)
    return sorted(entry.runs, key=lambda run: run.slot, reverse=True) if entry else []


def _run(run: "Run", zone: tzinfo, outbox: "Outbox | None") -> dict[str, Any]:
    """What is known of a run, and of its letter."""
    from tidegate.app.posting import outcome
    from tidegate.schedule.spans import in_utc

    slip = outbox.known(run.message_id) if outbox and run.message_id else None
    mailed = outcome(slip) if slip else None
    return {
        "time": in_utc(run.slot).astimezone(zone).isoformat(),
        "state": run.state,
        "said": run.said,
        "tries": run.tries,
        "finished": in_utc(run.finished).astimezone(zone).isoformat() if run.finished else None,
        "mail": mailed.state if mailed else None,
        "mail_said": mailed.said if mailed else None,
    }


def _lines(found: dict[str, Any]) -> Iterator[str]:
    if not found["reports"] and not found["windows"]:
        yield "nothing is scheduled; see schedule: in the configuration (tidegate config explain schedule)"
        return
    yield f"times are of {found['zone']}"
    for each in found["reports"]:
        what = each["at"] if each["report"] == each["name"] else f"{each['report']}, {each['at']}"
        yield f"{safe_text(each['name']):16} report   next {_shown(each['next'])}   ({safe_text(what)})"
        if each["broken"]:
            yield f"{'':16}          CANNOT BE MADE: {clip(safe_text(each['broken']), 200)}"
        for run in each["last"]:
            yield f"{'':16}          last {_shown(run['time'])}   {clip(safe_text(_became(run)), 200)}"
        if not each["last"]:
            yield f"{'':16}          not made yet"
    for each in found["windows"]:
        what = " ".join(filter(None, [each["filter"] or "everything", _on(each["interface"])]))
        until = _shown(each["end"])
        now = f"due until {until}" if found["served"] is False else f"recording until {until}"
        when = now if each["now"] else f"next {_shown(each['begin'])} until {until}"
        yield f"{safe_text(each['name']):16} window   {when}   ({safe_text(what)})"
        if last := each["last"]:
            more = f" and {len(last['files']) - 1:,} more" if len(last["files"]) > 1 else ""
            said = f"{human_bytes(last['bytes'])} in {last['files'][0]}{more}"
            yield f"{'':16}          last {_shown(last['begin'])}   {clip(safe_text(said), 200)}"
        else:
            yield f"{'':16}          nothing recorded yet"


def _became(run: dict[str, Any]) -> str:
    from tidegate.app.posting import TO_BE_SENT

    if run["state"] == "running":
        return "is being made, or was cut short"
    if run["state"] == "failed":
        return f"FAILED, {run['tries']} tries: {run['said']}"
    parts = str(run["said"]).split("; ")
    # What was to be sent then, as it is now; where the outbox has forgotten it, as it was.
    return "; ".join(run["mail_said"] or part if part.startswith(TO_BE_SENT) else part for part in parts)


def _on(interfaces: list[str]) -> str:
    return f"on {', '.join(interfaces)}" if interfaces else ""


def _shown(moment: str) -> str:
    return datetime.fromisoformat(moment).strftime(_SHOWN)
