"""`graphc build`: write the packages."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from . import options
from .options import Source
from .report import EXIT_ERRORS, Report, say


@click.command()
@options.graph_source
@options.findings
@options.output
@options.bundle_models
@click.option("--timings", is_flag=True, help="Show how long each stage took.")
def build(source: Source, report: Report, out: Path, bundle_models: bool, timings: bool) -> None:
    """Write one package per function of GRAPH.

    An earlier output is replaced whole, or left as it was if GRAPH has errors.
    """
    made = source.build(bundle_models)
    if not made.failed:
        from ..diagnostics import GraphError
        from ..package.publish import publish

        try:
            publish(made.files, out, protect=[source.graph])
        except GraphError as exc:
            made.diagnostics.add(exc.diagnostic(None))
    report.show(made.diagnostics, source.graph, outcome=", nothing written")
    if timings:
        _show_timings(made.timings)
    if made.failed:
        sys.exit(EXIT_ERRORS)
    if report.talks:
        assert made.graph is not None
        for function in made.graph.functions:
            say(f"built {out / function.name}")
        if made.skipped:
            count = len(made.skipped)
            say(f"skipped {count} call{'s' * (count > 1)} without meaning for the graph")


def _show_timings(timings: Mapping[str, float]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("stage", "ms")
    for stage, seconds in [*timings.items(), ("total", sum(timings.values()))]:
        table.add_row(stage, f"{1000 * seconds:.1f}")
    Console(stderr=True).print(table)
