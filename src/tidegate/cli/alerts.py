"""`tidegate alerts`: what is wrong, what was wrong, and what is done about it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from tidegate.cli.options import DURATION, config_option, store_option
from tidegate.model.text import clip, safe_text
from tidegate.model.units import human_amount, human_duration
from tidegate.model.user import user_name

if TYPE_CHECKING:
    from tidegate.alerts.ledger import Alert
    from tidegate.app.reaching import Reach

WIDTH = 70
KEY = 40
"""Characters of a message, and of a rule or a key, at most."""


@dataclass(frozen=True)
class Named:
    """Where the options before the verb say that the alerts are."""

    config: Path | None
    store: Path | None

    def place(self, config: Path | None = None, store: Path | None = None) -> "Reach":
        """There, unless options behind the verb say otherwise."""
        from tidegate.app.reaching import Reach

        return Reach.of(config or self.config, store or self.store)


def _placed(work: Callable[..., None]) -> Callable[..., None]:
    """Takes --config and --store behind the verb, too, and hands on the place."""

    @config_option
    @store_option
    @click.pass_obj
    @wraps(work)
    def with_place(named: Named, /, *, config: Path | None, store: Path | None, **given: Any) -> None:
        work(named.place(config, store), **given)

    return with_place


@click.group(invoke_without_command=True)
@config_option
@store_option
@click.option("--since", metavar="TIME", help="History from this time on: 2h (ago), 2026-11-20 14:00 (UTC).")
@click.option(
    "-n", "--limit", metavar="N", type=click.IntRange(1), default=20, help="Lines of history at most."
)
@click.pass_context
def alerts(
    ctx: click.Context, config: Path | None, store: Path | None, since: str | None, limit: int
) -> None:
    """List open alerts, history and silences; or acknowledge, mute and silence.

    With a running Tidegate it is done at once; without one, the next start knows.
    """
    ctx.obj = Named(config, store)
    if ctx.invoked_subcommand is None:
        click.echo("\n".join(_listing(ctx.obj.place(), since, limit)))


@alerts.command()
@click.argument("alert_id", metavar="ALERT")
@_placed
def ack(place: "Reach", alert_id: str) -> None:
    """Say that you look after the open alert ALERT."""
    place.do("acknowledge", alert_id=alert_id, who=user_name())
    click.echo(f"acknowledged {safe_text(alert_id)}")


@alerts.command()
@click.argument("seconds", metavar="TIME", type=DURATION)
@click.argument("rule", required=False)
@_placed
def mute(place: "Reach", seconds: float, rule: str | None) -> None:
    """Tell nobody of RULE (of any rule, unless named) for TIME, such as 1h; 0 ends it."""
    place.do("mute", seconds=seconds, rule=rule)
    what = safe_text(rule) if rule else "everything"
    click.echo(f"muted {what} for {human_duration(seconds)}" if seconds else f"{what} is told again")


@alerts.command()
@click.option("--rule", metavar="NAME", help="Only this rule.")
@click.option("--key", metavar="KEY", help="Only alerts of this key.")
@click.option("--source", metavar="ADDRESS", help="What this opener does: an address or a network.")
@click.option("--destination", metavar="ADDRESS", help="What is done to this end: an address or a network.")
@click.option("--for", "seconds", type=DURATION, metavar="TIME", help="For so long; for good unless given.")
@_placed
def silence(place: "Reach", /, **given: Any) -> None:
    """Raise no alert by what matches all of this."""
    made = place.do("silence", **given, who=user_name())
    click.echo(f"silence {made['silence_id']}; end it with: tidegate alerts unsilence {made['silence_id']}")


@alerts.command()
@click.argument("silence_id", metavar="SILENCE")
@_placed
def unsilence(place: "Reach", silence_id: str) -> None:
    """End the silence SILENCE."""
    place.do("unsilence", silence_id=silence_id)
    click.echo(f"ended {safe_text(silence_id)}")


def _listing(place: "Reach", since: str | None, limit: int) -> Iterator[str]:
    """Open ones, what is silent, and what is over, each made safe."""
    from tidegate.alerts.state import read_state
    from tidegate.queries import alerts as question
    from tidegate.store.layout import Layout

    Layout(place.root).check()
    ledger = read_state(place.state)
    yield "open (times are UTC)" if ledger.open else "no open alerts"
    for alert in ledger.open.values():
        by = f"  (acknowledged by {alert.acknowledged_by})" if alert.acknowledged_by else ""
        yield safe_text(
            f"  {alert.alert_id}  since {_moment(alert.since)}  {alert.severity:<8}  "
            f"{_told(alert.rule, alert.key, alert.message)}  ({_amounts(alert)}){by}"
        )
    now = time.time_ns()
    for rule, until in ledger.mutes.items():
        yield safe_text(
            f"muted: {'everything' if rule == '*' else rule} until {_moment(until)}{_over(until, now)}"
        )
    for each in ledger.silences.values():
        given = {"rule": each.rule, "key": each.key, "from": each.source, "to": each.destination}
        what = ", ".join(f"{name} {value}" for name, value in given.items() if value)
        end = f" until {_moment(each.until)}{_over(each.until, now)}" if each.until else ""
        yield safe_text(f"silence {each.silence_id}: {what}{end}")
    answer = question(place.root, since=since, limit=limit + len(ledger.open))
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer]
    over = [row for row in rows if row["state"] == "recovered"][:limit]
    yield "over (times are UTC)" if over else "none over"
    for row in over:
        yield safe_text(
            f"  {row['alert_id']}  {row['since']:%Y-%m-%d %H:%M:%S}  "
            f"{human_duration(row['duration'] or 0):>8}  {_told(row['rule'], row['key'], row['message'])}"
            f"  (limit {human_amount(row['metric'], row['threshold'])})"
        )


def _told(rule: str, key: str | None, message: str) -> str:
    """The rule, as `mute` wants it, the key, and the message."""
    of = f" {clip(key, KEY)}" if key else ""
    return f"{clip(rule, KEY)}{of}: {clip(message, WIDTH)}"


def _amounts(alert: "Alert") -> str:
    """Peak and limit in the same units."""
    peak, limit = (human_amount(alert.metric, value) for value in (alert.peak, alert.threshold))
    return f"peak {peak}, limit {limit}"


def _over(until: int, now: int) -> str:
    return "" if until > now else " (over)"


def _moment(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}"
