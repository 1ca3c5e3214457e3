"""Questions of the slicer about single top-level statements.

Does a statement build the graph? Does it prepare, that is change in place, something that is kept?
What does it read? All answers are made once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import libcst as cst

from ..code_index import CodeIndex, ModuleIndex, Symbol, Unit, is_main_guard, is_type_checking
from ..runtime_names import builds_graph, is_replaced
from ..scopes import Imported, Read, dotted, global_writes, mutations, reads, root_name, walk

#: Methods of built-in types that change nothing.
_PURE_METHODS = frozenset({
    "get", "items", "keys", "values", "copy", "split", "rsplit", "join", "format", "index",
    "count", "startswith", "endswith", "lower", "upper", "strip", "lstrip", "rstrip", "encode",
    "decode", "replace", "title", "match", "search", "findall", "finditer", "fullmatch", "sub",
    "union", "intersection", "difference", "issubset", "issuperset", "isoformat", "info", "debug",
    "warning", "error", "exception",
})  # fmt: skip


def is_import(unit: Unit) -> bool:
    """Is the statement an import at the top level?"""
    return isinstance(unit.node, cst.Import | cst.ImportFrom)


def evaluated_parts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The parts of a statement that run in a package."""
    if isinstance(node, cst.If) and (is_type_checking(node) or is_main_guard(node)):
        yield node.test
        if node.orelse is not None:
            yield node.orelse
    else:
        yield node


class Facts:
    """Questions about single statements, answered once."""

    def __init__(self, index: CodeIndex) -> None:
        self._index = index
        self._reads: dict[tuple[str, int], list[Read]] = {}
        self._builds: dict[tuple[str, int], bool] = {}
        self._changes: dict[Symbol, frozenset[Symbol]] = {}

    def reads(self, module: ModuleIndex, unit: Unit) -> list[Read]:
        key = (module.source.name, unit.index)
        if key not in self._reads:
            self._reads[key] = [
                read for part in evaluated_parts(unit.node) for read in reads(part)
            ]
        return self._reads[key]

    def import_bindings(
        self, module: ModuleIndex, read: Read
    ) -> list[tuple[Unit | None, Imported]]:
        """The imports that may bind what is read."""
        if read.imported is not None:
            return [(None, read.imported)]
        return [
            (unit, binding.imported)
            for unit, binding in module.bindings.get(read.name, ())
            if binding.imported is not None
        ]

    def external(self, module: ModuleIndex, read: Read) -> str | None:
        """The dotted name of what is read, if it is a library's."""
        found = self._target(module, read)
        return found if isinstance(found, str) else None

    def _target(self, module: ModuleIndex, read: Read) -> Symbol | str | None:
        """What is read: for attributes of a class or a variable, that class or variable."""
        found = (
            self._index.imported(module, read.imported)
            if read.imported is not None
            else self._index.resolve(module.source.name, read.name)
        )
        for part in read.path:
            if found is None or (isinstance(found, Symbol) and found.name):
                break
            found = self._index.attribute(found, part)
        return found

    # -- graph building

    def builds_graph(self, module: ModuleIndex, unit: Unit) -> bool:
        """Is the statement about the graph: does it make functions, steps, or use such?

        Of a definition: does calling it do that?
        """
        key = (module.source.name, unit.index)
        if key not in self._builds:
            self._builds[key] = False  # while it is looked at
            if not isinstance(unit.node, cst.FunctionDef | cst.ClassDef):
                self._builds[key] = any(
                    self._touches_graph(module, read) for read in self.reads(module, unit)
                )
        return self._builds[key]

    def _touches_graph(self, module: ModuleIndex, read: Read) -> bool:
        for _, imported in self.import_bindings(module, read):
            source = module.absolute(imported)
            if source and is_replaced(source):
                base = f"{source}.{imported.attribute}" if imported.attribute else source
                return any(
                    builds_graph(".".join([base, *read.path[:length]]))
                    for length in range(len(read.path) + 1)
                )
        found = self._target(module, read)
        if not isinstance(found, Symbol) or not found.name:
            return False
        binding, scope = self._index.binding(found), self._index.module(found.module)
        if binding is None or scope is None:
            return False
        if isinstance(binding.node, cst.FunctionDef | cst.ClassDef):
            return read.use == "call" and self._call_builds_graph(found, binding.node, scope)
        unit = next((u for u, b in scope.bindings.get(found.name, ()) if b is binding), None)
        return unit is not None and self.builds_graph(scope, unit)

    def _call_builds_graph(
        self, symbol: Symbol, node: cst.FunctionDef | cst.ClassDef, scope: ModuleIndex
    ) -> bool:
        unit = next((u for u, b in scope.bindings[symbol.name] if b.node is node), None)
        if unit is None:
            return False
        key = (symbol.module, -1 - unit.index)
        if key not in self._builds:
            self._builds[key] = False
            self._builds[key] = any(
                self._touches_graph(scope, read) for read in self.reads(scope, unit)
            )
        return self._builds[key]

    # -- preparation

    def prepares(self, module: ModuleIndex, unit: Unit, kept: set[Symbol]) -> bool:
        """Does the statement change something that is kept?"""
        found = {id(read.node): read for read in self.reads(module, unit)}
        node = unit.node
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            return self._registers(module, unit, kept)
        for root, method, direct in _changed_by_statement(node):
            read = found.get(id(root))
            if read is None:
                continue
            target = self._target(module, read)
            if (
                isinstance(target, Symbol)
                and target in kept
                and (method is None or self._may_change(target, method, direct))
            ):
                return True
        for call in _statement_calls(node):
            function = call.func
            root_node = root_name(function)
            read = found.get(id(root_node)) if root_node is not None else None
            if read is None or not isinstance(function, cst.Name | cst.Attribute):
                continue
            target = self._target(module, read)
            if not isinstance(target, Symbol):
                continue
            if self.changes(target) & kept:
                return True
            if self._changes_arguments(target) and self._has_kept(module, call, found, kept):
                return True
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
        for read in self.reads(module, unit):
            if read.deferred or read.use not in ("decorator", "base", "call"):
                continue
            target = self._target(module, read)
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
            target = self._target(module, read) if read else None
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
            self._changes[symbol] = frozenset()  # while it is looked at
            self._changes[symbol] = frozenset(self._find_changes(symbol))
        return self._changes[symbol]

    def _find_changes(self, symbol: Symbol) -> set[Symbol]:
        scope, binding = self._index.module(symbol.module), self._index.binding(symbol)
        if scope is None or binding is None:
            return set()
        changed: set[Symbol] = set()
        for node in _called_parts(binding.node):
            inside = {id(read.node): read for read in reads(node)}
            changed |= {Symbol(scope.source.name, name) for name in global_writes(node)}
            for root, method in _roots_with_methods(node):
                read = inside.get(id(root))
                if read is None or method in _PURE_METHODS:
                    continue
                target = self._target(scope, read)
                if isinstance(target, Symbol) and target.name and self._is_variable(target):
                    changed.add(target)
            for read in inside.values():
                if read.use == "call" and isinstance(
                    target := self._target(scope, read), Symbol
                ):
                    changed |= self.changes(target)
        return changed

    def _is_variable(self, symbol: Symbol) -> bool:
        return self._index.class_info(symbol) is None and self._index.function_info(symbol) is None


def _called_parts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The functions that run when a definition is called."""
    if isinstance(node, cst.FunctionDef):
        yield node
    elif isinstance(node, cst.ClassDef):
        for item in node.body.body:
            if isinstance(item, cst.FunctionDef) and item.name.value in (
                "__init__", "__new__", "__post_init__"):  # fmt: skip
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
