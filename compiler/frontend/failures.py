"""`raise`, `assert` and `try`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import libcst as cst

from ..diagnostics import GraphError, Span
from ..scopes import dotted
from .memory import origin
from .operators import describe, truth
from .scope import Scope
from .signals import (
    Exit,
    Leave,
    Native,
    Raised,
    Steps,
    builtin_exception,
    exception_names,
    own_name,
)
from .values import External, Instance, Unknown, UserClass, Value

if TYPE_CHECKING:
    from .machine import Machine


#: What an exception costs, compared with an expression.
_STEPS: Final = 5


class Failures:
    """Runs statements about exceptions."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def raise_statement(self, node: cst.Raise, scope: Scope) -> Leave | None:
        span = scope.module.span(node)
        if node.exc is None:
            if self._machine.handled is None:
                raise Native(RuntimeError("No active exception to reraise"))
            raise self._machine.handled
        value = self._machine.expressions.value(node.exc, scope)
        if isinstance(value, External | UserClass):
            value = Instance(value, (), {}, span)
        if "builtins.SystemExit" in exception_names(value)[0]:
            raise Exit
        raise Raised(value, _text(value), span)

    def assert_statement(self, node: cst.Assert, scope: Scope) -> Leave | None:
        verdict = truth(self._machine.memory, self._machine.expressions.value(node.test, scope))
        if verdict is False:
            message = None
            if node.msg is not None:
                message = self._machine.expressions.value(node.msg, scope)
            raise Native(AssertionError(*([message] if type(message) is str else [])))
        return None

    def try_statement(self, node: cst.Try | cst.TryStar, scope: Scope) -> Steps:
        machine = self._machine
        machine.guarded += node.finalbody is not None
        try:
            left = yield from self._guarded(node, scope)
        except (Raised, Exit):
            machine.guarded -= node.finalbody is not None
            yield from self._finally(node, scope)
            raise
        except BaseException:
            machine.guarded -= node.finalbody is not None
            raise
        machine.guarded -= node.finalbody is not None
        return (yield from self._finally(node, scope)) or left

    def _finally(self, node: cst.Try | cst.TryStar, scope: Scope) -> Steps:
        if node.finalbody is None:
            return None
        return (yield from self._machine.statements.steps(node.finalbody.body, scope))

    def _guarded(self, node: cst.Try | cst.TryStar, scope: Scope) -> Steps:
        """The body, and the handler or `else` that follows it."""
        machine = self._machine
        catches_all = any(map(_catches_all, node.handlers))
        machine.catching += bool(node.handlers)
        machine.guarded += catches_all
        outer, machine.handlers = machine.handlers, (*machine.handlers, (node.handlers, scope))
        try:
            left = yield from machine.statements.steps(node.body, scope)
        except Raised as exc:
            machine.memory.budget.spend(_STEPS)
            machine.handlers = outer
            machine.catching -= bool(node.handlers)
            machine.guarded -= catches_all
            for handler in node.handlers:
                if handler.type is None or self._catches(handler.type, exc, scope):
                    return (yield from self._handle(handler, exc, scope))
            raise
        except BaseException:
            machine.handlers = outer
            machine.catching -= bool(node.handlers)
            machine.guarded -= catches_all
            raise
        machine.handlers = outer
        machine.catching -= bool(node.handlers)
        machine.guarded -= catches_all
        if left is not None and "raise" in left.hows:
            return self._perhaps_handled(node, left, scope)
        if left is None and node.orelse is not None:
            return (yield from machine.statements.steps(node.orelse.body, scope))
        return left

    def _perhaps_handled(
        self, node: cst.Try | cst.TryStar, left: Leave, scope: Scope
    ) -> Leave | None:
        """The body perhaps raised; each handler perhaps runs."""
        machine = self._machine
        span = scope.module.span(node.body)
        unknown = left.perhaps or Unknown("which exception is raised", span)
        raised = Raised(unknown, "an exception", span)
        runs: list[Callable[[], Leave | None]] = [
            partial(self._handled_whole, handler, raised, scope) for handler in node.handlers
        ]
        others = left.hows - {"raise"}
        if others or left.perhaps is not None:
            after = Leave(others, left.value, left.perhaps) if others else None
            runs.append(lambda: after)
        return machine.statements.either(unknown, span, runs)

    def _handled_whole(
        self, handler: cst.ExceptHandler | cst.ExceptStarHandler, exc: Raised, scope: Scope
    ) -> Leave | None:
        return self._machine.statements.whole(self._handle(handler, exc, scope))

    def _handle(
        self, handler: cst.ExceptHandler | cst.ExceptStarHandler, exc: Raised, scope: Scope
    ) -> Steps:
        machine = self._machine
        name = handler.name.name if handler.name is not None else None
        if isinstance(name, cst.Name):
            machine.statements.assign(name, exc.value, scope)
        outer, machine.handled = machine.handled, exc
        try:
            return (yield from machine.statements.steps(handler.body, scope))
        finally:
            machine.handled = outer
            if isinstance(name, cst.Name):
                names = scope.home(name.value).names
                if name.value in names:
                    machine.memory.erase(names, name.value)

    def refused(self, error: GraphError, span: Span) -> None:
        """A graph call is refused: raises what MLRun would raise if the file catches that."""
        machine = self._machine
        finding = error.diagnostic(span)
        if error.raises:
            text = Unknown("the text of an exception of MLRun's", span)
            value = Instance(External(error.raises[0], span), (text,), {}, span)
            raised = Raised(value, error.message, span)
            raised.names, raised.finding = frozenset(error.raises), finding
            if self.handled(raised):
                raise raised
        machine.report(finding)

    def handled(self, exc: Raised) -> bool:
        """Is there a handler for it around the code at hand?"""
        return any(
            handler.type is None or self._catches(handler.type, exc, scope)
            for handlers, scope in self._machine.handlers
            for handler in handlers
        )

    def _catches(self, type_: cst.BaseExpression, exc: Raised, scope: Scope) -> bool:
        value = self._machine.expressions.value(type_, scope)
        names, complete = (exc.names, True) if exc.names else exception_names(exc.value)
        for cls in value if type(value) is tuple else (value,):
            if isinstance(cls, UserClass) and f"{cls.module.name}:{cls.name}" in names:
                return True
            if isinstance(cls, External) and (
                own_name(cls.dotted) in names
                or (not complete and cls.dotted in ("builtins.Exception", "builtins.BaseException"))
            ):
                return True
            if origin(cls) is not None:
                return True
        return False


def _catches_all(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Does the handler also run when a generator that waits in the body is closed?"""
    node = handler.type
    types = [part.value for part in node.elements] if isinstance(node, cst.Tuple) else [node]
    names = [dotted(one) for one in types]
    return any(name in (None, "BaseException", "GeneratorExit") for name in names)


def _text(value: Value) -> str:
    """How Python would show the exception."""
    if not isinstance(value, Instance):
        return describe(value)
    cls = value.cls
    name = cls.name if isinstance(cls, UserClass) else cls.dotted.removeprefix("builtins.")
    if len(value.args) == 1 and type(value.args[0]) in (str, int):
        shown = value.args[0]
        if builtin_exception(f"builtins.{name}") is KeyError:
            shown = repr(shown)
        return f"{name}: {shown}"
    return name
