"""`graphc diff`: what changed between two graphs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from .report import EXIT_ERRORS, say


@click.command(short_help="Compare two graphs, and with a git revision.")
@click.argument("places", metavar="[OLD] NEW", nargs=-1, type=click.Path(path_type=Path))
@click.option("--base", metavar="REVISION", help="Take OLD from a revision of git: NEW as it was.")
@click.option(
    "--format",
    "style",
    type=click.Choice(("text", "markdown", "json")),
    default="text",
    help="markdown: a comment for a pull request.",
)
@click.option("-q", "--quiet", is_flag=True, help="The exit code only.")
def diff(places: tuple[Path, ...], base: str | None, style: str, quiet: bool) -> None:
    """Compare two graphs: functions, steps, edges, routes, arguments, settings.

    OLD and NEW are folders that `graphc build` wrote, or graph.json files in them. With --base, NEW
    is `dist` if it is not given. Which lines things stand on, and the text of the user's code, is
    no difference of graphs.

    Exit codes: 0 the graphs are equal, 1 they differ, 2 one cannot be read.
    """
    from ..diff.compare import compare
    from ..diff.markdown import as_markdown
    from ..diff.read import Unreadable, read, read_revision
    from ..diff.text import as_text, as_values

    if base is None and len(places) != 2:
        raise click.UsageError("name two graphs, or one and --base")
    if base is not None and len(places) > 1:
        raise click.UsageError("with --base, name one graph")
    place = places[-1] if places else Path("dist")
    try:
        new = read(place)
        old = read(places[0]) if base is None else read_revision(place, base)
    except Unreadable as exc:
        raise click.UsageError(str(exc)) from exc
    if old is None:
        old = {}
        if not quiet:
            say(f"{place} is not in {base}: all of it is new")
    changes = compare(old, new)
    if not quiet:
        if style == "json":
            click.echo(json.dumps(as_values(changes), indent=1))
        elif style == "markdown":
            click.echo(as_markdown(changes, old, new), nl=False)
        else:
            click.echo(as_text(changes), nl=False)
    if changes:
        sys.exit(EXIT_ERRORS)
