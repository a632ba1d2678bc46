"""`tidegate read`: what is in these captures?"""

import time
from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from tidegate import app
from tidegate.cli import closing, output
from tidegate.cli.options import (
    FILE,
    PATH,
    capture_stages,
    checksums_option,
    filter_option,
    format_option,
    joined_filter,
    keep_credentials_option,
    max_flows_option,
    only_option,
    place_option,
    redact_query_option,
    sensor_option,
    tables_option,
)
from tidegate.cli.progress import Progress
from tidegate.cli.summary import render
from tidegate.model.config import EngineSettings
from tidegate.model.errors import CaptureError, UsageError
from tidegate.model.stats import Stats
from tidegate.model.tables import check_tables
from tidegate.pipeline.pipeline import Stage

CAPTURE_SUFFIXES = (".pcap", ".pcapng", ".cap", ".dmp", ".gz", ".zst")


@click.command()
@click.argument("words", type=FILE, nargs=-1, required=True, metavar="FILE... [FILTER]")
@filter_option()
@tables_option
@format_option
@click.option(
    "-o", "--output", "target", type=PATH, metavar="PATH", help="A file, or a directory for several tables."
)
@click.option(
    "--stats",
    is_flag=True,
    help="Packets per second, CPU time, what was not decoded or is not IP, on stderr.",
)
@click.option(
    "--excerpt",
    metavar="N",
    type=click.IntRange(0, 65535),
    default=0,
    help="Payload bytes per row of table packet.",
)
@place_option
@only_option
@sensor_option
@max_flows_option
@checksums_option
@keep_credentials_option
@redact_query_option
def read(
    words: tuple[str, ...],
    filter_option: str | None,
    tables: tuple[str, ...],
    format: str | None,
    target: Path | None,
    stats: bool,
    excerpt: int,
    places: tuple[str, ...],
    only: str,
    sensor: str,
    max_flows: int | None,
    verify_checksums: bool,
    keep_credentials: bool,
    redact_query: bool,
) -> None:
    """Read capture files (pcap or pcapng, also gzip or zstd compressed; - is standard input).

    Without --table, --format or -o a summary is shown. FILTER is a BPF expression as tcpdump
    takes it; it begins at the first word that is not a file.
    """
    files, rest = split_words(words)
    settings = EngineSettings(
        sensor=sensor,
        max_flows=max_flows,
        verify_checksums=verify_checksums,
        excerpt=excerpt,
        keep_credentials=keep_credentials,
        redact_query=redact_query,
    )
    if excerpt and "packet" not in tables:
        raise UsageError("--excerpt is for rows of packets: add --table packet")
    started = time.monotonic()
    expression = joined_filter(rest, filter_option)
    stages = capture_stages(places, only)
    if tables or format or target:
        seen = _write(files, expression, settings, tables, format, target, stages)
    else:
        seen = _summarize(files, expression, settings, stages)
    closing.warn(seen)
    if stats:
        closing.performance(seen, time.monotonic() - started)


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The files, and the words of the filter; raises CaptureError for a file that is missing."""
    count = next((at for at, word in enumerate(words) if not _is_file(word)), len(words))
    files, rest = list(words[:count]), list(words[count:])
    for word in words[:1] if not files else rest:
        if not files or word.lower().endswith(CAPTURE_SUFFIXES) or word.startswith(("/", "./", "../")):
            raise CaptureError(f"{word}: no such file")
    for file in files:
        if Path(file).is_dir():
            raise CaptureError(f"{file}: is a directory; name the files in it")
    return files, rest


def _is_file(word: str) -> bool:
    return word == "-" or Path(word).exists()


def _summarize(
    files: list[str], expression: str | None, settings: EngineSettings, stages: Sequence[Stage]
) -> Stats:
    with Progress() as progress:
        capture = app.read(files, expression, settings=settings, stages=stages)
        stats, figures = capture.summarize(progress)
    click.echo(render(files, stats, figures), nl=False)
    return stats


def _spare_inputs(files: list[str], target: Path) -> None:
    """Raises UsageError if the output would overwrite what is read."""
    for file in files:
        if target.is_file() and file != "-" and target.samefile(file):
            raise UsageError(f"{target}: is read from and would be overwritten; choose another -o")


def _write(
    files: list[str],
    expression: str | None,
    settings: EngineSettings,
    tables: Sequence[str],
    format: str | None,
    target: Path | None,
    stages: Sequence[Stage],
) -> Stats:
    """Writes the tables asked for: of Parquet all, of text `conn`, unless named."""
    format = output.chosen_format(format, target)
    wanted = check_tables(tables) or output.shown_tables(format)
    capture = app.read(files, expression, tables=wanted, settings=settings, stages=stages)
    if target is not None:
        _spare_inputs(files, target)
        capture.check()
    with Progress() as progress:
        if format == "parquet" and target is not None:
            paths = output.table_files(wanted, format, target)
            return capture.write_parquet({table: str(path) for table, path in paths.items()}, progress)
        with output.open_sinks(wanted, format, target) as sinks:
            return capture.write(sinks, progress)
