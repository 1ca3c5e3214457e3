"""What every plan keeps; run on each one that tests build, so that a bad pass fails close by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphc.plan import (
    Arrive,
    Call,
    Caught,
    CopyEvent,
    Each,
    FanOut,
    Finish,
    FromStream,
    Gather,
    Goto,
    Instruction,
    Invoke,
    MakeRouter,
    Member,
    Method,
    Own,
    Plan,
    ReadBody,
    Record,
    ReturnBody,
    Send,
    Try,
    Unwrap,
    WriteBody,
)


def check_plan(plan: Plan) -> None:
    """Raises AssertionError for a plan that codegen could not print into working code."""
    methods = {method.name: method for method in plan.methods}
    assert len(methods) == len(plan.methods), "two methods of one name"
    attributes = [making.attribute for making in plan.makes]
    assert len({*attributes, *methods}) == len(attributes) + len(methods), "a name given twice"
    routers = {making.attribute for making in plan.makes if isinstance(making, MakeRouter)}
    for method in plan.methods:
        for item in _all(method.instructions):
            _targets(item, methods, {*attributes, "context"}, routers)
            assert method.is_async or not _awaits(item, methods), f"{method.name} must be async"
            assert "event" in method.takes or not _needs_event(item), f"{method.name} has no event"
        _ends(method.instructions, method)


def _all(block: Iterable[Instruction]) -> Iterator[Instruction]:
    for item in block:
        yield item
        if isinstance(item, FromStream):
            yield from _all(item.block)
        if isinstance(item, Try):
            yield from _all(item.body)
            yield from _all(item.catch)


def _targets(
    item: Instruction, methods: dict[str, Method], attributes: set[str], routers: set[str]
) -> None:
    names: list[str] = []
    match item:
        case Goto(method=method):
            names = [method]
            assert ("event" in methods[method].takes) == (item.takes == "event")
        case FanOut(branches=branches):
            names = list(branches)
            for name in branches:
                assert ("event" in methods[name].takes) == (item.takes == "event")
        case Gather(branches=callees):
            names = [callee.method for callee in callees if isinstance(callee, Own)]
            for name in names:
                assert methods[name].takes == ("body",), f"{name} is given the body alone"
    assert set(names) <= set(methods), f"{names} are not all there"
    invoke = getattr(item, "invoke", None)
    if isinstance(invoke, Invoke):
        if isinstance(invoke.callee, Member):
            assert invoke.callee.attribute in attributes
        elif isinstance(invoke.callee, Own):
            assert invoke.callee.method in routers | set(methods)


def _awaits(item: Instruction, methods: dict[str, Method]) -> bool:
    invoke = getattr(item, "invoke", None)
    if isinstance(item, Goto):
        assert item.awaits == methods[item.method].is_async
    return bool(getattr(item, "awaits", False) or (invoke and invoke.awaits))


def _needs_event(item: Instruction) -> bool:
    invoke = getattr(item, "invoke", None)
    return (
        bool(invoke and invoke.takes == "event")
        or isinstance(item, (Arrive, Caught, CopyEvent, ReadBody, Record, Unwrap, WriteBody))
        or (isinstance(item, Call) and item.then in ("both", "event"))
        or (isinstance(item, (Goto, FanOut)) and item.takes == "event")
    )


def _ends(block: tuple[Instruction, ...], method: Method) -> None:
    """A method that answers does so on every way; nothing stands behind an end."""
    if not method.returns:
        return
    *before, last = block
    assert not any(_is_end(item) for item in before), f"{method.name} goes on behind its end"
    if isinstance(last, Try):
        _ends(last.body, method)
        _ends(last.catch, method)
    else:
        assert _is_end(last), f"{method.name} ends without an answer"


def _is_end(item: Instruction) -> bool:
    match item:
        case Call(then=then) | Gather(then=then):
            return then == "return"
        case Goto() | FanOut() | Finish() | ReturnBody() | Send() | Each(returns=True):
            return True
        case Record(taken=taken):  # raised again, unless a step takes it
            return not taken
    return False
