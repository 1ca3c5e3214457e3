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
from functools import partial
from itertools import repeat
from typing import Any, Callable

from .nuclio import DROPPED, log_failure

#: What is its own copy.
_ATOMS = frozenset([str, bytes, int, float, bool, datetime, type(None)])

Branch = Callable[[Any], Any]
EventBranch = Callable[[Any, Any], Any]
#: Branches, and the body that each of them is called with.
Calls = Iterable[tuple[Callable[..., Any], Any]]


def fan_out(context: Any, body: Any, *branches: Branch, copies: bool = True) -> Any:
    """The first answer of a branch, which may be that it failed; DROPPED without any."""
    if len(branches) == 1:  # a step chose one
        return branches[0](body)
    return first(context, zip(branches, twins(body, len(branches), copies)))


def fan_out_shared(
    context: Any, event: Any, body: Any, *branches: EventBranch, copies: bool = True
) -> Any:
    """As `fan_out`, for branches that read the event and leave it as it is."""
    if len(branches) == 1:
        return branches[0](event, body)
    return first(context, zip(branches, twins(body, len(branches), copies)), event)


def fan_out_events(context: Any, event: Any, body: Any, *branches: EventBranch) -> Any:
    """As `fan_out`, for branches that are called with an event and a body."""
    return first(context, calls_with_events(event, body, branches))


def gather(context: Any, body: Any, *branches: Branch, copies: bool = True) -> Any:
    """The answers of all branches, in order; DROPPED if one of them has none.

    If branches failed the first failure is raised, after all of them ran.
    """
    # Bodies, which one after the other give way to answers.
    answers = twins(body, len(branches), copies)
    dropped = False
    failure = None
    for number, branch in enumerate(branches):
        try:
            answer = answers[number] = branch(answers[number])
        except Exception as exc:  # noqa: BLE001
            if failure is None:
                failure = exc
            else:
                log_failure(context, exc)
        else:
            if answer is DROPPED:
                dropped = True
    if failure is not None:
        raise failure
    return DROPPED if dropped else answers


def each(context: Any, items: Iterable[Any], branch: Branch | None = None) -> Any:
    """The first answer for an item, which may be that it failed; DROPPED without any.

    Every item goes its way, whatever became of those before it. Without a branch the
    items themselves are the answers.
    """
    return first(context, zip(repeat(branch or _itself), items))


def each_shared(
    context: Any, event: Any, items: Iterable[Any], branch: EventBranch
) -> Any:
    """As `each`, for a branch that reads the event and leaves it as it is."""
    return first(context, zip(repeat(branch), items), event)


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
    return [(partial(branch, own), own.body) for branch, own in zip(branches, events)]


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


def first(context: Any, calls: Calls, event: Any = None) -> Any:
    """The first outcome that counts; failures after it are logged.

    With an event branches are called with that, too. Getting the next branch and its body
    may fail as well.
    """
    answer: Any = DROPPED
    failure = None
    try:
        for branch, body in calls:
            try:
                outcome = branch(body) if event is None else branch(event, body)
            except Exception as exc:  # noqa: BLE001
                if answer is DROPPED:
                    answer = failure = exc
                else:
                    log_failure(context, exc)
            else:
                if answer is DROPPED:
                    answer = outcome
    except Exception as exc:
        if answer is DROPPED:
            raise
        log_failure(context, exc)
    if failure is not None:
        raise failure
    return answer


def _itself(item: Any) -> Any:
    return item
