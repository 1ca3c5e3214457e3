"""Fan-out where ways part inside of branches: as `branches`, in the order of storey's tasks.

The first branch runs at once, the others when it has ended, in order. Where branches part
again, the first of these runs at once as well, and the others behind all that wait. So
`S -> (A, B)` with `A -> (A1, A2)` is S, A, A1, B, A2.
"""

from __future__ import annotations

from collections import deque
from contextvars import ContextVar
from functools import partial
from typing import Any, Callable

from .branches import Branch, Calls, EventBranch, calls_with_events, first, twins
from .nuclio import DROPPED

Waiting = deque[tuple[Callable[..., Any], Any]]

#: Branches of the event at hand that are still to run; None outside of branches.
_waiting: ContextVar[Waiting | None] = ContextVar("waiting", default=None)


def fan_out(context: Any, body: Any, *branches: Branch, copies: bool = True) -> Any:
    """The first answer of a branch, which may be that it failed; DROPPED without any."""
    return _part(context, zip(branches, twins(body, len(branches), copies)))


def fan_out_shared(
    context: Any, event: Any, body: Any, *branches: EventBranch, copies: bool = True
) -> Any:
    """As `fan_out`, for branches that read the event and leave it as it is."""
    calls = [partial(branch, event) for branch in branches]
    return _part(context, zip(calls, twins(body, len(branches), copies)))


def fan_out_events(context: Any, event: Any, body: Any, *branches: EventBranch) -> Any:
    """As `fan_out`, for branches that are called with an event and a body."""
    return _part(context, calls_with_events(event, body, branches))


def _part(context: Any, calls: Calls) -> Any:
    """The first outcome that counts; inside a branch that of the first."""
    waiting = _waiting.get()
    if waiting is None:
        waiting = deque(calls)
        token = _waiting.set(waiting)
        try:
            return first(context, _in_line(waiting))
        finally:
            _waiting.reset(token)
    ahead = list(calls)
    waiting.extend(ahead[1:])
    for branch, body in ahead[:1]:  # none, where a step chose none
        return branch(body)
    return DROPPED


def _in_line(waiting: Waiting) -> Calls:
    """All that waits, and what comes to wait meanwhile."""
    while waiting:
        yield waiting.popleft()
