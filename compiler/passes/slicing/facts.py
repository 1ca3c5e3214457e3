"""Questions of the slicer about single top-level statements.

Does a statement build the graph? What does it read? All answers are made once.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ...code_index import CodeIndex, Symbol
from ...reads import Read, reads
from ...runtime_names import builds_graph, is_replaced
from ...scopes import Imported, dotted, nested_imports, walk
from ...source import SourceModule
from ...top_level import ModuleIndex, Unit, is_main_guard, is_type_checking


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
        self._calls_build: dict[Symbol, bool] = {}
        self._optional: dict[str, set[cst.CSTNode]] = {}
        self._changes: dict[Symbol, frozenset[Symbol]] = {}

    def reads(self, module: ModuleIndex, unit: Unit) -> list[Read]:
        key = (module.source.name, unit.index)
        if key not in self._reads:
            self._reads[key] = [read for part in evaluated_parts(unit.node) for read in reads(part)]
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
        found = self.target(module, read)
        return found if isinstance(found, str) else None

    def target(self, module: ModuleIndex, read: Read) -> Symbol | str | None:
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

    def is_optional(self, source: SourceModule, statement: cst.CSTNode) -> bool:
        """Has the code a way without the import: does it catch that it fails?"""
        if source.name not in self._optional:
            self._optional[source.name] = set(_optional_imports(source.tree))
        return statement in self._optional[source.name]

    # -- graph building

    def builds_graph(self, module: ModuleIndex, unit: Unit) -> bool:
        """Is the statement about the graph: does it make functions, steps, or use such?

        A definition is not, even if calling it does that.
        """
        key = (module.source.name, unit.index)
        if key not in self._builds:
            self._builds[key] = False  # of names that are defined by each other
            if not isinstance(unit.node, cst.FunctionDef | cst.ClassDef):
                self._builds[key] = any(
                    self._touches_graph(module, read) for read in self.reads(module, unit)
                )
        return self._builds[key]

    def _touches_graph(self, module: ModuleIndex, read: Read) -> bool:
        if self._is_graph_api(module, read):
            return True
        found = self.target(module, read)
        definition = self._definition(found)
        if definition is None or not isinstance(found, Symbol):
            return False
        scope, unit = definition
        if not isinstance(unit.node, cst.FunctionDef | cst.ClassDef):
            return self.builds_graph(scope, unit)
        return read.use == "call" and self._call_builds_graph(found)

    def _is_graph_api(self, module: ModuleIndex, read: Read) -> bool:
        for _, imported in self.import_bindings(module, read):
            source = module.absolute(imported)
            if source and is_replaced(source):
                base = f"{source}.{imported.attribute}" if imported.attribute else source
                return any(
                    builds_graph(".".join([base, *read.path[:length]]))
                    for length in range(len(read.path) + 1)
                )
        return False

    def _call_builds_graph(self, symbol: Symbol) -> bool:
        """Does calling the function, or anything that it calls, build the graph?"""
        if symbol not in self._calls_build:
            self._calls_build[symbol] = any(
                self._is_graph_api(scope, read) or self._reads_graph_object(scope, read)
                for reached in self._reachable(symbol)
                for scope, unit in self._definitions(reached)
                for read in self.reads(scope, unit)
            )
        return self._calls_build[symbol]

    def _reads_graph_object(self, module: ModuleIndex, read: Read) -> bool:
        definition = self._definition(self.target(module, read))
        if definition is None or isinstance(definition[1].node, cst.FunctionDef | cst.ClassDef):
            return False
        return self.builds_graph(*definition)

    def _definition(self, found: Symbol | str | None) -> tuple[ModuleIndex, Unit] | None:
        """The statement that defines a user's name."""
        if not isinstance(found, Symbol) or not found.name:
            return None
        binding, scope = self._index.binding(found), self._index.module(found.module)
        if binding is None or scope is None:
            return None
        units = (unit for unit, item in scope.bindings.get(found.name, ()) if item is binding)
        unit = next(units, None)
        return None if unit is None else (scope, unit)

    def _definitions(self, symbol: Symbol) -> list[tuple[ModuleIndex, Unit]]:
        definition = self._definition(symbol)
        return [] if definition is None else [definition]

    def _reachable(self, symbol: Symbol) -> list[Symbol]:
        """The definition and those of the user's that its code names, transitively."""
        order, waiting = {symbol: None}, [symbol]
        while waiting:
            definition = self._definition(waiting.pop())
            if definition is None:
                continue
            scope, unit = definition
            for read in self.reads(scope, unit):
                found = self.target(scope, read)
                if isinstance(found, Symbol) and found.name and found not in order:
                    order[found] = None
                    waiting.append(found)
        return [found for found in order if self._definition(found) is not None]


_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def _optional_imports(tree: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for node in walk(tree):
        if isinstance(node, cst.Try) and any(map(_catches_import, node.handlers)):
            yield from nested_imports(node.body)


def _catches_import(handler: cst.ExceptHandler) -> bool:
    """Does it catch a failing import, and go on?"""
    caught = [handler.type]
    if isinstance(handler.type, cst.Tuple):
        caught = [element.value for element in handler.type.elements]
    names = {(dotted(item) or "").rpartition(".")[2] if item else "Exception" for item in caught}
    goes_on = not any(isinstance(node, cst.Raise) for node in walk(handler.body))
    return goes_on and bool(names & _IMPORT_ERRORS)
