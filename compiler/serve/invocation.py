"""One event through one function's folder, without a server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from ..diagnostics import GraphError
from .events import Answer, make_event
from .interpreter import check_interpreter
from .packages import Package, read_package
from .pool import Log, Worker, WorkerLost, describe_status
from .server import write_line


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
        event = make_event(
            package,
            method=method or ("POST" if body else "GET"),
            target=path,
            headers=named.items(),
            size=len(body),
        )
    except ValueError as error:
        raise GraphError(f"the request is not UTF-8: {error}", code="GC043") from None
    return asyncio.run(_invoke(package, event, body, python, log))


async def _invoke(
    package: Package, event: dict[str, object], body: bytes, python: str, log: Log
) -> Answer:
    worker = await Worker.start(package, 0, python, log)
    try:
        answer = await worker.handle({**event, "id": worker.event_id}, body)
        await worker.stop()
    except WorkerLost:
        status = describe_status(worker.process.returncode)
        raise GraphError(
            f"{package.name}: the worker ended before it answered ({status})", code="GC043"
        ) from None
    finally:
        await worker.kill()
    return answer or Answer(503, "", {}, b"")
