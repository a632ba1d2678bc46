"""Takes over the settings of AutoNapt: ports.json, protocols.json and elastic.ini as a relay of ours.

AutoNapt (github.com/rainforest-tokyo/AutoNaptPython) listens on ranges of ports and forwards by the first
packet: `ports` names ranges, each with the time to wait for it and the protocol of who says nothing,
`protocols` names servers and regular expressions, `default_protocol` is for what none of them takes.
`[env] url` is where Elasticsearch is.
"""

from collections.abc import Iterable, Iterator, Mapping
from configparser import ConfigParser, Error
from pathlib import Path
from typing import Any

from tidegate.model.ends import parse_ports
from tidegate.model.errors import UsageError
from tidegate.model.ports import Ranges, say_ports, without
from tidegate.model.text import clip
from tidegate.settings.document import Document, Path_

EXCERPT = 256
"""Bytes of a packet that AutoNapt keeps."""

OTHERS = "no-rule"
"""The rule that takes what no other does, as default_protocol did."""


def is_autonapt(values: Mapping[str, Any]) -> bool:
    """Whether these look like its ports.json or protocols.json."""
    return isinstance(values.get("ports"), list) or isinstance(values.get("protocols"), list)


def import_autonapt(documents: Iterable[Document]) -> tuple[dict[str, Any], list[str]]:
    """Our settings that do what these files did, and what they do not, with its line; raises UsageError."""
    notes: list[str] = []
    ports = protocols = None
    for document in documents:
        ports = document if isinstance(document.values.get("ports"), list) else ports
        protocols = document if isinstance(document.values.get("protocols"), list) else protocols
    if protocols is None or ports is None:
        missing = "protocols.json" if protocols is None else "ports.json"
        raise UsageError(f"AutoNapt's {missing} is needed beside the other: name both")
    made = _Protocols(protocols, notes)
    services = list(_services(ports, made, notes))
    relay = {"backends": made.backends, "services": services}
    log = {
        "name": "autonapt",
        "path": "autonapt.log",
        "format": "autonapt",
        "rotate_time": "1d",
        "keep": 0,
    }
    return {"relay": relay, "logs": [log]}, notes


def import_elastic(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The server of elastic.ini; raises UsageError."""
    parser = ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(), str(path))
        url = parser.get("env", "url")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except (Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {' '.join(str(error).split())}") from None
    notes = []
    if parser.get("env", "verify_certs", fallback="true").strip().lower() == "false":
        notes.append(
            f"{path}: verify_certs: certificates are always verified here; ca_file names those to trust"
        )
    return {"elastic": [{"name": "autonapt", "urls": [url.rstrip("/")], "tables": ["relay"]}]}, notes


class _Protocols:
    """Backends and rules of protocols.json."""

    def __init__(self, document: Document, notes: list[str]) -> None:
        self._document = document
        self._notes = notes
        self.backends: list[dict[str, Any]] = []
        self.rules: list[dict[str, Any]] = []
        for number, protocol in enumerate(document.values["protocols"]):
            path: Path_ = ("protocols", number)
            if not isinstance(protocol, Mapping):
                raise UsageError(
                    f"{document.place(path)}: a protocol with name, server and rules is expected"
                )
            self._take(path, protocol)
        self.default = str(document.values.get("default_protocol") or "")
        if self.default and self.default not in self.names:
            self._say(
                ("default_protocol",),
                f'there is no protocol "{clip(self.default, 40)}"; who meets no rule is refused',
            )
            self.default = ""
        if self.default:
            self.rules.append({"name": OTHERS, "pattern": "(?s)^.", "backend": self.default})

    @property
    def names(self) -> list[str]:
        """Of the backends."""
        return [backend["name"] for backend in self.backends]

    def _take(self, path: Path_, protocol: Mapping[str, Any]) -> None:
        server = protocol.get("server")
        if not isinstance(server, Mapping):
            raise UsageError(f'{self._document.place(path)}: a protocol needs "server"')
        target = f"{server.get('address')}:{server.get('port')}"
        backend = self._backend(str(protocol.get("name") or "server"), target)
        for number, rule in enumerate(protocol.get("rules") or []):
            if isinstance(rule, Mapping):
                self._rule((*path, "rules", number), rule, backend)

    def _backend(self, name: str, target: str) -> str:
        """The backend's name: AutoNapt may have several of one name, of which each has its server."""
        for backend in self.backends:
            if backend["targets"] == [target] and backend["name"].partition("/#")[0] == name:
                return str(backend["name"])
        made = _other(name, self.names, "/#")
        self.backends.append({"name": made, "targets": [target]})
        return made

    def _rule(self, path: Path_, rule: Mapping[str, Any], backend: str) -> None:
        made: dict[str, Any] = {}
        if pattern := str(rule.get("packet") or ""):
            made["pattern"] = pattern if pattern.startswith("^") else f"^(?:{pattern})"
            if problem := _unusable(made["pattern"]):
                self._say(path, f'the rule "{clip(pattern, 40)}" is left out: {problem}')
                return
        if "port" in rule:
            made["ports"] = str(rule["port"])
        if not made:
            self._say(path, "a rule without a packet takes nothing; left out")
            return
        remote = rule.get("remote")
        if isinstance(remote, Mapping) and any(value != "any" for value in remote.values()):
            self._say(path, '"remote" was never looked at by AutoNapt; left out, our key is sources')
        names = [other["name"] for other in self.rules]
        self.rules.append(
            {"name": _other(str(rule.get("name") or backend), names, "-"), **made, "backend": backend}
        )

    def _say(self, path: Path_, text: str) -> None:
        self._notes.append(f"{self._document.place(path)}: {text}")


def _services(document: Document, protocols: _Protocols, notes: list[str]) -> Iterator[dict[str, Any]]:
    """A service for each time that is waited; a port that is there twice stays where it was first."""
    groups: dict[float, list[tuple[Ranges, str]]] = {}
    taken: Ranges = ()
    for number, entry in enumerate(document.values["ports"]):
        path: Path_ = ("ports", number)
        try:
            ports = parse_ports(str(entry["port"]))
            wait = float(entry.get("timeout") or 0) or 1.0
        except (UsageError, KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{document.place(path)}: {error}") from None
        left = without(ports, taken)
        if left != ports:
            said = f"some ports of {entry['port']} are named above already; they stay there"
            notes.append(f"{document.place(path)}: {said}")
        taken = (*taken, *left)
        goal = str(entry.get("default_protocol") or "")
        if goal and goal not in protocols.names:
            notes.append(
                f'{document.place(path)}: there is no protocol "{clip(goal, 40)}"; '
                f"who says nothing goes to {protocols.default or 'nobody'}"
            )
            goal = protocols.default
        if left:
            groups.setdefault(wait, []).append((left, goal))
    for wait, entries in groups.items():
        yield _service("autonapt" if len(groups) == 1 else f"autonapt-{wait:g}s", wait, entries, protocols)


def _service(
    name: str, wait: float, entries: list[tuple[Ranges, str]], protocols: _Protocols
) -> dict[str, Any]:
    every = sorted(span for ports, _ in entries for span in ports)
    return {
        "name": name,
        "listen": [f"0.0.0.0:{say_ports(tuple(every))}"],
        **({"backend": protocols.default} if protocols.default else {}),
        "ports": [
            {"ports": say_ports(ports), "backend": goal}
            for ports, goal in entries
            if goal not in ("", protocols.default)
        ],
        "rules": [dict(rule) for rule in protocols.rules],
        "timeouts": {"first_byte": f"{wait:g}s"},
        "excerpts": {"per_read": EXCERPT},
    }


def _unusable(pattern: str) -> str:
    from tidegate.model.pattern import check_pattern

    try:
        check_pattern(pattern)
    except UsageError as error:
        return str(error)
    return ""


def _other(name: str, names: list[str], sign: str) -> str:
    """The name, or one like it that is not taken."""
    number, made = 1, name
    while made in names:
        number += 1
        made = f"{name}{sign}{number}"
    return made
