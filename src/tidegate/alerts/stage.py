"""The stage: rows in, the same rows and alerts out."""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tidegate.alerts.actions import Actions, Tellers
from tidegate.alerts.actions.mailing import mailer
from tidegate.alerts.actions.webhook import Webhook
from tidegate.alerts.book import Book, Silenced
from tidegate.alerts.clock import SECOND, Clock
from tidegate.alerts.connections import COLUMNS, Connection, Connections
from tidegate.alerts.desk import Desk
from tidegate.alerts.ledger import Known, Ledger
from tidegate.alerts.metrics import Novelty
from tidegate.alerts.register import Register
from tidegate.alerts.rules import Rule, compile_rules
from tidegate.alerts.rules import mistakes as rule_mistakes
from tidegate.alerts.silences import Silences
from tidegate.alerts.silences import mistakes as silence_mistakes
from tidegate.alerts.state import StateFile
from tidegate.alerts.window import SLOTS
from tidegate.model.batch import Batch, make
from tidegate.model.config import AlertMailSettings, AlertSettings, WebhookSettings
from tidegate.model.errors import SettingError, tried_again
from tidegate.model.filter import Row

SAVE_INTERVAL = 60 * SECOND
"""Between writings of what is not urgent: totals of quotas, what is known."""

_NOBODY = Connection()
_log = logging.getLogger("tidegate.alerts")


def mistakes(settings: AlertSettings) -> Iterator[SettingError]:
    """Everything that is wrong with rules, actions and silences by themselves, with its key."""
    for number, rule in enumerate(settings.rules):
        for error in rule_mistakes(rule):
            yield SettingError(error.text, "rules", number, *error.key)
    for number, hook in enumerate(settings.webhooks):
        for error in tried_again(Webhook, hook, WebhookSettings("x", "http://localhost")):
            yield SettingError(error.text, "webhooks", number, *error.key)
    harmless = AlertMailSettings("x", ("a@localhost",), server="localhost", security="starttls")
    for number, mail in enumerate(settings.mails):
        for error in tried_again(mailer, mail, harmless):
            yield SettingError(error.text, "mails", number, *error.key)
    for number, silence in enumerate(settings.silences):
        for error in silence_mistakes(silence):
            yield SettingError(error.text, "silences", number, *error.key)


def _made(settings: AlertSettings, tellers: Tellers | None) -> tuple[list[Rule], Actions]:
    """The rules and the actions, once all settings are found right; nothing is started or opened yet."""
    rules, actions = compile_rules(settings.rules), Actions(settings, tellers)
    actions.check(settings.rules)
    Silences(settings.silences, Ledger())
    return rules, actions


class Alerts:
    """A stage of the line (pipeline.Stage). Rows pass through; what leaves its bounds adds rows of `alert`.

    Pure but for the state file, which is written here, and the actions, whose threads start and end with it.
    """

    def __init__(
        self,
        settings: AlertSettings,
        sensor: str,
        state: Path | None = None,
        tellers: Tellers | None = None,
    ) -> None:
        """Compiles the rules, takes up what is remembered at `state`, and starts the threads of the actions.

        `tellers` are taken over with what waits, and outlive this stage; without, the threads end with it.

        Raises UsageError for a rule or an action that is wrong, StoreError if another process has the state.
        """
        rules, self._actions = _made(settings, tellers)
        self._lock = threading.RLock()
        self._clock = Clock()
        self._state = StateFile(state) if state else None
        self._closed = False
        self._ledger = self._state.load() if self._state else Ledger()
        self._connections = Connections(self._ledger.seen_until)
        self._silences = Silences(settings.silences, self._ledger)
        self._register = Register(self._ledger, self._clock, self._silences, self._actions, sensor)
        self._books = {rule.name: Book(rule, settings.keys) for rule in rules}
        self._silenced = {name: self._silencer(name) for name in self._books}
        self._readers = {table: _Reader(table, self._books.values()) for table in {r.table for r in rules}}
        self._step = min((rule.window // SLOTS for rule in rules), default=SECOND)
        self._unsure = list(self._ledger.outbox)
        self._due = 0
        self._saved = 0
        self._urgent = self._changed = False
        self._said: dict[str, int] = {}
        self._recall()
        self.desk = Desk(
            self._ledger, self._answered, self._shown, list(self._books), self._lock, self._refresh
        )
        """What people do about alerts; safe from any thread."""
        self._actions.start()

    def process(self, batch: Batch) -> list[Batch]:
        """The batch, and the alerts that its rows raise or end."""
        reader = self._readers.get(batch.table)
        if reader is None or not batch.num_rows:
            return [batch]
        with self._working():
            made = [alert for row in reader.rows(batch) for alert in self._look(reader, row)]
            return [batch, *self._hand_on(made)]

    def tick(self, now: int) -> list[Batch]:
        """What time alone has raised or ended."""
        with self._working():
            self._confirm()
            self._clock.tick(now)
            self._connections.clock_was_set_back(now)
            made = self._advance()
            expired = self._silences.expire(self._shown())
            told = self._register.tell_late({name: book.rule for name, book in self._books.items()})
            self._urgent |= expired or told
            self._say_losses()
            return self._hand_on(made)

    def close(self) -> None:
        """Remembers everything, and lets the actions finish, for some seconds at most."""
        with self._lock:
            if self._closed:
                return
            self._confirm()
            self._remember()
            self._say_losses()
        self._end()

    def counts(self) -> dict[str, int]:
        """What did not count or was not told, by kind, since the start."""
        with self._lock:
            total = dict.fromkeys(("late", "keys_evicted", "keys_refused", "withheld"), 0)
            for book in self._books.values():
                total["withheld"] += book.withheld
                for name, count in book.counts.items():
                    total[name] += count
            metrics = [book.rule.metric for book in self._books.values()]
            total["known_forgotten"] = sum(each.forgotten for each in metrics if isinstance(each, Novelty))
            total["connections_forgotten"] = self._connections.forgotten
            total["state_unwritten"] = self._state.failures if self._state else 0
            return total | {f"lost_{name}": count for name, count in self._actions.lost().items()}

    def standings(self) -> list[dict[str, Any]]:
        """Each rule with the highest value it sees now: how near it is to its threshold."""
        with self._lock:
            return [book.standing(self._clock.now) for book in self._books.values()]

    def notices(self) -> list[dict[str, Any]]:
        """Of each mail and webhook, how many notices were lost, how many wait, and for how long."""
        return self._actions.standings()

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Holds the lock. A stage that fails is over: its threads end, and another may have the state."""
        with self._lock:
            try:
                yield
            except BaseException:
                self._end()
                raise

    def _end(self) -> None:
        self._closed = True
        self._actions.close()
        if self._state:
            self._state.close()

    def _look(self, reader: "_Reader", row: Row) -> list[dict[str, Any]]:
        """Counts one row for every rule, and what comes of it."""
        self._clock.row(row["last_ts" if reader.counted else "ts"])
        made = self._advance() if self._clock.now >= self._due else []
        connection = self._connections.meet(row) if reader.counted else _NOBODY
        for book in reader.books:
            made += self._count(book, row, connection)
        if reader.counted:
            self._connections.leave(row, connection)
        return made

    def _count(self, book: Book, row: Row, connection: Connection) -> list[dict[str, Any]]:
        rule = book.rule
        if not rule.filter.holds(row):
            return []
        has_key, key = rule.key_of(row)
        if not has_key or (self._silences.of_rows and self._silences.row(rule.name, key, row, self._shown())):
            return []
        events = rule.metric.events(row, connection)
        if not events:
            return []
        self._changed = True
        changes = book.add(self._clock, key, events, self._silenced[rule.name])
        return [made for each in changes if (made := self._register.change(rule, each))]

    def _advance(self) -> list[dict[str, Any]]:
        """What is due at this time, whatever the rows say."""
        now, first = self._clock.now, not self._due
        self._due = now + max(self._step, 1)
        made = self._register.restore(self._books) if first else []
        for book in self._books.values():
            changes = book.check(now, self._silenced[book.rule.name])
            made += [row for each in changes if (row := self._register.change(book.rule, each))]
        return made

    def _silencer(self, name: str) -> Silenced:
        return lambda key: self._silences.raising(name, key, self._shown())

    def _shown(self) -> int:
        """Now, as people read it."""
        return self._clock.shown(self._clock.now) if self._clock.now else time.time_ns()

    def _hand_on(self, rows: list[dict[str, Any]]) -> list[Batch]:
        """Rows of alerts as a batch, remembered first: what a crash takes is handed on once more."""
        out = self._unsure + rows
        self._unsure = []
        if self._state:
            self._ledger.outbox += rows
            waited = self._clock.now - self._saved
            if rows or self._urgent or (self._changed and waited >= SAVE_INTERVAL):
                self._remember()
        return [make("alert", {name: [row[name] for row in out] for name in out[0]})] if out else []

    def _confirm(self) -> None:
        """What was handed on before has gone through the sinks by now."""
        if self._ledger.outbox and not self._unsure:
            self._ledger.outbox = []
            self._urgent = True

    def _answered(self) -> None:
        """Somebody did something at the desk."""
        self._silences.renew()
        self._remember()

    def _refresh(self) -> None:
        self._register.refresh(self._books)

    def _recall(self) -> None:
        """Gives the rules what they knew; what belongs to no rule any more is dropped."""
        known, quotas = self._ledger.known, self._ledger.quotas
        self._ledger.known, self._ledger.quotas = {}, {}
        for book in self._books.values():
            name = _memory(book.rule)
            if isinstance(book.rule.metric, Novelty):
                book.rule.metric.known = self._ledger.known[name] = known.get(name) or Known(0, {})
            if name in quotas:
                book.restore_quota(quotas[name])

    def _remember(self) -> None:
        self._urgent = self._changed = False
        self._saved = self._clock.now
        if not self._state or self._closed:
            return
        self._refresh()
        self._ledger.seen_until = self._shown() if self._clock.now else self._ledger.seen_until
        for book in self._books.values():
            if self._clock.now and (quota := book.quota(self._clock.now)):
                self._ledger.quotas[_memory(book.rule)] = quota
        self._state.save(self._ledger)

    def _say_losses(self) -> None:
        """Says what does not count, the first time and whenever it has doubled."""
        for name, count in self.counts().items():
            if name in _WORDS and count > 2 * self._said.get(name, 0):
                self._said[name] = count
                _log.warning("alerts: %s: %d", _WORDS[name], count)


_WORDS = {
    "keys_evicted": "keys were forgotten because there were too many (alerts: keys)",
    "keys_refused": "rows did not count because all keys have alerts (alerts: keys)",
    "withheld": "alerts wait because too many of their rule are open",
    "known_forgotten": "programs or places were forgotten because there are too many",
    "connections_forgotten": "connections were forgotten while open; they may be counted short",
}


class _Reader:
    """Reads the columns of a table that some rule needs."""

    def __init__(self, table: str, books: Iterable[Book]) -> None:
        self.books = [book for book in books if book.rule.table == table]
        self.counted = table == "conn"
        columns = {name for book in self.books for name in book.rule.columns}
        self._names = tuple(sorted(columns | set(COLUMNS if self.counted else ("ts",))))

    def rows(self, batch: Batch) -> Iterator[Row]:
        """Each row, those columns of it."""
        for values in zip(*batch.columns(self._names), strict=True):
            yield dict(zip(self._names, values, strict=True))


def _memory(rule: Rule) -> str:
    """What a rule's memory is filed under: it begins anew when the rule measures something else."""
    settings = rule.settings
    parts = [rule.name, settings.metric, settings.key or "", settings.filter]
    return "|".join([*parts, str(settings.reset_day)] if settings.metric == "quota" else parts)
