"""`graphc serve`: the packages as Nuclio would run them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
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
    "--function",
    "functions",
    multiple=True,
    metavar="NAME",
    help="Run this function only. Repeatable.",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes a trigger. [default: as deployed]"
)
@click.option(
    "--streams",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep streams as files in this folder. [default: a temporary one]",
)
@click.option(
    "--broker",
    metavar="kafka://HOST:PORT",
    help="Make every stream a topic of this Kafka broker; `configured`: the brokers that the "
    "packages name.",
)
@click.option("--quiet", "-q", is_flag=True, help="Lines only for what goes wrong.")
@options.interpreter
def serve(
    dist: Path,
    host: str,
    port: int,
    functions: Sequence[str],
    workers: int | None,
    folder: Path | None,
    broker: str | None,
    quiet: bool,
    python: str,
) -> None:
    """Run the packages of DIST together, as Nuclio would.

    Each function has worker processes and a port of its own: the first of the graph gets --port,
    the others those behind it. Functions that read streams get their messages: at least once, in
    order within a partition, and what a worker had not done when it crashed comes again. Streams
    are files unless --broker names a broker.

    Ctrl-C finishes the events in progress, commits what is done, and ends.
    """
    from ..diagnostics import GraphError
    from ..serve import serve as run

    if folder is not None and broker is not None:
        raise click.UsageError("--streams and --broker exclude each other")
    try:
        code = run(
            dist,
            host=host,
            port=port,
            functions=functions,
            workers=workers,
            folder=folder,
            broker=broker,
            quiet=quiet,
            python=python,
            announce=_announce,
        )
    except GraphError as exc:
        fail(exc)
    sys.exit(code)


def _announce(endpoint: Any) -> None:
    say(f"{endpoint.function}: {endpoint.url or 'answers no requests'}")
    if endpoint.url:
        for route in endpoint.routes:
            say(f"  {endpoint.url.rstrip('/')}{route}")
    for stream in endpoint.reads:
        say(f"  reads {stream}")
    for remark in endpoint.remarks:
        say(f"  {remark}")
