"""What stands left of `=`, or behind `del`, and is more than a name."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

import libcst as cst

from ..diagnostics import GraphError, Span
from . import aliases, enums, objects, special, stdlib
from .expressions import is_environ
from .memory import ITERATORS, origin
from .operators import PLAIN, describe, elements
from .rounds import each
from .scope import Scope
from .signals import Lost, Native, native
from .values import (
    ABSENT,
    External,
    HostObject,
    Instance,
    Unknown,
    UserClass,
    UserModule,
    Value,
)

if TYPE_CHECKING:
    from .machine import Machine


class Targets:
    """Assigns and deletes."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._memory = machine.memory

    def assign(self, target: cst.CSTNode, value: Value, scope: Scope) -> None:
        match target:
            case cst.Tuple(elements=parts) | cst.List(elements=parts):
                self._unpack(list(parts), value, scope)
            case cst.StarredElement(value=inner):
                self._machine.statements.assign(inner, value, scope)
            case cst.Attribute():
                self._attribute(target, value, scope)
            case cst.Subscript():
                self._item(target, value, scope)

    def _unpack(self, parts: list[cst.BaseElement], value: Value, scope: Scope) -> None:
        assign = self._machine.statements.assign
        stars = [i for i, part in enumerate(parts) if isinstance(part, cst.StarredElement)]
        if type(value) in ITERATORS and not stars:
            items = self._first(value, len(parts) + 1)
        else:
            items = elements(self._memory, value)
        if isinstance(items, Unknown):
            for part in parts:
                assign(part.value, self._machine.placed(items, scope.module, part), scope)
            return
        before = stars[0] if stars else len(parts)
        after = len(parts) - before - 1 if stars else 0
        if len(items) < before + after:
            least = "at least " if stars else ""
            raise Native(
                ValueError(
                    f"not enough values to unpack (expected {least}{before + after}, "
                    f"got {len(items)})"
                )
            )
        if not stars and len(items) > len(parts):
            raise Native(ValueError(f"too many values to unpack (expected {len(parts)})"))
        if stars:
            end = len(items) - after
            items = [*items[:before], items[before:end], *items[end:]]
        for part, item in zip(parts, items, strict=True):
            assign(part.value, item, scope)

    def _first(self, value: Value, count: int) -> list[Value] | Unknown:
        """The next items of an iterator, which is asked for no more."""
        try:
            return list(islice(each(self._memory, value), count))
        except Lost as exc:
            return exc.unknown

    def _attribute(self, target: cst.Attribute, value: Value, scope: Scope) -> None:
        machine = self._machine
        owner = machine.expressions.value(target.value, scope)
        name = target.attr.value
        span = scope.module.span(target)
        if isinstance(owner, HostObject):
            self._of_host(owner, name, value, span)
        elif isinstance(owner, UserModule):
            self._memory.write(owner.scope.names, name, value)
        elif isinstance(owner, Instance) and owner.fields is not None:
            objects.assign(machine, owner, name, value)
        elif isinstance(owner, UserClass):
            assert isinstance(owner.members, dict)
            self._memory.write(owner.members, name, value)
        elif type(owner) in PLAIN:
            raise Native(
                AttributeError(f"{type(owner).__name__!r} object has no attribute {name!r} to set")
            )
        elif isinstance(owner, External) or (isinstance(owner, Unknown) and not owner.reported):
            if isinstance(owner, Unknown):
                aliases.change(self._memory, owner, [value])
            machine.skip(span, f"it sets an attribute of {describe(owner)}")

    def _of_host(self, owner: HostObject, name: str, value: Value, span: Span) -> None:
        machine = self._machine
        if machine.unsure and name not in owner.idle:
            machine.unsure_call(span)
            return
        value = self._memory.settled(value)
        if not (isinstance(value, Unknown) and value.reported):
            self._change(span, owner.assign, name, value)

    def _change(self, span: Span, change: Callable[..., None], *args: Value) -> None:
        """Change an object of the graph API."""
        machine = self._machine
        machine.host.call_span, machine.host.call_spans = span, {}
        try:
            change(*args)
        except GraphError as exc:
            machine.statements.failures.refused(exc, span)

    def _item(self, target: cst.Subscript, value: Value, scope: Scope) -> None:
        machine, memory = self._machine, self._memory
        owner = machine.expressions.value(target.value, scope)
        key = machine.expressions.key(target.slice, scope)
        if type(owner) is not dict:
            key = enums.as_given(key)
        span = scope.module.span(target)
        if is_environ(owner):
            stdlib.set_environ(machine, key, value)
        elif isinstance(owner, HostObject):
            machine.report(
                GraphError(f"{owner.description} takes no items", code="GC011").diagnostic(span)
            )
        elif type(owner) in (list, dict):
            doubt = memory.doubt_of_keys(key)
            if type(key) is slice and type(owner) is list and doubt is None:
                value = elements(memory, value)
                doubt = origin(value)
            if doubt is not None:
                memory.blur(owner, machine.placed(doubt, scope.module, target), [value])
                return
            memory.touch(owner)
            native(operator.setitem, owner, key, value)
        elif special.method(memory, owner, "__setitem__", key, value) is not ABSENT:
            return
        elif type(owner) in PLAIN:
            raise Native(
                TypeError(f"{type(owner).__name__!r} object does not support item assignment")
            )
        else:
            if isinstance(owner, Unknown):
                aliases.change(memory, owner, [value])
            machine.skip(span, f"it sets an item of {describe(owner)}")

    def delete(self, target: cst.CSTNode, scope: Scope) -> None:
        """`del target`."""
        memory = self._memory
        match target:
            case cst.Name(value=name):
                names = scope.home(name).names
                if name not in names:
                    raise Native(NameError(f"name {name!r} is not defined"))
                memory.erase(names, name)
            case cst.Tuple(elements=parts) | cst.List(elements=parts):
                for part in parts:
                    self.delete(part.value, scope)
            case cst.Attribute():
                owner = self._machine.expressions.value(target.value, scope)
                if isinstance(owner, Instance) and owner.fields is not None:
                    name = target.attr.value
                    if name not in owner.fields:
                        raise Native(AttributeError(name))
                    memory.erase(owner.fields, name)
            case cst.Subscript():
                self._delete_item(target, scope)

    def _delete_item(self, target: cst.Subscript, scope: Scope) -> None:
        owner = self._machine.expressions.value(target.value, scope)
        key = self._machine.expressions.key(target.slice, scope)
        if type(owner) in (list, dict):
            if doubt := self._memory.doubt(key):
                self._memory.blur(owner, doubt)
                return
            self._memory.touch(owner)
            native(operator.delitem, owner, key)
        elif special.method(self._memory, owner, "__delitem__", key) is not ABSENT:
            return
        elif isinstance(owner, HostObject):
            span = scope.module.span(target)
            if self._machine.unsure:
                self._machine.unsure_call(span)
            else:
                self._change(span, owner.remove, key)
        elif isinstance(owner, Unknown):
            aliases.change(self._memory, owner)
        elif is_environ(owner) and type(key) is str:
            unknown = Unknown("the variable was deleted", self._machine.here)
            self._memory.write(self._machine.env, key, unknown)
        elif type(owner) in PLAIN:
            raise Native(
                TypeError(f"{type(owner).__name__!r} object doesn't support item deletion")
            )
