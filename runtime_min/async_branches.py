"""Fan-out where branches await: as `branches`, with coroutine functions among them.

Every branch but the first runs as a task; the first is awaited at once, so the others
start when it first waits for something, or ends. Answers count in the order in which
branches complete.
"""

from __future__ import annotations

import asyncio
import copy
from typing import Any, Callable

from .branches import Failed, copy_event, first, joined


async def fan_out(context: Any, body: Any, *branches: Callable[[Any], Any]) -> Any:
    """The first answer of a branch, which may be that it failed; DROPPED without any."""
    bodies = [body, *(copy.deepcopy(body) for _ in branches[1:])]
    return first(context, await _run(branches, [(twin,) for twin in bodies]))


async def fan_out_events(
    context: Any, event: Any, body: Any, *branches: Callable[[Any, Any], Any]
) -> Any:
    """As `fan_out`, for branches that are called with an event and a body."""
    event.body = body
    events = [event, *(copy_event(event, body) for _ in branches[1:])]
    return first(context, await _run(branches, [(twin, twin.body) for twin in events]))


async def gather(context: Any, body: Any, *branches: Callable[[Any], Any]) -> Any:
    """The answers of all branches, as they came; DROPPED if one of them has none.

    If branches failed the first failure is raised, after all of them ran.
    """
    bodies = [body, *(copy.deepcopy(body) for _ in branches[1:])]
    return joined(context, await _run(branches, [(twin,) for twin in bodies]))


async def _run(
    branches: tuple[Callable[..., Any], ...], arguments: list[tuple[Any, ...]]
) -> list[Any]:
    """The outcomes of all branches, in the order in which they came."""
    outcomes: list[Any] = []

    async def run(branch: Callable[..., Any], args: tuple[Any, ...]) -> None:
        try:
            outcome = branch(*args)
            if asyncio.iscoroutine(outcome):
                outcome = await outcome
        except Exception as exc:  # noqa: BLE001
            outcome = Failed(exc)
        outcomes.append(outcome)

    runs = [run(branch, args) for branch, args in zip(branches, arguments)]
    tasks = [asyncio.ensure_future(later) for later in runs[1:]]
    await runs[0]
    for task in tasks:
        await task
    return outcomes
