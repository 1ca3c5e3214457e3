"""ConcurrentExecution and SendToHttp: how they are made (spec/stream-steps.md 2.12, 2.13)."""

from __future__ import annotations

from typing import Any

from .. import ir
from ..diagnostics import did_you_mean
from ..plan import CONTEXT, Make, Ours
from .outgoing import WORKER, Report, checked

CONCURRENT = "storey.ConcurrentExecution"
SEND = "storey.SendToHttp"
CONCURRENT_STEPS = frozenset((CONCURRENT, SEND))

#: Mechanisms of a ConcurrentExecution, and where each runs the function; None: on the event loop.
_EXECUTORS = {
    "asyncio": None,
    "naive": None,
    "shared_executor": None,  # there is none to share: storey, too, takes it for asyncio
    "thread_pool": "thread_pool",
    "threading": "thread_pool",
    "process_pool": "process_pool",
    "multiprocessing": "process_pool",
    "dedicated_process": "dedicated_process",
}


def concurrent_make(step: ir.Task | ir.Route, name: str, report: Report) -> Make:
    """How a ConcurrentExecution is made."""
    functions, args = _functions(step, ("event_processor",), "ConcurrentExecution", report)
    executor = _executor(args.pop("concurrency_mechanism", None), report)
    passes_context = bool(args.pop("pass_context", None))
    if executor in ("process_pool", "dedicated_process"):
        for what, there in (
            ("an event", bool(step.full_event)),
            ("the context", passes_context),
            ("an expression", any(isinstance(function, ir.Inline) for function in functions)),
        ):
            if there:
                message = f"{what} cannot be handed to another process"
                report("GC017", message, 'use concurrency_mechanism="thread_pool"')
    for path in ("input_path", "result_path"):
        if getattr(step, path) is not None:
            message = f"{path} of a ConcurrentExecution has no effect, as in MLRun"
            report("GC032", message, "")
    given: dict[str, Any] = {"executor": executor} if executor else {}
    given |= {"pass_context": True} if passes_context else {}
    given |= checked(tuple(args.items()), "ConcurrentExecution", WORKER, report)
    made = Ours("concurrent", "ConcurrentExecution")
    return Make(made, (CONTEXT, name, *functions), tuple(given.items()))


def _executor(mechanism: Any, report: Report) -> str | None:
    known = mechanism is None or (isinstance(mechanism, str) and mechanism in _EXECUTORS)
    if not known:
        hint = did_you_mean(mechanism, _EXECUTORS) if isinstance(mechanism, str) else ""
        hint = hint or f"use one of {', '.join(_EXECUTORS)}"
        report("GC017", f"there is no concurrency_mechanism {mechanism!r}", hint)
    return _EXECUTORS[mechanism] if known and mechanism is not None else None


def send_make(step: ir.Task | ir.Route, name: str, report: Report) -> Make:
    """How a SendToHttp is made."""
    wanted = ("request_builder", "join_from_response")
    functions, args = _functions(step, wanted, "SendToHttp", report)
    if step.input_path is not None:
        report("GC032", "input_path of a SendToHttp has no effect, as in MLRun", "")
    given: dict[str, Any] = {"full_event": True} if step.full_event else {}
    given |= checked(tuple(args.items()), "SendToHttp", WORKER, report)
    given |= {} if step.result_path is None else {"result_path": step.result_path}
    made = Ours("send_to_http", "SendToHttp")
    return Make(made, (CONTEXT, name, *functions), tuple(given.items()))


def _functions(
    step: ir.Task | ir.Route, wanted: tuple[str, ...], cls: str, report: Report
) -> tuple[list[ir.Target], dict[str, Any]]:
    """The functions that the step is given, and its other arguments."""
    args = {key.removeprefix("_"): value for key, value in step.args}
    found = []
    for name in wanted:
        function = args.pop(name, None)
        if isinstance(function, ir.Target):
            found.append(function)
        else:
            report("GC017", f"{cls} needs {name}=", f"pass _{name}= with the name of a function")
    return found, args
