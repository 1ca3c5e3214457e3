"""Statements: they change scopes, and may leave the block that they are in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import libcst as cst

from ..diagnostics import Span
from ..scopes import bindings
from . import aliases, generators
from .definitions import Definitions
from .failures import Failures
from .limits import BoundExceeded
from .memory import origin
from .operators import IN_PLACE, binary, truth
from .patterns import Patterns
from .rounds import Rest, rounds
from .scope import Scope, yields
from .signals import Leave, Lost, Native, Raised, Steps
from .targets import Targets
from .values import External, Generator, HostObject, Instance, TextFile, Unknown, Value

if TYPE_CHECKING:
    from ..source import SourceModule
    from .machine import Machine

Block = Sequence[cst.CSTNode]
#: Types that `+=` and its like change no container with.
_NO_ITEMS: Final = frozenset({type(None), bool, int, float, complex, str, bytes})


class Statements:
    """Runs statements."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._memory = machine.memory
        self._targets = Targets(machine)
        definitions = Definitions(machine)
        self.failures = failures = Failures(machine)
        patterns = Patterns(machine)
        self._handlers: dict[type[cst.CSTNode], Callable[[Any, Scope], Leave | None]] = {
            cst.Expr: self._expression,
            cst.Assign: self._assign,
            cst.AnnAssign: self._annotated,
            cst.AugAssign: self._augmented,
            cst.Del: self._delete,
            cst.Pass: lambda node, scope: None,
            cst.Break: lambda node, scope: Leave(frozenset({"break"})),
            cst.Continue: lambda node, scope: Leave(frozenset({"continue"})),
            cst.Return: self._return,
            cst.Raise: failures.raise_statement,
            cst.Assert: failures.assert_statement,
            cst.Global: definitions.global_statement,
            cst.Nonlocal: lambda node, scope: None,
            cst.Import: self._import,
            cst.ImportFrom: self._import,
            cst.FunctionDef: definitions.function,
            cst.ClassDef: definitions.class_,
        }
        #: Those that hold other statements.
        self._compound: dict[type[cst.CSTNode], Callable[[Any, Scope], Steps]] = {
            cst.For: self._for,
            cst.While: self._while,
            cst.Match: patterns.match_statement,
            cst.Try: failures.try_statement,
            cst.TryStar: failures.try_statement,
        }

    # -- blocks

    def module(self, module: SourceModule, scope: Scope, *, recover: bool = False) -> None:
        """Run a module's top level; with `recover`, go on after a statement that fails."""
        self.whole(self._block(module.tree.body, scope, recover))

    def body(self, node: cst.BaseSuite, scope: Scope) -> Leave | None:
        """Run what is below a `def`, `class` and so on, to its end."""
        return self.whole(self.steps(node, scope))

    def whole(self, steps: Steps) -> Leave | None:
        """Run to the end; a `yield` on the way is one that perhaps is not reached."""
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        steps.close()
        raise Lost(self._machine.unsure[-1].unknown)

    def steps(self, node: cst.BaseSuite, scope: Scope, recover: bool = False) -> Steps:
        """Run what is below a `def`, `if` and so on, from one `yield` to the next."""
        return self._block(node.body, scope, recover)

    def _block(self, nodes: Block, scope: Scope, recover: bool = False) -> Steps:
        """Run statements one after another, until one leaves the block."""
        for index, node in enumerate(nodes):
            try:
                left = yield from self._statement(node, scope, recover)
            except Raised as exc:
                if not recover:
                    raise
                self._machine.report(exc.diagnostic())
                self._forget(node, scope, exc.span)
                continue
            if left is None:
                continue
            if left.perhaps is None:
                return left
            return self._perhaps_left(left, nodes[index + 1 :], scope)
        return None

    def _perhaps_left(self, left: Leave, rest: Block, scope: Scope) -> Leave:
        """Run the rest of a block that was perhaps left."""
        unknown = left.perhaps
        assert unknown is not None
        span = unknown.span or self._machine.here
        ends = self._machine.fork(
            unknown, span, [lambda: None, lambda: self.whole(self._block(rest, scope))]
        )
        sure = Leave(left.hows, left.value)
        together = self.joined([sure, *(end for number, end in ends if number == 1)], unknown)
        assert together is not None
        return together

    def _forget(self, node: cst.CSTNode, scope: Scope, span: Span) -> None:
        """What a statement that failed would have assigned."""
        unknown = self._machine.failed("the line that computes it fails", span)
        for found in bindings(node):
            if not isinstance(found.node, cst.FunctionDef | cst.ClassDef) or found.node is node:
                self._memory.write(scope.home(found.name).names, found.name, unknown)

    def _statement(self, node: cst.CSTNode, scope: Scope, recover: bool) -> Steps:
        kind: type[cst.CSTNode] = type(node)
        if kind is cst.SimpleStatementLine:
            return (yield from self._block(node.body, scope, recover))  # type: ignore[attr-defined]
        self._machine.position = (scope.module, node)
        try:
            self._memory.budget.spend()
            if kind is cst.If:
                return (yield from self._if(node, scope, recover))  # type: ignore[arg-type]
            if kind is cst.With:
                return (yield from self._with(node, node.items, scope, recover))  # type: ignore[attr-defined,arg-type]
            compound = self._compound.get(kind)
            if compound is not None:
                return (yield from compound(node, scope))
            if yields(node):
                return (yield from self._yield(node, scope))
            handler = self._handlers.get(kind)
            return None if handler is None else handler(node, scope)
        except Native as exc:
            raise Raised.of(exc, scope.module.span(node)) from None
        except BoundExceeded as exc:
            exc.span = exc.span or scope.module.span(node)
            raise

    def joined(self, ends: Sequence[Leave | None], unknown: Unknown) -> Leave | None:
        """How a statement is left of whose branches one is run."""
        left = [end for end in ends if end is not None]
        if not left:
            return None
        hows = frozenset(how for end in left for how in end.hows)
        perhaps = unknown if len(left) < len(ends) or any(end.perhaps for end in left) else None
        returned = [end.value for end in left if "return" in end.hows]
        agreed = all(self._memory.same(returned[0], value) for value in returned[1:])
        value = None
        if returned:
            value = returned[0] if agreed else aliases.one_of(unknown, returned)
        return Leave(hows, value, perhaps)

    def _yield(self, node: Any, scope: Scope) -> Steps:
        """`yield x`, `got = yield x` or `return (yield x)`."""
        machine, inner = self._machine, node.value.value
        value = None
        if isinstance(inner, cst.From):
            value = machine.expressions.value(inner.item, scope)
            got = yield from generators.delegated(self._memory, value)
        else:
            if inner is not None:
                value = machine.expressions.value(inner, scope)
            got = yield value
        machine.position = (scope.module, node)
        if isinstance(node, cst.Return):
            return Leave(frozenset({"return"}), got)
        for target in node.targets if isinstance(node, cst.Assign) else ():
            self.assign(target.target, got, scope)
        return None

    # -- simple statements

    def _expression(self, node: cst.Expr, scope: Scope) -> Leave | None:
        machine = self._machine
        value = node.value
        outer = machine.statement
        machine.statement = value.expression if isinstance(value, cst.Await) else value
        try:
            machine.expressions.value(value, scope)
        finally:
            machine.statement = outer
        return None

    def _assign(self, node: cst.Assign, scope: Scope) -> Leave | None:
        expressions = self._machine.expressions
        only = node.targets[0].target
        if isinstance(node.value, cst.Lambda) and isinstance(only, cst.Name):
            value: Value = expressions.lambda_function(node.value, scope, only.value)
        else:
            value = expressions.value(node.value, scope)
        for target in node.targets:
            self.assign(target.target, value, scope)
        return None

    def assign(self, target: cst.CSTNode, value: Value, scope: Scope) -> None:
        """`target = value`."""
        if isinstance(target, cst.Name):
            self._memory.write(scope.home(target.value).names, target.value, value)
        else:
            self._targets.assign(target, value, scope)

    def _annotated(self, node: cst.AnnAssign, scope: Scope) -> Leave | None:
        if node.value is not None:
            self.assign(node.target, self._machine.expressions.value(node.value, scope), scope)
        return None

    def _augmented(self, node: cst.AugAssign, scope: Scope) -> Leave | None:
        expressions = self._machine.expressions
        before = expressions.value(node.target, scope)
        operand = expressions.value(node.value, scope)
        after = binary(self._memory, IN_PLACE[type(node.operator)], before, operand)
        if type(after) is Unknown and type(before) in (list, dict, set):
            self._memory.blur(before, after, aliases.items(self._memory, [operand]))
        elif type(before) is Unknown and (
            type(operand) not in _NO_ITEMS or isinstance(node.operator, cst.MultiplyAssign)
        ):
            aliases.change(self._memory, before, aliases.items(self._memory, [operand]))
        self.assign(node.target, self._machine.placed(after, scope.module, node.value), scope)
        return None

    def _delete(self, node: cst.Del, scope: Scope) -> Leave | None:
        self._targets.delete(node.target, scope)
        return None

    def _return(self, node: cst.Return, scope: Scope) -> Leave | None:
        value = None
        if node.value is not None:
            value = self._machine.expressions.value(node.value, scope)
        return Leave(frozenset({"return"}), value)

    def _import(self, node: cst.Import | cst.ImportFrom, scope: Scope) -> Leave | None:
        self._machine.imports.statement(node, scope)
        return None

    # -- compound statements

    def _if(self, node: cst.If, scope: Scope, recover: bool) -> Steps:
        machine = self._machine
        verdict = truth(self._memory, machine.expressions.value(node.test, scope))
        if not isinstance(verdict, Unknown):
            taken = node.body if verdict else node.orelse
            return (yield from self._alternative(taken, scope, recover))
        return self.either(
            verdict,
            scope.module.span(node.test),
            [
                lambda: self.body(node.body, scope),
                lambda: self.whole(self._alternative(node.orelse, scope, False)),
            ],
        )

    def _alternative(
        self, node: cst.BaseSuite | cst.If | cst.Else | None, scope: Scope, recover: bool
    ) -> Steps:
        match node:
            case None:
                return None
            case cst.If():
                return (yield from self._if(node, scope, recover))
            case cst.Else():
                return (yield from self.steps(node.body, scope, recover))
        return (yield from self.steps(node, scope, recover))

    def either(
        self, unknown: Unknown, span: Span, branches: Sequence[Callable[[], Leave | None]]
    ) -> Leave | None:
        """Run branches of which one will run, which is not known."""
        runs = branches
        if self._machine.catching:
            runs = [partial(_or_raised, branch) for branch in branches]
        ends = self._machine.fork(unknown, span, runs)
        return self.joined([end for _, end in ends], unknown)

    def _with(
        self, node: cst.With, items: Sequence[cst.WithItem], scope: Scope, recover: bool
    ) -> Steps:
        if not items:
            return (yield from self.steps(node.body, scope, recover))
        item, *rest = items
        machine = self._machine
        if not rest and (handlers := self._suppressed(item.item, scope)):
            caught = cst.Try(node.body, handlers)
            return (yield from self.failures.try_statement(caught, scope))
        value = machine.expressions.value(item.item, scope)
        managed = isinstance(value, Generator) and value.manages
        given = value if isinstance(value, HostObject | TextFile) else origin(value)
        if managed:
            given = value.owner.entered(value)
        elif isinstance(value, Instance) and value.fields is not None:
            managed = True
            given = machine.call(machine.attribute(value, "__enter__"), [])
        elif given is None:
            given = Unknown(
                "what a context manager gives",
                scope.module.span(item.item),
                scope.module.code(item.item),
            )
        if item.asname is not None:
            self.assign(item.asname.name, given, scope)
        if not managed:
            return (yield from self._with(node, rest, scope, recover))
        machine.guarded += 1
        try:
            left = yield from self._with(node, rest, scope, False)
        except Raised as exc:
            self._exit(value, exc)
            return None
        finally:
            machine.guarded -= 1
        self._exit(value, None)
        return left

    def _suppressed(self, manager: cst.CSTNode, scope: Scope) -> list[cst.ExceptHandler]:
        """`contextlib.suppress(A, B)` as `except A: pass` and `except B: pass`."""
        if not isinstance(manager, cst.Call):
            return []
        function = self._machine.expressions.value(manager.func, scope)
        if not isinstance(function, External) or function.dotted != "contextlib.suppress":
            return []
        idle = cst.IndentedBlock([cst.SimpleStatementLine([cst.Pass()])])
        return [cst.ExceptHandler(idle, arg.value) for arg in manager.args if not arg.star]

    def _exit(self, value: Value, raised: Raised | None) -> None:
        """The end of a `with`; raises again what the manager does not catch."""
        machine = self._machine
        if isinstance(value, Generator):
            value.owner.left(value, raised)
            return
        what: list[Value] = [None, None, None]
        if raised is not None:
            cls = raised.value.cls if isinstance(raised.value, Instance) else None
            what = [cls, raised.value, Unknown("a traceback", raised.span)]
        caught = machine.call(machine.attribute(value, "__exit__"), what)
        if raised is not None and truth(self._memory, caught) is not True:
            raise raised

    def _for(self, node: cst.For, scope: Scope) -> Steps:
        iterable = self._machine.expressions.value(node.iter, scope)
        span = scope.module.span(node.iter)
        for item in rounds(self._memory, iterable):
            if isinstance(item, Rest):
                unknown = self._machine.spelled(item.unknown, scope.module, iterated(node.iter))
                return (yield from self._uncertain(node, scope, unknown, span, iterable))
            self._memory.budget.spend()
            self.assign(node.target, item, scope)
            left = yield from self._iteration(node, scope)
            if left is not None:
                rest = aliases.items(self._memory, [iterable])
                if left.how is not None:
                    generators.dropped(iterable, node.iter)
                return (yield from self._after(left, node, scope, span, rest, iterable))
        return (yield from self._otherwise(node, scope))

    def _while(self, node: cst.While, scope: Scope) -> Steps:
        span = scope.module.span(node.test)
        while True:
            verdict = truth(self._memory, self._machine.expressions.value(node.test, scope))
            if isinstance(verdict, Unknown):
                return (yield from self._uncertain(node, scope, verdict, span))
            if not verdict:
                return (yield from self._otherwise(node, scope))
            self._memory.budget.spend()
            left = yield from self._iteration(node, scope)
            if left is not None:
                return (yield from self._after(left, node, scope, span))

    def _iteration(self, node: cst.For | cst.While, scope: Scope) -> Steps:
        """Run a loop's body once; None if the loop goes on for certain."""
        scope.loops += 1
        try:
            left = yield from self.steps(node.body, scope)
        finally:
            scope.loops -= 1
        return None if left is None or left.hows == {"continue"} else left

    def _otherwise(self, node: cst.For | cst.While, scope: Scope) -> Steps:
        return None if node.orelse is None else (yield from self.steps(node.orelse.body, scope))

    def _after(
        self,
        left: Leave,
        node: cst.For | cst.While,
        scope: Scope,
        span: Span,
        rest: Sequence[Value] = (),
        iterable: Value = None,
    ) -> Steps:
        """The loop was left, perhaps; else it goes on with something of `rest`."""
        if left.how == "break":
            return None
        if left.how is not None:
            return left
        unknown = left.perhaps or Unknown("how a loop ends", span)
        if left.perhaps is None and not left.hows & {"continue"}:
            return _without(left, unknown)
        among = aliases.one_of(unknown, rest)
        later = yield from self._uncertain(node, scope, among, span, iterable)
        return _without(self.joined([left, later], unknown), unknown)

    def _uncertain(
        self,
        node: cst.For | cst.While,
        scope: Scope,
        unknown: Unknown,
        span: Span,
        iterable: Value = None,
    ) -> Steps:
        """A loop of which it is not known how often it runs."""

        def once() -> Leave | None:
            if isinstance(node, cst.For):
                generators.perhaps_moved(iterable, unknown)
                self.assign(node.target, unknown, scope)
            else:
                self._machine.expressions.value(node.test, scope)
            return self.whole(self._iteration(node, scope))

        left = self._machine.repeat(unknown, span, once)
        if left is None or node.orelse is None:
            ended = yield from self._otherwise(node, scope)
            return _without(left, unknown) if left is not None else ended
        orelse = node.orelse.body
        ended = self.either(unknown, span, [lambda: self.body(orelse, scope), lambda: None])
        return self.joined([_without(left, unknown), ended], unknown)


def iterated(node: cst.BaseExpression) -> cst.BaseExpression:
    """What a loop goes through at last: `uris` of `enumerate(tqdm(uris))`."""
    while (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Name)
        and node.func.value in ("enumerate", "list", "reversed", "sorted", "tqdm", "tuple")
        and node.args
    ):
        node = node.args[0].value
    return node


def _or_raised(branch: Callable[[], Leave | None]) -> Leave | None:
    try:
        return branch()
    except Raised:
        return Leave(frozenset({"raise"}))


def _without(left: Leave | None, unknown: Unknown) -> Leave | None:
    """What a loop passes on: `break` and `continue` end at it."""
    if left is None:
        return None
    hows = left.hows - {"break", "continue"}
    if not hows:
        return None
    sure = hows == left.hows and left.perhaps is None
    return Leave(hows, unknown if "return" in hows else None, None if sure else unknown)
