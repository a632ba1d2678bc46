"""Addresses of backends that are given by name: asked for at the start, and now and then by a thread.

The machine's hosts file counts first, then the name server by dnspython, which unlike the system's resolver
can be told how long a question may take. What was known stays when nobody answers.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Lock, Thread

from tidegate.model.ends import is_address
from tidegate.model.errors import UsageError
from tidegate.model.text import safe_text

Ask = Callable[[str], tuple[str, ...]]
"""The addresses of a name, none where there are none; raises OSError if nobody says."""

HOSTS = Path("/etc/hosts")

PATIENCE = 3.0
"""Seconds for a name."""

_log = logging.getLogger("tidegate")


def look_up(name: str, timeout: float = PATIENCE, hosts: Path = HOSTS) -> tuple[str, ...]:
    """The addresses of a name, IPv4 first, sorted; raises OSError if nobody says."""
    found = _in_hosts(name, hosts) or (("127.0.0.1",) if name.rstrip(".").lower() == "localhost" else ())
    return found or _by_server(name, timeout)


class Names:
    """What the names are now. `changed` is set when one has other addresses than before."""

    def __init__(self, names: Iterable[str], interval: float, ask: Ask = look_up) -> None:
        """Asks for all of them; raises UsageError for one that nobody knows."""
        self._ask = ask
        self._interval = interval
        self._lock = Lock()
        self._known = {name: _first(name, ask) for name in dict.fromkeys(names)}
        self.changed = Event()
        self._over = Event()
        self._thread = Thread(target=self._run, name="tidegate-relay-names")
        if self._known:
            self._thread.start()

    def addresses(self) -> Mapping[str, tuple[str, ...]]:
        """Of each name."""
        with self._lock:
            return dict(self._known)

    def close(self) -> None:
        """Ends the thread, after at most the time of one question."""
        self._over.set()
        if self._thread.ident:
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._interval):
            for name in list(self._known):
                if self._over.is_set():
                    return
                self._again(name)

    def _again(self, name: str) -> None:
        try:
            found = self._ask(name)
        except OSError:
            return
        if not found or found == self._known[name]:
            return
        _log.info("%s is %s now", safe_text(name), ", ".join(found))
        with self._lock:
            self._known[name] = found
        self.changed.set()


def _first(name: str, ask: Ask) -> tuple[str, ...]:
    try:
        found = ask(name)
    except OSError as error:
        raise UsageError(f'nobody says what the address of "{name}" is: {error}') from None
    if not found:
        raise UsageError(f'there is no host "{name}"')
    return found


def _in_hosts(name: str, hosts: Path) -> tuple[str, ...]:
    try:
        lines = hosts.read_text(errors="replace").splitlines()
    except OSError:
        return ()
    wanted = name.rstrip(".").lower()
    found = [
        words[0]
        for words in (line.partition("#")[0].split() for line in lines)
        if wanted in map(str.lower, words[1:]) and is_address(words[0])
    ]
    return _sorted(found)


def _by_server(name: str, timeout: float) -> tuple[str, ...]:
    import dns.exception
    import dns.resolver

    try:
        answers = dns.resolver.Resolver().resolve_name(name, lifetime=timeout, search=True)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return ()
    except dns.exception.DNSException as error:
        raise OSError(" ".join(str(error).split()) or type(error).__name__) from None
    return _sorted(answers.addresses())


def _sorted(addresses: Iterable[str]) -> tuple[str, ...]:
    """In an order that does not change from answer to answer."""
    parsed = {ip_address(address) for address in addresses}
    return tuple(map(str, sorted(parsed, key=lambda each: (each.version, each.packed))))
