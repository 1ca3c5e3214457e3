"""`graphc completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash   eval "$(graphc completion bash)"          in ~/.bashrc
    zsh    eval "$(graphc completion zsh)"           in ~/.zshrc
    fish   graphc completion fish > ~/.config/fish/completions/graphc.fish
    """
    from . import cli

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(cli, {}, "graphc", "_GRAPHC_COMPLETE").source())
