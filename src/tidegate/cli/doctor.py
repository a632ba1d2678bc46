"""`tidegate doctor`: what works here and what does not, and the command that mends it."""

from pathlib import Path

import rich_click as click

from tidegate.cli.options import config_option
from tidegate.model.text import safe_text

MARKS = {"ok": "ok     ", "limited": "limited", "broken": "BROKEN "}


@click.command()
@config_option
def doctor(config: Path | None) -> int:
    """Look at everything Tidegate needs here; exit code 1 if something is broken."""
    from tidegate.app.checking import look
    from tidegate.doctor.examine import examine

    code = 0
    for finding in examine(config, look):
        click.echo(safe_text(f"{MARKS[finding.verdict]}  {finding.what:10}  {finding.text}"))
        if finding.fix:
            click.echo(safe_text(f"{'':21}mend it: {finding.fix}"))
        code = 1 if finding.verdict == "broken" else code
    return code
