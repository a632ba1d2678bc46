"""Who takes part: programs, hosts and interfaces, each with its traffic. Tables of them are bounded."""

from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar

from tidegate.tui.board.series import Series


class Party:
    """Somebody with traffic; a mapping from column to value, as filters want it."""

    __slots__ = ("open", "seen", "series", "total")

    def __init__(self) -> None:
        self.series = Series()
        self.open = 0
        """Connections open now."""
        self.total = 0
        """Connections so far."""
        self.seen = 0
        """Second of its last traffic."""

    @property
    def bytes(self) -> int:
        """Bytes so far, both ways."""
        return self.series.total_down + self.series.total_up

    def facts(self) -> dict[str, Any]:
        """What a filter can look at."""
        return {}


class Program(Party):
    """A program of this machine; without a name and number it is all that nobody could be found for."""

    __slots__ = ("cells", "name", "pid")

    def __init__(self, key: tuple[int | None, str | None]) -> None:
        super().__init__()
        self.pid, self.name = key
        self.cells: dict[str, Any] = {}
        """Path, command line, parent, user, start, container, method, confidence."""

    def facts(self) -> dict[str, Any]:
        """What a filter can look at."""
        return {"process_pid": self.pid, "process_name": self.name} | {
            f"process_{name}": value for name, value in self.cells.items()
        }


RECENT = 16
"""Processes of a name that are remembered by number."""

SEVERAL = "(several)"


class Family(Party):
    """All processes of one name; the one without a name is all that nobody could be found for."""

    __slots__ = ("cells", "name", "pids", "processes")

    def __init__(self, name: str | None) -> None:
        super().__init__()
        self.name = name
        self.processes = 0
        """How many different ones there were."""
        self.pids: dict[int | None, None] = {}
        """Numbers of the last few, the latest at the end."""
        self.cells: dict[str, Any] = {}
        """What is known of them, as of a program; `SEVERAL` where they differ."""

    def meet(self, pid: int | None) -> None:
        """Counts a process of this name that was not known."""
        self.processes += 1
        self.pids[pid] = None
        if len(self.pids) > RECENT:
            del self.pids[next(iter(self.pids))]

    def know(self, cells: dict[str, Any]) -> None:
        """Notes what is known of one of them."""
        mine = self.cells
        if not mine:
            self.cells = dict(cells)
        elif mine != cells:
            for name, value in cells.items():
                if value is not None and mine.get(name) != value:
                    mine[name] = value if mine.get(name) is None else SEVERAL


class Host(Party):
    """An end that is not this machine's."""

    __slots__ = ("as_org", "asn", "city", "country", "ip", "lan_name", "lan_source", "mac", "said", "said_by")

    def __init__(self, ip: str) -> None:
        super().__init__()
        self.ip = ip
        self.said: str | None = None
        """What the last connection to it called it, which may be one of many names."""
        self.said_by: str | None = None
        self.lan_name: str | None = None
        """What it calls itself in the local network."""
        self.lan_source: str | None = None
        self.mac: str | None = None
        self.country: str | None = None
        self.city: str | None = None
        self.asn: int | None = None
        self.as_org: str | None = None

    @property
    def name(self) -> str | None:
        """What it is called, as far as is known."""
        return self.said if self.said is not None else self.lan_name

    @property
    def name_source(self) -> str | None:
        """Who said so."""
        return self.said_by if self.said is not None else self.lan_source

    def facts(self) -> dict[str, Any]:
        """What a filter can look at."""
        return {
            "dst_ip": self.ip,
            "name": self.name,
            "name_source": self.name_source,
            "dst_country": self.country,
            "dst_city": self.city,
            "dst_asn": self.asn,
            "dst_as_org": self.as_org,
        }


class Interface(Party):
    """Where it was seen."""

    __slots__ = ("name", "packets")

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.packets = Series()
        """Packets seen, and packets the kernel dropped."""

    def facts(self) -> dict[str, Any]:
        """What a filter can look at."""
        return {"iface": self.name}


K = TypeVar("K", bound=Hashable)
P = TypeVar("P", bound=Party)


class Parties(Generic[K, P]):
    """So many at most: when there are more, the quarter with the oldest traffic goes."""

    def __init__(self, make: Callable[[K], P], most: int) -> None:
        self._make = make
        self._most = most
        self.known: dict[K, P] = {}
        self.forgotten = 0

    def __iter__(self) -> Iterator[P]:
        return iter(self.known.values())

    def __len__(self) -> int:
        return len(self.known)

    def get(self, key: K) -> P:
        """The one of that key, new if need be."""
        party = self.known.get(key)
        if party is None:
            if len(self.known) >= self._most:
                self._make_room()
            party = self.known[key] = self._make(key)
        return party

    def _make_room(self) -> None:
        order = sorted(self.known, key=lambda key: (self.known[key].open > 0, self.known[key].seen))
        gone = order[: max(self._most // 4, 1)]
        for key in gone:
            del self.known[key]
        self.forgotten += len(gone)
