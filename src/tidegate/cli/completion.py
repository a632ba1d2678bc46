"""`tidegate completion`: what has a shell complete our commands and options. The work is click's."""

import rich_click as click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")
_NAME = "tidegate"
_VARIABLE = "_TIDEGATE_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print what SHELL has to read for completing our commands and options.

    bash: eval "$(tidegate completion bash)" in ~/.bashrc. zsh: the same in ~/.zshrc.
    fish: tidegate completion fish > ~/.config/fish/completions/tidegate.fish
    """
    from tidegate.cli import cli

    known = get_completion_class(shell)
    if known is None:
        raise click.ClickException(f"nothing is known of {shell}")
    made = known(cli, {}, _NAME, _VARIABLE)
    # Not made.source(), which asks the bash of this machine for its version.
    source = made.source_template % made.source_vars()
    # Of click's own fish has each line up to its second comma, and so the beginning of what an option does.
    click.echo(source.replace('string split ","', 'string split -m 1 ","'))
