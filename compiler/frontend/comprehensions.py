"""Comprehensions, which are made whole, and generator expressions, which are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import libcst as cst

from . import generators
from .operators import PLAIN, elements, truth
from .rounds import Rest, rounds
from .scope import Scope
from .signals import Lost, native
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
        self._memory.made(inner.names)
        first = self._machine.expressions.value(node.for_in.iter, scope)
        if isinstance(node, cst.GeneratorExp):
            if type(first) in PLAIN and not hasattr(first, "__iter__"):
                elements(self._memory, first)  # fails as Python does, at once
            return self._machine.generators.make(
                "the generator expression",
                self._clause(node, node.for_in, first, inner, None),
                (first,),
                ((node, inner),),
            )
        doubts: list[Unknown] = []
        made = list(self._clause(node, node.for_in, first, inner, doubts))
        if doubts:
            return doubts[0]
        if isinstance(node, cst.DictComp):
            doubt = self._memory.doubt_of_keys(*(key for key, _ in made))
            return doubt or self._memory.made(native(dict, made))
        if isinstance(node, cst.SetComp):
            return self._memory.doubt(made) or self._memory.made(native(set, made))
        return self._memory.made(made)

    def _clause(
        self,
        node: Comprehension,
        clause: cst.CompFor,
        iterable: Value,
        scope: Scope,
        doubts: list[Unknown] | None,
    ) -> Iterator[Value]:
        """Run one `for` of a comprehension. What keeps its items from being known is added to
        `doubts`; without these, Lost is raised."""
        statements = self._machine.statements
        for item in rounds(self._memory, iterable):
            if not isinstance(item, Rest):
                self._memory.budget.spend()
                statements.assign(clause.target, item, scope)
                yield from self._inside(node, clause, scope, doubts)
                continue
            unknown = self._machine.spelled(item.unknown, scope.module, clause.iter)

            def once(unknown: Unknown = unknown) -> None:
                generators.perhaps_moved(iterable, unknown)
                statements.assign(clause.target, unknown, scope)
                list(self._inside(node, clause, scope, []))

            if doubts is None:
                raise Lost(unknown)
            self._machine.repeat(unknown, scope.module.span(clause.iter), once)
            doubts.append(unknown)

    def _inside(
        self,
        node: Comprehension,
        clause: cst.CompFor,
        scope: Scope,
        doubts: list[Unknown] | None,
        first: int = 0,
    ) -> Iterator[Value]:
        """One iteration, from condition number `first` on."""
        for number, condition in enumerate(clause.ifs[first:], first):
            verdict = truth(self._memory, self._machine.expressions.value(condition.test, scope))
            if isinstance(verdict, Unknown):
                if doubts is None:
                    raise Lost(verdict)

                def rest(following: int = number + 1) -> None:
                    list(self._inside(node, clause, scope, [], following))

                branches: list[Callable[[], None]] = [rest, lambda: None]
                self._machine.fork(verdict, scope.module.span(condition.test), branches)
                doubts.append(verdict)
                return
            if not verdict:
                return
        expressions = self._machine.expressions
        if clause.inner_for_in is not None:
            inner = clause.inner_for_in
            iterable = expressions.value(inner.iter, scope)
            yield from self._clause(node, inner, iterable, scope, doubts)
        elif isinstance(node, cst.DictComp):
            key = expressions.value(node.key, scope)
            yield key, expressions.value(node.value, scope)
        else:
            yield expressions.value(node.elt, scope)


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
