"""`tidegate watch`: who is this machine talking to now?"""

import logging
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from tidegate import app
from tidegate.app.assembly import Assembly, captured, place_stage
from tidegate.app.rights import separate
from tidegate.cli import closing, screen
from tidegate.cli.completing import completing, interface_names
from tidegate.cli.options import (
    DURATION,
    PATH,
    SIZE,
    ascii_option,
    checksums_option,
    config_option,
    filter_option,
    format_option,
    keep_credentials_option,
    max_flows_option,
    only_option,
    place_option,
    redact_query_option,
    sensor_option,
    store_option,
    tables_option,
)
from tidegate.cli.watching import Watching
from tidegate.enrich.watch import open_source
from tidegate.helper.outlets import Outlets
from tidegate.model.config import Config
from tidegate.model.config.capture import live
from tidegate.model.text import columns_of, fit, safe_text
from tidegate.sinks import Sink
from tidegate.sources.live import all_interfaces

if TYPE_CHECKING:
    from tidegate.helper.launch import Separated


@click.command()
@click.argument("words", nargs=-1, metavar="[FILTER]")
@click.option(
    "-i", "--interface", "interfaces", multiple=True, metavar="IFACE",
    shell_complete=completing(interface_names), help="Where to listen; repeatable.",
)  # fmt: skip
@filter_option()
@click.option(
    "-D", "--list-interfaces", is_flag=True, help="List interfaces with state and addresses, and end."
)
@click.option("--for", "seconds", type=DURATION, help="End by itself after this time: 90, 200s, 5m, 2h.")
@click.option(
    "-c", "--count", metavar="N", type=click.IntRange(1, 2**63 - 1), help="End after this many packets."
)
@click.option(
    "-s", "--snaplen", metavar="N", type=click.IntRange(64, 262144), help="Bytes kept of a packet (all)."
)
@click.option("-p", "--promiscuous", is_flag=True, help="Also take what is not meant for this machine.")
@click.option("-B", "--buffer", type=SIZE, help="Kernel memory for packets that wait to be read (32Mi).")
@tables_option
@format_option
@click.option(
    "-o", "--output", "target", type=PATH, metavar="PATH", help="A file, or a directory for several tables."
)
@click.option(
    "-w", "--write", "record", type=PATH, metavar="FILE", help="Record packets to this file (pcapng) beside."
)
@click.option("--rotate-size", type=SIZE, help="Begin a new recording at this size: 100M, 1G.")
@click.option("--rotate-time", type=DURATION, help="Begin a new recording after this time.")
@click.option("--total", type=SIZE, help="Bytes of all recordings; the oldest go first.")
@store_option
@click.option("--no-store", is_flag=True, help="Keep nothing.")
@click.option("--keep-size", type=SIZE, help="Size of the store at most (10G).")
@click.option("--keep-time", type=DURATION, help="Age of what the store keeps (30d).")
@click.option("--keep-free", type=SIZE, help="Room the store leaves on its disk (1G).")
@click.option(
    "--interim", type=DURATION, help="How often a long connection is written down (5s; with the screen 2s)."
)
@click.option("--plain", is_flag=True, help="Lines instead of the screen, on a terminal.")
@ascii_option
@place_option
@only_option
@sensor_option
@max_flows_option
@checksums_option
@keep_credentials_option
@redact_query_option
@click.option("--user", metavar="NAME", help="As root: run as this user, not as who called sudo.")
@config_option
@click.option("--no-helper", is_flag=True, help="Keep all rights in one process (for debugging).")
def watch(**options: Any) -> int:
    """Watch interfaces (all that are up, unless named) until Ctrl-C, and keep what is seen in the store.

    On a terminal there is a screen (? tells its keys), or with --plain a line for each connection
    opened (+) and closed (-); elsewhere rows are written.
    FILTER is a BPF expression as tcpdump takes it.
    """
    if options.pop("list_interfaces"):
        click.echo(interface_list())
        return 0
    return _watch(Watching(**options))


def _watch(options: Watching) -> int:
    """Gives up rights that only the helper needs, and watches."""
    from tidegate.app.paths import control_of, files_beside

    logging.basicConfig(format="tidegate: %(message)s", level=logging.INFO)
    config = options.configured()
    root = options.root(config)
    if options.places:  # before rights are given up: they may lie where only root can look
        place_stage(config.places).close()
    if config.service.metrics:
        closing.say("tidegate: service.metrics: only tidegate run serves figures for Prometheus, not watch")
    if config.schedule.reports or config.schedule.windows:
        closing.say("tidegate: schedule: only tidegate run serves it, not watch")
    door = control_of(config, root) if root else None  # the default store goes by who started us, too
    if options.no_helper:
        return _run(options, config, root, door, None)
    named = (path for path in (options.record, options.target) if path)
    files = (*named, *files_beside(config))
    records = partial(open_source, config.programs) if config.programs.method != "none" else None
    with separate(config.service.user or None, Outlets(root, files), records) as separated:
        return _run(options, config, root, door, separated)


def _run(
    options: Watching, config: Config, root: Path | None, door: Path | None, separated: "Separated | None"
) -> int:
    """Opens everything, runs, and says at the end what was seen and lost; 1 if not all could be kept."""
    from tidegate.app.answering import answered, watch_commands

    helper = separated.helper if separated else None
    assembly = Assembly(config, root, helper)
    tables = list(dict.fromkeys([*assembly.tables, *options.tables]))
    pace = (screen.INTERIM, screen.HEALTH) if options.screen else ()
    watch = app.watch(settings=live(captured(config, tables), *pace), helper=helper)
    with options.row_sinks() as shown, watch as running:
        sinks = [*assembly.sinks(), *shown]
        if separated and separated.told:
            closing.say(f"tidegate: {separated.told}")
        started = time.monotonic()
        commands = watch_commands(running, assembly, str(options.config or ""), helper)

        def run(*more: Sink) -> None:
            with answered(door, commands):
                running.run([*sinks, *more], options.seconds, assembly.stages())

        try:
            if options.screen:
                screen.over(running, run, root, ascii=options.ascii, assembly=assembly)
            else:
                run(closing.Warnings(lambda: running.stats.warnings + (helper.warnings() if helper else [])))
        finally:
            closing.watched(running.stats, running.interfaces, time.monotonic() - started)
            if assembly.store:
                closing.stored(assembly.store, assembly.stored_lost)
        return int(assembly.stored_lost > 0 or closing.recording_failed(running.stats))


def interface_list() -> str:
    """Every interface: name, state, link type, addresses."""
    rows = [
        [
            safe_text(interface.name),
            "up" if interface.up and interface.running else "no link" if interface.up else "down",
            interface.link or "not capturable",
            " ".join(interface.addresses) or "no address",
        ]
        for interface in all_interfaces()
    ]
    widths = [max(map(columns_of, column)) for column in list(zip(*rows, strict=True))[:3]]
    return "\n".join("  ".join([*map(fit, row, widths), row[3]]) for row in rows)
