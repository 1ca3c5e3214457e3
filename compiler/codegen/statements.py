"""The instructions of one method as statements: each has one spelling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from ..plan import (
    Arrive,
    Call,
    Callee,
    Caught,
    Choose,
    CopyEvent,
    DropIfFiltered,
    Each,
    Extend,
    FanOut,
    Finish,
    Formula,
    FromStream,
    Gather,
    Goto,
    Instruction,
    Invoke,
    Items,
    Keep,
    Own,
    Push,
    PushEach,
    ReadBody,
    Record,
    ReturnBody,
    Send,
    StopIfTerminated,
    Try,
    Unwrap,
    WriteBody,
)
from .expressions import atom, negated, quoted
from .text import comment
from .writer import Writer


class Speller(Protocol):
    """Spells what statements are made of, and remembers what has to be imported for it."""

    def invoke(self, invoke: Invoke) -> str:
        """A call as an expression, `await` included."""

    def function(self, callee: Callee) -> str:
        """A callee as something to hand over."""

    def put(self, path: str, value: str, each: bool = False) -> str:
        """The body with a value put at a path; a list of bodies for `each` of several values."""

    def runtime(self, module: str) -> str:
        """A module of runtime_min."""

    def library(self, name: str) -> str:
        """A module of the standard library."""


class Statements:
    """Prints the instructions of one method."""

    def __init__(self, handler: Speller, writer: Writer, returns: bool) -> None:
        self._handler = handler
        self._writer = writer
        self._returns = returns
        #: How many failures the event has on it here, and whether any was put on it above.
        self._failures = 0
        self._noted = False

    def block(
        self, block: Sequence[Instruction], named: str | None = None, tracks: bool = False
    ) -> None:
        """The instructions; `named` is a step whose comment stands already."""
        writer = self._writer
        shown = named
        for position, item in enumerate(block):
            step = _step_of(item)
            if isinstance(item, (WriteBody, ReadBody)) and position + 1 < len(block):
                step = _only_step(block[position + 1])  # what it is done for
            if step is not None and step != shown:
                writer.gap()
                writer.line(comment(step))
                if tracks:
                    writer.line(f"step = {quoted(step)}")
                shown = step
            elif isinstance(item, FromStream):
                if shown != "":
                    writer.gap()
                    writer.line("# By the stream that it comes from.")
                    shown = ""
            elif (isinstance(item, Try) and (shown is None or _first_step(item) != shown)) or (
                isinstance(item, FanOut) and item.branches
            ):
                writer.gap()
            self._instruction(item, shown)
            if isinstance(item, Try):
                shown = _first_step(item)
        if not block:
            writer.line("pass")

    def _instruction(self, item: Instruction, shown: str | None = None) -> None:
        line, handler = self._writer.line, self._handler
        match item:
            case Call():
                self._call(item)
            case Keep(invoke=invoke):
                with self._writer.block(f"if {negated(handler.invoke(invoke))}:"):
                    self._drop()
            case Extend(invoke=invoke):
                extended = "event.body" if invoke.takes == "event" else "body"
                with self._writer.block(
                    f"for key, value in {atom(handler.invoke(invoke))}.items():"
                ):
                    line(f"{extended}[key] = value")
            case Unwrap(assign=assign, fields=fields):
                name = "unwrap_event" if fields else "unwrap"
                unwrap = f"{handler.runtime('nuclio')}.{name}(event)"
                line(f"body = {unwrap}" if assign else unwrap)
            case CopyEvent():
                line("# The error stream shows the event as it is here.")
                line(f"event = {handler.library('copy')}.copy(event)")
            case FromStream(attribute=attribute, block=inner):
                with self._writer.block(f"if self.{attribute}.sent(event):"):
                    self.block(inner)
                    if not self._returns:
                        line("return")
            case WriteBody():
                line("event.body = body")
            case ReadBody():
                line("body = event.body")
            case StopIfTerminated():
                with self._writer.block('if getattr(event, "terminated", False):'):
                    line("return event.body")
            case Try():
                self._try(item, shown)
            case Caught():
                self._caught(item)
            case Record():
                self._record(item)
            case DropIfFiltered(attribute=attribute, result_path=path):
                with self._writer.block(f"if self.{attribute}.drops():"):
                    self._drop()
                if path is not None:
                    line(f"body = {handler.put(path, 'result')}")
            case Choose(invoke=invoke, outlets=outlets):
                line(f"chosen = self.{outlets}.choose({handler.invoke(invoke)})")
            case Items(invoke=invoke) if invoke.result_path is not None:
                results = handler.invoke(replace(invoke, result_path=None))
                line(f"items = {handler.put(invoke.result_path, results, each=True)}")
            case Items(invoke=invoke):
                line(f"items = list({self._items(invoke)})")
            case Each():
                self._each(item)
            case Push(attribute=attribute):
                method = "push_event" if item.envelope else "push"
                line(f"self.{attribute}.{method}(event, {item.value})")
            case PushEach(invoke=invoke, push=push):
                items = "items" if invoke is None else self._items(invoke)
                with self._writer.block(f"for item in {items}:"):
                    line(comment(push.step))
                    self._instruction(push)
            case Send(attribute=attribute, envelope=envelope):
                call = "send_event(event, body)" if envelope else "send(body)"
                line(f"return self.{attribute}.{call}")
            case FanOut():
                self._fan_out(item)
            case Gather():
                self._gather(item)
            case Arrive(attribute=attribute):
                line(f"arrived = self.{attribute}.arrive(event, body)")
                with self._writer.block("if arrived is None:"):
                    self._drop()
                line("event, body = arrived")
            case Goto():
                body = "event.body" if item.from_event else "body"
                arguments = f"event, {body}" if item.takes == "event" else body
                text = f"{'await ' if item.awaits else ''}self.{item.method}({arguments})"
                self._end(text, item.returns)
            case Finish():
                self._drop()
            case ReturnBody():
                line("return body")

    def _fan_out(self, item: FanOut) -> None:
        synchronous = "nested_branches" if item.nested else "branches"
        module = self._handler.runtime("async_branches" if item.awaits else synchronous)
        shared = "fan_out_shared" if item.shared else "fan_out_events"
        name = shared if item.takes == "event" else "fan_out"
        values = ["self.context", *(["event"] if item.takes == "event" else []), "body"]
        values += [f"self.{branch}" for branch in item.branches] or ["*chosen"]
        if not item.copies and name != "fan_out_events":
            values.append("copies=False")
        text = f"{module}.{name}({', '.join(values)})"
        self._end(f"await {text}" if item.awaits else text, item.returns)

    def _each(self, item: Each) -> None:
        if item.ends:
            assert item.invoke is not None
            loop = f"{'async ' if item.awaits else ''}for _ in {self._items(item.invoke)}:"
            with self._writer.block(loop):
                self._writer.line("pass")
            return
        module = self._handler.runtime("async_branches" if item.awaits else "branches")
        items = "items" if item.invoke is None else self._items(item.invoke)
        name, values = "each", ["self.context", items]
        if item.takes == "event" and item.events:
            name = "each_of_events"
        elif item.takes == "event":
            name = "each_shared" if item.shared else "each_event"
            values.insert(1, "event")
        elif item.events:
            values[1] = f"(item.body for item in {items})"
        if item.method is not None:
            values.append(f"self.{item.method}")
        if item.at_once:
            values.append("at_once=True")
        text = f"{module}.{name}({', '.join(values)})"
        self._end(f"await {text}" if item.awaits else text, item.returns)

    def _items(self, invoke: Invoke) -> str:
        """What a step makes several events of; with `result_path` each is put into the body."""
        if invoke.result_path is None:
            return self._handler.invoke(invoke)
        put = self._handler.put(invoke.result_path, "item")
        return f"({put} for item in {self._handler.invoke(replace(invoke, result_path=None))})"

    def _end(self, text: str, returns: bool) -> None:
        self._writer.line(f"return {text}" if returns else text)

    def _drop(self) -> None:
        nuclio = self._handler.runtime("nuclio")
        self._writer.line(f"return {nuclio}.DROPPED" if self._returns else "return")

    def _call(self, item: Call) -> None:
        text = self._handler.invoke(item.invoke)
        if item.any_result:
            text = self._any_result(item, text)
        if item.checked:
            text = f"{self._handler.runtime('nuclio')}.event_of({text})"
        gives_event = item.invoke.takes == "event" and not isinstance(item.invoke.callee, Own)
        match item.then:
            case "body" if text == "body":
                return  # the expression `(event)`
            case "body":
                text = f"body = {text}"
            case "both":
                text = f"event.body = body = {text}"
            case "event" if item.any_result:
                text = f"event.body = {text}"
            case "event" | "result":
                text = f"{item.then} = {text}"
            case "return" if gives_event and not item.any_result:
                text = f"return {atom(text)}.body"
            case "return":
                text = f"return {text}"
            case "discard":
                called = not isinstance(item.invoke.callee, Formula)
                text = text if called else f"_ = {text}"
        self._writer.line(text)

    def _any_result(self, item: Call, text: str) -> str:
        """The body that the result of a synchronous flow's event step stands for."""
        if item.caught_path is None:
            return f"{self._handler.runtime('nuclio')}.body_of({text})"
        paths = self._handler.runtime("paths")
        return f"{paths}.put_caught(event, {quoted(item.caught_path)}, {text})"

    def _try(self, item: Try, shown: str | None) -> None:
        body = item.body
        if all(self._is_nothing(instruction) for instruction in body):
            return  # what does nothing does not fail
        named = _only_step(item)
        if named is not None and named != shown:
            self._writer.gap()
            self._writer.line(comment(named))
        with self._writer.block("try:"):
            if named is not None and item.tracks:
                self._writer.line(f"step = {quoted(named)}")
            self.block(body, named, item.tracks)
        named_failure = any(isinstance(made, (Caught, Record)) for made in item.catch)
        with self._writer.block(f"except Exception{' as exc' if named_failure else ''}:"):
            catcher = next(
                (step for step in map(_first_step, item.catch) if step is not None), None
            )
            if catcher is not None:
                self._writer.line(comment(catcher))
            self._failures += named_failure
            self.block(item.catch, catcher)
            self._failures -= named_failure

    def _is_nothing(self, item: Instruction) -> bool:
        """Is it the expression `(event)`, which is not printed?"""
        if not isinstance(item, Call) or item.then != "body":
            return False
        return self._handler.invoke(item.invoke) == "body"

    def _caught(self, item: Caught) -> None:
        origin = "step" if item.step is None else quoted(item.step)
        if not item.messages:
            self._writer.line(f"event.error, event.origin_state = exc, {origin}")
            return
        key = "None" if item.step == "" else origin
        message = f"{self._handler.runtime('nuclio')}.message(exc)"
        others = ""
        if self._failures > 1:
            others = "**event.error, "
        elif item.step == "" and self._noted:  # a step's own catcher may have failed, too
            others = '**(getattr(event, "error", None) or {}), '
        self._noted = True
        self._writer.line(f"event.error = {{{others}{key}: {message}}}")
        self._writer.line(f"event.origin_state = {origin}")

    def _record(self, item: Record) -> None:
        source = "step" if item.step is None else quoted(item.step)
        arguments = ["self.context", "event", "exc", source]
        if item.whole_graph:
            arguments[3:] = ['""', f"failed_step={source}"]
        if item.body:
            arguments.insert(4, "body")
        if item.taken:
            arguments.insert(4, "causes=True")
        self._writer.line(f"{self._handler.runtime('nuclio')}.record({', '.join(arguments)})")
        if not item.taken:
            self._writer.line("raise")

    def _gather(self, item: Gather) -> None:
        module = self._handler.runtime("async_branches" if item.awaits else "branches")
        branches = [self._handler.function(branch) for branch in item.branches]
        values = ["self.context", "body", *branches]
        if not item.copies:
            values.append("copies=False")
        text = f"{module}.gather({', '.join(values)})"
        text = f"await {text}" if item.awaits else text
        if item.then == "return":
            self._writer.line(f"return {text}")
            return
        self._writer.line(f"body = {text}" if item.then == "body" else text)
        if item.drops and item.then == "body":
            nuclio = self._handler.runtime("nuclio")
            with self._writer.block(f"if body is {nuclio}.DROPPED:"):
                self._drop()


def _step_of(item: Instruction) -> str | None:
    match item:
        case (
            Call(step=step)
            | Keep(step=step)
            | Extend(step=step)
            | Arrive(step=step)
            | DropIfFiltered(step=step)
            | Choose(step=step)
            | Items(step=step)
            | Each(step=step)
            | Push(step=step)
            | PushEach(step=step)
            | Send(step=step)
        ):
            return step
        case Gather(steps=steps, merge=merge):
            return ", ".join([*steps, merge])
    return None


def _only_step(item: Instruction) -> str | None:
    """The step of an instruction; of a `try` the one in it, if there is one only."""
    if not isinstance(item, Try):
        return _step_of(item)
    steps = {step for step in map(_first_step, item.body) if step is not None}
    return steps.pop() if len(steps) == 1 else None


def _first_step(item: Instruction) -> str | None:
    if isinstance(item, Try):
        return next((step for step in map(_first_step, item.body) if step is not None), None)
    return _step_of(item)
