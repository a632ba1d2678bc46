"""A stage that names called ends nobody named: machines of the local network, others by the name server."""

from collections.abc import Iterable
from typing import NamedTuple

from tidegate.enrich.bounded import Bounded
from tidegate.enrich.reverse import ReverseDns
from tidegate.model.batch import Batch
from tidegate.model.config.enrich import NameSettings

MOST_ADDRESSES = 16_384
"""Addresses of the local network that are remembered, and hardware addresses: about 500 bytes each."""

LONGEST = 24 * 3600 * 10**9
"""Nanoseconds after which a name that nobody repeated no longer counts."""

SHARED = 16
"""Addresses of one hardware address from which on it is no machine's own, but a router's for others."""

_PREFERRED = ("dhcp", "mdns", "llmnr")
_CONN = ["ts", "iface", "dst_ip", "name", "name_source", "name_age"]
_HOST = ["ts", "iface", "ip", "mac", "name", "source"]

Place = tuple[str, str]
"""Interface, and address or hardware address: two networks may use the same private addresses."""


class Named(NamedTuple):
    """A name, who said it, and when (nanoseconds UTC)."""

    text: str | bytes
    source: str
    ts: int


class _Machine:
    """What was said of an address."""

    __slots__ = ("mac", "names")

    def __init__(self) -> None:
        self.names: dict[str, tuple[Named, str | None]] = {}
        """By who said it: the name, and the hardware address that had the address then."""
        self.mac: str | None = None

    def has(self, mac: str) -> None:
        """It has this hardware address now; names said before any was known were its."""
        self.mac = mac
        self.names = {by: (named, owner or mac) for by, (named, owner) in self.names.items()}

    def name(self, ts: int) -> Named | None:
        """The name that counts at a time: none that is old, or was another machine's with that address."""
        for source in _PREFERRED:
            named, owner = self.names.get(source, (None, None))
            if named and ts - named.ts <= LONGEST and owner in (None, self.mac):
                return named
        return None


class LocalNames:
    """What rows of `host` say: names of addresses, and of the machines that have them."""

    def __init__(self, most: int = MOST_ADDRESSES) -> None:
        self._machines: Bounded[Place, _Machine] = Bounded(most)
        self._of_mac: Bounded[Place, dict[str, int]] = Bounded(most)
        """Addresses of each hardware address and when they were said, the latest last."""

    def learn(self, ts: int, iface: str, ip: str, mac: str | None, name: str | None, source: str) -> None:
        """Takes a row of `host`."""
        machine = self._machines.get((iface, ip)) or _Machine()
        if mac:
            machine.has(mac)
            self._owns((iface, mac), ip, ts)
        if name:
            machine.names[source] = (Named(name, source, ts), machine.mac)
        self._machines.put((iface, ip), machine)

    def find(self, iface: str, ip: str, ts: int) -> Named | None:
        """What the machine with an address is called at a time.

        By what was said of the address itself, else of another address of the same hardware (source `arp`
        for IPv4, `ndp` for IPv6, since these say that it is the same).
        """
        machine = self._machines.get((iface, ip))
        named = machine.name(ts) if machine else None
        if named or machine is None or machine.mac is None:
            return named
        others = self._of_mac.get((iface, machine.mac)) or {}
        if len(others) >= SHARED:
            return None
        for other in reversed(others):
            same = self._machines.get((iface, other))
            if same and same.mac == machine.mac and (named := same.name(ts)):
                return named._replace(source="ndp" if ":" in ip else "arp")
        return None

    def _owns(self, mac: Place, ip: str, ts: int) -> None:
        addresses = self._of_mac.get(mac) or {}
        addresses.pop(ip, None)
        if len(addresses) >= SHARED:
            addresses = {other: said for other, said in addresses.items() if ts - said <= LONGEST}
        if len(addresses) < SHARED:
            addresses[ip] = ts
        self._of_mac.put(mac, addresses)


class Names:
    """Fills `name, name_source, name_age` of connections where they are missing."""

    def __init__(self, settings: NameSettings, reverse: ReverseDns | None = None) -> None:
        self._local = LocalNames() if settings.local else None
        self._reverse = reverse or (ReverseDns(settings.timeout) if settings.reverse_dns else None)

    def process(self, batch: Batch) -> Iterable[Batch]:
        """Learns from `host`, names `conn`, hands on everything."""
        if self._local and batch.table == "host":
            for row in zip(*batch.columns(_HOST), strict=True):
                self._local.learn(*row)
        return [self._named(batch) if batch.table == "conn" else batch]

    def tick(self, now: int) -> Iterable[Batch]:
        """Nothing is ever due."""
        return []

    def close(self) -> None:
        """Ends the questions to the name server."""
        if self._reverse:
            self._reverse.close()

    def _named(self, batch: Batch) -> Batch:
        begun, ifaces, called, names, sources, ages = batch.columns(_CONN)
        changed = False
        for at, name in enumerate(names):
            if name is None and (found := self._find(ifaces[at], called[at], begun[at])):
                names[at], sources[at] = found.text, found.source
                ages[at] = max(begun[at] - found.ts, 0) / 1e9
                changed = True
        return (
            batch.with_columns({"name": names, "name_source": sources, "name_age": ages})
            if changed
            else batch
        )

    def _find(self, iface: str, ip: str, ts: int) -> Named | None:
        local = self._local.find(iface, ip, ts) if self._local else None
        if local or not self._reverse:
            return local
        name = self._reverse.find(ip)
        return Named(name.text, "rdns", name.ts) if name else None
