"""The command line: `tidegate VERB`. A verb's file is imported only when it is asked for."""

import io
import os
import signal
import sys
from importlib import import_module

import rich_click as click
from click.exceptions import NoArgsIsHelpError

VERBS = {
    "read": "Read capture files: a summary, or tables of what was said.",
    "watch": "Watch interfaces live and keep every connection in the store.",
    "relay": "Relay TCP ports: limits, rules by first bytes, and every event on record.",
    "run": "Run everything the configuration asks for, as a service does.",
    "alerts": "List alerts; acknowledge, mute and silence them.",
    "top": "Look at a store, or a capture file, on the screen.",
    "query": "Ask the store in SQL.",
    "report": "Report on a night, a day or a capture: a page with pictures, tables and text.",
    "ship": "Send old logs to an Elasticsearch or OpenSearch server.",
    "tables": "Show the tables and what their columns mean.",
    "schedule": "List what is done by the clock: next and last times, and how it went.",
    "mail": "Try the mail server, and show what it says.",
    "control": "Ask a running Tidegate how it goes, or have it reload or stop.",
    "service": "Have the machine run it: install, start, stop, remove.",
    "doctor": "Say what works here, and the command that mends what does not.",
    "config": "Check, explain or import the configuration.",
    "reference": "Print the whole reference: commands, configuration, tables.",
    "man": "Print the manual page, for man.",
    "completion": "Print what has a shell complete our commands and options.",
}
"""Every verb, in the order of the help, with its line in it."""


class LazyGroup(click.RichGroup):
    """Knows the verbs by name and imports one when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in our order."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The verb by name and line, enough for the help that lists them all."""
        return click.RichCommand(name=name, help=VERBS[name]) if name in VERBS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb itself, about to run."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, load(name) if name else None, rest

    def invoke(self, ctx: click.Context) -> object:
        """Runs the verb. A reader of our output that goes away has seen enough: no mistake."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _forget_stdout()
            return 0
        except RuntimeError as error:
            if "Query interrupted" in str(error):  # how DuckDB tells of Ctrl-C
                raise KeyboardInterrupt from None
            if "home directory" in str(error):  # how pathlib tells of a user without one
                raise click.ClickException("no home directory is known; set HOME") from None
            raise


def load(verb: str) -> click.Command:
    """Imports a verb."""
    command: click.Command = getattr(import_module(f"tidegate.cli.{verb}"), verb)
    return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
@click.version_option(package_name="tidegate", message="%(prog)s %(version)s")
def cli() -> None:
    """Who is this machine talking to? Live, from captures, and in SQL."""


def main() -> None:
    """Runs the command line; every mistake of a user is one line on stderr.

    Exit codes: 0 done, 1 it could not be done, 2 it was asked wrongly, 130 interrupted.
    """
    _open_closed_streams()
    _buffer_stdout()
    # What is unfinished on disk is removed on the way out. A watch ends in its own way.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    sys.exit(run(sys.argv[1:]))


def _buffer_stdout() -> None:
    """Has stdout written whole where PYTHONUNBUFFERED is set, as in containers.

    Without a buffer a write that a signal interrupts takes a part only, and nobody writes the rest.
    """
    out = sys.stdout
    if isinstance(getattr(out, "buffer", None), io.RawIOBase):
        sys.stdout = open(  # noqa: SIM115 - for as long as the process lasts
            out.fileno(),
            "w",
            encoding=out.encoding,
            errors=out.errors,
            closefd=False,
        )
        sys.stdout.reconfigure(line_buffering=True)


def _open_closed_streams() -> None:
    """Standard streams that are closed (`>&-`) go nowhere, instead of into the next file that is opened."""
    for name, mode, number in (("stdin", "r", 0), ("stdout", "w", 1), ("stderr", "w", 2)):
        stream = getattr(sys, name)
        if stream is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
        elif mode == "w":
            stream.reconfigure(errors="backslashreplace")


def run(arguments: list[str]) -> int:
    """Runs one command; its exit code."""
    from tidegate.model.errors import TidegateError

    try:
        result = cli.main(arguments, prog_name="tidegate", standalone_mode=False)
        sys.stdout.flush()
    except NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        return 2
    except click.UsageError as error:
        return complain(_with_hint(error), 2)
    except click.ClickException as error:
        return complain(error.format_message(), 1)
    except TidegateError as error:
        for line in error.lines():
            complain(line, error.exit_code)
        return error.exit_code
    except BrokenPipeError:
        _forget_stdout()
        return 0
    except UnicodeEncodeError as error:
        return complain(f'"{error.object}" is not text in UTF-8', 2)
    except OSError as error:
        _empty_stdout()
        return complain(_of_system(error), 1)
    except (KeyboardInterrupt, click.Abort):
        return 130
    return result if isinstance(result, int) else 0


def complain(message: str, code: int) -> int:
    """One line on stderr; the code, to hand on."""
    from tidegate.model.text import safe_text

    line = " ".join(message.split())
    click.echo(f"tidegate: {safe_text(line)}", err=True)
    return code


def _with_hint(error: click.UsageError) -> str:
    command = error.ctx.command_path if error.ctx else "tidegate"
    return f"{error.format_message().rstrip('.')}; see {command} --help"


def _of_system(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else f"could not write the output: {reason}"


def _empty_stdout() -> None:
    """What stdout does not take now, on a full disk, is not tried again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        _forget_stdout()


def _forget_stdout() -> None:
    """The reader is gone: what is buffered must not be tried again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
