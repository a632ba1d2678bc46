"""What was counted of each connection: rows carry counters since its beginning, rules want what is new."""

from collections import OrderedDict

from tidegate.model.filter import Row

MOST = 200_000
"""Connections remembered at once; of more, the longest silent is forgotten."""

COLUMNS = (
    "uid", "ts", "last_ts", "state", "up_packets", "down_packets", "up_bytes", "down_bytes", "up_payload",
    "down_payload",
)  # fmt: skip
"""What has to be known of a row."""


class Connection:
    """One connection: its counters at its last row, and which rules have counted it."""

    __slots__ = ("bytes", "counted", "packets")

    def __init__(self, packets: int = 0, bytes: int = 0, counted: int = 0) -> None:
        self.packets = packets
        self.bytes = bytes
        self.counted = counted
        """A bit for each rule."""

    def first(self, rule: int) -> bool:
        """Whether the rule meets it for the first time; from now on it has."""
        bit = 1 << rule
        before = self.counted & bit
        self.counted |= bit
        return not before

    def new_packets(self, rule: int, row: Row) -> int:
        """Packets that the rule has not counted yet: all of them when it meets it for the first time."""
        return max(packets_of(row) - (0 if self.first(rule) else self.packets), 0)

    def new_bytes(self, rule: int, row: Row) -> int:
        """IP bytes that the rule has not counted yet."""
        return max(bytes_of(row) - (0 if self.first(rule) else self.bytes), 0)


class Connections:
    """All that are open."""

    def __init__(self, horizon: int = -1, most: int = MOST) -> None:
        """`horizon`: those that began until then, in nanoseconds, were counted by somebody before us."""
        self._most = most
        self._known: OrderedDict[str, Connection] = OrderedDict()
        self._horizon = horizon
        self.forgotten = 0
        """How many were forgotten while open: what they do from then on counts from their next row."""

    def __len__(self) -> int:
        return len(self._known)

    def meet(self, row: Row) -> Connection:
        """The connection of a row, as it was before it."""
        uid = row["uid"]
        found = self._known.get(uid)
        if found is None:
            # One that may have been forgotten is not counted from its beginning a second time.
            old = row["ts"] <= self._horizon
            found = Connection(packets_of(row), bytes_of(row), -1) if old else Connection()
            self._known[uid] = found
        return found

    def clock_was_set_back(self, wall: int) -> None:
        """The time is `wall`: what is said to have been counted later than that cannot be compared."""
        if wall < self._horizon:
            self._horizon = -1

    def leave(self, row: Row, found: Connection) -> None:
        """The row was counted."""
        uid = row["uid"]
        if row["state"] == "closed":
            self._known.pop(uid, None)
            return
        found.packets, found.bytes = packets_of(row), bytes_of(row)
        self._known.move_to_end(uid)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
            self._horizon = max(self._horizon, row["ts"])
            self.forgotten += 1


def packets_of(row: Row) -> int:
    """Packets in both directions."""
    return (row["up_packets"] or 0) + (row["down_packets"] or 0)


def bytes_of(row: Row) -> int:
    """Bytes in both directions: of IP, or of payload where no packets were seen (relay)."""
    up: int | None = row["up_bytes"]
    down: int | None = row["down_bytes"]
    return int((row["up_payload"] if up is None else up) + (row["down_payload"] if down is None else down))
