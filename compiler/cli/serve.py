"""`graphc serve`: the packages behind HTTP."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from . import options
from .report import fail, say


@click.command()
@click.argument("dist", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The first function's port; others follow. 0: any free ones.",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes a function. [default: as deployed]"
)
@options.interpreter
def serve(dist: Path, host: str, port: int, workers: int | None, python: str) -> None:
    """Run the packages of DIST behind HTTP, as Nuclio would.

    Ctrl-C finishes the requests in progress and ends.
    """
    from ..diagnostics import GraphError
    from ..serve import serve as run

    try:
        code = run(dist, host=host, port=port, workers=workers, python=python, announce=_announce)
    except GraphError as exc:
        fail(exc)
    sys.exit(code)


def _announce(endpoint: Any) -> None:
    say(f"{endpoint.function}: {endpoint.url}")
    for route in endpoint.routes:
        say(f"  {endpoint.url.rstrip('/')}{route}")
    for remark in endpoint.remarks:
        say(f"  {remark}")
