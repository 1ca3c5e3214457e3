"""Several ways for one event (mlrun 1.12, storey's `Flow._do_downstream`, `FlatMap`).

The first branch gets the body itself, every later one a deep copy made before any of
them runs; with `copies=False` all get the body itself, as nobody could tell. A branch is
a function that returns its answer, or DROPPED when it has none to give. Branches run in
order; where ways part inside of branches, `nested_branches` has the order.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any, Callable

from .nuclio import DROPPED, log_failure

#: What is its own copy.
_ATOMS = frozenset([str, bytes, int, float, bool, datetime, type(None)])

Branch = Callable[[Any], Any]
EventBranch = Callable[[Any, Any], Any]
#: Branches, and the arguments that each of them is called with.
Calls = Iterable[tuple[Callable[..., Any], tuple[Any, ...]]]


def fan_out(context: Any, body: Any, *branches: Branch, copies: bool = True) -> Any:
    """The first answer of a branch, which may be that it failed; DROPPED without any."""
    if len(branches) == 1:  # a step chose one
        return branches[0](body)
    return first(context, zip(branches, zip(twins(body, len(branches), copies))))


def fan_out_shared(
    context: Any, event: Any, body: Any, *branches: EventBranch, copies: bool = True
) -> Any:
    """As `fan_out`, for branches that read the event and leave it as it is."""
    if len(branches) == 1:
        return branches[0](event, body)
    bodies = twins(body, len(branches), copies)
    return first(context, zip(branches, zip(repeat(event), bodies)))


def fan_out_events(context: Any, event: Any, body: Any, *branches: EventBranch) -> Any:
    """As `fan_out`, for branches that are called with an event and a body."""
    return first(context, calls_with_events(event, body, branches))


def gather(context: Any, body: Any, *branches: Branch, copies: bool = True) -> Any:
    """The answers of all branches, in order; DROPPED if one of them has none.

    If branches failed the first failure is raised, after all of them ran.
    """
    bodies = twins(body, len(branches), copies)
    answers: list[Any] = []
    dropped = False
    failure = None
    left = iter(branches)
    try:
        for branch in left:
            answer = branch(bodies.pop(0))
            dropped = dropped or answer is DROPPED
            answers.append(answer)
    except Exception as exc:  # noqa: BLE001
        failure = exc
    if failure is None:
        return DROPPED if dropped else answers
    for branch in left:
        try:
            branch(bodies.pop(0))
        except Exception as exc:  # noqa: BLE001
            log_failure(context, exc)
    raise failure


def each(context: Any, items: Iterable[Any], branch: Branch | None = None) -> Any:
    """The first answer for an item, which may be that it failed; DROPPED without any.

    Every item goes its way, whatever became of those before it. Without a branch the
    items themselves are the answers.
    """
    return first(context, zip(repeat(branch or _itself), zip(items)))


def each_shared(
    context: Any, event: Any, items: Iterable[Any], branch: EventBranch
) -> Any:
    """As `each`, for a branch that reads the event and leaves it as it is."""
    return first(context, zip(repeat(branch), zip(repeat(event), items)))


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


def twins(body: Any, number: int, copies: bool = True) -> list[Any]:
    """A body for each of so many branches: itself, and deep copies."""
    if not copies or type(body) in _ATOMS:
        return [body] * number
    bodies = [body]
    while len(bodies) < number:
        bodies.append(_copied(body, {}))
    return bodies


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    """What `copy.deepcopy` gives, in a quarter of the time for what JSON can hold.

    The value is none of the `_ATOMS`.
    """
    key = id(value)
    if key in memo:
        return memo[key]
    kind = type(value)
    if kind is dict:
        twin = memo[key] = value.copy()  # Keys stay as they are: they cannot change.
        for name, item in value.items():
            if type(item) not in _ATOMS:
                twin[name] = _copied(item, memo)
        return twin
    if kind is not list:
        return copy.deepcopy(value, memo)
    if _ATOMS.issuperset(map(type, value)):
        flat = memo[key] = value.copy()
        return flat
    items = memo[key] = []
    for item in value:
        items.append(item if type(item) in _ATOMS else _copied(item, memo))
    return items


def calls_with_events(event: Any, body: Any, branches: Sequence[EventBranch]) -> Calls:
    """Branches that each get an event of its own, with its body."""
    event.body = body
    events = [event, *(copy_event(event, body) for _ in branches[1:])]
    return zip(branches, zip(events, [twin.body for twin in events]))


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
        if type(value) not in _ATOMS:
            setattr(twin, name, _copied(value, memo))
    if type(body) not in _ATOMS:
        twin.body = _copied(body, memo)
    return twin


class Failed:
    """The outcome of a branch that raised."""

    def __init__(self, exc: Exception) -> None:
        self.exc = exc


def first(context: Any, calls: Calls) -> Any:
    """The first outcome that counts; failures after it are logged.

    Getting the next branch and its arguments may fail, too.
    """
    answer: Any = DROPPED
    try:
        for branch, arguments in calls:
            try:
                outcome = branch(*arguments)
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
