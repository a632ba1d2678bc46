"""`tidegate control`: ask a running Tidegate how it goes, or tell it to do something."""

import json
from pathlib import Path
from typing import Any

import rich_click as click

from tidegate.cli.options import PATH, config_option
from tidegate.model.errors import UsageError
from tidegate.model.text import safe_text
from tidegate.model.units import counted, human_bytes, human_count, human_duration
from tidegate.pipeline.control import ask


@click.command()
@click.argument("what", type=click.Choice(["status", "reload", "stop"]), default="status")
@click.option("--socket", type=PATH, metavar="PATH", help="The control socket, if not the usual one.")
@config_option
@click.option("--json", "as_json", is_flag=True, help="The answer as it is, one JSON object.")
def control(what: str, socket: Path | None, config: Path | None, as_json: bool) -> int:
    """Ask the running Tidegate for its status, or have it reload its configuration or stop."""
    from tidegate.app.paths import control_path
    from tidegate.settings.find import load_place

    answer = ask(socket or control_path(load_place(config)), {"do": what})
    if as_json:
        click.echo(json.dumps(answer))
    elif what == "status":
        try:
            lines = _status(answer)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            raise UsageError("a Tidegate of another version answers; see --json") from None
        click.echo("\n".join(map(safe_text, lines)))
    elif what == "reload":
        click.echo("the configuration is right and is taken over; tidegate control status says how it goes")
    return 0


def _status(answer: dict[str, Any]) -> list[str]:
    """What a person wants to know first, first."""
    dropped = answer.get("dropped", {})
    lost = ", ".join(f"{human_count(count)} {place}" for place, count in dropped.items() if count)
    lines = [
        f"capture   {', '.join(answer.get('interfaces', [])) or 'none'}{_waited(answer)}"
        + ("" if answer["capturing"] else f"  NOT RUNNING: {answer['error']}"),
        f"up        {human_duration(answer['uptime'])}, pid {answer['pid']}, as {answer['user']}",
        f"seen      {counted(answer['packets'], 'packet')}, {human_bytes(answer['bytes'])}, "
        f"{counted(answer['connections'], 'connection')}, {human_count(answer['flows'])} of them open",
        f"dropped   {lost or 'nothing'}",
        f"store     {answer['store']}{_unstored(answer)}",
        f"settings  {answer['config'] or 'defaults, no file'}",
    ]
    if "relay_error" in answer:
        lines.append(f"relay     {_relay(answer)}")
    if answer["reload_error"]:
        lines.append(f"          the last reload changed nothing: {answer['reload_error']}")
    lines += [f"{part['name']:9} {_part(part)}" for part in answer.get("parts", [])]
    lines += [
        f"{each['name']:9} {_notices(each)}"
        for each in answer.get("notices", [])
        if each["lost"] or each["waiting"]
    ]
    lines += [f"warning   {warning}" for warning in answer.get("warnings", [])]
    return lines


def _relay(answer: dict[str, Any]) -> str:
    if answer["relay"] is None:
        return f"NOT RUNNING: {answer['relay_error']}"
    services = answer["relay"]["services"]
    return (
        f"{counted(answer['relay']['connections'], 'connection')} of {counted(len(services), 'service')}; "
        "more with: tidegate relay status"
    )


def _unstored(answer: dict[str, Any]) -> str:
    lost = answer.get("stored_lost", 0)
    return f"  {human_count(lost)} ROWS NOT STORED, the disk took none" if lost else ""


def _notices(action: dict[str, Any]) -> str:
    lost = action["lost"]
    said = [f"NOT TOLD of {human_count(lost)} alert{'s' if lost != 1 else ''}"] if lost else []
    if action["waiting"]:
        said.append(f"{human_count(action['waiting'])} to be told, for {human_duration(action['lag'])}")
    return "; ".join(said)


def _waited(answer: dict[str, Any]) -> str:
    down, names = answer.get("interfaces_down", []), answer.get("waiting_for", [])
    return (f"; down: {', '.join(down)}" if down else "") + (
        f"; waiting for {', '.join(names)}, not there" if names else ""
    )


def _part(part: dict[str, Any]) -> str:
    said = str(part.get("said", "working"))
    return f"NOT WORKING: {part['error']}" if part.get("error") else said
