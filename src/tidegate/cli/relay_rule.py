"""`tidegate relay test-rule`: where would a client go that says this first?"""

import json
import sys
from pathlib import Path

import rich_click as click

from tidegate.cli.options import PATH, config_option
from tidegate.model.ends import parse_address
from tidegate.model.errors import UsageError
from tidegate.model.text import safe_text

LARGEST = 1 << 20
"""Bytes that are read at most."""


@click.command(name="test-rule")
@click.argument("file", type=PATH)
@click.option(
    "--service", default="", metavar="NAME", help="The service, where there are several with that port."
)
@click.option(
    "--dport",
    metavar="PORT",
    type=click.IntRange(1, 65535),
    help="The port that the client called (the service's first).",
)
@click.option("--source", default="127.0.0.1", metavar="IP", help="Address of the client (127.0.0.1).")
@click.option("--country", metavar="CC", help="Country of the client, two letters.")
@click.option("--more", is_flag=True, help="The client would go on talking: more bytes may be waited for.")
@config_option
@click.option("--json", "as_json", is_flag=True, help="The answer as one JSON object.")
@click.pass_context
def test_rule(
    ctx: click.Context,
    file: Path,
    service: str,
    dport: int | None,
    source: str,
    country: str | None,
    more: bool,
    config: Path | None,
    as_json: bool,
) -> None:
    """Show which rule a client takes that sends the bytes of FILE (-: standard input) first."""
    from tidegate.app.checking import load
    from tidegate.relay.rules import Call, Judged, judge

    above = ctx.obj.config if ctx.obj else None
    call = Call(_read(file), parse_address(source), dport or 0, country, more)
    found: Judged = judge(load(config or above).relay, call, service)
    if as_json:
        click.echo(json.dumps(found.as_dict()))
        return
    click.echo(f"service   {safe_text(found.service)}")
    if found.waits:
        click.echo("verdict   waits for more bytes")
        return
    click.echo(f"protocol  {found.protocol or 'not recognised'}")
    click.echo(f"rule      {safe_text(found.rule) if found.rule else 'none'}")
    click.echo(f"backend   {safe_text(found.backend)}" if found.backend else f"refused   {found.refusal}")


def _read(file: Path) -> bytes:
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with file.open("rb") as opened:
                data = opened.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None
    if len(data) > LARGEST:
        raise UsageError(f"{file}: larger than 1 MiB, no first bytes")
    return data
