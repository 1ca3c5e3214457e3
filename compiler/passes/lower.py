"""From the graph to plans: what happens to an event, in order, as instructions.

Before:  task a: :f  /  task b: :g after=a responds
After:   unwrap; a: :f(body) -> body; b: :g(body) -> return

A step that one other leads to stands behind it; where ways part or meet, each goes on in a method
of its own. Failures are caught by one `try` around neighbouring steps with the same catcher.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from .. import ir
from ..identifiers import Names
from ..plan import (
    Arrive,
    Call,
    Callee,
    Caught,
    Choose,
    DropIfFiltered,
    Each,
    Extend,
    FanOut,
    Finish,
    FromStream,
    Gather,
    Goto,
    Instruction,
    Invoke,
    Items,
    Keep,
    Member,
    Method,
    Ours,
    Own,
    Plan,
    Push,
    PushEach,
    ReadBody,
    ReturnBody,
    Send,
    StopIfTerminated,
    Try,
    Unwrap,
    Value,
    WriteBody,
)
from .facts import Facts, FunctionFacts
from .functions import callee_of
from .picture import picture, summary
from .routers import router_making
from .start import start
from .topology import Topology
from .track import log_stream

#: Where the value is: in the local `body`, in `event.body`, or in both.
State = Literal["body", "event", "both"]


def lower(graph: ir.Graph, facts: Mapping[str, FunctionFacts]) -> tuple[Plan, ...]:
    """The plan of every function."""
    return tuple(
        _router_plan(function, facts[function.name])
        if isinstance(function.root, ir.Router)
        else _FlowLowering(function, function.root, facts[function.name]).plan()
        for function in graph.functions
    )


def _router_plan(function: ir.Function, facts: FunctionFacts) -> Plan:
    assert isinstance(function.root, ir.Router)
    router = function.root
    making = router_making(router, facts, Names(), attribute="router", root=True)
    return Plan(
        function=function,
        summary=summary(function),
        picture=picture(function),
        is_async=False,
        responds=True,
        causes=True,
        makes=(making,),
        keeps_context=function.serving.error_stream is not None,
        environment=_environment(function),
        imports=_imports(facts),
        log_stream=_log_stream(function, facts),
    )


def _imports(facts: FunctionFacts) -> tuple[str, ...]:
    known = [*facts.steps.values(), *facts.routes.values()]
    return tuple(sorted({name for item in known for name in item.imports}))


def _log_stream(function: ir.Function, facts: FunctionFacts) -> Any:
    """Where tracking records go, if any are written."""
    makes = [known.make for known in (*facts.steps.values(), *facts.routes.values())]
    return log_stream(function) if any(make and make.tracked for make in makes) else None


def _environment(function: ir.Function) -> tuple[ir.EnvLookup, ...]:
    """The look-ups among the settings, and the arguments of the steps and their routes."""
    serving = function.serving
    values = [serving.error_stream, *dict(serving.parameters).values()]
    for secrets in serving.secrets:
        values += secrets.source.values() if secrets.kind == "inline" else []
    for step in function.steps:
        values += ir.values(step)
    found = {lookup.name: lookup for lookup in ir.lookups(values)}
    return tuple(found[name] for name in sorted(found))


@dataclass(slots=True)
class _Region:
    """Neighbouring steps with the same catcher that work on the same kind of value."""

    catcher: str | None
    kind: Value
    #: Where the value was when the first of them began.
    entry: State
    steps: list[tuple[str, list[Instruction]]]


class _FlowLowering:
    def __init__(self, function: ir.Function, flow: ir.Flow, facts: FunctionFacts) -> None:
        self._function = function
        self._flow = flow
        self._facts = facts
        self._sync = flow.engine == "sync"
        self._records = records = function.serving.error_stream is not None
        kinds = self._kinds()
        #: Synchronous engine: does `event.body` follow every step? So records, and a handler for
        #: the whole graph behind steps of both kinds, find what the failed step got.
        self._follow = self._sync and (
            (records and "body" in kinds) or (flow.on_error is not None and len(kinds) > 1)
        )
        near = records or self._follow
        self._topology = Topology(flow, facts, function.reads, near_event=near)
        self._start = start(flow, facts, self._topology)
        self._responds = self._sync or self._topology.responder is not None
        self._keeps_context = records

    def plan(self) -> Plan:
        topology = self._topology
        methods = [
            self._run(),
            *(self._method(head) for head in topology.heads),
            *(self._items_method(name) for name in self._start.item_methods),
        ]
        return Plan(
            function=self._function,
            summary=summary(self._function),
            picture=picture(self._function),
            is_async=topology.awaits(topology.entries),
            responds=self._responds,
            causes=self._sync,
            makes=self._start.makes,
            methods=tuple(methods),
            keeps_context=self._keeps_context,
            environment=_environment(self._function),
            imports=_imports(self._facts),
            log_stream=_log_stream(self._function, self._facts),
        )

    def _kinds(self) -> set[Value]:
        """What the steps of the normal flow take."""
        return {
            self._facts.steps[step.name].takes
            for step in self._flow.steps
            if not (isinstance(step, ir.Task) and step.catcher)
        }

    # -- methods

    def _run(self) -> Method:
        topology, sources = self._topology, self._start.sources
        starts = topology.starts
        first = self._flow.step(starts[0])
        goes_on = starts[0] in self._start.methods
        at_once = (
            len(starts) == 1
            and not goes_on
            and not sources
            and self._facts.steps[first.name].takes == "event"
        )
        fields = not self._sync and any(map(self._gives_event, self._flow.steps))
        block: list[Instruction] = [Unwrap(assign=not at_once, fields=fields)]
        state: State = "event" if at_once else "both"
        block += [
            FromStream(sources[read.queue], tuple(self._begin([*read.steps], state)))
            for read in topology.sources
        ]
        block += self._begin(starts, state)
        if self._sync and self._flow.on_error is not None:
            unwrap, *rest = block
            block = [unwrap, Try(tuple(rest), tuple(self._graph_catch()), whole_graph=True)]
        return Method(
            "run",
            ("event",),
            topology.awaits(topology.entries),
            "",
            tuple(block),
            self._responds,
        )

    def _begin(self, heads: list[str], state: State) -> list[Instruction]:
        if len(heads) > 1:
            return self._fan_out(None, heads, state)
        return (
            self._goto(heads[0], state)
            if heads[0] in self._start.methods
            else self._path(heads[0], state)
        )

    def _method(self, head: str) -> Method:
        topology, name = self._topology, self._start.methods[head]
        takes: tuple[Value, ...] = ("event", "body") if topology.method_event[head] else ("body",)
        merge = topology.gather_heads.get(head)
        if merge is not None:
            instructions = _returning(self._path(head, "both", stop=merge))
            awaits = topology.awaits([head], merge)
            return Method(name, takes, awaits, f"{head}, up to {merge}.", tuple(instructions))
        return Method(
            name,
            takes,
            topology.awaits([head]),
            f"{head}{' and what follows it' if topology.following[head] else ''}.",
            tuple(self._path(head, "both")),
            self._responds,
        )

    def _items_method(self, name: str) -> Method:
        """What becomes of each item of a step that several follow."""
        following = self._topology.following[name]
        takes: tuple[Value, ...] = ("event", "body") if self._takes_event(following) else ("body",)
        return Method(
            self._start.item_methods[name],
            takes,
            self._topology.awaits(following) or self._topology.parts_in_tasks(name),
            f"What follows each item of {name}.",
            (
                *self._choice(self._flow.step(name), "both")[0],
                *self._fan_out(name, following, "both"),
            ),
            self._responds,
        )

    def _takes_event(self, heads: list[str]) -> bool:
        return any(self._topology.method_event[head] for head in heads)

    # -- one way through the graph

    def _path(
        self, name: str | None, state: State, stop: str | None = None, alone: bool = False
    ) -> list[Instruction]:
        """The instructions from a step on, until the way ends, parts or meets `stop`.

        With `alone` it ends with that step, whatever follows it.
        """
        block: list[Instruction] = []
        region: _Region | None = None
        first = True

        def flush() -> None:
            nonlocal region
            if region is not None:
                block.extend(self._close(region))
            region = None

        while name is not None and name != stop:
            if name in self._start.methods and not first:
                flush()
                block += self._goto(name, state)
                return block
            first = False
            step = self._flow.step(name)
            following = [] if alone else self._topology.following[name]
            gathered = self._topology.gather_at.get(name)
            last = not following
            instructions, kind, after, entry = self._step(step, state, last)
            catcher = self._topology.catcher[name]
            rejoins = name in self._topology.rejoins
            apart = rejoins or self._caught_path(name) is not None
            if region is None or region.catcher != catcher or region.kind != kind or apart:
                flush()
                block += entry
                region = _Region(catcher, kind, "both" if entry else state, [])
            elif entry:
                instructions = [*entry, *instructions]
            region.steps.append((name, instructions))
            state = after
            if rejoins:
                flush()
                self._settle_rejoin(block, state)
                state = "body"
            elif apart:
                flush()
            if last:
                flush()
                return block
            if self._facts.steps[name].result == "items":
                flush()
                return block + self._items_end(step, catcher)
            if name in self._start.outlets:
                flush()
                return block + self._fan_out(name, following, state)
            if len(following) > 1:
                flush()
                if gathered is not None:
                    block += self._settle(state, "body")
                    gathering, name = self._gather(following, gathered)
                    block.append(gathering)
                    if name is None:
                        return block + self._ended(gathering.then)
                    state = "body"
                    continue
                return block + self._fan_out(name, following, state)
            name = following[0]
        flush()
        if name is not None and name == stop:
            block += self._settle(state, "body")
        return block

    def _ended(self, then: str) -> list[Instruction]:
        return [] if then == "return" or not self._responds else [Finish()]

    def _step(
        self, step: ir.Step, state: State, last: bool
    ) -> tuple[list[Instruction], Value, State, list[Instruction]]:
        """`(instructions, kind, state afterwards, what has to stand before the try)`."""
        facts = self._facts.steps[step.name]
        answers = last and self._answers(step)
        if facts.merges:
            return self._merge(step, state, answers, last)
        kind: Value = facts.takes
        entry = self._settle(state, kind)
        if entry:
            state = "both"
        instructions: list[Instruction]
        after: State
        if isinstance(step, ir.Queue):
            # One without a path hands the event on.
            return self._queue(step) if last else [], kind, state, entry
        if facts.result == "items":
            return self._items(step, facts, last, answers), kind, state, entry
        if facts.result in ("test", "entries", "nothing", "outlets"):
            # What these return does not become the body, so the event stays as it is.
            instructions = self._aside(step, facts)
            if last:
                instructions += self._as_it_is(answers, kind)
                return instructions, kind, state, entry
            writes = any(isinstance(made, Call) and made.then == "body" for made in instructions)
            # What gets the event may have changed its body.
            after = "event" if kind == "event" else "body" if writes else state
            choice, after = self._choice(step, after)
            return [*instructions, *choice], kind, after, entry
        then: Literal["body", "event", "both", "return", "discard"]
        if last and not facts.filters:
            then = "return" if answers else "discard"
        elif kind == "event" and not self._gives_body(step):
            then = "event"
        else:
            writes = self._follow or (self._records and facts.writes_event)
            then = "both" if writes else "body"
        call = Call(
            step.name,
            self._invoke(step, facts),
            then,
            any_result=self._sync and then == "return" and self._gives_anything(step),
            checked=not self._sync
            and facts.returns_other
            and not facts.filters
            and then in ("event", "discard"),
        )
        instructions = [call]
        after = {"event": "event", "body": "body", "both": "both"}.get(then, state)  # type: ignore[assignment]
        if facts.filters and not self._sync:
            path = call.invoke.result_path
            if path is not None:  # of a dropped event nothing is put anywhere
                plain = replace(call.invoke, result_path=None)
                instructions = [replace(call, invoke=plain, then="result")]
            instructions.append(DropIfFiltered(step.name, self._start.attributes[step.name], path))
        if last and facts.filters:
            instructions += self._as_it_is(answers, "event" if after == "event" else "body")
        elif last:
            instructions += self._ended(then)
        elif self._sync and (facts.terminates or facts.protocol) and then == "event":
            instructions.append(StopIfTerminated())
        if not last:
            choice, after = self._choice(step, after)
            instructions += choice
        return instructions, kind, after, entry

    def _as_it_is(self, answers: bool, kind: Value) -> list[Instruction]:
        """The end of a way whose last step leaves the value where it is."""
        if not answers:
            return self._ended("discard")
        return [ReadBody(), ReturnBody()] if kind == "event" else [ReturnBody()]

    def _aside(self, step: ir.Step, facts: Facts) -> list[Instruction]:
        """A step whose result says something of the event: whether it goes on, what is added."""
        invoke = self._invoke(step, facts)
        match facts.result:
            case "test":
                return [Keep(step.name, invoke)]
            case "entries":
                return [Extend(step.name, invoke)]
            case "nothing" if invoke.result_path is not None:
                return [Call(step.name, invoke, "body")]
            case "nothing":
                return [Call(step.name, invoke, "discard")]
        return []  # a choice

    def _choice(self, step: ir.Step, state: State) -> tuple[list[Instruction], State]:
        """Which of the steps behind it get the event, if the step decides that; and the state."""
        if step.name not in self._start.outlets:
            return [], state
        facts = self._facts.steps[step.name]
        if facts.result == "outlets":
            invoke = self._invoke(step, facts)
        else:
            assert facts.selects is not None
            callee = facts.selects.callee or Member(
                self._start.attributes[step.name], facts.selects.method
            )
            invoke = Invoke(callee, "body")
        choose: list[Instruction] = [Choose(step.name, invoke, self._start.outlets[step.name])]
        if invoke.takes == "body" and state == "event":
            return [ReadBody(), *choose], "both"
        return choose, state

    def _items(self, step: ir.Step, facts: Facts, last: bool, answers: bool) -> list[Instruction]:
        """A step that makes several events of one; what becomes of them where it is the last."""
        invoke = self._invoke(step, facts)
        if last and not answers:
            return [self._each(step.name, invoke, None, returns=False), *self._ended("discard")]
        caught = self._topology.catcher[step.name] is not None
        made: list[Instruction] = [Items(step.name, invoke)] if caught else []
        if last:
            made.append(self._each(step.name, None if caught else invoke, None, returns=True))
        return made

    def _items_end(self, step: ir.Step, catcher: str | None) -> list[Instruction]:
        """Where the items of a step go."""
        facts = self._facts.steps[step.name]
        invoke = None if catcher is not None else self._invoke(step, facts)
        queue = self._topology.loop(step.name)
        if queue is not None:
            push = replace(self._push(queue), value="item")
            return [PushEach(step.name, invoke, push), *self._ended("discard")]
        following = self._topology.following[step.name]
        method = self._start.item_methods.get(step.name) or self._start.methods[following[0]]
        return [self._each(step.name, invoke, method, returns=self._responds)]

    def _each(self, name: str, invoke: Invoke | None, method: str | None, returns: bool) -> Each:
        self._keeps_context = True
        facts = self._facts.steps[name]
        following = self._topology.following[name]
        parts = self._topology.awaits(following) or self._topology.parts_in_tasks(name)
        goes_on = method is not None or returns
        return Each(
            name,
            invoke,
            method,
            "event" if self._takes_event(following) else "body",
            events=facts.takes == "event",
            awaits=(goes_on and parts) or (facts.generator and facts.is_async),
            returns=returns,
            shared=not any(map(self._topology.changes_event, following)),
            at_once=any(map(self._topology.waits, following)),
        )

    def _queue(self, queue: ir.Queue) -> list[Instruction]:
        """The end of a branch; what is sent is no answer."""
        if self._sync:
            if queue.path is None:
                return [ReturnBody()]
            return [Send(queue.name, self._start.attributes[queue.name], queue.envelope)]
        pushes = [self._push(queue)] if queue.path is not None else []
        return [*pushes, *self._ended("discard")]

    def _push(self, queue: ir.Queue) -> Push:
        return Push(queue.name, self._start.attributes[queue.name], envelope=queue.envelope)

    def _gives_body(self, step: ir.Step) -> bool:
        """Routers that are written out take the event and give a body."""
        return isinstance(step, ir.Router) and isinstance(self._router(step), str)

    def _gives_event(self, step: ir.Step) -> bool:
        facts = self._facts.steps[step.name]
        return facts.takes == "event" and not self._gives_body(step)

    def _gives_anything(self, step: ir.Step) -> bool:
        """May what an event step of the sync engine returns be no event? Not of a class of ours."""
        make = self._facts.steps[step.name].make
        return self._gives_event(step) and not (make and isinstance(make.cls, Ours))

    def _router(self, step: ir.Router) -> str | None:
        """The name of the method of a router that is written out."""
        attribute = self._start.attributes[step.name]
        making = next(made for made in self._start.makes if made.attribute == attribute)
        return attribute if getattr(making, "kind", "object") != "object" else None

    def _answers(self, step: ir.Step) -> bool:
        """Does this step, which nothing follows, answer the caller?"""
        if self._sync:
            return True
        if not self._responds:
            return False
        if step.name == self._topology.responder:
            return True
        return step.name in self._topology.answering

    def _merge(
        self, step: ir.Step, state: State, answers: bool, last: bool
    ) -> tuple[list[Instruction], Value, State, list[Instruction]]:
        end: list[Instruction] = []
        if last:
            end = [ReturnBody()] if answers else self._ended("discard")
        if step.name not in self._start.attributes:  # one predecessor: events pass through
            if last and answers and state == "event":
                end = [ReadBody(), ReturnBody()]
            return end, "body", state, []
        self._keeps_context = True
        entry = self._settle(state, "body")
        return [Arrive(step.name, self._start.attributes[step.name]), *end], "event", "both", entry

    def _settle(self, state: State, kind: Value) -> list[Instruction]:
        """What brings the value to where it is needed."""
        if kind == "event" and state == "body":
            return [WriteBody()]
        if kind == "body" and state == "event":
            return [ReadBody()]
        return []

    def _invoke(self, step: ir.Step, facts: Facts) -> Invoke:
        callee: Callee
        if isinstance(step, ir.Router):
            method = self._router(step)
            attribute = self._start.attributes[step.name]
            callee = Own(method) if method else Member(attribute, facts.method or "do_event")
            made = Invoke(callee, facts.takes, awaits=facts.is_async)
            if facts.takes == "event":
                return made
            return replace(made, input_path=step.input_path, result_path=step.result_path)
        assert isinstance(step, ir.Task)
        awaits = facts.is_async and not facts.generator
        if facts.method is not None:
            callee = Member(self._start.attributes[step.name], facts.method)
        else:
            target = facts.callee or step.function
            assert target is not None
            callee = callee_of(target)
        self._keeps_context = self._keeps_context or facts.context
        invoke = Invoke(callee, facts.takes, awaits, facts.context)
        if facts.takes == "event" or facts.pathless:
            return invoke  # event steps ignore both (serving.md 3.3)
        result_path = None if facts.result in ("test", "entries") else step.result_path
        return replace(invoke, input_path=step.input_path, result_path=result_path)

    # -- where ways part and meet

    def _goto(self, head: str, state: State) -> list[Instruction]:
        takes_event = self._topology.method_event[head]
        before = self._settle(state, "event") if takes_event else []
        return [
            *before,
            Goto(
                self._start.methods[head],
                "event" if takes_event else "body",
                self._topology.awaits([head]),
                self._responds,
                from_event=state == "event",
            ),
        ]

    def _fan_out(self, name: str | None, heads: list[str], state: State) -> list[Instruction]:
        """All of the heads, or those that the step of this name has chosen."""
        self._keeps_context = True
        takes_event = self._takes_event(heads)
        awaits = self._topology.awaits(heads) or self._topology.parts_in_tasks(name)
        chosen = name in self._start.outlets
        return [
            *self._settle(state, "body"),
            FanOut(
                () if chosen else tuple(self._start.methods[head] for head in heads),
                "event" if takes_event else "body",
                awaits,
                self._responds,
                shared=takes_event and not any(map(self._topology.changes_event, heads)),
                copies=chosen or awaits or not self._only_read(heads[:-1]),
                nested=not awaits and self._topology.part_again(name, heads),
            ),
        ]

    def _gather(self, heads: list[str], merge: str) -> tuple[Gather, str | None]:
        """The branches up to their Merge, and the step behind it."""
        self._keeps_context = True
        following = self._topology.following[merge]
        answers = not following and self._answers(self._flow.step(merge))
        if len(following) == 1:
            then: Literal["body", "return", "discard"] = "body"
        else:
            then = "return" if answers else "body" if following else "discard"
        branches = [self._branch(head) for head in heads]
        chains = [self._topology.chain_to(head, merge) for head in heads]
        drops = any(self._facts.steps[name].drops for chain in chains for name in chain)
        awaits = self._topology.awaits(heads, merge)
        gathering = Gather(
            tuple(heads),
            merge,
            tuple(branches),
            awaits,
            drops,
            then,
            copies=awaits or not self._only_read(heads[:-1], merge),
        )
        return gathering, following[0] if len(following) == 1 else None

    def _branch(self, head: str) -> Callee:
        """What runs a branch: the step's own method if it is all there is."""
        if head not in self._start.methods:
            invoke = self._invoke(self._flow.step(head), self._facts.steps[head])
            return invoke.callee
        return Own(self._start.methods[head])

    def _only_read(self, heads: list[str], stop: str | None = None) -> bool:
        """Is it certain that these branches only read the body, and keep nothing of it?"""
        return all(self._only_reads(head, stop) for head in heads)

    def _only_reads(self, name: str, stop: str | None) -> bool:
        step, facts = self._flow.step(name), self._facts.steps[name]
        if not isinstance(step, ir.Task) or not facts.only_reads or self._topology.catcher[name]:
            return False
        if step.input_path or step.result_path or facts.forks or facts.filters:
            return False
        following = self._topology.following[name]
        if facts.result == "test":
            return (
                len(following) == 1
                and following[0] != stop
                and self._only_reads(following[0], stop)
            )
        return facts.result == "value"

    # -- failures

    def _close(self, region: _Region) -> list[Instruction]:
        """The region's instructions, in a `try` if its failures are caught."""
        body = [instruction for _, block in region.steps for instruction in block]
        if region.catcher is None:
            return body
        sees = self._topology.sees_event(region.catcher)
        tracks = sees and len(region.steps) > 1
        name = region.steps[0][0]
        # A lone body step leaves event.body as it was before it.
        followed = self._follow or (len(region.steps) == 1 and region.entry != "body")
        stale = region.kind == "body" and not followed
        state: State = "body" if stale else "both" if region.kind == "body" else "event"
        rejoin = self._topology.rejoins.get(name) if len(region.steps) == 1 else None
        caught: list[Instruction] = []
        if sees:
            caught.append(Caught(None if tracks else name, messages=self._sync))
        catch = [*caught, *self._path(region.catcher, state, rejoin)]
        if self._sync:
            catch = [self._standing_in(made, name, region.catcher) for made in catch]
        if not self._responds and rejoin is None:
            catch.append(Finish())  # what follows the failed step does not run
        return [Try(tuple(body), tuple(catch), tracks)]

    def _caught_path(self, name: str) -> str | None:
        """Synchronous engine: where the result of the step's catcher goes."""
        if not self._sync or self._topology.catcher[name] is None:
            return None
        return getattr(self._flow.step(name), "result_path", None)

    def _standing_in(self, made: Instruction, failed: str, catcher: str) -> Instruction:
        """The call of a catcher: its result stands in for the failed step's (serving.md 7.4)."""
        if not isinstance(made, Call) or made.step != catcher or made.invoke.takes != "event":
            return made  # of a body step the result is the body (Q17)
        return replace(made, any_result=True, caught_path=self._caught_path(failed))

    def _settle_rejoin(self, block: list[Instruction], state: State) -> None:
        """Bring the step's own way to where its catcher's way ends: in the local `body`."""
        if state == "event":
            made = block.pop()
            assert isinstance(made, Try)
            block.append(replace(made, body=(*made.body, ReadBody())))

    def _graph_catch(self) -> list[Instruction]:
        """Synchronous engine: the graph's handler ends the flow and answers (serving.md 7.4)."""
        assert self._flow.on_error is not None
        # Behind an event step the local `body` is out of date, or not there yet.
        state: State = "both" if self._follow else "body"
        if "event" in self._kinds():
            state = "event"
        sees = self._topology.sees_event(self._flow.on_error)
        caught = [Caught("", messages=True)] if sees else []
        return [*caught, *self._path(self._flow.on_error, state, alone=True)]


def _returning(block: list[Instruction]) -> list[Instruction]:
    """The block with its last result given back."""
    *before, last = block
    if isinstance(last, Call) and last.then == "body":
        return [*before, replace(last, then="return")]
    return [*block, ReturnBody()]
