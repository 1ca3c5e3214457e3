"""Does a top-level statement prepare, that is change in place, something that is kept?"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

import libcst as cst

from ...code_index import CodeIndex, Symbol
from ...reads import Read, reads
from ...scopes import Binding, children, dotted, global_writes, mutations, root_name, walk
from ...top_level import ModuleIndex, Unit
from .facts import Facts

#: Methods of built-in types that change nothing.
_PURE_METHODS = frozenset({
    "get", "items", "keys", "values", "copy", "split", "rsplit", "join", "format", "index",
    "count", "startswith", "endswith", "lower", "upper", "strip", "lstrip", "rstrip", "encode",
    "decode", "replace", "title", "match", "search", "findall", "finditer", "fullmatch", "sub",
    "union", "intersection", "difference", "issubset", "issuperset", "isoformat", "info", "debug",
    "warning", "error", "exception",
})  # fmt: skip


class Effects:
    """Questions about what statements and functions change, answered once."""

    def __init__(self, index: CodeIndex, facts: Facts) -> None:
        self._index = index
        self._facts = facts
        self._changes: dict[Symbol, frozenset[Symbol]] = {}

    def prepares(self, module: ModuleIndex, unit: Unit, kept: set[Symbol]) -> bool:
        """Does the statement change something that is kept?"""
        found = {id(read.node): read for read in self._facts.reads(module, unit)}
        node = unit.node
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            return self._registers(module, unit, kept)
        for root, method, direct in _changed_by_statement(node):
            read = found.get(id(root))
            if read is None:
                continue
            target = self._facts.target(module, read)
            if (
                isinstance(target, Symbol)
                and target in kept
                and (method is None or self._may_change(target, method, direct))
            ):
                return True
        for call in _calls(node, module.bindings):
            for callee in (call.func, *(argument.value for argument in call.args)):
                read = found.get(id(root_name(callee)))
                if read is None or not isinstance(callee, cst.Name | cst.Attribute):
                    continue
                target = self._facts.target(module, read)
                if not isinstance(target, Symbol):
                    continue
                if self.changes(target) & kept:
                    return True
                if callee is call.func and self._changes_arguments(target):
                    return self._has_kept(module, call, found, kept)
        return False

    def _may_change(self, target: Symbol, method: str, direct: bool) -> bool:
        """May calling this method of a kept name change it?"""
        if method in _PURE_METHODS:
            return False
        if self._index.class_info(target) is not None:
            if not direct:
                return False  # a method of a new object
            found = self._index.method(target, method)
            info = found[1] if found else None
            return info is None or bool({"classmethod", "staticmethod"} & {*info.decorators})
        if self._index.function_info(target) is not None:
            return direct
        return True

    def _registers(self, module: ModuleIndex, unit: Unit, kept: set[Symbol]) -> bool:
        """`@kept.register`, `@register` or a base with `__init_subclass__`."""
        for read in self._facts.reads(module, unit):
            if read.deferred or read.use not in ("decorator", "base", "call"):
                continue
            target = self._facts.target(module, read)
            if not isinstance(target, Symbol) or not target.name:
                continue
            if read.use == "decorator" and read.path and target in kept:
                return True
            if read.use == "base" and target in kept:
                hook = self._index.method(target, "__init_subclass__")
                if hook is not None and isinstance(hook[0], Symbol):
                    return True
            if read.use != "base" and self.changes(target) & kept:
                return True
        return False

    def _changes_arguments(self, symbol: Symbol) -> bool:
        """Does a function change what it is given?"""
        info, binding = self._index.function_info(symbol), self._index.binding(symbol)
        if info is None or binding is None or not isinstance(binding.node, cst.FunctionDef):
            return False
        names = {parameter.name for parameter in info.parameters}
        return any(
            root.value in names and method not in _PURE_METHODS
            for root, method in _roots_with_methods(binding.node.body)
        )

    def _has_kept(
        self, module: ModuleIndex, call: cst.Call, found: Mapping[int, Read], kept: set[Symbol]
    ) -> bool:
        for argument in call.args:
            root = root_name(argument.value)
            read = found.get(id(root)) if root is not None else None
            target = self._facts.target(module, read) if read else None
            if (
                isinstance(target, Symbol)
                and target in kept
                and self._index.class_info(target) is None
                and self._index.function_info(target) is None
            ):
                return True
        return False

    def changes(self, symbol: Symbol) -> frozenset[Symbol]:
        """The top-level names that calling a function, or making an object, changes."""
        if symbol not in self._changes:
            found: set[Symbol] = set()
            seen, waiting = {symbol}, [symbol]
            while waiting:
                changed, called = self._direct_changes(waiting.pop())
                found |= changed
                waiting += called - seen
                seen |= called
            self._changes[symbol] = frozenset(found)
        return self._changes[symbol]

    def _direct_changes(self, symbol: Symbol) -> tuple[set[Symbol], set[Symbol]]:
        """What the definition's own code changes, and what it may call."""
        changed: set[Symbol] = set()
        called: set[Symbol] = set()
        scope, binding = self._index.module(symbol.module), self._index.binding(symbol)
        if scope is None or binding is None:
            return changed, called
        for node in self._called_parts(scope, binding):
            inside = {id(read.node): read for read in reads(node)}
            changed |= {Symbol(scope.source.name, name) for name in global_writes(node)}
            for root, method in _roots_with_methods(node):
                read = inside.get(id(root))
                if read is None or method in _PURE_METHODS:
                    continue
                target = self._facts.target(scope, read)
                if isinstance(target, Symbol) and target.name and self._is_variable(target):
                    changed.add(target)
            for read in inside.values():
                target = self._facts.target(scope, read)
                if isinstance(target, Symbol) and target.name:
                    called.add(target)
        return changed, called

    def _called_parts(self, scope: ModuleIndex, binding: Binding) -> Iterator[cst.CSTNode]:
        """The functions that run when a name is called."""
        node, value = binding.node, binding.value
        if isinstance(node, cst.FunctionDef):
            yield node
        elif isinstance(node, cst.ClassDef):
            yield from _methods(node, ("__init__", "__new__", "__post_init__"))
        elif isinstance(value, cst.Lambda):
            yield value
        elif isinstance(value, cst.Call) and (name := dotted(value.func)):
            made = self._index.resolve(scope.source.name, name)
            inner = self._index.binding(made) if isinstance(made, Symbol) else None
            if inner is not None and isinstance(inner.node, cst.ClassDef):
                yield from _methods(inner.node, ("__call__",))

    def _is_variable(self, symbol: Symbol) -> bool:
        return self._index.class_info(symbol) is None and self._index.function_info(symbol) is None


def _methods(node: cst.ClassDef, names: tuple[str, ...]) -> Iterator[cst.FunctionDef]:
    for item in node.body.body:
        if isinstance(item, cst.FunctionDef) and item.name.value in names:
            yield item


def _roots_with_methods(node: cst.CSTNode) -> Iterator[tuple[cst.Name, str | None]]:
    """Roots of what a function's code changes, with the method's name if a call does it."""
    methods = {
        id(root): item.func.attr.value
        for item in walk(node)
        if isinstance(item, cst.Call)
        and isinstance(item.func, cst.Attribute)
        and (root := root_name(item.func.value)) is not None
    }
    for root in mutations(node, enter_functions=True):
        yield root, methods.get(id(root))


def _statement_calls(node: cst.CSTNode) -> Iterator[cst.Call]:
    """Calls that are statements, or whose result a statement assigns."""
    for item in _plain_statements(node):
        value = item.value if isinstance(item, cst.Expr | cst.Assign | cst.AnnAssign) else None
        if isinstance(value, cst.Await):
            value = value.expression
        if isinstance(value, cst.Call):
            yield value


def _calls(node: cst.CSTNode, own: Container[str]) -> Iterator[cst.Call]:
    """Calls that may be there for their effect: all but those inside `print(...)` and its like.

    `own` are the names that the module defines.
    """
    yield from _statement_calls(node)
    for item in _plain_statements(node):
        root = root_name(item.value) if isinstance(item, cst.Expr) else None
        shows = isinstance(item, cst.Expr) and (root is None or root.value not in own)
        if not shows and not isinstance(item, cst.Assert):
            yield from _inner_calls(item)
    if isinstance(node, cst.BaseCompoundStatement):
        for item in walk(node):
            for field_name in ("test", "iter", "items", "subject"):
                header = getattr(item, field_name, None)
                if isinstance(item, cst.BaseCompoundStatement) and header is not None:
                    for part in [header] if isinstance(header, cst.CSTNode) else header:
                        yield from _inner_calls(part)


def _inner_calls(node: cst.CSTNode) -> Iterator[cst.Call]:
    if isinstance(node, cst.Call):
        yield node
    if not isinstance(node, cst.Lambda | cst.FunctionDef | cst.ClassDef):
        for child in children(node):
            yield from _inner_calls(child)


def _plain_statements(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Simple statements in a node, those of functions and classes left out."""
    if isinstance(node, cst.BaseSmallStatement):
        yield node
    elif not isinstance(node, cst.FunctionDef | cst.ClassDef | cst.BaseExpression):
        for field_name in ("body", "orelse", "finalbody", "handlers", "cases"):
            value = getattr(node, field_name, None)
            if isinstance(value, cst.CSTNode):
                yield from _plain_statements(value)
            elif value is not None and not isinstance(value, str):
                for child in value:
                    yield from _plain_statements(child)


def _changed_by_statement(node: cst.CSTNode) -> Iterator[tuple[cst.Name, str | None, bool]]:
    """What a top-level statement changes: root, method if a call does it, called directly."""
    for item in _plain_statements(node):
        if isinstance(item, cst.Assign | cst.AnnAssign | cst.AugAssign | cst.Del):
            targets = (
                [target.target for target in item.targets]
                if isinstance(item, cst.Assign)
                else [item.target]
            )
            for target in targets:
                if isinstance(target, cst.Attribute | cst.Subscript):
                    root = root_name(target.value)
                    if root is not None:
                        yield root, None, True
    for call in _statement_calls(node):
        if isinstance(call.func, cst.Attribute):
            root = root_name(call.func.value)
            if root is not None:
                yield root, call.func.attr.value, dotted(call.func) is not None
        elif dotted(call.func) in ("setattr", "delattr") and call.args:
            root = root_name(call.args[0].value)
            if root is not None:
                yield root, None, True
