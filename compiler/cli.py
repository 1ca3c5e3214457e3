"""The command `graphc`: each subcommand is a thin reading of one value.

Data goes to standard output, talk to standard error. Exit codes: 0 done, 1 the graph has errors or
`check` found differences, 2 wrong usage, 70 a bug of ours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from . import __version__

if TYPE_CHECKING:
    from .diagnostics import Diagnostics, GraphError
    from .pipeline import Build

EXIT_ERRORS = 1
EXIT_BUG = 70

F = TypeVar("F", bound=Callable[..., Any])


class _EnvPair(click.ParamType[tuple[str, str]]):
    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        name, equals, text = str(value).partition("=")
        if not name or not equals:
            self.fail(f"{value!r} is not NAME=VALUE", param, ctx)
        return name, text


def _graph_options(command: F) -> F:
    """What all commands that read a graph file have in common."""
    for option in reversed(
        (
            click.argument("graph", type=click.Path(path_type=Path)),
            click.option(
                "--env",
                "env",
                multiple=True,
                type=_EnvPair(),
                help="The value of an environment variable that the file reads. Repeatable.",
            ),
            click.option(
                "--format",
                "style",
                type=click.Choice(("text", "json")),
                default="text",
                help="How findings are shown; json goes to standard output.",
            ),
            click.option("-q", "--quiet", is_flag=True, help="Errors only."),
        )
    ):
        command = option(command)
    return command


_bundle_option = click.option(
    "--bundle-models",
    is_flag=True,
    help="Copy local model files into the packages.",
)
_out_option = click.option(
    "-o",
    "--output",
    "out",
    type=click.Path(path_type=Path),
    default=Path("dist"),
    show_default=True,
    help="The folder of the packages.",
)
_python_option = click.option(
    "--python",
    "python",
    default=sys.executable,
    metavar="PATH",
    help="The interpreter that runs packages. [default: this one]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="graphc")
def cli() -> None:
    """Compile MLRun serving graphs into small Nuclio packages.

    GRAPH is a Python file that builds a serving graph with mlrun's API. It is read, never run;
    mlrun need not be installed. The packages need neither mlrun nor graphc.

    \b
    A first try:
      graphc build graph.py -o dist/
      graphc serve dist/
    """


@cli.command()
@_graph_options
@_out_option
@_bundle_option
@click.option("--timings", is_flag=True, help="Show how long each stage took.")
def build(
    graph: Path,
    env: Sequence[tuple[str, str]],
    style: str,
    quiet: bool,
    out: Path,
    bundle_models: bool,
    timings: bool,
) -> None:
    """Write one package per function of GRAPH.

    An earlier output is replaced whole, or left as it was if GRAPH has errors.
    """
    made = _built(graph, env, bundle_models)
    if not made.failed:
        from .diagnostics import GraphError
        from .package.publish import publish

        try:
            publish(made.files, out, protect=[graph])
        except GraphError as exc:
            made.diagnostics.add(exc.diagnostic(None))
    _report(made.diagnostics, style, quiet)
    if timings:
        _show_timings(made.timings)
    if made.failed:
        sys.exit(EXIT_ERRORS)
    if not quiet and style == "text":
        assert made.graph is not None
        for function in made.graph.functions:
            _say(f"built {out / function.name}")
        if made.skipped:
            count = len(made.skipped)
            _say(f"skipped {count} call{'s' * (count > 1)} without meaning for the graph")


@cli.command()
@_graph_options
@_out_option
@_bundle_option
def check(
    graph: Path,
    env: Sequence[tuple[str, str]],
    style: str,
    quiet: bool,
    out: Path,
    bundle_models: bool,
) -> None:
    """Compare an output with what GRAPH would give now.

    Silent and 0 if they are equal; otherwise a diff, missing and left-over files, and 1.
    """
    from .diagnostics import GraphError
    from .package.publish import compare

    made = _built(graph, env, bundle_models)
    difference = ""
    if not made.failed:
        try:
            difference = compare(made.files, out)
        except GraphError as exc:
            made.diagnostics.add(exc.diagnostic(None))
    # Warnings are for builds: a check that finds nothing to do is silent.
    _report(made.diagnostics, style, quiet=True, extra={"diff": difference})
    if style == "text" and difference:
        click.echo(difference, nl=False)
    if made.failed or difference:
        sys.exit(EXIT_ERRORS)


@cli.command()
@_graph_options
@click.option(
    "--stage",
    type=click.Choice(("ir", "plan")),
    default="ir",
    show_default=True,
    help="ir: the graph after all names are found. plan: what each handler does.",
)
def dump(graph: Path, env: Sequence[tuple[str, str]], style: str, quiet: bool, stage: str) -> None:
    """Print an intermediate form of GRAPH as text."""
    from . import ir, plan

    made = _built(graph, env, False)
    _report(made.diagnostics, style, quiet)
    if made.failed or made.graph is None:
        sys.exit(EXIT_ERRORS)
    if stage == "ir":
        click.echo(ir.show(made.graph), nl=False)
    else:
        click.echo("\n".join(map(plan.show, made.plans)), nl=False)


@cli.command()
@click.argument("graph", type=click.Path(path_type=Path))
@click.option("--env", "env", multiple=True, type=_EnvPair(), help="As for build.")
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
def plot(
    graph: Path, env: Sequence[tuple[str, str]], kind: str, out: Path | None, quiet: bool
) -> None:
    """Draw the functions of GRAPH."""
    from .package.diagram import diagram

    made = _built(graph, env, False)
    _report(made.diagnostics, "text", quiet)
    if made.failed or made.graph is None:
        sys.exit(EXIT_ERRORS)
    drawings = [diagram(function) for function in made.graph.functions]
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


@cli.command()
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--path", default="/", show_default=True, help="The path of the request.")
@click.option("--body", help="The body: JSON or text; @FILE reads it from a file.")
@click.option("--method", help="[default: POST with a body, else GET]")
@click.option(
    "--content-type",
    help="[default: application/json if the body is JSON, else text/plain]",
)
@click.option("--header", "headers", multiple=True, type=_EnvPair(), help="NAME=VALUE. Repeatable.")
@_python_option
def invoke(
    package: Path,
    path: str,
    body: str | None,
    method: str | None,
    content_type: str | None,
    headers: Sequence[tuple[str, str]],
    python: str,
) -> None:
    """Send one event to the package in folder PACKAGE, without a server.

    The body of the answer goes to standard output, its status to standard error; the exit code
    is 1 for a status of 400 and above.
    """
    from .diagnostics import GraphError
    from .serve import invoke as send

    data = _body(body)
    if content_type is None:
        content_type = _guessed_type(data) if data else ""
    try:
        answer = send(
            package,
            path=path,
            body=data,
            method=method or ("POST" if data else "GET"),
            content_type=content_type,
            headers=dict(headers),
            python=python,
        )
    except GraphError as exc:
        _fail(exc)
    _say(f"{answer.status} {answer.content_type}")
    sys.stdout.buffer.write(answer.body)
    sys.stdout.buffer.flush()
    if sys.stdout.isatty():
        _say("")
    if answer.status >= 400:
        sys.exit(EXIT_ERRORS)


@cli.command()
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
@_python_option
def serve(dist: Path, host: str, port: int, workers: int | None, python: str) -> None:
    """Run the packages of DIST behind HTTP, as Nuclio would.

    Ctrl-C finishes the requests in progress and ends.
    """
    from .diagnostics import GraphError
    from .serve import serve as run

    try:
        code = run(dist, host=host, port=port, workers=workers, python=python, announce=_announce)
    except GraphError as exc:
        _fail(exc)
    sys.exit(code)


# -- what the commands share


def _built(graph: Path, env: Sequence[tuple[str, str]], bundle_models: bool) -> Build:
    import gc

    from .pipeline import Options
    from .pipeline import build as compile_graph

    # The process ends with the build: looking for garbage would take a fifth of its time.
    gc.disable()
    return compile_graph(graph, Options(env=dict(env), bundle_models=bundle_models))


def _report(
    diagnostics: Diagnostics, style: str, quiet: bool, extra: dict[str, Any] | None = None
) -> None:
    """Show what was found; with `quiet`, errors only."""
    from .diagnostics import Severity, as_json, render

    shown = [found for found in diagnostics if not quiet or found.severity is Severity.ERROR]
    if style == "json":
        document = {"diagnostics": json.loads(as_json(shown)), **(extra or {})}
        click.echo(json.dumps(document, indent=1))
        return
    colours = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
    for found in shown:
        head, _, rest = render(found).partition("\n")
        _say(click.style(head, fg=colours[found.severity], bold=True))
        if rest:
            _say(rest)
    errors = sum(found.severity is Severity.ERROR for found in shown)
    if errors:
        _say(f"{errors} error{'s' * (errors > 1)}; nothing was written")


def _show_timings(timings: dict[str, float]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("stage", "ms")
    for stage, seconds in [*timings.items(), ("total", sum(timings.values()))]:
        table.add_row(stage, f"{1000 * seconds:.1f}")
    Console(stderr=True).print(table)


def _announce(endpoint: Any) -> None:
    _say(f"{endpoint.function}: {endpoint.url}")
    for route in endpoint.routes:
        _say(f"  {endpoint.url.rstrip('/')}{route}")


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


def _body(body: str | None) -> bytes:
    if body is None:
        return b""
    if body.startswith("@"):
        try:
            return Path(body[1:]).read_bytes()
        except OSError as exc:
            raise click.ClickException(f"cannot read {body[1:]}: {exc.strerror}") from exc
    return body.encode("utf-8", "surrogateescape")


def _guessed_type(data: bytes) -> str:
    try:
        json.loads(data)
    except ValueError:
        return "text/plain"
    return "application/json"


def _fail(error: GraphError) -> NoReturn:
    from .diagnostics import render

    _say(render(error.diagnostic(None)))
    sys.exit(EXIT_ERRORS)


def _say(text: str) -> None:
    click.echo(text, err=True)


def main() -> None:
    """The entry point: a bug of ours is said to be one."""
    try:
        cli()
    except Exception:
        import traceback

        traceback.print_exc()
        _say(
            f"\nThis is a bug in graphc {__version__}, not in your graph. Please report it with "
            "the lines above\nand, if you can, the graph file."
        )
        sys.exit(EXIT_BUG)
