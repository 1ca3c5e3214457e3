"""Several ways for one event (mlrun 1.12, storey's `Flow._do_downstream`, `FlatMap`).

The first branch gets the body itself, every later one a deep copy made before any of
them runs; with `copies=False` all get the body itself, as nobody could tell. A branch is
a function that returns its answer, or DROPPED when it has none to give.

The first branch runs at once, the others when it has ended, in order. Where branches part
again, the first of these runs at once as well, and the others behind all that wait: as
storey's tasks do. So `S -> (A, B)` with `A -> (A1, A2)` is S, A, A1, B, A2.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from itertools import repeat
from typing import Any, Callable

from .nuclio import DROPPED, log_failure

#: What is its own copy.
_ATOMS = frozenset([str, bytes, int, float, bool, datetime, type(None)])

Branch = Callable[[Any], Any]
Calls = Iterable[tuple[Branch, Any]]
Waiting = deque[tuple[Branch, Any]]

#: Branches of the event at hand that are still to run; None outside of branches.
_waiting: ContextVar[Waiting | None] = ContextVar("waiting", default=None)
EventBranch = Callable[[Any, Any], Any]


def fan_out(context: Any, body: Any, *branches: Branch, copies: bool = True) -> Any:
    """The first answer of a branch, which may be that it failed; DROPPED without any."""
    return _part(context, zip(branches, twins(body, branches, copies)))


def fan_out_shared(
    context: Any, event: Any, body: Any, *branches: EventBranch, copies: bool = True
) -> Any:
    """As `fan_out`, for branches that read the event and leave it as it is."""
    ready = [partial(branch, event) for branch in branches]
    return _part(context, zip(ready, twins(body, branches, copies)))


def fan_out_events(context: Any, event: Any, body: Any, *branches: EventBranch) -> Any:
    """As `fan_out`, for branches that are called with an event and a body."""
    event.body = body
    events = [event, *(copy_event(event, body) for _ in branches[1:])]
    ready = map(partial, branches, events)
    return _part(context, zip(ready, [twin.body for twin in events]))


def gather(context: Any, body: Any, *branches: Branch, copies: bool = True) -> Any:
    """The answers of all branches, in order; DROPPED if one of them has none.

    If branches failed the first failure is raised, after all of them ran.
    """
    answers: list[Any] = []
    failures: list[Exception] = []
    dropped = False
    for branch, twin in zip(branches, twins(body, branches, copies)):
        try:
            answer = branch(twin)
        except Exception as exc:  # noqa: BLE001
            failures.append(exc)
        else:
            answers.append(answer)
            dropped = dropped or answer is DROPPED
    raise_first(context, failures)
    return DROPPED if dropped else answers


def each(context: Any, items: Iterable[Any], branch: Branch | None = None) -> Any:
    """The first answer for an item, which may be that it failed; DROPPED without any.

    Every item goes its way, whatever became of those before it. Without a branch the
    items themselves are the answers.
    """
    return _first(context, zip(repeat(branch or _itself), items))


def each_shared(
    context: Any, event: Any, items: Iterable[Any], branch: EventBranch
) -> Any:
    """As `each`, for a branch that reads the event and leaves it as it is."""
    return _first(context, zip(repeat(partial(branch, event)), items))


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


def twins(body: Any, branches: tuple[Any, ...], copies: bool = True) -> list[Any]:
    """A body for each branch: itself, and deep copies."""
    if not copies:
        return [body] * len(branches)
    return [body, *(_copied(body, {}) for _ in branches[1:])]


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    """What `copy.deepcopy` gives, in a third of the time for what JSON can hold."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    if kind is not dict and kind is not list:
        return copy.deepcopy(value, memo)
    known = memo.get(id(value))
    if known is not None:
        return known
    twin = memo[id(value)] = value.copy()
    # Keys stay as they are: they cannot change.
    for key, item in value.items() if kind is dict else enumerate(value):
        if type(item) not in _ATOMS:
            twin[key] = _copied(item, memo)
    return twin


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


def raise_first(context: Any, failures: list[Exception]) -> None:
    """Raises the first failure, if there is one; the others are logged."""
    for late in failures[1:]:
        log_failure(context, late)
    if failures:
        raise failures[0]


def _part(context: Any, calls: Calls) -> Any:
    """Where ways part: the first outcome that counts; inside a branch that of the first."""
    waiting = _waiting.get()
    if waiting is None:
        waiting = deque(calls)
        token = _waiting.set(waiting)
        try:
            return _first(context, _in_line(waiting))
        finally:
            _waiting.reset(token)
    ahead = list(calls)
    waiting.extend(ahead[1:])
    for branch, body in ahead[:1]:  # none, where a step chose none
        return branch(body)
    return DROPPED


def _in_line(waiting: Waiting) -> Iterator[tuple[Branch, Any]]:
    """All that waits, and what comes to wait meanwhile."""
    while waiting:
        yield waiting.popleft()


def _first(context: Any, calls: Calls) -> Any:
    """The first outcome that counts; failures after it are logged.

    Getting the next branch and body may fail, too.
    """
    answer: Any = DROPPED
    try:
        for branch, body in calls:
            try:
                outcome = branch(body)
            except Exception as exc:  # noqa: BLE001
                outcome = Failed(exc)
                if answer is not DROPPED:
                    log_failure(context, exc)
            if answer is DROPPED:
                answer = outcome
    except Exception as exc:
        if answer is DROPPED:
            raise
        log_failure(context, exc)
    if isinstance(answer, Failed):
        raise answer.exc
    return answer


def _itself(item: Any) -> Any:
    return item
