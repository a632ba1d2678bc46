"""`tidegate relay`: a monitored door for any TCP port; and what can be asked of one that runs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import rich_click as click

from tidegate.cli.options import PATH, config_option, format_option, place_option, store_option, tables_option
from tidegate.cli.relay_rule import test_rule
from tidegate.model.config.relay import Steering
from tidegate.model.text import safe_text


@dataclass(frozen=True)
class Asked:
    """What the verbs below need to find the relay that runs."""

    config: Path | None
    store: Path | None

    def ask(self, socket: Path | None, word: str, **given: Any) -> dict[str, Any]:
        """Asks `tidegate relay`, or the `tidegate run` that carries a relay."""
        from tidegate.app.paths import control_path
        from tidegate.app.relaying import relay_socket
        from tidegate.pipeline.control import ask
        from tidegate.settings.find import load_place

        if socket is None:
            config = load_place(self.config)
            own = relay_socket(config, self.store)
            socket = own if own.is_socket() else control_path(config)
        return ask(socket, {"do": word, **given})


socket_option = click.option(
    "--socket", type=PATH, metavar="PATH", help="The control socket, if not the usual one."
)
json_option = click.option("--json", "as_json", is_flag=True, help="The answer as it is, one JSON object.")


@click.group(invoke_without_command=True, subcommand_metavar="[COMMAND [ARGS]...]")
@click.option(
    "-p",
    "--port",
    "specs",
    multiple=True,
    metavar="LISTEN=BACKEND",
    help="A door and where it leads, such as :22=127.0.0.1:2222 or :25=unix:/run/x.sock; repeatable.",
)
@click.option("--hex", is_flag=True, help="Print all bytes as they pass, both ways.")
@click.option("-D", "--debug", is_flag=True, help="A line for each event, not only for begin and end.")
@click.option(
    "--steering",
    type=click.Choice(get_args(Steering)),
    help="How many ports come to one socket (chosen by itself).",
)
@tables_option
@format_option
@click.option(
    "-o", "--output", "target", type=PATH, metavar="PATH", help="A file, or a directory for several tables."
)
@store_option
@click.option("--no-store", is_flag=True, help="Keep nothing.")
@place_option
@click.option("--user", metavar="NAME", help="As root: run as this user, not as who called sudo.")
@config_option
@click.option("--no-helper", is_flag=True, help="Keep all rights in one process (for debugging).")
@click.pass_context
def relay(ctx: click.Context, /, **options: Any) -> int | None:
    """Relay TCP ports, and keep every connection in the store, until Ctrl-C.

    SIGHUP reads configuration and lists anew without losing a connection. SIGTERM and Ctrl-C let
    connections end for a while; a second one ends at once.
    """
    if ctx.invoked_subcommand is not None:
        ctx.obj = Asked(options["config"], options["store"])
        return None
    from tidegate.cli.relay_run import relay_until_stopped
    from tidegate.cli.relaying import Options

    return relay_until_stopped(Options(**options))


@relay.command()
@socket_option
@json_option
@click.pass_obj
def status(asked: Asked, socket: Path | None, as_json: bool) -> None:
    """Say how the running relay goes: services, connections, ports that are taken."""
    answer = asked.ask(socket, "relay")
    if as_json:
        answer |= asked.ask(socket, "relay_connections")
        click.echo(json.dumps(answer))
        return
    from tidegate.cli.relay_status import status_lines

    connections = asked.ask(socket, "relay_connections")["connections"]
    click.echo("\n".join(map(safe_text, status_lines(answer["relay"], connections))))


@relay.command()
@click.argument("address", metavar="IP")
@socket_option
@json_option
@click.pass_obj
def reject(asked: Asked, address: str, socket: Path | None, as_json: bool) -> None:
    """Refuse the address IP from now on, and end its connections."""
    answer = asked.ask(socket, "relay_reject", address=address)
    was = "" if answer["changed"] else " already"
    _said(answer, as_json, f"{answer['address']} is rejected{was}")


@relay.command()
@click.argument("address", metavar="IP")
@socket_option
@json_option
@click.pass_obj
def release(asked: Asked, address: str, socket: Path | None, as_json: bool) -> None:
    """Let the address IP in again."""
    answer = asked.ask(socket, "relay_release", address=address)
    said = "is let in again" if answer["changed"] else "was not rejected"
    _said(answer, as_json, f"{answer['address']} {said}")


@relay.command()
@click.argument("connection", metavar="ID", type=click.IntRange(1))
@socket_option
@json_option
@click.pass_obj
def kill(asked: Asked, connection: int, socket: Path | None, as_json: bool) -> None:
    """End the connection ID, as `status` shows it."""
    _said(
        asked.ask(socket, "relay_kill", connection=connection), as_json, f"connection {connection} is ended"
    )


@relay.command()
@socket_option
@json_option
@click.pass_obj
def drain(asked: Asked, socket: Path | None, as_json: bool) -> None:
    """Let nobody in any more, and end when all connections have."""
    _said(
        asked.ask(socket, "relay_drain"), as_json, "nobody is let in any more; it ends with its connections"
    )


@relay.command()
@socket_option
@json_option
@click.pass_obj
def reload(asked: Asked, socket: Path | None, as_json: bool) -> None:
    """Have the configuration and the lists read anew; no connection is lost."""
    _said(asked.ask(socket, "reload"), as_json, "the configuration is right and is taken over")


relay.add_command(test_rule)


def _said(answer: dict[str, Any], as_json: bool, text: str) -> None:
    click.echo(json.dumps(answer) if as_json else safe_text(text))
