"""Settings of the schedule: when reports are made, and when packets are recorded."""

import re
from dataclasses import dataclass
from typing import Annotated

from tidegate.model.config.option import DURATION, SIZE, option, required


@dataclass(frozen=True)
class ReportTimeSettings:
    """One report, and when it is made."""

    report: str = required("the report, by its name")
    at: str = required('when: "daily 06:30", "weekdays 07:00", "monthly 1st", or five fields as of cron')
    name: str = option("", "name of this entry; the report's unless given")
    from_: str = option("", 'what it covers: from this time of day, such as "22:00"')
    to: str = option("", "to this one, the last time before it is made")
    last: Annotated[float, DURATION] | None = option(
        None, "or so long before it is made; unless given: what the report says, or since the time before"
    )
    mail: tuple[str, ...] = option((), "who gets it; mail.to unless given")
    subject: str = option("", "subject of its mail; mail.subject unless given")
    folder: str = option("", "directory that its page is written to, too")

    @property
    def called(self) -> str:
        """The name of this entry."""
        return self.name or self.report


_RECORD = re.compile(
    r"record\s+(?:(?P<filter>.+?)\s+)??(?:on\s+(?P<interface>[^\s,]+(?:\s*,\s*[^\s,]+)*)\s+)?"
    r"(?P<from>\d{1,2}:\d\d)\s*(?:-|to|until)\s*(?P<to>\d{1,2}:\d\d)(?:\s+(?:on\s+)?(?P<days>.+))?",
    re.IGNORECASE | re.ASCII,
)
_EVERYTHING = ("", "everything", "all", "all packets", "packets")


@dataclass(frozen=True)
class WindowSettings:
    """Packets that are recorded at certain times of day."""

    IN_WORDS = '"record icmp on wlan0 22:00-06:00"'
    """How one may be written without keys."""

    name: str = required("name of the recording; its files begin with it")
    from_: str = required('time of day it begins, such as "22:00"')
    to: str = required("time of day it ends; on the next day if that is not later")
    days: str = option("daily", 'days on which it begins: daily, weekdays, weekends, "mon, wed-fri"')
    filter: str = option("", "BPF expression: only these packets")
    interface: tuple[str, ...] = option((), "interfaces; all that are up unless given")
    folder: str = option("", "directory of the files; recordings/ in the store unless given")
    total: Annotated[int, SIZE] = option(1_000_000_000, "bytes of all its files; the oldest go first")
    promiscuous: bool = option(False, "also take what is not meant for this machine")

    @staticmethod
    def of_words(text: str) -> dict[str, str] | None:
        """The keys of a sentence; None for one that is not understood."""
        found = _RECORD.fullmatch(text.strip())
        if not found:
            return None
        keys = {key: value for key, value in found.groupdict().items() if value}
        if keys.get("filter", "").lower() in _EVERYTHING:
            keys.pop("filter", None)
        said = f"{keys.get('filter', 'packets')} {keys.get('interface', '')}"
        name = re.sub(r"[^A-Za-z0-9]+", "-", said).strip("-")
        return {"name": name[:64], **keys}


@dataclass(frozen=True)
class ScheduleSettings:
    """What is done at which time."""

    zone: str = option("", "time zone of all times here, such as Europe/Berlin; the machine's unless given")
    reports: tuple[ReportTimeSettings, ...] = option((), "reports that are made and sent by themselves")
    windows: tuple[WindowSettings, ...] = option(
        (),
        "times of day at which packets are recorded; each may be a sentence: "
        '"record icmp on wlan0 22:00-06:00"',
    )
