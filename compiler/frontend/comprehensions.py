"""Comprehensions and generator expressions, which are made whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import libcst as cst

from . import aliases
from .limits import MOST_ROUNDS
from .operators import elements, truth
from .scope import Scope
from .signals import native
from .values import Unknown, Value

if TYPE_CHECKING:
    from .machine import Machine

Comprehension = cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp


class Comprehensions:
    """Evaluates comprehensions."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._memory = machine.memory

    def value(self, node: Comprehension, scope: Scope) -> Value:
        around: Scope | None = scope
        while around is not None and around.kind == "class":
            around = around.parent
        inner = Scope(scope.module, "comprehension", around, _bound(node.for_in))
        made: list[Value] = []
        first = self._machine.expressions.value(node.for_in.iter, scope)
        doubt = self._clause(node, node.for_in, first, inner, made)
        if doubt is not None:
            return doubt
        if isinstance(node, cst.DictComp):
            return self._memory.doubt([key for key, _ in made]) or native(dict, made)
        if isinstance(node, cst.SetComp):
            return self._memory.doubt(made) or native(set, made)
        return iter(made) if isinstance(node, cst.GeneratorExp) else made

    def _clause(
        self,
        node: Comprehension,
        clause: cst.CompFor,
        iterable: Value,
        scope: Scope,
        made: list[Value],
    ) -> Unknown | None:
        """Run one `for` of a comprehension; the Unknown that keeps its items from being known."""
        items = elements(self._memory, iterable)
        statements = self._machine.statements
        if not isinstance(items, Unknown) and len(items) > MOST_ROUNDS:
            span = scope.module.span(clause.iter)
            long = Unknown(f"a loop of {len(items)} rounds is not followed", span)
            items = aliases.one_of(long, items)
        if isinstance(items, Unknown):
            unknown = self._machine.spelled(items, scope.module, clause.iter)

            def once() -> None:
                statements.assign(clause.target, unknown, scope)
                self._inside(node, clause, scope, [])

            self._machine.repeat(unknown, scope.module.span(clause.iter), once)
            return unknown
        doubt: Unknown | None = None
        for item in items:
            self._memory.budget.spend()
            statements.assign(clause.target, item, scope)
            doubt = self._inside(node, clause, scope, made) or doubt
        return doubt

    def _inside(
        self,
        node: Comprehension,
        clause: cst.CompFor,
        scope: Scope,
        made: list[Value],
        first: int = 0,
    ) -> Unknown | None:
        """One iteration, from condition number `first` on."""
        for number, condition in enumerate(clause.ifs[first:], first):
            verdict = truth(self._memory, self._machine.expressions.value(condition.test, scope))
            if isinstance(verdict, Unknown):
                rest = partial(self._inside, node, clause, scope, [], number + 1)
                branches: list[Callable[[], Unknown | None]] = [rest, lambda: None]
                self._machine.fork(verdict, scope.module.span(condition.test), branches)
                return verdict
            if not verdict:
                return None
        if clause.inner_for_in is not None:
            inner = clause.inner_for_in
            return self._clause(
                node, inner, self._machine.expressions.value(inner.iter, scope), scope, made
            )
        if isinstance(node, cst.DictComp):
            made.append(
                (
                    self._machine.expressions.value(node.key, scope),
                    self._machine.expressions.value(node.value, scope),
                )
            )
        else:
            made.append(self._machine.expressions.value(node.elt, scope))
        return None


def _bound(clause: cst.CompFor | None) -> frozenset[str]:
    names: set[str] = set()
    while clause is not None:
        pending: list[cst.CSTNode] = [clause.target]
        while pending:
            match pending.pop():
                case cst.Name(value=name):
                    names.add(name)
                case cst.Tuple(elements=parts) | cst.List(elements=parts):
                    pending.extend(part.value for part in parts)
        clause = clause.inner_for_in
    return frozenset(names)
