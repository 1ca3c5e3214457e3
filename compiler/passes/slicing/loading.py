"""In which order a program's modules are loaded, and by which import statement each first is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...code_index import CodeIndex
from ...scopes import Binding, Imported
from ...top_level import ModuleIndex, Unit


@dataclass(frozen=True, slots=True)
class Load:
    """An import at the top level of a user's module that loads another one."""

    importer: str
    unit: Unit
    binding: Binding


class Loading:
    """Questions about what imports load, answered once."""

    def __init__(self, index: CodeIndex) -> None:
        self._index = index
        self._loads: dict[str, list[tuple[str, Load]]] = {}
        self._below: dict[str, frozenset[str]] = {}

    def order(self, names: Iterable[str]) -> dict[str, Load | None]:
        """Everything that loading the modules loads, in order; None: nobody imports it before."""
        found: dict[str, Load | None] = {}
        for name in names:
            if name not in found:
                found[name] = None
                self._enter(name, found)
        return found

    def in_circle(self, one: str, other: str) -> bool:
        """Does loading the second module load the first?"""
        if other not in self._below:
            self._below[other] = frozenset(self.order([other]))
        return one in self._below[other]

    def _enter(self, name: str, found: dict[str, Load | None]) -> None:
        waiting = [iter(self._loads_of(name))]
        while waiting:
            below, load = next(waiting[-1], ("", None))
            if load is None:
                waiting.pop()
            elif below not in found:
                found[below] = load
                waiting.append(iter(self._loads_of(below)))

    def _loads_of(self, name: str) -> list[tuple[str, Load]]:
        if name not in self._loads:
            module = self._index.module(name)
            self._loads[name] = [
                (below, Load(name, unit, binding))
                for unit in (module.units if module else ())
                for binding in unit.bindings
                if module is not None and binding.imported is not None
                for below in self._modules(module, binding.imported)
            ]
        return self._loads[name]

    def _modules(self, module: ModuleIndex, imported: Imported) -> Iterator[str]:
        """The user's modules that an import loads, packages first."""
        source = module.absolute(imported)
        if source is None:
            return
        full = imported.loads if imported.attribute is None else source
        if imported.attribute not in (None, "*"):
            full = f"{source}.{imported.attribute}" if source else f"{imported.attribute}"
        parts = full.split(".")
        for length in range(1, len(parts) + 1):
            found = self._index.module(".".join(parts[:length]))
            if found is not None:
                yield found.source.name
