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

from .constructors import ANYTHING, Constructors, may_define
from .constructors import Signature as Signature
from .diagnostics import GraphError, Span
from .runtime_names import canonical, counterpart
from .scopes import Binding, Imported, all_parameters, bindings, children, dotted, walk
from .source import SourceModule, SourceTree
from .top_level import ModuleIndex
from .wrapped import made_function, wrapper


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
    #: Is there a default, and is it another one than None?
    set_by_default: bool = False


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
    node: cst.FunctionDef | cst.Lambda = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ClassInfo:
    symbol: Symbol
    span: Span
    #: In order; text is an external dotted name, "" what is not a name.
    bases: tuple[Symbol | str, ...]
    methods: Mapping[str, FunctionInfo] = field(hash=False)
    #: Names that the class body assigns.
    attributes: frozenset[str] = frozenset()


class CodeIndex:
    """Answers about the user's modules; everything is looked up once."""

    def __init__(self, tree: SourceTree) -> None:
        self.tree = tree
        self._modules: dict[str, ModuleIndex | None] = {}
        self._classes: dict[Symbol, ClassInfo | None] = {}
        self._functions: dict[Symbol, FunctionInfo | None] = {}
        self._orders: dict[Symbol, tuple[Symbol | str, ...]] = {}
        self._signatures: dict[Symbol, Signature] = {}
        self._resolved: dict[tuple[str, str], Symbol | str | None] = {}

    # -- names

    def module(self, name: str) -> ModuleIndex | None:
        """The top level of a user's module; None if there is no such module."""
        if name not in self._modules:
            source = self.tree.main if name == "" else self.tree.module(name)
            if source is not None and source.name != name:
                self._modules[name] = self.module(source.name)
            else:
                self._modules[name] = _module_index(source) if source else None
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
        if binding is None or isinstance(binding.node, cst.AugAssign):
            # `names += [...]` alone goes on with what a star brought.
            found = self._starred(scope, name)
            if binding is None or found is not None:
                return found
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
            source = self.star_source(scope, imported)
            if source is None:
                full = f"{scope.absolute(imported)}.{name}"
                if counterpart(full) is not None:
                    return canonical(full)
            elif self.offers(source, name):
                found = self.resolve(source.source.name, name)
                if found is not None:
                    return found
        return None

    def star_source(self, scope: ModuleIndex, imported: Imported) -> ModuleIndex | None:
        """The user's module that `from module import *` reads."""
        name = scope.absolute(imported)
        return self.module(name) if name else None

    def offers(self, scope: ModuleIndex, name: str, seen: frozenset[str] = frozenset()) -> bool:
        """Does (or may) `from module import *` bind the name?"""
        listed = scope.listed()
        if listed is not None:
            return name in listed
        if name.startswith("_") or scope.source.name in seen:
            return False
        if name in scope.bindings:
            return name not in scope.deleted
        seen |= {scope.source.name}
        inner = (self.star_source(scope, imported) for _, imported in scope.stars)
        return any(source is not None and self.offers(source, name, seen) for source in inner)

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
        own = self.resolve(module, parts[0])
        if self.is_module(parts[0]) or (isinstance(own, Symbol) and own.name):
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
                methods[found.name] = self._function(scope.source, found.name, found.node)
            elif isinstance(found.value, cst.Lambda):
                methods[found.name] = self._function(scope.source, found.name, found.value)
            elif not isinstance(found.node, cst.AnnAssign) or found.value is not None:
                methods.pop(found.name, None)
                attributes.add(found.name)
        bases: list[Symbol | str] = []
        for argument in node.bases:
            expression = argument.value
            if isinstance(expression, cst.Subscript):  # Generic[T]
                expression = expression.value
            name = dotted(expression)
            base = self.base(symbol.module, name) if name and not argument.star else ""
            bases.append(base)
        return ClassInfo(
            symbol,
            _head(scope.source, node),
            tuple(bases),
            methods,
            frozenset(attributes),
        )

    def base(self, module: str, name: str) -> Symbol | str:
        """What the name of a base class stands for."""
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
                self._function(scope.source, symbol.name, node)
                if known and scope and isinstance(node, cst.FunctionDef | cst.Lambda)
                else None
            )
        return self._functions[symbol]

    def _function(
        self, source: SourceModule, name: str, node: cst.FunctionDef | cst.Lambda
    ) -> FunctionInfo:
        info = _function(source, name, node)
        # Coroutine functions are what decorators make of them (spec/serving.md 2.5).
        if isinstance(node, cst.FunctionDef) and (made := wrapper(self, source.name, node)):
            return replace(info, is_async=made.asynchronous is not None)
        return info

    def is_coroutine(self, symbol: Symbol) -> bool:
        """Is the symbol a coroutine function, by `async def` or made by a function or decorator?"""
        info, binding = self.function_info(symbol), self.binding(symbol)
        if info is not None or binding is None or binding.value is None:
            return info is not None and info.is_async
        made = made_function(self, symbol.module, binding.value)
        return made is not None and made.asynchronous is not None

    # -- inheritance

    def ancestors(self, symbol: Symbol) -> tuple[Symbol | str, ...]:
        """The classes that a class inherits from, in Python's order, without `object`."""
        return self.order(symbol)[1:]

    def order(self, symbol: Symbol) -> tuple[Symbol | str, ...]:
        """The class and its ancestors."""
        return self._order(symbol, ())

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
        for owner in self.order(symbol):
            if isinstance(owner, str):
                if may_define(owner, name):
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

    def lineage(self, symbol: Symbol) -> list[Symbol]:
        """The class and its ancestors, as far as they are the user's."""
        found = [item for item in self.ancestors(symbol) if isinstance(item, Symbol)]
        return found if symbol in found else [symbol, *found]

    def mentions(self, symbol: Symbol, name: str) -> bool:
        """Does a method of the class, or of an ancestor of the user's, read this name?"""
        infos = [self.class_info(item) for item in self.lineage(symbol)]
        return any(
            name in function.names_read
            for info in infos
            if info
            for function in info.methods.values()
        )

    # -- constructors

    def constructor(self, symbol: Symbol) -> Signature:
        """What `Class(...)` takes."""
        if symbol not in self._signatures:
            self._signatures[symbol] = ANYTHING  # of a class that inherits from itself
            self._signatures[symbol] = Constructors(self).of(self.order(symbol))
        return self._signatures[symbol]


def _module_index(source: SourceModule) -> ModuleIndex:
    try:
        return ModuleIndex(source)
    except RecursionError as exc:
        message = f"{source.path} is nested too deeply to be read"
        raise GraphError(message, code="GC003") from exc


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


def _function(source: SourceModule, name: str, node: cst.FunctionDef | cst.Lambda) -> FunctionInfo:
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
        node,
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
        default = item.default
        is_none = isinstance(default, cst.Name) and default.value == "None"
        set_by_default = default is not None and not is_none
        found.append(Parameter(item.name.value, kind, required, set_by_default))
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
