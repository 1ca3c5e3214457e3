"""Several ways for one event (mlrun 1.12, storey's `Flow._do_downstream`, `FlatMap`).

The first branch gets the body itself, every later one a deep copy made before any of
them runs. All run, in order, each to its end. A branch is a function that returns its
answer, or DROPPED when it has none to give.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Callable

from .nuclio import DROPPED, log_failure

#: What is its own copy.
_ATOMS = frozenset([str, bytes, int, float, bool, datetime, type(None)])

Branch = Callable[[Any], Any]
EventBranch = Callable[[Any, Any], Any]


def fan_out(context: Any, body: Any, *branches: Branch) -> Any:
    """The first answer of a branch, which may be that it failed; DROPPED without any."""
    bodies = twins(body, branches)
    outcomes = [_outcome(branch, twin) for branch, twin in zip(branches, bodies)]
    return first(context, outcomes)


def fan_out_shared(context: Any, event: Any, body: Any, *branches: EventBranch) -> Any:
    """As `fan_out`, for branches that read the event and leave it as it is."""
    outcomes = [
        _outcome(branch, event, twin)
        for branch, twin in zip(branches, twins(body, branches))
    ]
    return first(context, outcomes)


def fan_out_events(context: Any, event: Any, body: Any, *branches: EventBranch) -> Any:
    """As `fan_out`, for branches that are called with an event and a body."""
    event.body = body
    events = [event, *(copy_event(event, body) for _ in branches[1:])]
    outcomes = [
        _outcome(branch, twin, twin.body) for branch, twin in zip(branches, events)
    ]
    return first(context, outcomes)


def gather(context: Any, body: Any, *branches: Branch) -> Any:
    """The answers of all branches, in order; DROPPED if one of them has none.

    If branches failed the first failure is raised, after all of them ran.
    """
    bodies = twins(body, branches)
    outcomes = [_outcome(branch, twin) for branch, twin in zip(branches, bodies)]
    return joined(context, outcomes)


def each(context: Any, items: Iterable[Any], branch: Branch | None = None) -> Any:
    """The first answer for an item, which may be that it failed; DROPPED without any.

    Every item goes its way, whatever became of those before it. Without a branch the
    items themselves are the answers.
    """
    outcomes: list[Any] = []
    try:
        for item in items:
            outcomes.append(item if branch is None else _outcome(branch, item))
    except Exception as exc:  # noqa: BLE001
        outcomes.append(Failed(exc))
    return first(context, outcomes)


def each_shared(
    context: Any, event: Any, items: Iterable[Any], branch: EventBranch
) -> Any:
    """As `each`, for a branch that reads the event and leaves it as it is."""
    outcomes: list[Any] = []
    try:
        for item in items:
            outcomes.append(_outcome(branch, event, item))
    except Exception as exc:  # noqa: BLE001
        outcomes.append(Failed(exc))
    return first(context, outcomes)


def each_event(
    context: Any, event: Any, items: Iterable[Any], branch: EventBranch
) -> Any:
    """As `each`, for a branch that is called with an event of its own and a body."""
    return each(context, items, lambda item: branch(with_body(event, item), item))


def each_of_events(context: Any, events: Iterable[Any], branch: EventBranch) -> Any:
    """As `each`, for items that are events."""
    return each(context, events, lambda event: branch(event, event.body))


def with_body(event: Any, body: Any) -> Any:
    """A shallow copy of an event, with another body."""
    twin = copy.copy(event)
    twin.body = body
    return twin


def twins(body: Any, branches: tuple[Any, ...]) -> list[Any]:
    """A body for each branch: itself, and deep copies."""
    return [body, *(_copied(body, {}) for _ in branches[1:])]


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    """What `copy.deepcopy` gives, in half the time for what JSON can hold."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    if id(value) in memo:
        return memo[id(value)]
    if kind is dict:
        fields: dict[Any, Any] = {}
        memo[id(value)] = fields
        for key, item in value.items():
            key = key if type(key) is str else _copied(key, memo)
            fields[key] = item if type(item) in _ATOMS else _copied(item, memo)
        return fields
    if kind is list:
        items: list[Any] = []
        memo[id(value)] = items
        for item in value:
            items.append(item if type(item) in _ATOMS else _copied(item, memo))
        return items
    return copy.deepcopy(value, memo)


def copy_event(event: Any, body: Any) -> Any:
    """A copy of an event with a deep copy of a body and of all that steps put there.

    The trigger is shared, and so is an exception kept as `error`: many cannot be copied.
    """
    twin = copy.copy(event)
    memo: dict[int, Any] = {}
    for name in ("trigger", "error"):
        shared = getattr(event, name, None)
        memo[id(shared)] = shared
    for name, value in vars(event).items():
        setattr(twin, name, _copied(value, memo))
    twin.body = _copied(body, memo)
    return twin


class Failed:
    """The outcome of a branch that raised."""

    def __init__(self, exc: Exception) -> None:
        self.exc = exc


def first(context: Any, outcomes: list[Any]) -> Any:
    """The first outcome that counts; failures after it are logged."""
    counting = [outcome for outcome in outcomes if outcome is not DROPPED]
    for late in counting[1:]:
        if isinstance(late, Failed):
            log_failure(context, late.exc)
    if not counting:
        return DROPPED
    if isinstance(counting[0], Failed):
        raise counting[0].exc
    return counting[0]


def joined(context: Any, outcomes: list[Any]) -> Any:
    """All outcomes as one list; the first failure is raised, later ones are logged."""
    failed = [outcome.exc for outcome in outcomes if isinstance(outcome, Failed)]
    for exc in failed[1:]:
        log_failure(context, exc)
    if failed:
        raise failed[0]
    if any(outcome is DROPPED for outcome in outcomes):
        return DROPPED
    return outcomes


def _outcome(branch: Callable[..., Any], *args: Any) -> Any:
    try:
        return branch(*args)
    except Exception as exc:  # noqa: BLE001
        return Failed(exc)
