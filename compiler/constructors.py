"""What the constructors of user classes take.

In: a class and its ancestors, as `code_index` orders them. Out: a `Signature`, `**kwargs` that is
handed on to a base followed. Metaclasses are not looked into.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import libcst as cst

from .runtime_names import KNOWN_CLASSES
from .scopes import bindings, dotted, walk

if TYPE_CHECKING:
    from .code_index import CodeIndex, FunctionInfo, Parameter, Symbol


@dataclass(frozen=True, slots=True)
class Signature:
    """What `Class(...)` takes, the object itself left out."""

    #: Parameters that can be given by keyword.
    names: tuple[str, ...] = ()
    #: Parameters that can be given by position, in order.
    positional: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    #: There is a `**kwargs`: any keyword can be given.
    var_keyword: bool = False
    var_positional: bool = False
    #: Code looks at the `**kwargs`, or nobody knows whether it does.
    accepts_any: bool = False
    #: Parameters with a default that is not None.
    defaults: tuple[str, ...] = ()


ANYTHING = Signature(var_keyword=True, var_positional=True, accepts_any=True)


class Constructors:
    """Finds constructors with the answers of an index."""

    def __init__(self, index: CodeIndex) -> None:
        self._index = index

    def of(self, order: tuple[Symbol | str, ...]) -> Signature:
        """The constructor that the first class of `order`, a class and its ancestors, has."""
        for position, owner in enumerate(order):
            if isinstance(owner, str):
                known = KNOWN_CLASSES.get(owner)
                if known is not None and (known.methods is None or "__init__" in known.methods):
                    return Signature(
                        known.parameters, known.parameters, known.required, var_keyword=True
                    )
                if may_define(owner, "__init__"):
                    return ANYTHING
                continue
            info, binding = self._index.class_info(owner), self._index.binding(owner)
            if info is None or binding is None or not isinstance(binding.node, cst.ClassDef):
                return ANYTHING
            if "__init__" in info.attributes:
                return ANYTHING
            if "__new__" in info.methods:
                # Python looks here first (`inspect.signature`), and so does MLRun.
                signature = _signature(info.methods["__new__"].parameters[1:])
                if not signature.var_keyword:
                    return signature
                if "__init__" not in info.methods:
                    return ANYTHING
            if "__init__" in info.methods:
                node = _own_method(binding.node, "__init__")
                if node is None:
                    return ANYTHING
                return self._of_init(info.methods["__init__"], node, owner, order[position + 1 :])
            if self._is_dataclass(owner.module, binding.node):
                return self._of_fields(owner, binding.node, order[position + 1 :])
        return Signature()

    def _of_init(
        self,
        function: FunctionInfo,
        node: cst.FunctionDef,
        owner: Symbol,
        after: tuple[Symbol | str, ...],
    ) -> Signature:
        own = function.parameters[1:] if function.parameters else ()
        if function.parameters and function.parameters[0].kind == "var-positional":
            own = function.parameters
        signature = _signature(own)
        keywords = next((item.name for item in own if item.kind == "var-keyword"), None)
        if keywords is None:
            return signature
        forwarded = forwarding(node, keywords)
        if forwarded is None:
            return replace(signature, accepts_any=True)
        for call in forwarded:
            target = self._forward_target(call, owner, after)
            if target is None:
                return replace(signature, accepts_any=True)
            rest, arguments = target
            base = self.of(rest)
            signature = _add_forwarded(signature, base, arguments)
        return signature

    def _forward_target(
        self, call: cst.Call, owner: Symbol, after: tuple[Symbol | str, ...]
    ) -> tuple[tuple[Symbol | str, ...], list[cst.Arg]] | None:
        """Whose constructor `super().__init__(...)` or `Base.__init__(self, ...)` is."""
        function = call.func
        if not isinstance(function, cst.Attribute) or function.attr.value != "__init__":
            return None
        if isinstance(function.value, cst.Call) and dotted(function.value.func) == "super":
            return after, list(call.args)
        name = dotted(function.value)
        base = self._index.base(owner.module, name) if name else None
        if base not in after or base is None:
            return None
        return after[after.index(base) :], list(call.args[1:])

    def _is_dataclass(self, module: str, node: cst.ClassDef) -> bool:
        for decorator in node.decorators:
            expression = decorator.decorator
            name = dotted(expression.func if isinstance(expression, cst.Call) else expression)
            if name and self._index.resolve(module, name) == "dataclasses.dataclass":
                return True
        return False

    def _of_fields(
        self, owner: Symbol, node: cst.ClassDef, after: tuple[Symbol | str, ...]
    ) -> Signature:
        """The constructor that `@dataclass` makes."""
        inherited = Signature()
        if after and not isinstance(after[0], str):
            inherited = self.of(after)
        names, required = list(inherited.names), list(inherited.required)
        for statement in node.body.body:
            for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
                if not isinstance(small, cst.AnnAssign) or not isinstance(small.target, cst.Name):
                    continue
                annotation = cst.Module([]).code_for_node(small.annotation.annotation)
                if "ClassVar" in annotation:
                    continue
                settings = _field_settings(small.value)
                if settings.get("init") == "False":
                    continue
                name = small.target.value
                has_default = small.value is not None and (
                    not settings.get("is_field")
                    or "default" in settings
                    or "default_factory" in settings
                )
                if name not in names:
                    names.append(name)
                if has_default and name in required:
                    required.remove(name)
                elif not has_default and name not in required:
                    required.append(name)
        return replace(
            inherited, names=tuple(names), positional=tuple(names), required=tuple(required)
        )


def _field_settings(value: cst.BaseExpression | None) -> dict[str, str]:
    if isinstance(value, cst.Call) and dotted(value.func) in ("field", "dataclasses.field"):
        settings = {
            item.keyword.value: cst.Module([]).code_for_node(item.value)
            for item in value.args
            if item.keyword
        }
        return settings | {"is_field": "True"}
    return {}


def _own_method(node: cst.ClassDef, name: str) -> cst.FunctionDef | None:
    found = [item.node for item in bindings(node.body) if item.name == name]
    last = found[-1] if found else None
    return last if isinstance(last, cst.FunctionDef) else None


def _signature(parameters: tuple[Parameter, ...]) -> Signature:
    named = [item for item in parameters if item.kind in ("positional", "keyword-only")]
    return Signature(
        tuple(item.name for item in named),
        tuple(item.name for item in parameters if item.kind in ("positional-only", "positional")),
        tuple(item.name for item in parameters if item.required),
        any(item.kind == "var-keyword" for item in parameters),
        any(item.kind == "var-positional" for item in parameters),
        defaults=tuple(item.name for item in parameters if item.set_by_default),
    )


def forwarding(node: cst.FunctionDef, keywords: str) -> list[cst.Call] | None:
    """The calls that `**kwargs` is handed to; None if it is used in other ways."""
    calls: list[cst.Call] = []
    uses = 0
    for item in walk(node.body):
        if isinstance(item, cst.Name) and item.value == keywords:
            uses += 1
        if isinstance(item, cst.Call) and dotted(item.func) != "super":
            handed = [
                argument
                for argument in item.args
                if argument.star == "**" and dotted(argument.value) == keywords
            ]
            if handed:
                calls.append(item)
    return calls if uses == len(calls) else None


def _add_forwarded(own: Signature, base: Signature, arguments: list[cst.Arg]) -> Signature:
    """A constructor that hands its `**kwargs` to a base, along with `arguments`."""
    by_position = sum(1 for argument in arguments if not argument.star and not argument.keyword)
    stars = any(argument.star == "*" for argument in arguments)
    given = set(base.positional[:by_position])
    given |= {argument.keyword.value for argument in arguments if argument.keyword}
    more = [name for name in base.names if name not in given and name not in own.names]
    required = [
        name
        for name in base.required
        if name not in given and name not in own.required and name not in own.names and not stars
    ]
    return replace(
        own,
        names=(*own.names, *more),
        required=(*own.required, *required),
        accepts_any=own.accepts_any or base.accepts_any,
        # Python would take any keyword here, and the base would refuse it.
        var_keyword=base.var_keyword,
    )


_EMPTY_BASES = frozenset({
    "abc.ABC", "typing.Generic", "typing.Protocol", "typing_extensions.Protocol",
    "typing_extensions.Generic", "enum.Enum",
})  # fmt: skip


def may_define(owner: str, name: str) -> bool:
    """May an external class define this method?"""
    if owner in _EMPTY_BASES:
        return False
    if owner in KNOWN_CLASSES:
        methods = KNOWN_CLASSES[owner].methods
        return methods is None or name in methods
    if owner.startswith("builtins."):
        kind = getattr(builtins, owner.removeprefix("builtins."), None)
        return name in dir(kind) and getattr(kind, name, None) is not getattr(object, name, None)
    return True
