"""Settings of the schedule: when reports are made, and when packets are recorded."""

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


@dataclass(frozen=True)
class WindowSettings:
    """Packets that are recorded at certain times of day."""

    name: str = required("name of the recording; its files begin with it")
    from_: str = required('time of day it begins, such as "22:00"')
    to: str = required("time of day it ends; on the next day if that is not later")
    days: str = option("daily", 'days on which it begins: daily, weekdays, weekends, "mon, wed-fri"')
    filter: str = option("", "BPF expression: only these packets")
    interface: tuple[str, ...] = option((), "interfaces; all that are up unless given")
    folder: str = option("", "directory of the files; recordings/ in the store unless given")
    total: Annotated[int, SIZE] = option(1_000_000_000, "bytes of all its files; the oldest go first")
    promiscuous: bool = option(False, "also take what is not meant for this machine")


@dataclass(frozen=True)
class ScheduleSettings:
    """What is done at which time."""

    zone: str = option("", "time zone of all times here, such as Europe/Berlin; the machine's unless given")
    reports: tuple[ReportTimeSettings, ...] = option((), "reports that are made and sent by themselves")
    windows: tuple[WindowSettings, ...] = option((), "times of day at which packets are recorded")
