"""`graphc plot`: the picture of a graph."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from . import options
from .options import Source
from .report import EXIT_ERRORS, Report


@click.command()
@options.graph_source
@click.option(
    "--as",
    "kind",
    type=click.Choice(("mermaid", "dot", "svg")),
    default="mermaid",
    show_default=True,
    help="svg needs Graphviz' command dot.",
)
@click.option("-o", "--output", "out", type=click.Path(path_type=Path), help="A file, not stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Errors only.")
def plot(source: Source, kind: str, out: Path | None, quiet: bool) -> None:
    """Draw the functions of GRAPH."""
    from ..package.diagram import diagram, overview

    made = source.build()
    Report("text", quiet).show(made.diagnostics, source.graph)
    if made.failed or made.graph is None:
        sys.exit(EXIT_ERRORS)
    whole = overview(made.graph.functions)
    drawings = [diagram(function) for function in made.graph.functions]
    drawings[:0] = [whole] if whole else []
    if kind == "mermaid":
        text = "\n".join(drawing.mermaid() + "\n" for drawing in drawings)
    else:
        text = "".join(drawing.dot() for drawing in drawings)
    if kind == "svg":
        text = _svg(text)
    if out is None:
        click.echo(text, nl=False)
    else:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as exc:
            raise click.ClickException(f"cannot write {out}: {exc.strerror}") from exc


def _svg(dot: str) -> str:
    import shutil
    import subprocess

    command = shutil.which("dot")
    if command is None:
        raise click.ClickException("svg needs Graphviz: install it, or use --as mermaid")
    done = subprocess.run(
        [command, "-Tsvg"], input=dot, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise click.ClickException(f"dot failed: {done.stderr.strip()}")
    return done.stdout
