"""`graphc params`: the values that a graph file leaves open, as a file to fill in."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from . import options
from .options import Source
from .report import EXIT_ERRORS, Report


@click.command()
@options.graph_source
@click.option("-o", "--output", "out", type=click.Path(path_type=Path), help="A file, not stdout.")
def params(source: Source, out: Path | None) -> None:
    """Write the values that GRAPH leaves open as a YAML file for --values.

    Comments say where each is used, and what happens where it stays open.
    """
    from ..diagnostics import Severity
    from ..open_values import values_file

    made = source.build()
    others = [
        found for found in made.diagnostics if found.severity is Severity.ERROR and not found.value
    ]
    Report("text").show(others, source.graph)
    if others and made.graph is None:
        sys.exit(EXIT_ERRORS)
    text = values_file(made.graph, made.diagnostics, source.graph.name)
    if out is None:
        click.echo(text, nl=False)
    else:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as exc:
            raise click.ClickException(f"cannot write {out}: {exc.strerror}") from exc
    if others:
        sys.exit(EXIT_ERRORS)
