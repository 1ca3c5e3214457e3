"""One event through one function's folder, without a server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from ..diagnostics import GraphError
from .events import Answer, make_event
from .interpreter import check_interpreter
from .packages import read_package
from .process import Launch, Log, Worker, WorkerLost, describe_status
from .server import write_line
from .triggers import HttpTrigger

#: Seconds that the termination callback has.
_TERMINATION = 5.0


def invoke(
    folder: Path,
    path: str = "/",
    body: bytes = b"",
    *,
    method: str | None = None,
    content_type: str = "",
    headers: Mapping[str, str] | None = None,
    python: str = sys.executable,
    log: Log = write_line,
) -> Answer:
    """What a caller of the function in `folder` gets for one request.

    `path` may carry arguments (`/a?b=c`); without a method it is POST with a body, else GET. The
    worker runs in the caller's folder and ends after its termination callback.
    """
    package = read_package(folder)
    python = check_interpreter(python, [package])
    named = {**(headers or {}), **({"Content-Type": content_type} if content_type else {})}
    try:
        trigger = package.triggers.http or HttpTrigger("default-http", "http", 1)
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
    launch = Launch(package, trigger, python, log)
    return asyncio.run(_invoke(launch, event, body, f"{verb} {path}"))


async def _invoke(launch: Launch, event: dict[str, object], body: bytes, about: str) -> Answer:
    worker = await Worker.start(launch, 0)
    try:
        answer = await worker.handle({**event, "id": worker.event_id}, body, about)
        await worker.stop(_TERMINATION)
    except WorkerLost:
        status = describe_status(worker.process.returncode)
        raise GraphError(
            f"{launch.package.name}: the worker ended before it answered ({status})", code="GC043"
        ) from None
    finally:
        await worker.kill()
    return answer or Answer(503, "", {}, b"")
