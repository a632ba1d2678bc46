"""The thread that gives the spool's documents to the server, and never gives up on it."""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from tidegate.model.config import ElasticSettings
from tidegate.model.text import clip, safe_text
from tidegate.sinks.backlog import Backoff
from tidegate.sinks.elastic import template
from tidegate.sinks.elastic.documents import body
from tidegate.sinks.elastic.server import DroppedError, Server, ServerError
from tidegate.sinks.elastic.spool import Spool
from tidegate.sinks.elastic.verdict import KIND, PATH, Delivery, Refused

log = logging.getLogger(__name__)

LAST = 5.0
"""Seconds that the thread has for what waits when it is told to end."""

MOST_KINDS = 64
"""Kinds of refusals that are said, once each."""


GROW = 50
"""Pieces that go well before larger ones are tried again."""


def post(server: Server, delivery: Delivery) -> str:
    """One request for the next documents; why some of them have to wait, if so. Raises ServerError."""
    try:
        return delivery.take(server.request("POST", PATH, body(delivery.next()), KIND))
    except DroppedError:
        delivery.shrink()
        raise


class Templates:
    """Puts the index templates of some tables in place, once; looks at what is there first."""

    def __init__(self, server: Server, settings: ElasticSettings, tables: tuple[str, ...]) -> None:
        self._server = server
        self._settings = settings
        self._left = list(tables) if settings.template else []

    def ready(self) -> None:
        """All of them are in place after this; raises ServerError."""
        while self._left:
            self._put(self._left[-1])
            self._left.pop()

    def _put(self, table: str) -> None:
        name = f"{self._settings.stream}-{table}"
        wanted = template.template(self._settings.stream, table, self._settings.format)
        path = f"/_index_template/{name}"
        there = self._server.request("GET", path)
        if there.status == 200:
            held = _held(there.json())
            if template.is_current(held, wanted) or not template.is_ours(held):
                return
        elif there.status != 404:
            raise ServerError(f"index template {name}: {there.reason()}")
        answer = self._server.request("PUT", path, json.dumps(wanted).encode())
        if answer.status != 200:
            hint = "; or set template: false, and put it there by hand" if answer.status == 403 else ""
            raise ServerError(f"index template {name} cannot be put in place: {answer.reason()}{hint}")


def _held(found: Any) -> dict[str, Any]:
    """The template in an answer; an empty one where there is none, which is nobody's."""
    try:
        held = found["index_templates"][0]["index_template"]
    except (LookupError, TypeError):
        held = None
    return held if isinstance(held, dict) else {}


class Sender:
    """Sends until `finish`; what it does not get rid of stays in the spool."""

    def __init__(
        self,
        settings: ElasticSettings,
        server: Server,
        spool: Spool,
        tables: tuple[str, ...],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._server = server
        self._spool = spool
        self._clock = clock
        self._templates = Templates(server, settings, tables)
        self._backoff = Backoff()
        self._limit = settings.bulk_size
        self._well = 0
        self._finishing = threading.Event()
        self._kinds: set[str] = set()
        self.sent = self.there = self.refused = 0
        """Rows that the server took, had already, and will never take."""
        self.error = ""
        """Why nothing is sent at the moment."""
        self._thread = threading.Thread(target=self._run, name=f"tidegate-elastic-{settings.name}")

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def finish(self, seconds: float = LAST) -> None:
        """Lets the thread send what waits, for so long and while that works; then cuts it off."""
        self._finishing.set()
        self._thread.join(seconds)
        self._server.cut()
        self._thread.join()
        self._server.close()

    def _run(self) -> None:
        while self._spool.wait(self._limit, self._settings.bulk_wait):
            try:
                done = self._next()
            except OSError as error:
                done = self._failed(f"the spool cannot be read: {error.strerror or error}")
            if not done and self._finishing.is_set():
                return

    def _next(self) -> bool:
        """Sends the oldest piece; False if it has to stay."""
        piece = self._spool.read(self._limit)
        delivery = Delivery(piece.documents, self._limit)
        while delivery.left:
            if not self._once(delivery) and self._finishing.is_set():
                return False
        self._adapt(delivery.limit)
        self.sent += delivery.sent
        self.there += delivery.there
        self._count(delivery.refused)
        self._spool.done(piece)
        return True

    def _adapt(self, limit: int) -> None:
        """Keeps to what the server took, and tries more after a while."""
        self._well = self._well + 1 if limit >= self._limit else 0
        self._limit = min(self._limit, limit)
        if self._well >= GROW:
            self._well = 0
            self._limit = min(2 * self._limit, self._settings.bulk_size)

    def _once(self, delivery: Delivery) -> bool:
        """One request; False if it has to come again, after the wait that it then is time for."""
        try:
            self._templates.ready()
            trouble = post(self._server, delivery)
        except ServerError as error:
            return self._failed(str(error))
        if trouble:
            return self._failed(trouble)
        if self._backoff.failing:
            self._backoff.succeeded()
            self.error = ""
            log.warning("elastic %s: %s takes rows again", self._settings.name, self._server.name)
        return True

    def _failed(self, reason: str) -> bool:
        """Says it the first time, and waits."""
        reason = clip(safe_text(reason), 400)
        if not self._backoff.failing and not self._finishing.is_set():
            log.warning("elastic %s: %s; rows wait on disk", self._settings.name, reason)
        self.error = reason
        self._backoff.failed(now := self._clock())
        self._finishing.wait(self._backoff.due_in(now))
        return False

    def _count(self, refused: list[Refused]) -> None:
        self.refused += len(refused)
        for each in refused:
            if each.kind not in self._kinds and len(self._kinds) < MOST_KINDS:
                self._kinds.add(each.kind)
                name = self._settings.name
                said = f"{each.kind}: {each.reason}"
                log.warning(
                    "elastic %s: a row is refused: %s; more of this kind are only counted", name, said
                )
