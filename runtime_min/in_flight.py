"""Work that waits for others: how much of it at once, in which order it ends, retries.

The rules of storey 1.12 (`_ConcurrentJobExecution`), which RemoteStep, BatchHttpRequests,
ConcurrentExecution and SendToHttp share. They matter where several events are under way
in a worker: elements of a list, branches, requests of an asynchronous trigger.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import Any, Callable, TypeVar

_Result = TypeVar("_Result")

_LONGEST_WAIT = 120
DEFAULT_LIMIT = 8


class InFlight:
    """At most `limit` calls at once, which end in the order in which they began."""

    def __init__(self, limit: int | None = None) -> None:
        self._ends: deque[asyncio.Event] = deque(maxlen=limit or DEFAULT_LIMIT)

    async def run(
        self, function: Callable[..., Awaitable[_Result]], *args: Any
    ) -> _Result:
        """What the call gives, or its failure: never before those of earlier calls."""
        ends = self._ends
        before = ends[-1] if ends else None
        # As calls end in order, the oldest of a full house makes room for this one.
        room = ends[0] if len(ends) == ends.maxlen else None
        end = asyncio.Event()
        ends.append(end)
        try:
            if room is not None:
                await room.wait()
            return await function(*args)
        except Exception:
            # Another task of storey's tells of a failure, also of one that comes at once:
            # branches beside it begin before that, and perhaps answer.
            await asyncio.sleep(0)
            raise
        finally:
            try:
                if before is not None:
                    await before.wait()
            finally:
                end.set()


async def retried(
    attempt: Callable[[], Awaitable[_Result]],
    *,
    retries: int,
    backoff_factor: float,
    on: tuple[type[BaseException], ...],
    failed: Callable[[BaseException, int], None],
) -> _Result:
    """What the first attempt gives that succeeds; the last one's failure is raised.

    Before retry `n`, from 0, it waits `backoff_factor * 2**n` seconds, two minutes at
    most. `failed` is told of each failure and of the retries that are left.
    """
    left = retries
    while True:
        try:
            return await attempt()
        except on as exc:
            failed(exc, left)
            if left <= 0:
                raise
        await asyncio.sleep(min(_LONGEST_WAIT, backoff_factor * 2 ** (retries - left)))
        left -= 1
