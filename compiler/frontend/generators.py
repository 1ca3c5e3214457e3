"""Generators: calls of functions that yield, and what goes on item by item as `map` does.

A generator is run from one `yield` to the next when an item is asked for, so what it does happens
in Python's order. Where it is not known whether it yields, or whether it was asked, it is lost:
what it has still to give is not known, and what it can reach is perhaps changed, each time that
it is asked again (reach.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NoReturn

import libcst as cst

from ..diagnostics import Diagnostic, Note, Severity
from . import reach
from .limits import DEEPEST_CALL, BoundExceeded
from .memory import Memory
from .operators import describe
from .rounds import each
from .signals import Finished, Lost, Native, Raised, exception_names
from .values import External, Generator, Instance, Unknown, Value, remedy

if TYPE_CHECKING:
    from .machine import Machine

#: What going on costs, compared with an expression.
_STEPS: Final = 2


class Generators:
    """Makes generators, and lets them go on."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        #: All of them: one that nobody holds must not be closed while others run.
        self._made: list[Generator] = []

    def make(
        self,
        name: str,
        run: Any,
        values: tuple[Value, ...] = (),
        code: tuple[reach.Code, ...] = (),
        place: cst.CSTNode | None = None,
    ) -> Generator:
        """A generator whose items `run` makes, from the values and by the code."""
        machine = self._machine
        made = Generator(
            self, name, run, machine.here, values, code, machine.memory.journal, place=place
        )
        self._made.append(made)
        return made

    def lazy(self, name: str, run: Iterator[Value], *values: Value) -> Generator:
        """One that a function of Python's own gives, which goes on as Python's does."""
        return self.make(name, run, values)

    # -- going on

    def resume(self, made: Generator, sent: Value = None, raised: Raised | None = None) -> Value:
        """The next item; raises Finished, Lost, or what the code raises."""
        machine = self._machine
        self._check(made)
        if made.run is None:
            if raised is not None:
                raise raised
            raise Finished
        if not made.started and sent is not None:
            raise Native(TypeError("can't send non-None value to a just-started generator"))
        if machine.depth >= DEEPEST_CALL:
            raise BoundExceeded(
                f"calls go more than {DEEPEST_CALL} functions deep",
                "use a loop, or compute the value in a step",
            )
        machine.memory.budget.spend(_STEPS)
        outer = machine.catching, machine.guarded, machine.handled
        handlers = machine.handlers
        position, statement = machine.position, machine.statement
        parts = machine.expressions.begin()
        machine.catching, machine.guarded = made.catching, made.guarded
        machine.handled = made.handled or machine.handled
        machine.handlers = (*handlers, *made.handlers)
        machine.depth += 1
        machine.calling += [(made.name, *position)] if made.code else []
        made.started = made.running = True
        try:
            if not made.code:
                return next(made.run)
            return made.run.send(sent) if raised is None else made.run.throw(raised)
        except StopIteration as end:
            made.run = made.run if not made.code else None
            raise Finished(end.value) from None
        except Lost as exc:
            self._lose(made, exc.unknown)
        except Raised as exc:
            stops = "builtins.StopIteration" in exception_names(exc.value)[0]
            if not made.code:
                raise (Finished() if stops else exc) from None
            made.run = None
            if stops:
                raise Native(RuntimeError("generator raised StopIteration")) from None
            exc.called_from(made.name, position[0].span(position[1]))
            raise
        finally:
            made.running = False
            made.catching, made.guarded = machine.catching, machine.guarded
            made.handled = None if machine.handled is outer[2] else machine.handled
            made.handlers, machine.handlers = machine.handlers[len(handlers) :], handlers
            machine.catching, machine.guarded, machine.handled = outer
            machine.position, machine.statement = position, statement
            machine.expressions.end(parts)
            machine.depth -= 1
            if made.code:
                machine.calling.pop()

    def _check(self, made: Generator) -> None:
        """Raises Lost where it is not known how far the generator is."""
        machine = self._machine
        if made.running:
            raise Native(ValueError("generator already executing"))
        if made.lost is not None:
            self._lose(made, made.lost)
        if made.home is not machine.memory.journal:
            unsure = machine.unsure[-1].unknown if machine.unsure else None
            why = Unknown("a generator of which it is not known how far it is", made.span)
            self._lose(made, unsure or why)

    def _lose(self, made: Generator, unknown: Unknown) -> NoReturn:
        made.lost = made.lost or unknown
        found = reach.reached(self._machine.memory, [made], ())
        lost = reach.havoc(self._machine.memory, found, unknown)
        if found.changes and found.host is not None and not unknown.reported:
            self._report(made, unknown, found.host)
        raise Lost(lost)

    def _report(self, made: Generator, unknown: Unknown, host: Value) -> None:
        depends = f" depends on `{unknown.expression}`" if unknown.expression else " is not known"
        notes = () if unknown.span is None else (Note(f"not known: {unknown.why}", unknown.span),)
        self._machine.report(
            Diagnostic(
                "GC006",
                Severity.ERROR,
                f"what {made.name}() does with {describe(host)} is not known: how it goes on"
                + depends,
                made.span,
                notes,
                remedy(unknown)
                or "let constants decide what it yields, and go through it in the graph file",
                unknown.expression,
            )
        )

    def lost(self, made: Generator, unknown: Unknown) -> Unknown:
        """It perhaps goes on, nobody knows how far; gives what its items are."""
        try:
            self._lose(made, made.lost or unknown)
        except Lost as exc:
            return exc.unknown

    def rest(self, made: Generator) -> list[Value] | Unknown:
        """All items that are left."""
        memory, found = self._machine.memory, list[Value]()
        try:
            for item in each(memory, made):
                found.append(item)
                memory.budget.items(1)
        except Lost as exc:
            return exc.unknown
        return found

    # -- ending

    def close(self, made: Generator) -> None:
        """`generator.close()`"""
        self._check(made)
        if not made.started:
            made.run = None
        if made.run is None:
            return
        span = self._machine.here
        closing = Instance(External("builtins.GeneratorExit", span), (), {}, span)
        try:
            self.resume(made, raised=Raised(closing, "GeneratorExit", span))
        except Finished:
            return
        except Raised as exc:
            if exc.value is not closing:
                raise
            return
        raise Native(RuntimeError("generator ignored GeneratorExit"))

    def never_finished(self) -> None:
        """Generators that wait inside of a `try`: when its `finally` runs is not known.

        Ends what is left of all others.
        """
        memory = self._machine.memory
        for made in self._made:
            if made.run is not None and made.guarded and made.lost is None:
                found = reach.reached(memory, [made], ())
                held = found.host or [one for one in found.values if one is not made]
                if found.names or (found.changes and held):
                    self._machine.report(
                        Diagnostic(
                            "GC006",
                            Severity.ERROR,
                            f"when {made.name}() is closed is not known, nor what it changes then",
                            made.span,
                            help="go through all of its items, or call close()",
                        )
                    )

    def end(self) -> None:
        """Nothing is evaluated any more."""
        for made in self._made:
            if made.run is not None and made.code:
                made.run.close()

    # -- methods, `with`

    def method(self, made: Generator, name: str, args: list[Value]) -> Value:
        """`generator.send(x)` and its like."""
        if name == "close":
            self.close(made)
            return None
        try:
            if name != "throw":
                return self.resume(made, *args[: name == "send"])
            error = args[0] if args else None
            if isinstance(error, External):
                error = Instance(error, (), {}, self._machine.here)
            return self.resume(made, raised=Raised(error, "an exception", self._machine.here))
        except Finished as exc:
            raise Native(StopIteration(*([] if exc.value is None else [exc.value]))) from None

    def entered(self, made: Generator) -> Value:
        """`with manager()`, whose function is a generator."""
        try:
            return self.resume(made)
        except Finished:
            raise Native(RuntimeError("generator didn't yield")) from None
        except Lost as exc:
            return exc.unknown

    def left(self, made: Generator, raised: Raised | None) -> None:
        """The end of such a `with`; raises again what the generator does not catch."""
        try:
            self.resume(made, raised=raised)
        except Finished:
            return
        except Lost:
            if raised is not None:
                raise raised from None
            return
        raise Native(RuntimeError("generator didn't stop"))


def dropped(value: Value, node: cst.CSTNode) -> None:
    """A loop is left; a generator that the loop's own expression made is closed then."""
    if isinstance(value, Generator) and isinstance(node, cst.Call) and value.guarded:
        called = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
        if value.place is called:
            try:
                value.owner.close(value)
            except Lost:
                return


def perhaps_moved(value: Value, unknown: Unknown) -> None:
    """A loop goes on with the value, nobody knows how often."""
    if isinstance(value, Generator):
        value.owner.lost(value, unknown)


def delegated(memory: Memory, value: Value) -> Any:
    """`yield from value`"""
    if not isinstance(value, Generator):
        for item in each(memory, value):
            yield item
        return None
    sent: Value = None
    raised: Raised | None = None
    while True:
        try:
            item = value.owner.resume(value, sent, raised)
        except Finished as end:
            return end.value
        try:
            sent, raised = (yield item), None
        except Raised as exc:
            if "builtins.GeneratorExit" in exception_names(exc.value)[0]:
                value.owner.close(value)
                raise
            sent, raised = None, exc
