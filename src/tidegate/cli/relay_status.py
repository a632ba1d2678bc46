"""How a relay goes, for people."""

from collections.abc import Iterator, Sequence
from typing import Any

from tidegate.model.ends import joined
from tidegate.model.text import clip
from tidegate.model.units import counted, human_bytes, human_count, human_duration

MOST = 50
"""Connections that are listed."""


def status_lines(
    status: dict[str, Any], connections: list[dict[str, Any]], parts: Sequence[dict[str, Any]] = ()
) -> Iterator[str]:
    """What a person wants to know first, first. Of `parts`, stages and outputs, troubles are told."""
    draining = "  DRAINING: nobody is let in" if status["draining"] else ""
    yield f"up        {human_duration(status['uptime'])}{draining}"
    yield (
        f"open      {human_count(status['connections'])} of {counted(status['most'], 'connection')}; "
        f"{human_bytes(status['memory'])} wait"
    )
    yield f"dropped   {counted(status['dropped'], 'row')}" if status["dropped"] else "dropped   nothing"
    for part in parts:
        if lost := part.get("lost"):
            yield f"lost      {counted(lost, 'row')} by {clip(part['name'], 40)}"
        if part["error"]:
            yield f"problem   {clip(part['name'], 40)}: {part['error']}"
    for name, service in status["services"].items():
        yield from _service(name, service)
    for place, reason in status["waiting"].items():
        yield f"waiting   {place}: {reason}"
    if status["rejected"]:
        yield f"rejected  {', '.join(status['rejected'])}"
    for target in status["targets"]:
        state = "there" if target["up"] else f"LEFT OUT: {target['error']}"
        yield f"target    {clip(target['backend'], 40)} {target['target']}  {state}"
    for name, addresses in status["names"].items():
        yield f"name      {name}  {', '.join(addresses)}"
    for problem in status["problems"]:
        yield f"problem   {problem}"
    yield from _connections(connections)


def _service(name: str, service: dict[str, Any]) -> Iterator[str]:
    up, down = human_bytes(service["up"]), human_bytes(service["down"])
    yield (
        f"service   {clip(name, 40)}  {human_count(service['connections'])} open, "
        f"{human_count(service['total'])} in all, up {up}, down {down}"
    )
    if refused := service["refused"]:
        causes = ", ".join(f"{cause} {human_count(count)}" for cause, count in sorted(refused.items()))
        yield f"          refused: {causes}"


def _connections(connections: list[dict[str, Any]]) -> Iterator[str]:
    for each in connections[:MOST]:
        up, down = human_bytes(each["up"]), human_bytes(each["down"])
        yield (
            f"#{each['id']:<8} {joined(each['client_ip'], each['client_port'])} > "
            f"{joined(each['server_ip'], each['server_port'])} > {each['remote'] or each['phase']}"
            f"  {clip(each['service'], 40)}  {each['protocol'] or '-'}  up {up} down {down}"
            f"  idle {human_duration(each['idle'])}"
        )
    if len(connections) > MOST:
        yield f"          and {human_count(len(connections) - MOST)} more; --json lists them"
