"""`graphc dump`: the forms in between, as text."""

from __future__ import annotations

import sys

import click

from . import options
from .options import Source
from .report import EXIT_ERRORS, Report


@click.command()
@options.graph_source
@options.findings
@click.option(
    "--stage",
    type=click.Choice(("ir", "plan")),
    default="ir",
    show_default=True,
    help="ir: the graph after all names are found. plan: what each handler does.",
)
def dump(source: Source, report: Report, stage: str) -> None:
    """Print an intermediate form of GRAPH as text."""
    from .. import ir, plan

    made = source.build()
    report.show(made.diagnostics, source.graph)
    if made.failed or made.graph is None:
        sys.exit(EXIT_ERRORS)
    if stage == "ir":
        click.echo(ir.show(made.graph), nl=False)
    else:
        click.echo("\n".join(map(plan.show, made.plans)), nl=False)
