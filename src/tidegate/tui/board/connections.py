"""The connections of the picture: bounded, the oldest closed ones go first."""

from collections.abc import Iterator

from tidegate.tui.board.conn import Conn

MOST = 20_000


class Connections:
    """Connections by uid, in the order in which they were seen first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self.known: dict[str, Conn] = {}
        self._closed: dict[str, None] = {}
        self.forgotten = 0
        """Left out because there were too many."""
        self.ever = 0

    def __iter__(self) -> Iterator[Conn]:
        return iter(self.known.values())

    def __len__(self) -> int:
        return len(self.known)

    @property
    def open(self) -> int:
        """How many are open."""
        return len(self.known) - len(self._closed)

    def get(self, uid: str) -> Conn | None:
        """The connection, if it is known."""
        return self.known.get(uid)

    def add(self, uid: str, ts: int) -> tuple[Conn, list[Conn]]:
        """A new one, and those that had to go for it."""
        gone = self._make_room() if len(self.known) >= self._most else []
        conn = self.known[uid] = Conn(uid, ts)
        self.ever += 1
        return conn, gone

    def close(self, conn: Conn, now: int) -> None:
        """Notes that it is over."""
        conn.closed_at = now
        self._closed[conn.uid] = None

    def _make_room(self) -> list[Conn]:
        """Takes out a hundredth: closed ones by the time of their end, else the longest silent."""
        wanted = max(self._most // 100, 1)
        uids = [uid for uid, _ in zip(self._closed, range(wanted), strict=False)]
        if not uids:
            uids = sorted(self.known, key=lambda uid: self.known[uid].updated)[:wanted]
        gone = [self.known.pop(uid) for uid in uids]
        for uid in uids:
            self._closed.pop(uid, None)
        self.forgotten += len(gone)
        return gone
