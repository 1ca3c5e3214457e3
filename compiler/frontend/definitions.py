"""`def`, `class` and their decorators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import libcst as cst

from . import enums, objects
from .computing import REMEMBERING
from .scope import Scope
from .signals import Leave
from .values import (
    Descriptor,
    External,
    HostFunction,
    Unknown,
    UserClass,
    UserFunction,
    Value,
)

if TYPE_CHECKING:
    from .machine import Machine


#: What a class costs, compared with an expression.
_STEPS: Final = 8


#: Decorators that say how a class gives out a function.
_DESCRIPTORS: Final = {
    "builtins.property": "property",
    "functools.cached_property": "cached_property",
    "builtins.staticmethod": "staticmethod",
    "builtins.classmethod": "classmethod",
}


class Definitions:
    """Makes functions and classes; bodies of functions are run when they are called."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def function(self, node: cst.FunctionDef, scope: Scope) -> Leave | None:
        machine = self._machine
        decorators = self._evaluated(node.decorators, scope)
        name = node.name.value
        made: Value = UserFunction(
            scope.module,
            node,
            name,
            scope.kind == "module" and not scope.loops,
            scope,
            scope.module.span(node.name),
            machine.calls.defaults(node.params, scope),
        )
        machine.memory.write(scope.home(name).names, name, self._decorated(made, decorators, scope))
        return None

    def class_(self, node: cst.ClassDef, scope: Scope) -> Leave | None:
        machine = self._machine
        machine.memory.budget.spend(_STEPS)
        decorators = self._evaluated(node.decorators, scope)
        bases: list[Value] = []
        for argument in node.bases:
            bases.append(machine.expressions.value(argument.value, scope))
        keywords = {
            argument.keyword.value: machine.expressions.value(argument.value, scope)
            for argument in node.keywords
            if argument.keyword is not None and argument.keyword.value != "metaclass"
        }
        name = node.name.value
        inner = Scope(scope.module, "class", scope)
        machine.memory.made(inner.names)
        inner.names.update({"__module__": scope.module.name or "__main__", "__qualname__": name})
        machine.statements.body(node.body, inner)
        members = {
            key: value
            for key, value in inner.names.items()
            if key not in ("__module__", "__qualname__")
        }
        made = UserClass(
            scope.module,
            node,
            name,
            scope.kind == "module" and not scope.loops,
            scope,
            scope.module.span(node.name),
            tuple(bases),
            members,
        )
        inner.owner = made
        if enums.is_enum(made):
            enums.make_members(machine, made, members)
        objects.tell_names(machine, made)
        self._tell_bases(made, keywords)
        machine.memory.write(scope.home(name).names, name, self._decorated(made, decorators, scope))
        return None

    def _tell_bases(self, cls: UserClass, keywords: dict[str, Value]) -> None:
        """Call the nearest `__init_subclass__` of a base."""
        pending = list(cls.bases)
        while pending:
            base = pending.pop(0)
            if not isinstance(base, UserClass):
                continue
            found = base.members.get("__init_subclass__")
            if isinstance(found, UserFunction | Descriptor):
                function = found if isinstance(found, UserFunction) else found.function
                self._machine.call(function, [cls], keywords)
                return
            pending = [*base.bases, *pending]

    def global_statement(self, node: cst.Global, scope: Scope) -> Leave | None:
        for item in node.names:
            if scope.kind == "class":
                scope.redirected[item.name.value] = scope.root
        return None

    def _evaluated(
        self, nodes: Sequence[cst.Decorator], scope: Scope
    ) -> list[tuple[cst.Decorator, Value]]:
        return [(node, self._machine.expressions.value(node.decorator, scope)) for node in nodes]

    def _decorated(
        self, made: Value, decorators: Sequence[tuple[cst.Decorator, Value]], scope: Scope
    ) -> Value:
        """What the decorators make of it.

        Those of other modules count as harmless: packages carry them along with the code.
        """
        for node, decorator in reversed(decorators):
            self._machine.position = (scope.module, node.decorator)
            kind = decorator.dotted if isinstance(decorator, External) else ""
            if kind and isinstance(made, UserFunction) and kind not in _DESCRIPTORS:
                answers: dict[Value, Value] | None = {} if kind in REMEMBERING else made.answers
                made = replace(made, decorator=kind, answers=answers)
            if scope.kind == "class" and kind in _DESCRIPTORS and isinstance(made, UserFunction):
                made = Descriptor(_DESCRIPTORS[kind], made)
            elif (setting := _setting(node, scope)) is not None and isinstance(made, UserFunction):
                made = replace(setting, setter=made)
            elif isinstance(decorator, UserFunction | UserClass | HostFunction):
                made = self._machine.call(decorator, [made])
            elif isinstance(decorator, Unknown) and not self._made_elsewhere(node, scope):
                made = decorator
        return made

    def _made_elsewhere(self, node: cst.Decorator, scope: Scope) -> bool:
        """Is it `@module.decorator(...)` of a module that is not the user's?"""
        inner = node.decorator
        while isinstance(inner, cst.Call | cst.Attribute):
            inner = inner.func if isinstance(inner, cst.Call) else inner.value
        if not isinstance(inner, cst.Name):
            return False
        return not isinstance(scope.get(inner.value), UserFunction | Unknown)


def _setting(node: cst.Decorator, scope: Scope) -> Descriptor | None:
    """The property that `@name.setter` adds to."""
    inner = node.decorator
    if isinstance(inner, cst.Attribute) and inner.attr.value == "setter":
        found = scope.get(inner.value.value) if isinstance(inner.value, cst.Name) else None
        return found if isinstance(found, Descriptor) and found.kind == "property" else None
    return None
