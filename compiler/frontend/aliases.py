"""Which known containers a value that is not known may be: what is done to it is done to them.

`e[unknown].append(x)` changes a part of `e`. So an Unknown that one of several known values stands
behind lists them (`Unknown.among`), each expression hands on those of its parts, and a change of
the Unknown makes all of them unknown. What is known of values from elsewhere stays as it was:
functions of libraries are taken not to change what they are given.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import libcst as cst

from .values import (
    BoundMethod,
    Generator,
    HostFunction,
    HostObject,
    Instance,
    Method,
    Unknown,
    UserClass,
    UserFunction,
    Value,
)

if TYPE_CHECKING:
    from .memory import Memory

_ITERATOR: Final[type] = type(iter([]))
_CONTAINERS: Final = frozenset({list, dict, set, tuple, frozenset, _ITERATOR})
_VIEWS: Final[tuple[type, ...]] = (type({}.values()), type({}.items()))
#: The value is one of the parts.
_ONE_OF: Final = frozenset({cst.IfExp, cst.BooleanOperation, cst.NamedExpr, cst.Await})
#: The value is a new container that holds the parts, or what they hold.
_NEW: Final = frozenset({
    cst.List, cst.Tuple, cst.Set, cst.Dict,
    cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp,
})  # fmt: skip


#: What is run when it is called.
_FUNCTIONS: Final = frozenset({UserFunction, BoundMethod, UserClass, HostFunction})


class Possible(list[Value]):
    """What a container holds of which no more is known."""


def matters(value: Value) -> bool:
    """Can a change reach something known through the value?"""
    kind = type(value)
    if kind is Unknown:
        return bool(value.among)
    if kind is Instance:
        return value.fields is not None
    return (
        isinstance(value, HostObject)
        or kind in _FUNCTIONS
        or kind is Generator
        or kind in _CONTAINERS
        or kind is Possible
        or kind is Method
        or kind in _VIEWS
    )


def one_of(unknown: Unknown, values: Iterable[Value]) -> Unknown:
    """The Unknown that is one of the values."""
    found = tuple(_each_once(values))
    return replace(unknown, among=found) if found or unknown.among else unknown


def holding(unknown: Unknown, found: Iterable[Value]) -> Unknown:
    """The Unknown that is a container of some of the values."""
    return replace(unknown, among=(Possible(_each_once(found)),))


def of_expression(
    memory: Memory, node: cst.CSTNode, unknown: Unknown, parts: Sequence[Value]
) -> Unknown:
    """The Unknown that an expression came to, with what it is of the values of its parts."""
    kind = type(node)
    if kind is cst.Name or kind is cst.Call:
        return unknown  # it has brought along what it may be
    if kind in _ONE_OF:
        return one_of(unknown, parts)
    if kind is cst.Attribute:
        fields = [value.fields for value in known(parts) if isinstance(value, Instance)]
        held = [one for each in fields for one in (each or {}).values()]
        return one_of(unknown, [unknown, *_data(parts), *held])
    if kind is cst.Subscript:
        is_slice = any(isinstance(part.slice, cst.Slice) for part in node.slice)  # type: ignore[attr-defined]
        return (holding if is_slice else one_of)(unknown, items(memory, parts))
    if kind in _NEW:
        return holding(unknown, [*parts, *items(memory, parts)])
    if kind is cst.BinaryOperation:
        return holding(unknown, items(memory, parts))
    return one_of(unknown, ())


def of_call(memory: Memory, unknown: Unknown, callee: Value, args: Sequence[Value]) -> Unknown:
    """The Unknown that a function or method of Python's own gave: an argument, or a part of one."""
    given = [*args]
    if isinstance(callee, Method):
        given.append(callee.owner)
    elif isinstance(callee, Unknown):
        given = _data([*given, *callee.among])
    inner = items(memory, given)
    if isinstance(callee, Unknown):
        inner = _data(inner)
    if not inner and not any(map(matters, given)):
        return one_of(unknown, ())
    return one_of(
        unknown, [*given, *inner, Possible(_each_once([*given, *inner, *items(memory, inner)]))]
    )


def _data(values: Iterable[Value]) -> list[Value]:
    """Without functions and objects of the graph API, which code elsewhere keeps to itself."""
    return [
        value
        for value in known(values)
        if type(value) not in _FUNCTIONS and not isinstance(value, HostObject)
    ]


def known(values: Iterable[Value]) -> Iterator[Value]:
    """The values, and for each that is not known those that it may be."""
    todo, seen = list(values), set[int]()
    while todo:
        value = todo.pop()
        if id(value) not in seen:
            seen.add(id(value))
            if type(value) is Unknown:
                todo += value.among
            else:
                yield value


def items(memory: Memory, values: Iterable[Value]) -> list[Value]:
    """What the values hold, as far as changes of it matter."""
    found: list[Value] = []
    seen: set[int] = set()
    todo = list(values)
    while todo:
        value = memory.seen(todo.pop())
        if id(value) in seen:
            continue
        seen.add(id(value))
        memory.budget.spend()
        kind = type(value)
        if kind is Unknown:
            todo += value.among
        elif kind is Instance:
            found += (value.fields or {}).values()
        elif kind is dict:
            found += value.values()
        elif kind is Generator:
            todo += value.values
        elif kind is _ITERATOR:
            found += copy.copy(value)
        elif kind in _CONTAINERS or kind is Possible or kind in _VIEWS:
            found += value
    return _each_once(found)


def _each_once(values: Iterable[Value]) -> list[Value]:
    """Those that matter; what is kept again and again would double with each step of a loop."""
    return list({id(value): value for value in values if matters(value)}.values())


def change(memory: Memory, unknown: Unknown, more: Iterable[Value] = ()) -> None:
    """The value is changed in place; perhaps it holds `more` from then on."""
    more = _each_once(more)
    unknown = replace(
        unknown, why="perhaps it was changed by way of a value that is not known", expression=""
    )
    for value in known(unknown.among):
        kind = type(value)
        if kind is Possible:
            value[:] = _each_once([*value, *more])
        elif kind is Method:
            change(memory, one_of(unknown, [value.owner]), more)
        elif kind is Instance:
            for field, before in list((value.fields or {}).items()):
                memory.write(value.fields, field, one_of(unknown, [before, *more]))
        elif kind is Generator:
            value.owner.lost(value, unknown)
        elif kind in (list, dict, set, _ITERATOR):
            memory.blur(value, unknown, more)


def functions(unknown: Unknown) -> list[Value]:
    """The functions of the user's and of the graph API that the value may be."""
    return [value for value in known(unknown.among) if type(value) in _FUNCTIONS]


def moved(memory: Memory, unknown: Unknown) -> None:
    """Someone goes on with the value; perhaps it is an iterator that is known."""
    for value in known(unknown.among):
        if type(value) is Generator:
            value.owner.lost(value, unknown)
        elif type(value) is _ITERATOR:
            memory.blur(value, unknown)
