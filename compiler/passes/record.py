"""Failures become records of the error stream (spec/serving.md 7.5), where a function has one.

Before:  a: :f(body) -> body; b: :g(body) -> return
After:   try tracking (a: :f(body) -> body; b: :g(body) -> return)
         catch (record (tracked) and raise)

Asynchronous flows record a failure that no step takes, at the step where it happens; synchronous
flows one that a step does take. What the caller is told of is recorded by the handler: in
synchronous flows with the body that the failed step got, in asynchronous ones with that of the
event as it was in front of the first body step or catcher. These go on with copies in MLRun.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from .. import ir
from ..plan import (
    Arrive,
    Call,
    Caught,
    Choose,
    CopyEvent,
    DropIfFiltered,
    Each,
    Extend,
    FanOut,
    FromStream,
    Goto,
    Instruction,
    Invoke,
    Items,
    Keep,
    Method,
    Plan,
    Push,
    PushEach,
    Record,
    Send,
    Try,
    Value,
)

#: What has the name of a step.
_OF_STEPS = (Arrive, Call, Choose, DropIfFiltered, Each, Extend, Items, Keep, Push, Send)


def record(plan: Plan) -> Plan:
    """The plan with records of failures; as it was if the function has no error stream."""
    flow = plan.function.root
    if plan.function.serving.error_stream is None or isinstance(flow, ir.Router):
        return plan
    if flow.engine == "sync":
        return replace(plan, methods=tuple(_method(method, _taken) for method in plan.methods))
    methods = tuple(_method(method, _not_taken) for method in plan.methods)
    return replace(plan, methods=_AsToldOf(methods).methods() if plan.responds else methods)


def _method(method: Method, block: object) -> Method:
    assert callable(block)
    return replace(method, instructions=tuple(block(method.instructions)))


# -- asynchronous flows


def _not_taken(block: Sequence[Instruction]) -> list[Instruction]:
    """Neighbouring steps of one kind in a `try` of their own, unless they have a catcher."""
    made: list[Instruction] = []
    run: list[Instruction] = []
    kind: Value | None = None

    def flush() -> None:
        if run:
            made.append(_recorded(run, kind))
            run.clear()

    for item in _with_items(block):
        if isinstance(item, DropIfFiltered) and run:
            run.append(item)
            continue
        takes = _takes(item)
        if takes is None:
            flush()
            made.append(_with_catcher(item) if isinstance(item, Try) else item)
            continue
        if takes != kind:
            flush()
        kind = takes
        run.append(item)
    flush()
    return made


def _with_items(block: Sequence[Instruction]) -> Iterator[Instruction]:
    """The block; what several events are made of is an instruction of its own, as it may fail."""
    for item in block:
        if isinstance(item, Each) and item.ends:
            yield item  # a step like others
            continue
        if isinstance(item, (Each, PushEach)) and item.invoke is not None:
            yield Items(item.step, item.invoke)
            item = replace(item, invoke=None)
        yield item


def _recorded(run: Sequence[Instruction], kind: Value | None) -> Try:
    several = len({_step(item) for item in run}) > 1
    name = None if several else _step(run[0])
    return Try(tuple(run), (Record(name, kind == "body"),), tracks=several)


def _with_catcher(item: Try) -> Try:
    """Steps with a catcher: MLRun takes the failure of that for one of the failed step."""
    names = _names(item.body)
    first = next((i for i, found in enumerate(item.catch) if _takes(found) is not None), None)
    if first is None or any(isinstance(found, Try) for found in item.catch[:first]):
        return replace(item, catch=tuple(_not_taken(item.catch)))
    catcher = _step(item.catch[first])
    end = first
    while end < len(item.catch) and _is_of(item.catch[end], catcher):
        end += 1
    tracks = item.tracks or len(names) > 1
    record = Record(None if tracks else next(iter(names)), _takes(item.catch[first]) == "body")
    inner = Try(item.catch[first:end], (record,))
    catch = (*item.catch[:first], inner, *_not_taken(item.catch[end:]))
    return replace(item, catch=catch, tracks=tracks)


def _is_of(item: Instruction, step: str) -> bool:
    return (isinstance(item, DropIfFiltered) or _takes(item) is not None) and _step(item) == step


def _takes(item: Instruction) -> Value | None:
    """What a step gets; None for what is no step's doing."""
    match item:
        case (
            Call(invoke=invoke)
            | Keep(invoke=invoke)
            | Extend(invoke=invoke)
            | Choose(invoke=invoke)
            | Items(invoke=invoke)
        ):
            return invoke.takes
        case Each(invoke=Invoke(takes=takes), ends=True):
            return takes
        case Arrive():
            return "event"
    return None


def _step(item: Instruction) -> str:
    assert isinstance(item, _OF_STEPS)
    return item.step


def _names(block: Sequence[Instruction]) -> set[str]:
    """The steps of a block that may fail; of a queue the sending."""
    return {
        _step(item) for item in block if _takes(item) is not None or isinstance(item, (Push, Send))
    }


def _kinds(block: Sequence[Instruction]) -> Iterator[Value]:
    """What the steps of a block get, those of its inner blocks and catchers included."""
    for item in block:
        if isinstance(item, Try):
            yield from _kinds((*item.body, *item.catch))
        elif (takes := _takes(item)) is not None:
            yield takes


class _AsToldOf:
    """Copies of events where MLRun makes them, if a step behind that changes the event."""

    def __init__(self, methods: Sequence[Method]) -> None:
        self._before = {method.name: method for method in methods}
        self._after = dict(self._before)
        #: What a step may choose from.
        self._chosen = [method.name for method in methods[1:]]

    def methods(self) -> tuple[Method, ...]:
        todo, seen = ["run"], {"run"}
        for name in todo:
            block, goes_to = self._block(self._before[name].instructions)
            self._after[name] = replace(self._before[name], instructions=tuple(block))
            todo += [name for name in goes_to if name not in seen]
            seen.update(goes_to)
        return tuple(self._after.values())

    def _block(self, block: Sequence[Instruction]) -> tuple[list[Instruction], list[str]]:
        """The block, and the methods that get the event from it that the handler has."""
        made: list[Instruction] = []
        goes_to: list[str] = []
        for position, item in enumerate(block):
            if _copies(item):
                rest = block[position:]
                copy = [CopyEvent()] if self._takes_event(rest) else []
                return [*made, *copy, *rest], goes_to
            match item:
                case Try(body=inner, catch=catch):
                    copied, inside = self._block(inner)
                    goes_to += inside
                    copy = [CopyEvent()] if self._takes_event(catch) else []
                    item = replace(item, body=tuple(copied), catch=(*copy, *catch))
                case FromStream(block=inner):
                    copied, inside = self._block(inner)
                    goes_to += inside
                    item = replace(item, block=tuple(copied))
                case Goto(method=method):
                    goes_to.append(method)
                case FanOut(branches=branches):
                    goes_to += branches[:1] or self._chosen
            made.append(item)
        return made, goes_to

    def _takes_event(self, block: Sequence[Instruction]) -> bool:
        """Does a step of the block get the event, or one of the methods that it leads to?"""
        todo, seen = [block], set[str]()
        for block in todo:
            if "event" in _kinds(block):
                return True
            names = [name for found in _goes_to(block) for name in found or self._chosen]
            todo += [self._before[name].instructions for name in names if name not in seen]
            seen.update(names)
        return False


def _copies(item: Instruction) -> bool:
    """Does MLRun go on with a copy of the event, which has the step's result?"""
    if isinstance(item, Try):
        return any(_copies(inner) for inner in item.body)
    return isinstance(item, Call) and item.invoke.takes == "body" and item.then != "both"


def _goes_to(block: Sequence[Instruction]) -> Iterator[Sequence[str]]:
    """The methods that a block leads to, none where a step chooses."""
    for item in block:
        match item:
            case Try(body=body, catch=catch):
                yield from _goes_to((*body, *catch))
            case FromStream(block=inner):
                yield from _goes_to(inner)
            case Goto(method=method):
                yield [method]
            case FanOut(branches=branches):
                yield branches
            case Each(method=str(method)):
                yield [method]


# -- synchronous flows


def _taken(block: Sequence[Instruction], inside: bool = False) -> list[Instruction]:
    """A record before each catcher; that of the whole graph names the failed step."""
    return [_with_record(item, inside) if isinstance(item, Try) else item for item in block]


def _with_record(item: Try, inside: bool) -> Try:
    """The `try` with a record first in its `catch`; `inside` another one that names the step."""
    caught = next((found for found in item.catch if isinstance(found, Caught)), None)
    whole = item.whole_graph
    name = None if caught is None or caught.step == "" else caught.step
    names = _names(item.body)
    if name is None and len(names) == 1 and not whole:
        (name,) = names
    tracks = item.tracks or whole or inside or name is None
    first = Record(name, body=False, taken=True, whole_graph=whole)
    return replace(
        item,
        body=tuple(_taken(item.body, tracks)),
        catch=(first, *_taken(item.catch)),
        tracks=tracks,
    )
