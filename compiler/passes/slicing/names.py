"""Follows names through the user's modules: definitions, imports, stars, packages."""

from __future__ import annotations

import builtins

import libcst as cst

from ...code_index import Symbol
from ...diagnostics import Note, Span
from ...reads import reads
from ...runtime_names import is_replaced
from ...scopes import Binding, Imported
from ...top_level import ModuleIndex, Unit
from .cut import WHOLE, Cut
from .facts import is_import
from .loading import Loading
from .replaced import MODULE_NAMES, Replaced
from .state import NOTHING, State
from .statements import Statements

#: Statements that need not bind the names in them.
_UNSURE = cst.If | cst.For | cst.While | cst.Match | cst.With


class Names:
    """Keeps what a name stands for."""

    def __init__(self, state: State, statements: Statements, replaced: Replaced) -> None:
        self._state = state
        self._index = state.index
        self._facts = state.facts
        self._statements = statements
        self._replaced = replaced
        self._loading = Loading(state.index)

    def follow(self, symbol: Symbol, path: tuple[str, ...], origin: Span | None) -> None:
        """Keeps a name of a module, and what `path` takes out of it if it is a module itself."""
        cut = self._state.cut(symbol.module)
        if cut is None:  # a namespace package: only its modules are there
            if not symbol.name and path:
                self._state.need(Symbol(f"{symbol.module}.{path[0]}", ""), path[1:], origin)
            return
        if not symbol.name:
            self._follow_module(cut, path, origin)
            return
        name = symbol.name
        found = cut.module.bindings.get(name, [])
        if not found:
            self._follow_unbound(cut, name, path, origin)
            return
        last = found[-1][0]
        if self._facts.builds_graph(cut.module, last):
            if path == NOTHING and origin is None:
                return  # asked for only as a part of its module
            self._state.findings.refuse_graph_object(cut.module, name, last, origin)
            return
        definitions = [
            (unit, binding)
            for unit, binding in found
            if not self._facts.builds_graph(cut.module, unit)
        ]
        for unit, binding in _alive(cut.module, name, definitions):
            if binding.imported is None or not is_import(unit):
                self._state.symbols.add(Symbol(cut.module.source.name, name))
                self._statements.keep(cut, unit)
        if self._is_read_before(cut.module, name, found[0][0]):
            self._follow_star(cut, name, path, origin)
        imported = [(unit, binding.imported) for unit, binding in definitions if binding.imported]
        for unit, item in _used_imports(imported, name, path):
            self.follow_import(cut, unit, item, path, origin)

    def _follow_unbound(
        self, cut: Cut, name: str, path: tuple[str, ...], origin: Span | None
    ) -> None:
        """A name that no statement of the module binds by itself."""
        module = cut.module
        if self._follow_star(cut, name, path, origin):
            return
        if name in module.main_only:
            unit, _ = module.main_only[name][0]
            if origin is not None:
                self._state.findings.refuse(
                    origin,
                    "GC022",
                    f"{name!r} is defined only when the file is run as a script",
                    (Note("it is defined here", module.source.span(unit.node)),),
                    'define it outside of `if __name__ == "__main__":`',
                )
            return
        if name in module.left_out:
            place = module.source.span(module.left_out[name][-1].node)
            self._state.findings.refuse(
                origin or place,
                "GC022",
                f"{name!r} is defined in a cell that is left out of the function's code",
                (Note("it is defined here", place),) if origin else (),
                "move it to a cell that the comments (`# mlrun: ignore`, start-code, end-code) and "
                "tags keep",
            )
            return
        if hasattr(builtins, name) or name in MODULE_NAMES:
            return
        for _, imported in module.stars:
            source = module.absolute(imported)
            if source and not self._index.is_module(source) and not is_replaced(source):
                assert isinstance(imported.statement, cst.ImportFrom)
                cut.stars.setdefault(imported.statement, set()).add(WHOLE)
                self._state.use_library(module.source, source, imported.statement)
        if "__getattr__" in module.bindings and origin and origin.file != module.source.path:
            self._state.need(Symbol(module.source.name, "__getattr__"), (), origin)

    def _follow_star(self, cut: Cut, name: str, path: tuple[str, ...], origin: Span | None) -> bool:
        """Takes the name from a star of another module of the user's, if one offers it."""
        module = cut.module
        found = False
        for _, imported in reversed(module.stars):
            other = self._index.star_source(module, imported)
            if other is None or not self._index.offers(other, name):
                continue
            if self._index.resolve(other.source.name, name) is not None:
                assert isinstance(imported.statement, cst.ImportFrom)
                taken = cut.stars.setdefault(imported.statement, set())
                self._state.need(Symbol(other.source.name, name), path, origin)
                found = True
                if other.listed() is not None or self._surely_brings(module, other, name):
                    taken.add(name)
                    return True
                # The star takes what is there by then; else an earlier one has brought it.
                taken.add(WHOLE)
        return found

    def _surely_brings(self, module: ModuleIndex, other: ModuleIndex, name: str) -> bool:
        """Is the name there when the module takes it from the other one?"""
        if self._loading.in_circle(module.source.name, other.source.name):
            return False
        units = [unit.node for unit, _ in other.bindings.get(name, ())]
        if units:
            return any(not isinstance(node, _UNSURE) for node in units)
        return any(
            source is not None
            and self._index.offers(source, name)
            and self._surely_brings(other, source, name)
            for source in (self._index.star_source(other, item) for _, item in other.stars)
        )

    def _is_read_before(self, module: ModuleIndex, name: str, first: Unit) -> bool:
        """Is a name read between a star that may bind it and its own first definition?"""
        starts = [unit.index for unit, _ in module.stars]
        if not starts:
            return False
        between = module.units[min(starts) : first.index + 1]
        return max(starts) > first.index or any(
            read.name == name for unit in between for read in self._facts.reads(module, unit)
        )

    def _follow_module(self, cut: Cut, path: tuple[str, ...], origin: Span | None) -> None:
        module = cut.module
        here = module.source.name
        if not path:  # the module is used as a value: anything in it may be
            for name in module.bindings:
                if name != "__all__" and not self._is_about_graphs(module, name):
                    self._state.need(Symbol(here, name), NOTHING, None)
            for _, imported in module.stars:
                other = self._index.star_source(module, imported)
                if other is not None and other.listed() is None:
                    assert isinstance(imported.statement, cst.ImportFrom)
                    cut.stars.setdefault(imported.statement, set()).add(WHOLE)
                    self._state.need(Symbol(other.source.name, ""), (), None)
                for name in other.listed() or () if other else ():
                    if not self._is_about_graphs(other, name):
                        self._state.need(Symbol(here, name), NOTHING, None)
            return
        if path == NOTHING:
            return
        first, rest = path[0], path[1:]
        bound = first in module.bindings or self._index.resolve(here, first) is not None
        below = f"{here}.{first}" if here else first
        if not bound and here and self._index.is_module(below):
            self._keep_import_of(cut, below)
            self._state.need(self._index.symbol_of_module(below), rest, origin)
            return
        self._state.need(Symbol(here, first), rest, origin)

    def _is_about_graphs(self, module: ModuleIndex | None, name: str) -> bool:
        """Is a name that nobody asks for by itself mlrun, or made by it? Others leave it out."""
        found = module.bindings.get(name, []) if module else []
        if module is None or not found:
            return False
        if any(self._facts.builds_graph(module, unit) for unit, _ in found):
            return True
        sources = [
            module.absolute(binding.imported) or "" if binding.imported else ""
            for _, binding in found
        ]
        return all(is_replaced(source) or source == "__future__" for source in sources)

    def _keep_import_of(self, cut: Cut, below: str) -> None:
        """Keeps a statement of a package that loads its submodule, as others may rely on it."""
        module = cut.module
        for unit in module.units:
            if not is_import(unit):
                continue
            for binding in unit.bindings:
                imported = binding.imported
                source = module.absolute(imported) if imported else None
                if imported and source and f"{source}.".startswith(f"{below}."):
                    if imported.alias is not None:
                        cut.aliases.add(imported.alias)
                        self._state.need(Symbol(module.source.name, binding.name), NOTHING, None)
                    return

    def follow_import(
        self, cut: Cut, unit: Unit, imported: Imported, path: tuple[str, ...], origin: Span | None
    ) -> None:
        """Keeps an import, and what it takes from the user's modules."""
        module = cut.module
        source = module.absolute(imported)
        if source is None or imported.module == "__future__":
            return
        if is_replaced(source):
            if imported.alias and (origin is None or origin.file != module.source.path):
                # Another module of the user's takes it from here.
                self._replaced.export(cut, imported, refuse=origin is not None)
            return
        if not is_import(unit):
            self._statements.keep(cut, unit)
        elif imported.alias is not None:
            cut.aliases.add(imported.alias)
        if imported.attribute is None:
            if self._index.is_module(source):
                self._state.cut(imported.loads)
                self._state.need(self._index.symbol_of_module(source), path, origin)
            else:
                self._state.use_library(module.source, imported.loads, imported.statement)
        elif not source:
            self._state.need(self._index.symbol_of_module(imported.attribute), path, origin)
        elif source == module.source.name:  # `from . import x` in a package itself
            self._state.need(
                self._index.symbol_of_module(f"{source}.{imported.attribute}"), path, origin
            )
        elif self._index.is_module(source):
            self._state.need_attribute(source, imported.attribute, path, origin)
        elif not imported.level and not self._index.is_module(source.partition(".")[0]):
            self._state.use_library(
                module.source, f"{source}.{imported.attribute}", imported.statement
            )


def _used_imports(
    found: list[tuple[Unit, Imported]], name: str, path: tuple[str, ...]
) -> list[tuple[Unit, Imported]]:
    """Of imports that bind one name (`import a.b`, `import a.c`), those that a read relies on."""
    if len(found) < 2:
        return found
    full = ".".join([name, *path]) + "."
    exact = [
        (unit, item)
        for unit, item in found
        if item.attribute is not None
        or item.loads.partition(".")[0] != name
        or full.startswith(f"{item.loads}.")
    ]
    deepest = [pair for pair in exact if pair[1].loads != name] or exact
    return deepest or found


def _alive(
    module: ModuleIndex, name: str, found: list[tuple[Unit, Binding]]
) -> list[tuple[Unit, Binding]]:
    """The bindings of a name, without definitions that a later one replaces unread."""
    start = 0
    for position in range(1, len(found)):
        (earlier, _), (unit, binding) = found[position - 1], found[position]
        if not isinstance(unit.node, cst.FunctionDef | cst.ClassDef):
            continue
        if unit.node is not binding.node or not isinstance(
            earlier.node, cst.FunctionDef | cst.ClassDef
        ):
            continue
        if position - 1 == start and not earlier.node.decorators and not unit.node.decorators:
            between = module.units[earlier.index + 1 : unit.index + 1]
            if not any(read.name == name for item in between for read in reads(item.node)):
                start = position
    return found[start:]
