"""`graphc build`: write the packages."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options
from .options import Source
from .report import EXIT_ERRORS, Report, say

if TYPE_CHECKING:
    from ..pipeline import Build


@click.command()
@options.graph_source
@options.findings
@options.output
@options.bundle_models
@options.crd
@options.compose
@click.option("-v", "--verbose", is_flag=True, help="Say what was skipped, and what is needed.")
@click.option("--timings", is_flag=True, help="Show how long each stage took.")
def build(
    source: Source,
    report: Report,
    out: Path,
    bundle_models: bool,
    images: str,
    compose: bool,
    verbose: bool,
    timings: bool,
) -> None:
    """Write one package per function of GRAPH.

    An earlier output is replaced whole, or left as it was if GRAPH has errors.
    """
    made = source.build(bundle_models, images, compose)
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
        _tell(made, source, out, verbose)


def _tell(made: Build, source: Source, out: Path, verbose: bool) -> None:
    """What was done, to people."""
    from ..codegen.text import one_line
    from ..open_values import OpenValue, compiled

    for plan in made.plans:
        function = plan.function
        say(f"built {out / function.name} ({compiled(function)})")
        for lookup in plan.needs:
            say(f"  needs {one_line(OpenValue(function.name, lookup).said)}")
        if verbose:
            lines = made.files[f"{function.name}/requirements.txt"].decode().splitlines()
            needed = [line for line in lines if line and not line.startswith("#")]
            say(f"  requirements: {', '.join(needed) or 'none'}")
    count = 0
    for skipped in made.skipped:
        if verbose or skipped.got_graph:
            place = skipped.span.seen_from(source.graph.parent.as_posix())
            say(f"skipped {place}: {one_line(skipped.why)}")
        else:
            count += 1
    if count:
        say(f"skipped {count} call{'s' * (count > 1)} without meaning for the graph (-v: which)")


def _show_timings(timings: Mapping[str, float]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("stage", "ms")
    for stage, seconds in [*timings.items(), ("total", sum(timings.values()))]:
        table.add_row(stage, f"{1000 * seconds:.1f}")
    Console(stderr=True).print(table)
