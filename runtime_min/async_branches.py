"""Fan-out where branches await: as `branches`, with coroutine functions among them.

Every branch but the first runs as a task; the first is awaited at once, so the others
start when it first waits for something, or ends. Answers count in the order in which
they come, those of branches inside branches too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any, Callable

from .branches import copy_event, twins, with_body
from .nuclio import DROPPED, log_failure

#: What came of the branches of the event at hand so far; None outside of branches.
_outcomes: ContextVar[list[Any] | None] = ContextVar("outcomes", default=None)


class Failed:
    """The outcome of a branch that raised."""

    def __init__(self, exc: Exception) -> None:
        self.exc = exc


async def fan_out(context: Any, body: Any, *branches: Callable[[Any], Any]) -> Any:
    """The first answer of a branch, which may be that it failed; DROPPED without any."""
    return await _part(
        context, branches, [(twin,) for twin in twins(body, len(branches))]
    )


async def fan_out_shared(
    context: Any, event: Any, body: Any, *branches: Callable[[Any, Any], Any]
) -> Any:
    """As `fan_out`, for branches that read the event and leave it as it is."""
    arguments = [(event, twin) for twin in twins(body, len(branches))]
    return await _part(context, branches, arguments)


async def fan_out_events(
    context: Any, event: Any, body: Any, *branches: Callable[[Any, Any], Any]
) -> Any:
    """As `fan_out`, for branches that are called with an event and a body."""
    event.body = body
    events = [event, *(copy_event(event, body) for _ in branches[1:])]
    return await _part(context, branches, [(twin, twin.body) for twin in events])


async def gather(context: Any, body: Any, *branches: Callable[[Any], Any]) -> Any:
    """The answers of all branches, as they came; DROPPED if one of them has none.

    If branches failed the first failure is raised, after all of them ran.
    """
    outcomes: list[Any] = []
    await _run(branches, [(twin,) for twin in twins(body, len(branches))], outcomes)
    return _joined(context, outcomes)


async def each(
    context: Any,
    items: Any,
    branch: Callable[[Any], Any] | None = None,
    at_once: bool = False,
) -> Any:
    """The first answer for an item, which may be that it failed; DROPPED without any.

    Every item goes its way, one after the other, whatever became of those before it. With
    `at_once` the next one begins when one waits: steps on the way limit how many there
    are, and keep their order. `items` may be an asynchronous generator.
    """
    running: list[asyncio.Future[None]] = []

    async def all_of_them(outcomes: list[Any]) -> None:
        async def begin(item: Any) -> None:
            running.append(asyncio.ensure_future(_go(branch, (item,), outcomes)))
            await asyncio.sleep(0)

        async def go(item: Any) -> None:
            await _go(branch, (item,), outcomes)

        take = begin if at_once else go
        try:
            if hasattr(items, "__aiter__"):
                async for item in items:
                    await take(item)
            else:
                for item in items:
                    await take(item)
        except Exception as exc:  # noqa: BLE001
            outcomes.append(Failed(exc))
        for task in running:
            await task

    return await _first(context, all_of_them)


async def each_shared(
    context: Any,
    event: Any,
    items: Any,
    branch: Callable[[Any, Any], Any],
    at_once: bool = False,
) -> Any:
    """As `each`, for a branch that reads the event and leaves it as it is."""
    return await each(context, items, lambda item: branch(event, item), at_once)


async def each_event(
    context: Any,
    event: Any,
    items: Any,
    branch: Callable[[Any, Any], Any],
    at_once: bool = False,
) -> Any:
    """As `each`, for a branch that is called with an event of its own and a body."""

    def go(item: Any) -> Any:
        return branch(with_body(event, item), item)

    return await each(context, items, go, at_once)


async def each_of_events(
    context: Any,
    events: Any,
    branch: Callable[[Any, Any], Any],
    at_once: bool = False,
) -> Any:
    """As `each`, for items that are events."""
    return await each(context, events, lambda event: branch(event, event.body), at_once)


async def _part(
    context: Any,
    branches: tuple[Callable[..., Any], ...],
    arguments: list[tuple[Any, ...]],
) -> Any:
    """Where ways part: the first answer, DROPPED inside a branch."""
    return await _first(context, lambda outcomes: _run(branches, arguments, outcomes))


async def _run(
    branches: tuple[Callable[..., Any], ...],
    arguments: list[tuple[Any, ...]],
    outcomes: list[Any],
) -> None:
    """Run all branches; their outcomes are added in the order in which they come."""
    runs = [_go(branch, args, outcomes) for branch, args in zip(branches, arguments)]
    tasks = [asyncio.ensure_future(later) for later in runs[1:]]
    for one in (*runs[:1], *tasks):  # none, where a step chose none
        await one


async def _go(
    branch: Callable[..., Any] | None, args: tuple[Any, ...], outcomes: list[Any]
) -> None:
    try:
        outcome = args[0] if branch is None else branch(*args)
        if branch is not None and asyncio.iscoroutine(outcome):
            outcome = await outcome
    except Exception as exc:  # noqa: BLE001
        outcome = Failed(exc)
    outcomes.append(outcome)


async def _first(
    context: Any, run: Callable[[list[Any]], Coroutine[Any, Any, None]]
) -> Any:
    """The first outcome that counts; failures after it are logged.

    Inside a branch DROPPED: the outcomes are among those of the outermost branches.
    """
    outer = _outcomes.get()
    if outer is not None:
        await run(outer)
        return DROPPED
    outcomes: list[Any] = []
    token = _outcomes.set(outcomes)
    try:
        await run(outcomes)
    finally:
        _outcomes.reset(token)
    counting = [outcome for outcome in outcomes if outcome is not DROPPED]
    for late in counting[1:]:
        if isinstance(late, Failed):
            log_failure(context, late.exc)
    if not counting:
        return DROPPED
    if isinstance(counting[0], Failed):
        raise counting[0].exc
    return counting[0]


def _joined(context: Any, outcomes: list[Any]) -> Any:
    """All outcomes as one list; the first failure is raised, later ones are logged."""
    failures = [outcome.exc for outcome in outcomes if isinstance(outcome, Failed)]
    for late in failures[1:]:
        log_failure(context, late)
    if failures:
        raise failures[0]
    if any(outcome is DROPPED for outcome in outcomes):
        return DROPPED
    return outcomes
