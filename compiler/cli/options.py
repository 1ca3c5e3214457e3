"""Options that several commands share, and the values that they become.

A new option of reading a graph file belongs into `graph_source`: the commands get it all as one
`Source` and need not change.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
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


class Setting(click.ParamType[tuple[str, Any]]):
    """EXPR=VALUE."""

    name = "expr=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        from ..values_file import parse_set

        try:
            return parse_set(str(value))
        except ValueError as exc:
            self.fail(str(exc), param, ctx)


def _values(files: Iterable[Path]) -> dict[str, Any]:
    from ..diagnostics import GraphError
    from ..values_file import read_values

    found: dict[str, Any] = {}
    for file in files:
        try:
            found |= read_values(file)
        except GraphError as exc:
            raise click.UsageError(exc.message) from exc
    return found


@dataclass(frozen=True, slots=True)
class Source:
    """A graph file, and what the command line says about reading it."""

    graph: Path
    env: Mapping[str, str]
    #: Values of expressions of the file.
    given: Mapping[str, Any] = field(default_factory=dict)
    functions: tuple[str, ...] = ()
    entry: str = ""
    allow: frozenset[str] = frozenset()
    packages: tuple[Path, ...] = ()
    requirements: tuple[Path, ...] = ()

    def build(self, bundle_models: bool = False, images: str = "", compose: bool = False) -> Build:
        """What becomes of the file, in memory."""
        import gc

        from ..pipeline import Options
        from ..pipeline import build as compile_graph

        # The process ends with the build: looking for garbage would take a fifth of its time.
        gc.disable()
        options = Options(
            env=self.env,
            given=self.given,
            functions=self.functions,
            entry=self.entry,
            bundle_models=bundle_models,
            allow=self.allow,
            packages=self.packages,
            requirements=self.requirements,
            images=images,
            compose=compose,
        )
        return compile_graph(self.graph, options)


def _with(command: Command, options: Iterable[Decorator]) -> Command:
    """The command with the options, shown in this order above those it has already."""
    for option in reversed(list(options)):
        command = option(command)
    return command


def graph_source(command: Command) -> Command:
    """Adds GRAPH and what is said about reading it; the command gets a `source`."""

    @functools.wraps(command)
    def wrapper(
        graph: Path,
        env: Iterable[tuple[str, str]],
        given: Iterable[tuple[str, Any]],
        files: Iterable[Path],
        functions: tuple[str, ...],
        entry: str,
        allow: Iterable[str],
        packages: tuple[Path, ...],
        requirements: tuple[Path, ...],
        **others: Any,
    ) -> None:
        values = {**_values(files), **dict(given)}
        source = Source(
            graph,
            dict(env),
            values,
            functions,
            entry,
            frozenset(allow),
            packages,
            requirements,
        )
        command(source=source, **others)

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
            click.option(
                "--set",
                "given",
                multiple=True,
                type=Setting(),
                help="The value of a name or expression, spelled as in the file: "
                "'run.outputs[\"model\"]=s3://m'. YAML. Repeatable.",
            ),
            click.option(
                "--values",
                "files",
                multiple=True,
                type=click.Path(path_type=Path),
                help="A YAML file of such values, as `graphc params` writes it. Repeatable.",
            ),
            click.option(
                "--function",
                "functions",
                multiple=True,
                metavar="NAME",
                help="A function to build, of those that the file makes. Repeatable. "
                "[default: all]",
            ),
            click.option(
                "--entry",
                default="",
                metavar="MODULE:FUNCTION",
                help="A function to call after the file's top level, e.g. graph:main.",
            ),
            click.option(
                "--package",
                "packages",
                multiple=True,
                type=click.Path(exists=True, path_type=Path),
                help="A package of yours that does not lie beside GRAPH, or a folder that modules "
                "are looked for in. Repeatable.",
            ),
            click.option(
                "--allow",
                "allow",
                multiple=True,
                type=click.Choice(("mlrun", "storey")),
                help="Let packages depend on it where step code uses what has no counterpart.",
            ),
            click.option(
                "--requirements",
                "requirements",
                multiple=True,
                type=click.Path(path_type=Path),
                help="A requirements, constraints or lock file to take versions from, besides "
                "those beside GRAPH. Repeatable.",
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


def _registry(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """A registry and a path of it, to which names of images can be added."""
    if value and not re.fullmatch(
        r"[a-z0-9][a-z0-9._-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*/?", value
    ):
        raise click.BadParameter("an example: registry.example.com/team")
    return value


bundle_models = click.option(
    "--bundle-models",
    is_flag=True,
    help="Copy local model files into the packages.",
)
crd = click.option(
    "--crd",
    "images",
    metavar="REGISTRY",
    default="",
    callback=_registry,
    help="Also write kubernetes.yaml: the functions as resources of Nuclio's, for images "
    "REGISTRY/<function> that are built with the packages' Dockerfiles.",
)
compose = click.option(
    "--compose",
    is_flag=True,
    help="Also write compose.yaml, which runs all functions and a Kafka broker on one machine.",
)
interpreter = click.option(
    "--python",
    "python",
    default=sys.executable,
    metavar="PATH",
    help="The interpreter that runs packages. [default: this one]",
)
