"""`match`: literals, names, alternatives, sequences, mappings and Python's own types.

Other patterns are not known to match.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import libcst as cst

from .memory import origin
from .operators import PLAIN, equal, identical, truth
from .scope import Scope
from .signals import Leave, Steps
from .values import Unknown, Value

if TYPE_CHECKING:
    from .machine import Machine

#: Types that take one pattern for the whole value.
_TYPES: Final = {
    f"builtins.{kind.__name__}": kind
    for kind in (bool, bytes, dict, float, frozenset, int, list, set, str, tuple)
}


class Patterns:
    """Runs match statements."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def match_statement(self, node: cst.Match, scope: Scope) -> Steps:
        subject = self._machine.expressions.value(node.subject, scope)
        return (yield from self._cases(node.cases, subject, scope))

    def _cases(self, cases: Sequence[cst.MatchCase], subject: Value, scope: Scope) -> Steps:
        machine = self._machine
        for number, case in enumerate(cases):
            matched = self._matches(case.pattern, subject, scope)
            if matched is True and case.guard is not None:
                matched = truth(machine.memory, machine.expressions.value(case.guard, scope))
            if isinstance(matched, Unknown):
                return machine.statements.either(
                    matched,
                    scope.module.span(case.pattern),
                    [
                        partial(machine.statements.body, case.body, scope),
                        partial(self._rest, cases[number + 1 :], subject, scope),
                    ],
                )
            if matched:
                return (yield from machine.statements.steps(case.body, scope))
        return None

    def _rest(self, cases: Sequence[cst.MatchCase], subject: Value, scope: Scope) -> Leave | None:
        return self._machine.statements.whole(self._cases(cases, subject, scope))

    def _matches(self, pattern: cst.MatchPattern, subject: Value, scope: Scope) -> bool | Unknown:
        machine = self._machine
        subject = machine.memory.seen(subject)
        unknown = origin(subject)
        match pattern:
            case cst.MatchAs(pattern=inner, name=name):
                matched = True if inner is None else self._matches(inner, subject, scope)
                if name is not None and matched is not False:
                    machine.statements.assign(name, subject, scope)
                return matched
            case _ if unknown is not None:
                for found in _names(pattern):
                    machine.statements.assign(found, unknown, scope)
                return unknown
            case cst.MatchValue(value=value):
                return equal(machine.memory, subject, machine.expressions.value(value, scope))
            case cst.MatchSingleton(value=value):
                return identical(machine.memory, subject, machine.expressions.value(value, scope))
            case cst.MatchOr(patterns=patterns):
                for element in patterns:
                    matched = self._matches(element.pattern, subject, scope)
                    if matched is not False:
                        return matched
                return False
            case cst.MatchList(patterns=parts) | cst.MatchTuple(patterns=parts):
                return self._sequence(parts, subject, scope)
            case cst.MatchMapping(elements=items):
                return self._mapping(pattern, items, subject, scope)
            case cst.MatchClass(cls=cls, patterns=parts, kwds=[]) if len(parts) < 2:
                kind = _TYPES.get(getattr(machine.expressions.value(cls, scope), "dotted", ""))
                if kind is not None and type(subject) in PLAIN:
                    is_one = isinstance(subject, kind)
                    return is_one and self._all([(parts[0].value, subject)] if parts else [], scope)
        for found in _names(pattern):
            machine.statements.assign(found, self._unknown(scope, pattern), scope)
        return self._unknown(scope, pattern)

    def _sequence(
        self,
        parts: Sequence[cst.MatchSequenceElement | cst.MatchStar],
        subject: Value,
        scope: Scope,
    ) -> bool | Unknown:
        if type(subject) in PLAIN and type(subject) not in (list, tuple, range):
            return False
        if type(subject) not in (list, tuple) or any(
            isinstance(part, cst.MatchStar) for part in parts
        ):
            return self._unknown(scope, None)
        if len(subject) != len(parts):
            return False
        found = zip(parts, subject, strict=True)
        return self._all([(part.value, item) for part, item in found], scope)  # type: ignore[union-attr]

    def _mapping(
        self,
        pattern: cst.MatchMapping,
        items: Sequence[cst.MatchMappingElement],
        subject: Value,
        scope: Scope,
    ) -> bool | Unknown:
        if type(subject) is not dict:
            return False if type(subject) in PLAIN else self._unknown(scope, pattern)
        pairs, left = [], dict(subject)
        for item in items:
            key = self._machine.expressions.value(item.key, scope)
            if doubt := self._machine.memory.doubt(key):
                return doubt
            if key not in left:
                return False
            pairs.append((item.pattern, left.pop(key)))
        matched = self._all(pairs, scope)
        if matched is True and pattern.rest is not None:
            self._machine.statements.assign(pattern.rest, left, scope)
        return matched

    def _all(self, pairs: Sequence[tuple[cst.MatchPattern, Value]], scope: Scope) -> bool | Unknown:
        """Do all patterns match their values? The first that does not decides."""
        matched: bool | Unknown = True
        for pattern, value in pairs:
            if isinstance(matched, Unknown):
                value = matched
            found = self._matches(pattern, value, scope)
            if found is False:
                return False
            matched = matched if isinstance(matched, Unknown) else found
        return matched

    def _unknown(self, scope: Scope, pattern: cst.MatchPattern | None) -> Unknown:
        span = scope.module.span(pattern) if pattern is not None else self._machine.here
        return Unknown("whether this pattern matches", span)


def _names(pattern: cst.CSTNode) -> list[cst.CSTNode]:
    """The names that a pattern binds."""
    found = []
    for child in pattern.children:
        found += _names(child)
    if isinstance(pattern, cst.MatchAs | cst.MatchStar) and pattern.name is not None:
        found.append(pattern.name)
    if isinstance(pattern, cst.MatchMapping) and pattern.rest is not None:
        found.append(pattern.rest)
    return found
