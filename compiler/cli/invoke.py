"""`graphc invoke`: one event through a package or a graph, without a server."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from . import options
from .options import Pair
from .report import EXIT_ERRORS, fail, say


@click.command(short_help="Send one event to a package or a graph, without a server.")
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--path", default="/", show_default=True, help="The path of the request.")
@click.option("--body", help="The body: JSON or text; @FILE reads it from a file.")
@click.option("--method", help="[default: POST with a body, else GET]")
@click.option(
    "--content-type",
    help="[default: application/json if the body is JSON, else text/plain]",
)
@click.option("--header", "headers", multiple=True, type=Pair(), help="NAME=VALUE. Repeatable.")
@options.interpreter
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

    PACKAGE may be the output folder of one graph: the event goes to its root, and the functions
    that read streams get what it sends. The body of the answer goes to standard output, its
    status and what each stream got to standard error; the exit code is 1 for a status of 400 and
    above.
    """
    from ..codegen.text import one_line
    from ..diagnostics import GraphError
    from ..serve import invoke as send

    data = _body(body)
    if content_type is None:
        content_type = _guessed_type(data) if data else ""
    messages: list[str] = []
    try:
        answer = send(
            package,
            path=path,
            body=data,
            method=method or ("POST" if data else "GET"),
            content_type=content_type,
            headers=dict(headers),
            python=python,
            sent=lambda stream, data: messages.append(
                one_line(f"{stream}: {data.decode(errors='backslashreplace')}")
            ),
        )
    except GraphError as exc:
        fail(exc)
    say(f"{answer.status} {answer.content_type}")
    sys.stdout.buffer.write(answer.body)
    sys.stdout.buffer.flush()
    if sys.stdout.isatty():
        say("")
    for message in messages:
        say(message)
    if answer.status >= 400:
        sys.exit(EXIT_ERRORS)


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
