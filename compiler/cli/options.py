"""Options that several commands share, and the values that they become.

A new option of reading a graph file belongs into `graph_source`: the commands get it all as one
`Source` and need not change.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .report import STYLES, Report

if TYPE_CHECKING:
    from ..pipeline import Build

Command = Callable[..., None]
Decorator = Callable[[Command], Command]


class Pair(click.ParamType[tuple[str, str]]):
    """NAME=VALUE."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        name, equals, text = str(value).partition("=")
        if not name or not equals:
            self.fail(f"{value!r} is not NAME=VALUE", param, ctx)
        return name, text


@dataclass(frozen=True, slots=True)
class Source:
    """A graph file, and what the command line says about reading it."""

    graph: Path
    env: Mapping[str, str]

    def build(self, bundle_models: bool = False) -> Build:
        """What becomes of the file, in memory."""
        import gc

        from ..pipeline import Options
        from ..pipeline import build as compile_graph

        # The process ends with the build: looking for garbage would take a fifth of its time.
        gc.disable()
        return compile_graph(self.graph, Options(env=self.env, bundle_models=bundle_models))


def _with(command: Command, options: Iterable[Decorator]) -> Command:
    """The command with the options, shown in this order above those it has already."""
    for option in reversed(list(options)):
        command = option(command)
    return command


def graph_source(command: Command) -> Command:
    """Adds GRAPH and what is said about reading it; the command gets a `source`."""

    @functools.wraps(command)
    def wrapper(graph: Path, env: Iterable[tuple[str, str]], **others: Any) -> None:
        command(source=Source(graph, dict(env)), **others)

    return _with(
        wrapper,
        [
            click.argument("graph", type=click.Path(path_type=Path)),
            click.option(
                "--env",
                "env",
                multiple=True,
                type=Pair(),
                help="The value of an environment variable that the file reads. Repeatable.",
            ),
        ],
    )


def findings(command: Command) -> Command:
    """Adds how findings are shown; the command gets a `report`."""

    @functools.wraps(command)
    def wrapper(style: str, quiet: bool, **others: Any) -> None:
        command(report=Report(style, quiet), **others)

    return _with(
        wrapper,
        [
            click.option(
                "--format",
                "style",
                type=click.Choice(STYLES),
                default="text",
                help="How findings are shown; all but text go to standard output. github: "
                "annotations of a workflow.",
            ),
            click.option("-q", "--quiet", is_flag=True, help="Errors only."),
        ],
    )


output = click.option(
    "-o",
    "--output",
    "out",
    type=click.Path(path_type=Path),
    default=Path("dist"),
    show_default=True,
    help="The folder of the packages.",
)
bundle_models = click.option(
    "--bundle-models",
    is_flag=True,
    help="Copy local model files into the packages.",
)
interpreter = click.option(
    "--python",
    "python",
    default=sys.executable,
    metavar="PATH",
    help="The interpreter that runs packages. [default: this one]",
)
