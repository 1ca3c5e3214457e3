"""What code that is not followed may change: everything that it can get hold of.

In: values and pieces of code with their scopes. Out: the containers, objects and names that it
reaches by any name in it, also through functions that it may call, and whether it holds
anything that changes more than names of its own. Functions of other modules count as harmless,
as they do everywhere.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import libcst as cst

from ..scopes import children, dotted, root_name
from . import aliases
from .memory import ITERATOR, Memory
from .methods import READING
from .operators import VIEWS
from .scope import Scope
from .values import (
    BoundMethod,
    Coroutine,
    Descriptor,
    External,
    Generator,
    HostFunction,
    HostModule,
    HostObject,
    Instance,
    Method,
    Super,
    Unknown,
    UserClass,
    UserFunction,
    UserModule,
    Value,
)

#: What names keep, so that it is found again: that another is put there is not looked for.
_KEPT: Final = (UserFunction, UserClass, UserModule, External, HostModule, HostObject)
Code = tuple[cst.CSTNode, Scope]
#: Python's own functions that change what they are given, or anything at all.
_CHANGING: Final = frozenset(
    "builtins." + name for name in "delattr eval exec globals locals setattr vars".split()
)


@dataclass(slots=True)
class Reach:
    """What a piece of code gets hold of."""

    #: Containers, iterators, objects, classes and modules.
    values: list[Value] = field(default_factory=list)
    #: Names that it declares `global` or `nonlocal`, and where these are.
    names: list[tuple[Scope, str]] = field(default_factory=list)
    #: A part of the graph API.
    host: Value = None
    #: Does it change what `values` holds, or call the graph API?
    changes: bool = False


def reached(memory: Memory, values: Iterable[Value], code: Iterable[Code]) -> Reach:
    """What the code, and functions among the values, may change."""
    found = Reach()
    todo, pieces = list(values), list(code)
    seen: set[int] = set()
    while todo or pieces:
        if pieces:
            todo += _names(found, memory, *pieces.pop())
            continue
        value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        memory.budget.spend()
        match value:
            case Unknown():
                todo += value.among
            case aliases.Possible():
                todo += value
            case list() | dict() | set():
                found.values.append(value)
                known = memory.seen(value)
                todo += [known] if known is not value else _items(value)
            case tuple() | frozenset():
                todo += value
            case UserFunction():
                pieces.append((value.node.body, value.scope))
                todo += value.defaults.values()
            case BoundMethod() | Super():
                todo += [value.owner, getattr(value, "function", value)]
            case Descriptor():
                todo.append(value.function)
            case Instance():
                found.values.append(value)
                todo += [value.cls, *value.args, *value.kwargs.values()]
                todo += (value.fields or {}).values()
            case UserClass():
                found.values.append(value)
                todo += [*value.members.values(), *value.bases]
            case Coroutine():
                todo += [value.function, *value.arguments.values()]
            case UserModule():
                found.values.append(value)
                todo += value.scope.names.values()
            case Generator():
                found.values.append(value)
                todo += value.values
                pieces += value.code
            case Method():
                todo.append(value.owner)
            case HostObject():
                found.host = value
            case HostFunction():
                found.host, found.changes = value, True
            case _ if type(value) is ITERATOR:
                found.values.append(value)
                todo += copy.copy(value)  # type: ignore[arg-type]
            case _ if type(value) in VIEWS:
                todo += value
    return found


def _items(value: Value) -> Iterable[Value]:
    return [*value, *value.values()] if type(value) is dict else value


def _names(found: Reach, memory: Memory, node: cst.CSTNode, scope: Scope) -> list[Value]:
    """Look through code; the values of the names in it."""
    values: list[Value] = []
    todo = [node]
    while todo:
        node = todo.pop()
        memory.budget.spend()
        match node:
            case cst.Name(value=name):
                values += _value(scope, name)
            case cst.Global(names=items) | cst.Nonlocal(names=items):
                for item in items:
                    name = item.name.value
                    home = scope.root if isinstance(node, cst.Global) else scope.find(name)
                    found.names += [(home, name)] if home is not None else []
            case cst.AugAssign() | cst.Del():
                found.changes = True
            case cst.Assign(targets=targets):
                found.changes |= any(_sets(target.target) for target in targets)
            case cst.AnnAssign(target=target) | cst.For(target=target) | cst.CompFor(target=target):
                found.changes |= _sets(target)
            case cst.AsName(name=target):
                found.changes |= _sets(target)
            case cst.Call(func=func):
                _call(found, func, scope)
        todo += children(node)
    return values


def _value(scope: Scope, name: str) -> list[Value]:
    home = scope.find(name)
    return [home.names[name]] if home is not None and name in home.names else []


def _sets(target: cst.CSTNode) -> bool:
    """Is an attribute or item set, and not only names?"""
    if isinstance(target, cst.Attribute | cst.Subscript):
        return True
    return any(map(_sets, children(target)))


def _call(found: Reach, func: cst.BaseExpression, scope: Scope) -> None:
    """Does a call change something by itself? Functions of the user's are looked through."""
    root = root_name(func)
    values = _value(scope, root.value) if root is not None else []
    if isinstance(func, cst.Name):
        found.changes |= f"builtins.{func.value}" in _CHANGING
        return
    if not isinstance(func, cst.Attribute):
        return
    name = func.attr.value
    match values:
        case [External()]:
            return
        case [HostModule(members=members)] if dotted(func.value) is not None:
            if isinstance(members.get(name), HostFunction):
                found.host, found.changes = members[name], True
            return
    found.changes |= name not in READING


def havoc(memory: Memory, reach: Reach, unknown: Unknown) -> Unknown:
    """All of it is perhaps changed; gives the Unknown that a value from there is."""
    values = reach.values
    lost = aliases.one_of(unknown, [*values, aliases.Possible(values)])
    for scope, name in reach.names:
        if name in scope.names:
            before = scope.names[name]
            memory.write(scope.names, name, aliases.one_of(lost, [before]))
    for value in values:
        if isinstance(value, Generator):
            value.lost = value.lost or unknown
            for _, scope in value.code:
                _lose_names(memory, scope.names, lost)
        elif type(value) is ITERATOR:
            memory.blur(value, unknown, values)
        elif reach.changes:
            _change(memory, value, lost, values)
    return lost


def _change(memory: Memory, value: Value, lost: Unknown, values: list[Value]) -> None:
    names: dict[str, Value] | None = None
    match value:
        case list() | dict() | set():
            memory.blur(value, lost, values)
        case Instance(fields=fields):
            names = fields
        case UserClass(members=dict() as members):
            names = members
        case UserModule(scope=scope):
            names = scope.names
    _lose_names(memory, names or {}, lost)


def _lose_names(memory: Memory, names: dict[str, Value], lost: Unknown) -> None:
    for name, before in list(names.items()):
        if not isinstance(before, _KEPT):
            memory.write(names, name, aliases.one_of(lost, [before]))
