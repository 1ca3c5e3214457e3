"""One event through a graph, without a server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..diagnostics import GraphError
from .events import Answer, make_event
from .file_source import read_all
from .functions import TERMINATION, Function, settle
from .interpreter import check_interpreter
from .packages import Package, read_graph
from .pool import all_started
from .process import Launch, Log, Worker, WorkerLost, describe_status
from .server import write_line
from .streams import Streams
from .triggers import HttpTrigger

#: Seconds that the functions behind streams have for one event.
_PATIENCE = 60.0


def invoke(
    folder: Path,
    path: str = "/",
    body: bytes = b"",
    *,
    method: str | None = None,
    content_type: str = "",
    headers: Mapping[str, str] | None = None,
    python: str = sys.executable,
    sent: Callable[[str, bytes], None] | None = None,
    log: Log = write_line,
) -> Answer:
    """What a caller gets for one request: of the function in `folder`, or of a graph's root.

    `path` may carry arguments (`/a?b=c`); without a method it is POST with a body, else GET. The
    workers run in the caller's folder and end after their termination callbacks. Streams are files
    of this call, or those of GRAPHC_STREAMS; a graph's other functions read them. Of the former,
    `sent` is told the stream and the data of each message, when all is done.
    """
    packages = read_graph(folder)
    python = check_interpreter(python, packages)
    named = {**(headers or {}), **({"Content-Type": content_type} if content_type else {})}
    try:
        trigger = packages[0].triggers.http or HttpTrigger("default-http", "http", 1)
        verb = method or ("POST" if body else "GET")
        event = make_event(
            trigger.name,
            method=verb,
            target=path,
            headers=named.items(),
            size=len(body),
        )
    except ValueError as error:
        raise GraphError(f"the request is not UTF-8: {error}", code="GC043") from None
    streams = Streams()
    try:
        launch = Launch(packages[0], trigger, python, log, streams.environment)
        readers = [
            Function(_reader(package), streams, python=python, workers=1, log=log, quiet=True)
            for package in packages[1:]
        ]
        answer = asyncio.run(_invoke(launch, event, body, f"{verb} {path}", readers))
        if streams.is_temporary and streams.folder is not None and sent is not None:
            for stream, data in read_all(streams.folder):
                sent(stream, data)
    finally:
        streams.close()
    return answer


def _reader(package: Package) -> Package:
    """A package that only reads streams."""
    return replace(package, triggers=replace(package.triggers, http=None, ticks=()))


async def _invoke(
    launch: Launch,
    event: dict[str, object],
    body: bytes,
    about: str,
    readers: Sequence[Function],
) -> Answer:
    left = list(readers)
    try:
        await all_started(reader.start() for reader in readers)
        answer = await _ask(launch, event, body, about)
        # One after another, as each may send the last when it ends.
        while left:
            if not await settle(left, _PATIENCE):
                raise GraphError(
                    f"the streams were not read to their ends in {_PATIENCE:.0f} s", code="GC043"
                )
            await left.pop(0).close(TERMINATION)
    finally:
        await asyncio.gather(*(reader.close(0) for reader in left))
    return answer


async def _ask(launch: Launch, event: dict[str, object], body: bytes, about: str) -> Answer:
    worker = await Worker.start(launch, 0)
    try:
        answer = await worker.handle({**event, "id": worker.event_id}, body, about)
        await worker.stop(TERMINATION)
    except WorkerLost:
        status = describe_status(worker.process.returncode)
        raise GraphError(
            f"{launch.package.name}: the worker ended before it answered ({status})", code="GC043"
        ) from None
    finally:
        await worker.kill()
    return answer or Answer(503, "", {}, b"")
