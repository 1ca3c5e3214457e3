"""What user code defines, without running it: names, classes, functions, constructors.

In: the shared `SourceTree`. Out: answers about top-level names, followed through imports,
re-exports and plain assignments. External names come back as dotted text in their documented
spelling (`runtime_names.canonical`). Nested functions and classes are not looked at.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import libcst as cst

from .diagnostics import Span
from .runtime_names import KNOWN_CLASSES, canonical
from .scopes import (
    Binding,
    Imported,
    all_parameters,
    bindings,
    children,
    dotted,
    walk,
)
from .source import SourceModule, SourceTree


@dataclass(frozen=True, slots=True, order=True)
class Symbol:
    """A top-level name of the user's; module "" is the graph file, name "" the module itself."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    kind: Literal["positional-only", "positional", "var-positional", "keyword-only", "var-keyword"]
    required: bool


@dataclass(frozen=True, slots=True)
class FunctionInfo:
    """A function, method or `name = lambda ...`."""

    name: str
    span: Span
    parameters: tuple[Parameter, ...]
    is_async: bool
    is_generator: bool
    #: As written, without arguments: `staticmethod`, `functools.lru_cache`.
    decorators: tuple[str, ...]
    #: Every identifier in the body, names and attributes alike.
    names_read: frozenset[str]


@dataclass(frozen=True, slots=True)
class ClassInfo:
    symbol: Symbol
    span: Span
    #: In order; text is an external dotted name, "" what is not a name.
    bases: tuple[Symbol | str, ...]
    methods: Mapping[str, FunctionInfo] = field(hash=False)
    #: Names that the class body assigns.
    attributes: frozenset[str] = frozenset()


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


_ANYTHING = Signature(var_keyword=True, var_positional=True, accepts_any=True)


@dataclass(frozen=True, slots=True)
class Unit:
    """A top-level statement: a compound one, or one of those that share a line."""

    index: int
    node: cst.CSTNode
    #: The element of the module's body that it stands in.
    line: cst.CSTNode
    bindings: tuple[Binding, ...]


class ModuleIndex:
    """The top level of one module, statement by statement."""

    def __init__(self, source: SourceModule) -> None:
        self.source = source
        self.units: list[Unit] = []
        for line in source.tree.body:
            small = line.body if isinstance(line, cst.SimpleStatementLine) else (line,)
            for node in small:
                found = tuple(_top_level(node))
                self.units.append(Unit(len(self.units), node, line, found))
        #: Every binding of a name, in source order.
        self.bindings: dict[str, list[tuple[Unit, Binding]]] = {}
        self.stars: list[tuple[Unit, Imported]] = []
        for unit in self.units:
            for binding in unit.bindings:
                if binding.name == "*" and binding.imported:
                    self.stars.append((unit, binding.imported))
                elif not isinstance(binding.node, cst.Del):
                    self.bindings.setdefault(binding.name, []).append((unit, binding))
        #: Names bound only under `if __name__ == "__main__":`.
        self.main_only: dict[str, list[tuple[Unit, Binding]]] = {}
        for unit in self.units:
            if is_main_guard(unit.node):
                for binding in bindings(unit.node):
                    if binding.name not in self.bindings:
                        self.main_only.setdefault(binding.name, []).append((unit, binding))

    def absolute(self, imported: Imported) -> str | None:
        """The dotted module of an import; None if it leads out of the user's folder."""
        if imported.level == 0:
            return imported.module
        package = self.source.name.split(".") if self.source.name else []
        if not self.source.is_package:
            package = package[:-1]
        up = imported.level - 1
        if up > len(package):
            return None
        front = package[: len(package) - up]
        return ".".join([*front, imported.module] if imported.module else front)

    def chosen(self, name: str) -> Binding | None:
        """The binding that counts: the last one, those of `except` branches after all others."""
        found = self.bindings.get(name) or self.main_only.get(name)
        if not found:
            return None
        regular = [binding for unit, binding in found if not _is_fallback(unit.node, binding)]
        return (regular or [binding for _, binding in found])[-1]

    def exported(self) -> tuple[str, ...]:
        """What `from module import *` takes, stars inside the module left out."""
        listed = self.chosen("__all__")
        if listed is not None and isinstance(listed.value, cst.List | cst.Tuple):
            values = [element.value for element in listed.value.elements]
            if all(isinstance(value, cst.SimpleString) for value in values):
                return tuple(
                    str(value.evaluated_value)
                    for value in values
                    if isinstance(value, cst.SimpleString)
                )
        return tuple(name for name in self.bindings if not name.startswith("_"))


def is_type_checking(node: cst.CSTNode) -> bool:
    """Is this `if TYPE_CHECKING:`?"""
    return isinstance(node, cst.If) and dotted(node.test) in (
        "TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING")  # fmt: skip


def is_main_guard(node: cst.CSTNode) -> bool:
    """Is this `if __name__ == "__main__":`?"""
    if not isinstance(node, cst.If) or not isinstance(node.test, cst.Comparison):
        return False
    sides = [node.test.left, *(item.comparator for item in node.test.comparisons)]
    return (
        len(sides) == 2
        and isinstance(node.test.comparisons[0].operator, cst.Equal)
        and any(dotted(side) == "__name__" for side in sides)
        and any(
            isinstance(side, cst.SimpleString) and side.evaluated_value == "__main__"
            for side in sides
        )
    )


def _top_level(node: cst.CSTNode) -> Iterator[Binding]:
    """What a statement binds when the module is imported."""
    if isinstance(node, cst.If) and (is_type_checking(node) or is_main_guard(node)):
        if node.orelse is not None:
            yield from bindings(node.orelse)
        return
    yield from bindings(node)


def _is_fallback(statement: cst.CSTNode, binding: Binding) -> bool:
    """Does the binding stand in an `except` branch?"""
    if not isinstance(statement, cst.Try | cst.TryStar):
        return False
    return any(binding.node is node for handler in statement.handlers for node in walk(handler))


class CodeIndex:
    """Answers about the user's modules; everything is looked up once."""

    def __init__(self, tree: SourceTree) -> None:
        self.tree = tree
        self._modules: dict[str, ModuleIndex | None] = {}
        self._classes: dict[Symbol, ClassInfo | None] = {}
        self._functions: dict[Symbol, FunctionInfo | None] = {}
        self._orders: dict[Symbol, tuple[Symbol | str, ...]] = {}
        self._constructors: dict[Symbol, Signature] = {}
        self._resolved: dict[tuple[str, str], Symbol | str | None] = {}

    # -- names

    def module(self, name: str) -> ModuleIndex | None:
        """The top level of a user's module; None if there is no such module."""
        if name not in self._modules:
            source = self.tree.main if name == "" else self.tree.module(name)
            if source is not None and source.name != name:
                self._modules[name] = self.module(source.name)
            else:
                self._modules[name] = ModuleIndex(source) if source else None
        return self._modules[name]

    def names(self, module: str) -> tuple[str, ...]:
        """The names that a module's top level defines."""
        found = self.module(module)
        return tuple(found.bindings) if found else ()

    def is_module(self, name: str) -> bool:
        """Is this a module or package of the user's?"""
        return bool(name) and (self.module(name) is not None or self.tree.is_namespace(name))

    def symbol_of_module(self, name: str) -> Symbol:
        found = self.module(name)
        return Symbol(found.source.name if found else name, "")

    def resolve(self, module: str, name: str) -> Symbol | str | None:
        """What a name of a module stands for, dotted names included.

        A user's module itself is `Symbol(module, "")`; external things are dotted text.
        """
        key = (module, name)
        if key not in self._resolved:
            self._resolved[key] = None  # names that are defined by each other are not defined
            self._resolved[key] = self._resolve(module, name)
        return self._resolved[key]

    def _resolve(self, module: str, name: str) -> Symbol | str | None:
        first, _, rest = name.partition(".")
        found = self._top(module, first)
        if rest and found is not None:
            return self.attribute(found, rest)
        return found

    def _top(self, module: str, name: str) -> Symbol | str | None:
        scope = self.module(module)
        if scope is None:
            return None
        binding = scope.chosen(name)
        if binding is None:
            return self._starred(scope, name)
        if binding.imported is not None:
            return self.imported(scope, binding.imported)
        here = Symbol(scope.source.name, name)
        if isinstance(binding.node, cst.Assign | cst.AnnAssign):
            other = dotted(binding.value)
            if other is not None and other.partition(".")[0] != name:
                found = self.resolve(scope.source.name, other)
                if found is not None and (isinstance(found, str) or found.name):
                    return found
        return here

    def _starred(self, scope: ModuleIndex, name: str) -> Symbol | str | None:
        for _, imported in reversed(scope.stars):
            source = self.module(scope.absolute(imported) or "")
            if source is None or not scope.absolute(imported):
                continue
            if name in source.exported() or (source.stars and not name.startswith("_")):
                found = self.resolve(source.source.name, name)
                if found is not None:
                    return found
        return None

    def imported(self, scope: ModuleIndex, imported: Imported) -> Symbol | str | None:
        """What an import in a module binds."""
        source = scope.absolute(imported)
        if source is None:
            return None
        if imported.attribute is None:
            if self.is_module(source):
                return self.symbol_of_module(source)
            return canonical(source)
        if not source:  # `from . import x` at the top of the user's folder
            return self.symbol_of_module(imported.attribute)
        if self.is_module(source):
            return self.attribute(self.symbol_of_module(source), imported.attribute)
        if imported.level or self.is_module(source.partition(".")[0]):
            return None
        return canonical(f"{source}.{imported.attribute}")

    def attribute(self, found: Symbol | str, path: str) -> Symbol | str | None:
        """`path` looked up in what a name stands for; only modules have known attributes."""
        for part in path.split("."):
            if isinstance(found, str):
                found = canonical(f"{found}.{part}")
                continue
            if found.name:
                return None
            inner = self.resolve(found.module, part)
            if inner is None:
                below = f"{found.module}.{part}" if found.module else part
                if not found.module or not self.is_module(below):
                    return None
                inner = self.symbol_of_module(below)
            found = inner
        return found

    def find(self, module: str, dotted: str) -> Symbol | str | None:
        """What a `class_name` or `handler` string means (MLRun's order of search).

        First a name of the module, then `package.module.Name`, imported. None: there is no such
        thing of the user's. External names are not checked for being there.
        """
        if "." not in dotted:
            return self.resolve(module, dotted) if dotted.isidentifier() else None
        parts = dotted.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        front, _, last = dotted.rpartition(".")
        if self.is_module(front):
            return self.attribute(self.symbol_of_module(front), last)
        if self.is_module(parts[0]):
            return None
        return canonical(dotted)

    # -- classes and functions

    def binding(self, symbol: Symbol) -> Binding | None:
        """Where a symbol is defined."""
        scope = self.module(symbol.module)
        return scope.chosen(symbol.name) if scope else None

    def span(self, symbol: Symbol) -> Span | None:
        """The place of a symbol's definition."""
        scope, binding = self.module(symbol.module), self.binding(symbol)
        return _head(scope.source, binding.node) if scope and binding else None

    def class_info(self, symbol: Symbol) -> ClassInfo | None:
        """The class that a symbol is, if it is one."""
        if symbol not in self._classes:
            binding, scope = self.binding(symbol), self.module(symbol.module)
            node = binding.node if binding else None
            if scope is None or not isinstance(node, cst.ClassDef):
                self._classes[symbol] = None
            else:
                self._classes[symbol] = self._class(symbol, scope, node)
        return self._classes[symbol]

    def _class(self, symbol: Symbol, scope: ModuleIndex, node: cst.ClassDef) -> ClassInfo:
        methods: dict[str, FunctionInfo] = {}
        attributes: set[str] = set()
        for found in bindings(node.body):
            if isinstance(found.node, cst.FunctionDef):
                methods[found.name] = _function(scope.source, found.name, found.node)
            elif isinstance(found.value, cst.Lambda):
                methods[found.name] = _function(scope.source, found.name, found.value)
            elif not isinstance(found.node, cst.AnnAssign) or found.value is not None:
                methods.pop(found.name, None)
                attributes.add(found.name)
        bases: list[Symbol | str] = []
        for argument in node.bases:
            expression = argument.value
            if isinstance(expression, cst.Subscript):  # Generic[T]
                expression = expression.value
            name = dotted(expression)
            base = self._base(symbol.module, name) if name and not argument.star else ""
            bases.append(base)
        return ClassInfo(
            symbol,
            _head(scope.source, node),
            tuple(bases),
            methods,
            frozenset(attributes),
        )

    def _base(self, module: str, name: str) -> Symbol | str:
        found = self.resolve(module, name)
        if found is not None:
            return found
        return f"builtins.{name}" if hasattr(builtins, name) else name

    def function_info(self, symbol: Symbol) -> FunctionInfo | None:
        """The function or lambda that a symbol is, if it is one."""
        if symbol not in self._functions:
            binding, scope = self.binding(symbol), self.module(symbol.module)
            node = binding.node if binding else None
            if binding and isinstance(binding.value, cst.Lambda):
                node = binding.value
            known = scope is not None and isinstance(node, cst.FunctionDef | cst.Lambda)
            self._functions[symbol] = (
                _function(scope.source, symbol.name, node)
                if known and scope and isinstance(node, cst.FunctionDef | cst.Lambda)
                else None
            )
        return self._functions[symbol]

    # -- inheritance

    def ancestors(self, symbol: Symbol) -> tuple[Symbol | str, ...]:
        """The classes that a class inherits from, in Python's order, without `object`."""
        return self._order(symbol, ())[1:]

    def _order(self, symbol: Symbol, seen: tuple[Symbol, ...]) -> tuple[Symbol | str, ...]:
        if symbol in self._orders:
            return self._orders[symbol]
        info = self.class_info(symbol)
        if info is None or symbol in seen:
            return (symbol,)
        bases = [base for base in info.bases if base != "builtins.object"]
        rows: list[list[Symbol | str]] = [
            list(self._order(base, (*seen, symbol))) if isinstance(base, Symbol) else [base]
            for base in bases
        ]
        order = (symbol, *_merge([*rows, list(bases)]))
        if not seen:
            self._orders[symbol] = order
        return order

    def method(self, symbol: Symbol, name: str) -> tuple[Symbol | str, FunctionInfo | None] | None:
        """The class that defines a method, as far as known, and the method.

        The method is None if an external class (may) define it, or if the name is assigned
        something other than a function. No answer: nobody defines it.
        """
        for owner in self._order(symbol, ()):
            if isinstance(owner, str):
                if _may_define(owner, name):
                    return owner, None
                continue
            info = self.class_info(owner)
            if info is None:
                return owner, None
            if name in info.methods:
                return owner, info.methods[name]
            if name in info.attributes:
                return owner, self._assigned_method(owner, name)
        return None

    def _assigned_method(self, owner: Symbol, name: str) -> FunctionInfo | None:
        """`do = process` in a class body, where `process` is a method or a function."""
        binding, info = self.binding(owner), self.class_info(owner)
        if binding is None or info is None or not isinstance(binding.node, cst.ClassDef):
            return None
        for found in bindings(binding.node.body):
            if found.name == name and (other := dotted(found.value)):
                if other in info.methods:
                    return replace(info.methods[other], name=name)
                target = self.resolve(owner.module, other)
                return self.function_info(target) if isinstance(target, Symbol) else None
        return None

    # -- constructors

    def constructor(self, symbol: Symbol) -> Signature:
        """What `Class(...)` takes."""
        if symbol not in self._constructors:
            self._constructors[symbol] = _ANYTHING  # of a class that inherits from itself
            self._constructors[symbol] = self._constructor(self._order(symbol, ()), symbol)
        return self._constructors[symbol]

    def _constructor(self, order: tuple[Symbol | str, ...], symbol: Symbol) -> Signature:
        """The constructor that the first class of `order` has; the object is a `symbol`."""
        for position, owner in enumerate(order):
            if isinstance(owner, str):
                known = KNOWN_CLASSES.get(owner)
                if known is not None and (known.methods is None or "__init__" in known.methods):
                    return Signature(
                        known.parameters, known.parameters, known.required, var_keyword=True
                    )
                if _may_define(owner, "__init__"):
                    return _ANYTHING
                continue
            info, binding = self.class_info(owner), self.binding(owner)
            if info is None or binding is None or not isinstance(binding.node, cst.ClassDef):
                return _ANYTHING
            if "__init__" in info.attributes or "__new__" in info.methods:
                return _ANYTHING
            if "__init__" in info.methods:
                node = _own_method(binding.node, "__init__")
                if node is None:
                    return _ANYTHING
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
        forwarded = _forwarding(node, keywords)
        if forwarded is None:
            return replace(signature, accepts_any=True)
        for call in forwarded:
            target = self._forward_target(call, owner, after)
            if target is None:
                return replace(signature, accepts_any=True)
            rest, arguments = target
            base = self._constructor(rest, owner)
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
        base = self._base(owner.module, name) if name else None
        if base not in after or base is None:
            return None
        return after[after.index(base) :], list(call.args[1:])

    def _is_dataclass(self, module: str, node: cst.ClassDef) -> bool:
        for decorator in node.decorators:
            expression = decorator.decorator
            name = dotted(expression.func if isinstance(expression, cst.Call) else expression)
            if name and self.resolve(module, name) == "dataclasses.dataclass":
                return True
        return False

    def _of_fields(
        self, owner: Symbol, node: cst.ClassDef, after: tuple[Symbol | str, ...]
    ) -> Signature:
        """The constructor that `@dataclass` makes."""
        inherited = Signature()
        if after and isinstance(after[0], Symbol):
            inherited = self._constructor(after, owner)
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
    )


def _forwarding(node: cst.FunctionDef, keywords: str) -> list[cst.Call] | None:
    """The calls of constructors that `**kwargs` is handed to; None if it is used in other ways."""
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


def _merge(rows: list[list[Symbol | str]]) -> Iterator[Symbol | str]:
    """C3; where classes contradict each other, the order in which they are named."""
    rows = [row for row in rows if row]
    while rows:
        head = next(
            (row[0] for row in rows if not any(row[0] in other[1:] for other in rows)),
            rows[0][0],
        )
        yield head
        rows = [[item for item in row if item != head] for row in rows]
        rows = [row for row in rows if row]


_EMPTY_BASES = frozenset({
    "abc.ABC", "typing.Generic", "typing.Protocol", "typing_extensions.Protocol",
    "typing_extensions.Generic", "enum.Enum",
})  # fmt: skip


def _may_define(owner: str, name: str) -> bool:
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


def _function(
    source: SourceModule, name: str, node: cst.FunctionDef | cst.Lambda
) -> FunctionInfo:
    decorators: list[str] = []
    if isinstance(node, cst.FunctionDef):
        for decorator in node.decorators:
            expression = decorator.decorator
            text = dotted(expression.func if isinstance(expression, cst.Call) else expression)
            decorators.append(text or "")
    return FunctionInfo(
        name,
        _head(source, node),
        _parameters(node.params),
        isinstance(node, cst.FunctionDef) and node.asynchronous is not None,
        _yields(node.body),
        tuple(decorators),
        frozenset(item.value for item in walk(node.body) if isinstance(item, cst.Name)),
    )


def _parameters(parameters: cst.Parameters) -> tuple[Parameter, ...]:
    keyword_only = {id(item) for item in parameters.kwonly_params}
    found = []
    for item in all_parameters(parameters):
        kind: Literal[
            "positional-only", "positional", "var-positional", "keyword-only", "var-keyword"
        ] = "positional"
        if item is parameters.star_arg:
            kind = "var-positional"
        elif item is parameters.star_kwarg:
            kind = "var-keyword"
        elif id(item) in keyword_only:
            kind = "keyword-only"
        elif item in parameters.posonly_params:
            kind = "positional-only"
        required = item.default is None and kind not in ("var-positional", "var-keyword")
        found.append(Parameter(item.name.value, kind, required))
    return tuple(found)


def _yields(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.Yield):
        return True
    if isinstance(node, cst.FunctionDef | cst.Lambda | cst.ClassDef):
        return False
    return any(_yields(child) for child in children(node))


def _head(source: SourceModule, node: cst.CSTNode) -> Span:
    """The place of a definition's name rather than of its decorators."""
    if isinstance(node, cst.FunctionDef | cst.ClassDef):
        return source.span(node.name)
    return source.span(node)
