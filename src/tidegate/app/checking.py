"""The configuration, looked at by every part before any is started: all mistakes at once, with lines."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

from tidegate.model.config import Config, MailSettings
from tidegate.model.errors import SettingError, TidegateError, UsageError, tried, tried_again
from tidegate.model.text import clip, meant, safe_text
from tidegate.settings import find
from tidegate.settings.build import examine

Found = Iterable[SettingError]

LEAST_MAIL = 100_000
"""Bytes that a mail may have at least."""

LONGEST_INTERFACE = 15
"""Bytes of an interface's name, on Linux."""


def load(
    named: Path | None = None, environment: Mapping[str, str] = os.environ, reports: bool = False
) -> Config:
    """The settings of file and environment, found right by every part; raises ConfigError, or UsageError.

    Files of scheduled reports are looked at with `reports` only: one that is broken must not keep anybody
    from watching; see `broken_reports`.
    """
    more = [partial(_reports, named, environment)] if reports else []
    return find.load(named, environment, (*LOOKS, *more))


def load_schedule(named: Path | None = None, environment: Mapping[str, str] = os.environ) -> Config:
    """The settings for who only looks at reports and their times: passwords may be root's alone."""
    return find.load(named, environment, (_schedule,))


def load_to_mail(named: Path | None = None, environment: Mapping[str, str] = os.environ) -> Config:
    """The settings, those of mail found right: before a report is made, not after. Raises UsageError."""
    config = find.load(named, environment, (_mail,))
    if not config.mail.to:
        raise UsageError("nobody to write to; set mail.to in the configuration, or leave --mail out")
    return config


def look(named: Path | None = None) -> tuple[Config, list[str]]:
    """The settings as far as they are right, and everything that is wrong with the others."""
    try:
        return load(named, reports=True), []
    except UsageError as error:
        problems = error.lines()
    try:
        return examine(find.read(named))[0], problems
    except UsageError:
        return Config(), problems


def notes(config: Config) -> list[str]:
    """What is no mistake, and may still not be meant."""
    from tidegate.sources.live import all_interfaces

    there = [interface.name for interface in all_interfaces()]
    missing = [name for name in config.watch.interfaces if name not in there and name != "any"]
    found = [
        f"watch.interfaces: {name} is not there, tidegate run waits for it{meant(name, there)}"
        for name in missing
    ]
    found += _odd_rules(config)
    if os.geteuid() != 0:
        found += [
            f"logs: {log.name}: {folder} is not there, and only root's are made: mkdir -p {folder}"
            for log in config.logs
            if log.path != "-" and not (folder := _folder(log.path)).exists()
        ]
    return [safe_text(note) for note in found]


def _odd_rules(config: Config) -> list[str]:
    """Rules that can never hold, contradict each other, make others wait, or lack their database."""
    if not config.relay.services:
        return []
    from tidegate.enrich.place import country_database
    from tidegate.relay.rules import check_rules
    from tidegate.relay.service import asking_for_countries

    odd = [str(finding) for finding in check_rules(config.relay) if not finding.fatal]
    # A note, for --place may name the database at the start.
    asking = list(asking_for_countries(config.relay))
    if asking and country_database(config.places) is None:
        odd += asking
    return [f"relay: {each}" for each in odd]


def _watch(config: Config) -> Found:
    from tidegate.sources.live import filter_problem

    for number, name in enumerate(config.watch.interfaces):
        if sys.platform == "linux" and not _is_interface(name):
            text = (
                f'"{clip(name, 40)}" can be no interface: at most {LONGEST_INTERFACE} characters, '
                "no spaces, slashes or colons"
            )
            yield SettingError(text, "watch", "interfaces", number)
    if config.watch.filter and (problem := filter_problem(config.watch.filter)):
        yield SettingError(problem, "watch", "filter")
    if record := config.watch.record:
        yield from tried(partial(_writable, record.path), "watch", "record", "path")


def _is_interface(name: str) -> bool:
    short = 0 < len(os.fsencode(name)) <= LONGEST_INTERFACE
    return short and name not in (".", "..") and not any(each in "/:" or each.isspace() for each in name)


def _store(config: Config) -> Found:
    if config.store.path:
        yield from tried(lambda: _folder_there(Path(config.store.path)), "store", "path")


def _places(config: Config) -> Found:
    for number, name in enumerate(config.places.databases):
        yield from tried(partial(_database, name), "places", "databases", number)


def _alerts(config: Config) -> Found:
    from tidegate import alerts

    for error in alerts.mistakes(config.alerts):
        yield SettingError(error.text, "alerts", *error.key)


def _logs(config: Config) -> Found:
    from tidegate.sinks import log

    for error in log.mistakes(config.logs):
        yield SettingError(error.text, "logs", *error.key)
    for number, one in enumerate(config.logs):
        if one.path != "-":
            yield from tried(partial(_writable, one.path), "logs", number, "path")


def _elastic(config: Config) -> Found:
    from tidegate.sinks.elastic import sink

    for error in sink.mistakes(config.elastic):
        yield SettingError(error.text, "elastic", *error.key)
    for number, server in enumerate(config.elastic):
        if server.spool:
            yield from tried(partial(_folder_there, Path(server.spool)), "elastic", number, "spool")


def _logger(config: Config) -> Found:
    if config.logger is None:
        return
    from tidegate.sinks.logger_check import mistakes

    for error in mistakes(config.logger):
        yield SettingError(error.text, "logger", *error.key)


def _relay(config: Config) -> Found:
    """Rules that keep the relay from starting, and list files."""
    from tidegate.relay.lists import read_list
    from tidegate.relay.rules import check_rules

    for number, service in enumerate(config.relay.services):
        for key in ("deny_files", "allow_files"):
            for place, name in enumerate(getattr(service, key)):
                yield from tried(partial(read_list, Path(name)), "relay", "services", number, key, place)
    with suppress(UsageError):  # what cannot be a plan was told of already
        for finding in check_rules(config.relay):
            if finding.fatal:
                yield SettingError(finding.text, *finding.path(config.relay))


def _mail(config: Config) -> Found:
    from tidegate.mail import open_account
    from tidegate.mail.report import check_places

    harmless = MailSettings(security="starttls")
    for error in tried_again(partial(open_account, of=""), config.mail, harmless):
        yield SettingError(error.text, "mail", *error.key)
    for key in ("subject", "text"):
        yield from tried(partial(check_places, getattr(config.mail, key)), "mail", key)
    if config.mail.max_size < LEAST_MAIL:
        yield SettingError("a mail of 100 KB at least", "mail", "max_size")
    if config.mail.outbox_size < config.mail.max_size:
        yield SettingError("room for one mail of max_size at least", "mail", "outbox_size")
    if config.mail.outbox:
        yield from tried(partial(_folder_there, Path(config.mail.outbox)), "mail", "outbox")


def _schedule(config: Config) -> Found:
    from tidegate.mail import check_addresses
    from tidegate.mail.report import check_places
    from tidegate.schedule.plans import mistakes
    from tidegate.sources.live import filter_problem

    schedule = config.schedule
    for error in mistakes(schedule):
        yield SettingError(error.text, "schedule", *error.key)
    for number, report in enumerate(schedule.reports):
        place = ("schedule", "reports", number)
        yield from tried(partial(check_addresses, report.mail, "mail"), *place)
        yield from tried(partial(check_places, report.subject), *place, "subject")
        if not (report.mail or config.mail.to or report.folder):
            yield SettingError("nobody gets it: set mail.to, or mail or folder here", *place)
        if report.folder:
            yield from tried(partial(_folder_there, Path(report.folder)), *place, "folder")
    for number, window in enumerate(schedule.windows):
        place = ("schedule", "windows", number)
        if window.filter and (problem := filter_problem(window.filter)):
            yield SettingError(problem, *place, "filter")
        if window.folder:
            yield from tried(partial(_folder_there, Path(window.folder)), *place, "folder")


def _reports(named: Path | None, environment: Mapping[str, str], config: Config) -> Found:
    """Whether scheduled reports are there and right, and their questions can be asked."""
    from tidegate.app.reporting import report_folders

    broken = broken_reports(config, named, environment)
    ask = cache(partial(_asked, config=config, folders=report_folders(named, environment)))
    for number, each in enumerate(config.schedule.reports):
        if wrong := broken.get(each.called) or ask(each.report):
            yield SettingError(wrong, "schedule", "reports", number, "report")


def _asked(name: str, config: Config, folders: Sequence[Path]) -> str:
    """What the questions of a report come to that cannot be asked; empty if all can."""
    from tidegate.app.reporting import try_out

    try:
        return "; ".join(try_out(name, config, folders))
    except TidegateError as error:
        return f"it cannot be tried out: {error}"


def broken_reports(
    config: Config, named: Path | None, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """What is wrong with files of scheduled reports, by their names in the schedule.

    The files lie beside the configuration, which is the one that is `named`.
    """
    if not config.schedule.reports:
        return {}
    from tidegate.app.reporting import report_folders
    from tidegate.reports.files import find_report

    folders = report_folders(named, environment)
    found = {}
    for each in config.schedule.reports:
        try:
            find_report(each.report, folders)
        except UsageError as error:
            found[each.called] = str(error)
    return found


def _service(config: Config) -> Found:
    if config.service.user:
        yield from tried(lambda: _user(config.service.user), "service", "user")
    if config.service.control:
        yield from tried(lambda: _writable(config.service.control), "service", "control")


LOOKS = (_watch, _store, _places, _alerts, _logs, _elastic, _logger, _relay, _mail, _schedule, _service)
"""Every part's own look."""


def _database(name: str) -> None:
    from tidegate.enrich.mmdb import Database

    Database(Path(name).expanduser()).close()


def _user(name: str) -> None:
    if sys.platform != "linux":
        raise UsageError("only on Linux can it run as another user")
    import pwd

    from tidegate.helper import identity

    try:
        found = identity.named(name)
    except UsageError as error:
        names = [entry.pw_name for entry in pwd.getpwall()]
        hint = meant(name, names)
        raise UsageError(f"{error}{hint if 'mean' in hint else ''}") from None
    with suppress(PermissionError):  # root without the right to be somebody else
        if os.geteuid() == 0 and not identity.can_read_program(found):
            raise UsageError(identity.cannot_read(found))


def _writable(path: str) -> None:
    """Raises UsageError for a file that cannot be one, whoever writes it."""
    file = Path(path)
    if os.path.isdir(file):  # noqa: PTH112 - a Path would raise where we may not look
        raise UsageError(f"{path} is a directory; name a file")
    _folder_there(file.absolute().parent)


def _folder_there(folder: Path) -> None:
    """Raises UsageError for a directory that is none and cannot be made."""
    whole = folder.absolute()
    there = next(place for place in (whole, *whole.parents) if os.path.lexists(place))
    if os.path.exists(there) and not os.path.isdir(there):  # noqa: PTH110, PTH112
        raise UsageError(f"{there} is no directory")
    if not os.statvfs(there).f_blocks and there.is_mount():
        raise UsageError(f"nothing can be kept in {there}, which is no disk")


def _folder(path: str) -> Path:
    return Path(path).absolute().parent
