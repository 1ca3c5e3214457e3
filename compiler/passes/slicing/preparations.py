"""Statements that nobody reads and that are kept all the same: they prepare what is kept.

They change it in place, load the modules that do, or set up a library that is in use.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import libcst as cst

from ...top_level import ModuleIndex, Unit
from .cut import LOADED, Cut
from .effects import Effects
from .facts import is_import
from .library_setup import PROCESS_WIDE, LibrarySetup
from .loading import Load, Loading
from .names import Names
from .state import NOTHING, State
from .statements import Statements


class Preparations:
    """Keeps such statements."""

    def __init__(self, state: State, statements: Statements, names: Names) -> None:
        self._state = state
        self._index = state.index
        self._facts = state.facts
        self._statements = statements
        self._names = names
        self._effects = Effects(state.index, state.facts)
        self._setup = LibrarySetup(state.index, state.facts)
        self._loading = Loading(state.index)
        #: Modules whose first import is kept.
        self._loaded: set[str] = set()

    def add(self) -> bool:
        """Keeps top-level statements that change what is kept, of all modules that are loaded."""
        added = False
        order = self._loading.order(sorted(self._state.cuts))
        self._effects.learn(filter(None, map(self._index.module, order)))
        for name in order:
            module = self._index.module(name)
            for unit in module.units if module else ():
                if module and not self._is_kept(name, unit) and self._prepares(module, unit):
                    self._load(name, order)
                    self._statements.keep(self._state.cuts[name], unit)
                    added = True
        return added or self._add_loads(order) or self._add_setups()

    def _is_kept(self, name: str, unit: Unit) -> bool:
        return name in self._state.cuts and unit.index in self._state.cuts[name].units

    def _prepares(self, module: ModuleIndex, unit: Unit) -> bool:
        if is_import(unit):
            return False
        changed = self._effects.of(module, unit)
        if self._state.asks_subclasses:
            changed |= self._effects.bases(module, unit)
        return bool(changed & self._state.symbols) and not self._facts.builds_graph(module, unit)

    def _add_loads(self, order: Mapping[str, Load | None]) -> bool:
        """Modules that change others are loaded when they were: the order is part of the state."""
        added = False
        for name in order:
            if name in self._state.cuts and name not in self._loaded and self._reaches_out(name):
                self._load(name, order)
                added = True
        return added

    def _reaches_out(self, name: str) -> bool:
        module = self._state.cuts[name].module
        return any(
            symbol.module != name
            for unit in self._state.cuts[name].kept_units
            for symbol in self._effects.of(module, unit) & self._state.symbols
        )

    def _load(self, name: str, order: Mapping[str, Load | None]) -> None:
        """Keeps the import statements that load a module first."""
        while name not in self._loaded:
            self._loaded.add(name)
            self._state.cut(name)
            load = order[name]
            if load is None:
                return
            name = load.importer
            cut = self._state.cut(name)
            imported = load.binding.imported
            assert cut is not None
            assert imported is not None
            if not is_import(load.unit):
                self._statements.keep(cut, load.unit)
            elif imported.alias is not None:
                self._names.follow_import(cut, load.unit, imported, NOTHING, None)
            elif isinstance(imported.statement, cst.ImportFrom):
                cut.stars.setdefault(imported.statement, set()).add(LOADED)
                self._state.cut(cut.module.absolute(imported) or "")

    def _add_setups(self) -> bool:
        """Keeps statements that set up the libraries in use, and imports that are made for that."""
        used = self._state.packages | PROCESS_WIDE
        added = False
        for cut in [self._state.cuts[name] for name in sorted(self._state.cuts)]:
            if not cut.units:
                continue
            for unit in cut.module.units:
                if is_import(unit):
                    added |= self._add_effective(cut, unit)
                elif unit.index not in cut.units and self._sets_up(cut.module, unit, used):
                    self._statements.keep(cut, unit)
                    added = True
        return added

    def _sets_up(self, module: ModuleIndex, unit: Unit, used: AbstractSet[str]) -> bool:
        return bool(
            self._setup.of(module, unit) & used
            and self._state.symbols.issuperset(self._setup.needs(module, unit))
            and not self._facts.builds_graph(module, unit)
        )

    def _add_effective(self, cut: Cut, unit: Unit) -> bool:
        added = False
        for binding in unit.bindings:
            imported = binding.imported
            if imported and imported.alias and imported.alias not in cut.aliases:  # noqa: SIM102
                if self._setup.is_for_effect(cut.module, imported):
                    self._names.follow_import(cut, unit, imported, NOTHING, None)
                    added = True
        return added
