"""Takes over the settings of monconn: its config.yaml as services of our relay.

monconn (github.com/gihnius/monconn) forwards ports. Each key at the top names a service: `listen_ip`,
`listen_port`, `backend_ip`, `backend_port`, timeouts in seconds (`read_timeout`, `write_timeout`,
`wait_timeout`, `max_idle`), limits (`conn_limit`, `ip_limit`; 0 is none), `keepalive`, `print_bytes` and
`ip_blacklist`.
"""

from collections.abc import Mapping
from typing import Any

from tidegate.model.ends import joined, parse_listen, parse_network, parse_target
from tidegate.model.errors import UsageError
from tidegate.model.text import clip
from tidegate.settings.document import Document, Path_

KEYS = frozenset(
    (
        *("listen_ip", "listen_port", "backend_ip", "backend_port", "read_timeout", "write_timeout"),
        *("wait_timeout", "max_idle", "conn_limit", "ip_limit", "keepalive", "print_bytes", "ip_blacklist"),
    )
)

_READ, _WRITE, _WAIT, _IDLE = 600, 600, 60, 900
"""monconn's own, in seconds, for what is 0 or missing."""

KEEPALIVE = "30s"


def is_monconn(values: Mapping[str, Any]) -> bool:
    """Whether these look like monconn's: every key at the top is a service with a port to listen on."""
    return bool(values) and all(
        isinstance(service, Mapping) and "listen_port" in service for service in values.values()
    )


def import_monconn(document: Document) -> tuple[dict[str, Any], list[str]]:
    """Our settings that do what monconn's did, and what they do not, with its line; raises UsageError."""
    notes: list[str] = []
    services = [_service(name, document, notes) for name in document.values]
    waits = [_number(document, name, "wait_timeout") or _WAIT for name in document.values]
    if len(set(waits)) > 1:
        notes.append(
            f"{document.name}: wait_timeout: one drain time holds for all services here, the longest is taken"
        )
    return {"relay": {"drain": f"{max(waits)}s", "services": services}}, notes


def _service(name: str, document: Document, notes: list[str]) -> dict[str, Any]:
    given: Mapping[str, Any] = document.values[name]
    for key in given:
        if key not in KEYS:
            notes.append(f'{document.place((name, key))}: monconn has no "{clip(key, 40)}"; left out')
    listen = joined(str(given.get("listen_ip") or ""), given["listen_port"])
    backend = joined(str(given.get("backend_ip") or ""), given.get("backend_port", ""))
    _checked(document, (name, "listen_port"), lambda: parse_listen(listen))
    _checked(document, (name, "backend_port"), lambda: parse_target(backend))
    made: dict[str, Any] = {"name": name, "listen": listen, "backend": backend}
    made["timeouts"] = _timeouts(name, document, notes)
    if limits := _limits(name, document, notes):
        made["limits"] = limits
    made["keepalive"] = KEEPALIVE if given.get("keepalive") is True else None
    if given.get("print_bytes"):
        made["hex"] = True
    if denied := [str(address) for address in given.get("ip_blacklist") or []]:
        for number, address in enumerate(denied):
            _checked(document, (name, "ip_blacklist", number), lambda address=address: parse_network(address))
        made["deny"] = denied
    return made


def _timeouts(name: str, document: Document, notes: list[str]) -> dict[str, str]:
    read = _number(document, name, "read_timeout") or _READ
    idle = _number(document, name, "max_idle") or _IDLE
    write = _number(document, name, "write_timeout") or _WRITE
    if read < idle:
        notes.append(
            f"{document.place((name, 'read_timeout'))}: read_timeout and max_idle become one idle time, "
            f"{read} s without a byte either way; a connection on which only the server speaks stays"
        )
    return {"idle": f"{min(read, idle)}s", "write_stall": f"{write}s"}


def _limits(name: str, document: Document, notes: list[str]) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    if most := _number(document, name, "conn_limit"):
        limits |= {"connections": most, "refusal": "wait"}
    if most := _number(document, name, "ip_limit"):
        limits["addresses"] = most
        said = f"ip_limit {most} admits {most} addresses, monconn let in one more"
        notes.append(f"{document.place((name, 'ip_limit'))}: {said}")
    return limits


def _number(document: Document, name: str, key: str) -> int:
    value = document.values[name].get(key) or 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UsageError(
            f'{document.place((name, key))}: {key}: a number is expected, not "{clip(str(value), 30)}"'
        )
    return value


def _checked(document: Document, path: Path_, attempt: Any) -> None:
    try:
        attempt()
    except UsageError as error:
        raise UsageError(f"{document.place(path)}: {error}") from None
