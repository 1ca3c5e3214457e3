"""Failures become records of the error stream (spec/serving.md 7.5), where a function has one.

Before:  a: :f(body) -> body; b: :g(body) -> return
After:   try tracking (a: :f(body) -> body; b: :g(body) -> return)
         catch (record (tracked) and raise)

Asynchronous flows record a failure that no step takes, at the step where it happens; synchronous
flows one that a step does take. What the caller is told of is recorded by the handler.
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
    DropIfFiltered,
    Each,
    Extend,
    Instruction,
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


def record(plan: Plan) -> Plan:
    """The plan with records of failures; as it was if the function has no error stream."""
    flow = plan.function.root
    if plan.function.serving.error_stream is None or isinstance(flow, ir.Router):
        return plan
    block = _taken if flow.engine == "sync" else _not_taken
    return replace(plan, methods=tuple(_method(method, block) for method in plan.methods))


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
        case Arrive():
            return "event"
    return None


def _step(item: Instruction) -> str:
    assert isinstance(item, (Call, Keep, Extend, Choose, DropIfFiltered, Items, Arrive, Push, Send))
    return item.step


def _names(block: Sequence[Instruction]) -> set[str]:
    """The steps of a block that may fail; of a queue the sending."""
    return {
        _step(item) for item in block if _takes(item) is not None or isinstance(item, (Push, Send))
    }


def _kinds(block: Sequence[Instruction]) -> Iterator[Value]:
    """What the steps of a block get, those of its inner blocks included."""
    for item in block:
        if isinstance(item, Try):
            yield from _kinds(item.body)
        elif (takes := _takes(item)) is not None:
            yield takes


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
    first = Record(name, {*_kinds(item.body)} == {"body"}, taken=True, whole_graph=whole)
    return replace(
        item,
        body=tuple(_taken(item.body, tracks)),
        catch=(first, *_taken(item.catch)),
        tracks=tracks,
    )
