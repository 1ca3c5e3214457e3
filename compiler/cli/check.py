"""`graphc check`: is the output what the graph file gives?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from . import options
from .options import Source
from .report import EXIT_ERRORS, Report


@click.command()
@options.graph_source
@options.findings
@options.output
@options.bundle_models
def check(source: Source, report: Report, out: Path, bundle_models: bool) -> None:
    """Compare an output with what GRAPH would give now.

    Silent and 0 if they are equal; otherwise a diff, missing and left-over files, and 1.
    """
    from ..diagnostics import GraphError
    from ..package.publish import compare

    made = source.build(bundle_models)
    difference = ""
    if not made.failed:
        try:
            difference = compare(made.files, out)
        except GraphError as exc:
            made.diagnostics.add(exc.diagnostic(None))
    if difference:
        made.diagnostics.error(
            "GC044",
            f"{out} is not what {source.graph} gives",
            help=f"build again: graphc build {source.graph} -o {out}",
        )
    if report.style == "text":
        click.echo(difference, nl=False)
    # Warnings are for builds: a check that finds nothing to do is silent.
    report.show(made.diagnostics, source.graph, errors_only=True, extra={"diff": difference})
    if made.failed:
        sys.exit(EXIT_ERRORS)
