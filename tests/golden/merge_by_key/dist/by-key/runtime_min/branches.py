"""Fan-out: one body, several branches (mlrun 1.12, storey's `Flow._do_downstream`).

The first branch gets the body itself, every later one a deep copy made before any of
them runs. All run, in order, each to its end. A branch is a function that returns its
answer, or DROPPED when it has none to give.
"""

from __future__ import annotations

import copy
from typing import Any, Callable

from .nuclio import DROPPED, log_failure

Branch = Callable[[Any], Any]
EventBranch = Callable[[Any, Any], Any]


def fan_out(context: Any, body: Any, *branches: Branch) -> Any:
    """The first answer of a branch, which may be that it failed; DROPPED without any."""
    bodies = [body, *(copy.deepcopy(body) for _ in branches[1:])]
    outcomes = [_outcome(branch, twin) for branch, twin in zip(branches, bodies)]
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
    bodies = [body, *(copy.deepcopy(body) for _ in branches[1:])]
    outcomes = [_outcome(branch, twin) for branch, twin in zip(branches, bodies)]
    return joined(context, outcomes)


def copy_event(event: Any, body: Any) -> Any:
    """A copy of an event with a deep copy of a body and of all that steps put there.

    The trigger is shared, and so is an exception kept as `error`: many cannot be copied.
    """
    twin = copy.copy(event)
    memo: dict[int, Any] = {}
    for name in ("trigger", "error"):
        shared = getattr(event, name, None)
        memo[id(shared)] = shared
    twin.__dict__.update(copy.deepcopy({**vars(event), "body": body}, memo))
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
