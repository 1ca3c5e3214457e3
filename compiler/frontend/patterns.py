"""`match`: literals, names, alternatives, sequences, mappings, Python's own types and objects.

Other patterns are not known to match.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import libcst as cst

from . import introspection, objects
from .memory import origin
from .operators import PLAIN, equal, identical, truth
from .scope import Scope
from .signals import Leave, Steps
from .values import Instance, Unknown, Value

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
                return self._sequence(pattern, parts, subject, scope)
            case cst.MatchMapping(elements=items):
                return self._mapping(pattern, items, subject, scope)
            case cst.MatchClass(cls=cls, patterns=parts, kwds=words):
                wanted = machine.expressions.value(cls, scope)
                if isinstance(subject, Instance):
                    return self._object(pattern, subject, wanted, scope)
                if introspection.is_instance(subject, wanted) is False:
                    return False
                kind = _TYPES.get(getattr(wanted, "dotted", ""))
                if kind is not None and type(subject) in PLAIN and len(parts) < 2 and not words:
                    return self._all([(parts[0].value, subject)] if parts else [], scope)
        return self._lost(pattern, scope)

    def _lost(self, pattern: cst.MatchPattern, scope: Scope) -> Unknown:
        """It is not known whether the pattern matches, nor what its names are then."""
        for found in _names(pattern):
            self._machine.statements.assign(found, self._unknown(scope, pattern), scope)
        return self._unknown(scope, pattern)

    def _object(
        self, pattern: cst.MatchClass, subject: Instance, cls: Value, scope: Scope
    ) -> bool | Unknown:
        """`case Point(x=0, y=y)`, of an object of the user's."""
        machine = self._machine
        is_one = introspection.is_instance(subject, cls)
        if is_one is False:
            return False
        names = objects.positional(subject)
        if is_one is not True or len(names) < len(pattern.patterns):
            return self._lost(pattern, scope)
        asked = [(part.value, name) for part, name in zip(pattern.patterns, names, strict=False)]
        asked += [(word.pattern, word.key.value) for word in pattern.kwds]
        pairs = []
        for inner, name in asked:
            if introspection.hasattr_(machine, [subject, name], {}) is False:
                return False
            pairs.append((inner, machine.attribute(subject, name)))
        return self._all(pairs, scope)

    def _sequence(
        self,
        pattern: cst.MatchList | cst.MatchTuple,
        parts: Sequence[cst.MatchSequenceElement | cst.MatchStar],
        subject: Value,
        scope: Scope,
    ) -> bool | Unknown:
        if type(subject) in PLAIN and type(subject) not in (list, tuple, range):
            return False
        items = objects.named_items(subject)
        if items is None and type(subject) in (list, tuple):
            items = list(subject)
        if items is None:
            return self._lost(pattern, scope)
        stars = [place for place, part in enumerate(parts) if isinstance(part, cst.MatchStar)]
        if len(items) < len(parts) - len(stars) or (not stars and len(items) > len(parts)):
            return False
        if stars:
            start, stop = stars[0], len(items) - (len(parts) - stars[0] - 1)
            star = parts[start]
            assert isinstance(star, cst.MatchStar)
            if star.name is not None:
                self._machine.statements.assign(star.name, items[start:stop], scope)
            items[start:stop] = []
            parts = [part for part in parts if part is not star]
        found = zip(parts, items, strict=True)
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
