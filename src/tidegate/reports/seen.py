"""What was looked at in a window, and why there may be nothing to report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tidegate.model.units import human_count
from tidegate.queries.questions import find_question
from tidegate.reports.asking import Asking, own_question
from tidegate.reports.cells import local

MOST_GAPS = 5
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    """What the rows of health say of a stretch of time."""

    moments: int
    """How many rows there are."""
    packets: int
    gaps: Sequence[tuple[datetime, datetime]]
    """When nothing was captured; UTC without saying so, as in tables."""
    connections: bool
    """Whether there is a connection, captured or relayed, whatever a filter says."""
    first: datetime | None = None
    """When the first row of health that the store has was written; None if there is none."""

    @property
    def anything(self) -> bool:
        """Whether anything is known of that time."""
        return self.connections or self.moments > 0


def look(asking: Asking, begin: datetime, end: datetime) -> Seen:
    """Looks at what was captured then."""
    sql = "SELECT count(*) AS moments, total(packets) AS packets FROM health WHERE source <> 'relay'"
    health = asking.ask(own_question("seen", sql), begin, end, unfiltered=True).rows[0]
    some = any(
        asking.ask(
            own_question("any", f"SELECT 1 AS one FROM {table} LIMIT 1"), begin, end, unfiltered=True
        ).rows
        for table in ("conn", "relay")
    )
    found = asking.ask(find_question("gaps"), begin, end)
    of_all = own_question("first", "SELECT min(ts) AS first FROM health WHERE source <> 'relay'")
    first = asking.ask(of_all, _EARLIEST, end, unfiltered=True).rows[0][0]
    return Seen(health[0], health[1], [(row[0], row[1]) for row in found.rows], some, first)


def notes(seen: Seen, begin: datetime, zone: ZoneInfo) -> list[str]:
    """What has to be said of gaps, a line each."""
    if not seen.moments:
        return []
    told = [
        f"Nothing is known before {_told((last,), begin, zone)}: there are no rows of that time."
        if seen.first == last
        else f"The capture was down from {_told((first, last), begin, zone)}."
        for first, last in seen.gaps[:MOST_GAPS]
    ]
    if len(seen.gaps) > MOST_GAPS:
        more = len(seen.gaps) - MOST_GAPS
        told.append(f"It was down {more:,} more time{'' if more == 1 else 's'}.")
    return told


def why_nothing(seen: Seen, filter: str, live: bool) -> str:
    """Why there is nothing to report, of a capture that goes on (`live`) or of one that was."""
    if not seen.anything and live:
        return "Nothing is known of that time: no capture ran, or its rows are no longer kept."
    if not seen.packets and not seen.connections:
        return "The capture saw no packets."
    what = f"{human_count(seen.packets)} packets were seen" if seen.packets else "Connections were seen"
    wanted = f"the filter {filter} wants none of them" if filter else "none of them is what is asked for here"
    if seen.packets == 1:
        what = "One packet was seen"
        wanted = f"the filter {filter} does not want it" if filter else "it is not what is asked for here"
    return f"{what}, but {wanted}."


def _told(moments: Sequence[datetime], begin: datetime, zone: ZoneInfo) -> str:
    """ "02:10 to 03:40", with days where they are not plain."""
    here = [local(moment, zone) for moment in moments]
    near = all(abs(each.timestamp() - begin.timestamp()) < 20 * 3600 for each in here)
    return " to ".join(f"{each:%H:%M}" if near else f"{each:%a %-d %b %H:%M}" for each in here)
