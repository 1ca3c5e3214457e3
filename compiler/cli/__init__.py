"""The command `graphc`: each subcommand, a module here, is a thin reading of one value.

Data goes to standard output, talk to standard error. Exit codes: 0 done, 1 the graph has errors or
`check` found differences, 2 wrong usage, 70 a bug of ours.
"""

from __future__ import annotations

import sys

import click

from .. import __version__
from .build import build
from .check import check
from .completion import completion
from .diff import diff
from .dump import dump
from .explain import explain
from .invoke import invoke
from .params import params
from .plot import plot
from .report import EXIT_BUG, say
from .serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="graphc")
def cli() -> None:
    """Compile MLRun serving graphs into small Nuclio packages.

    GRAPH is a Python file or notebook that builds a serving graph with mlrun's API. It is read,
    never run; mlrun need not be installed. The packages need neither mlrun nor graphc.

    \b
    A first try:
      graphc build graph.py -o dist/
      graphc serve dist/

    Exit codes: 0 done, 1 the graph has errors or a comparison found differences, 2 wrong usage,
    70 a bug in graphc.
    """


for _command in (build, check, completion, diff, dump, explain, invoke, params, plot, serve):
    cli.add_command(_command)


def main() -> None:
    """The entry point: a bug of ours is said to be one."""
    try:
        cli(prog_name="graphc", complete_var="_GRAPHC_COMPLETE")
    except Exception:
        import traceback

        traceback.print_exc()
        say(
            f"\nThis is a bug in graphc {__version__}, not in your graph. Please report it with "
            "the lines above\nand, if you can, the graph file."
        )
        sys.exit(EXIT_BUG)
