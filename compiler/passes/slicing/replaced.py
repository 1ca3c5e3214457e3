"""What code reads of mlrun and storey: re-pointed to its counterpart, allowed, or refused."""

from __future__ import annotations

import builtins
from collections.abc import Callable

import libcst as cst

from ...code_index import Symbol
from ...diagnostics import Span
from ...reads import Read, reads
from ...runtime_names import IDLE_BASES, canonical, counterpart, is_replaced
from ...scopes import Imported
from ...top_level import ModuleIndex, Unit
from .cut import WHOLE, Cut
from .facts import is_import
from .state import State

#: Names that every module has.
MODULE_NAMES = frozenset({
    "__file__", "__name__", "__doc__", "__package__", "__spec__", "__path__", "__loader__",
    "__builtins__", "__annotations__",
})  # fmt: skip


#: Keeps a statement of a module.
Keep = Callable[[Cut, Unit], None]


class Replaced:
    """Reads of mlrun's and storey's names."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._index = state.index
        self._facts = state.facts

    def base(self, module: ModuleIndex, read: Read) -> str | None:
        """The full name of what is read, without its attributes, if it is mlrun's or storey's."""
        for _, imported in self._facts.import_bindings(module, read):
            source = module.absolute(imported)
            if source and is_replaced(source):
                return f"{source}.{imported.attribute}" if imported.attribute else source
        if read.imported is None and read.name not in module.bindings and module.stars:
            return self._starred(module, read.name)
        return None

    def is_alias(self, module: ModuleIndex, read: Read) -> bool:
        """Is it a name for a type without counterpart: `Ctx = Optional[mlrun.MLClientCtx]`?"""
        target = self._facts.target(module, read)
        if not isinstance(target, Symbol) or not target.name:
            return False
        binding, scope = self._index.binding(target), self._index.module(target.module)
        if binding is None or scope is None or not isinstance(binding.value, cst.Subscript):
            return False
        return any(
            (name := self.base(scope, inner)) is not None and counterpart_at(name, inner) is None
            for inner in reads(binding.value)
        )

    def _starred(self, module: ModuleIndex, name: str) -> str | None:
        if hasattr(builtins, name) or name in module.main_only or name in MODULE_NAMES:
            return None
        found = self._index.resolve(module.source.name, name)
        if found is not None and not (isinstance(found, str) and is_replaced(found)):
            return None
        sources = [module.absolute(imported) or "" for _, imported in module.stars]
        for source in sources:
            if is_replaced(source) and counterpart(f"{source}.{name}"):
                return f"{source}.{name}"
        outside = [source for source in sources if not self._index.is_module(source)]
        if outside and all(map(is_replaced, outside)):
            return f"{outside[0]}.{name}"
        return None

    def read(self, cut: Cut, read: Read, base: str, place: Span, keep: Keep) -> None:
        """Re-points a read of mlrun or storey; `keep` keeps the statement that imports it."""
        full = ".".join([base, *read.path])
        if canonical(full) in IDLE_BASES and read.use == "base":
            cut.bases.add(read.attributes[-1] if read.attributes else read.node)
            return
        position = counterpart_at(base, read)
        if position is None:
            if self._may_depend(cut, full, place):
                self._keep_imports(cut, read, keep)
            return
        found = counterpart(".".join([base, *read.path[:position]]))
        assert found is not None
        host = self._host(cut, read, keep)
        if host is None:
            return
        if isinstance(host, cst.ImportAlias) and position == 0:
            cut.direct[host] = found
            return
        cut.hosted.setdefault(host, set()).add(found)
        cut.uses[read.attributes[position - 1] if position else read.node] = found

    def _may_depend(self, cut: Cut, full: str, place: Span) -> bool:
        """Refuses a name of mlrun or storey, or takes it as any library's if that is allowed."""
        package = full.partition(".")[0]
        if package not in self._state.allowed:
            self._state.findings.refuse_replaced(full, place)
            return False
        self._state.findings.allow_replaced(full, place)
        self._state.required.add(package)
        self._state.imports[package] = min(place, self._state.imports.get(package, place))
        return True

    def _keep_imports(self, cut: Cut, read: Read, keep: Keep) -> None:
        """Keeps the imports of mlrun or storey that a read relies on."""
        found = self._facts.import_bindings(cut.module, read)
        for unit, imported in found:
            if imported.alias is not None:
                cut.aliases.add(imported.alias)
                if unit is not None and not is_import(unit):
                    keep(cut, unit)
        if not found:
            for _, imported in cut.module.stars:
                if is_replaced(cut.module.absolute(imported) or ""):
                    assert isinstance(imported.statement, cst.ImportFrom)
                    cut.stars.setdefault(imported.statement, set()).add(WHOLE)

    def _host(self, cut: Cut, read: Read, keep: Keep) -> cst.CSTNode | None:
        """The import that binds mlrun or storey: what stands in for it is imported there."""
        candidates: list[tuple[Unit | None, cst.CSTNode]] = []
        for unit, imported in self._facts.import_bindings(cut.module, read):
            source = cut.module.absolute(imported)
            if source and is_replaced(source) and imported.alias is not None:
                candidates.append((unit, imported.alias))
        if not candidates:
            for _, imported in cut.module.stars:
                if is_replaced(cut.module.absolute(imported) or ""):
                    return imported.statement
        candidates.sort(key=lambda item: item[0] is not None and not is_import(item[0]))
        if not candidates:
            return None
        unit, host = candidates[0]
        if unit is not None and not is_import(unit):
            keep(cut, unit)
        return host

    def export(self, cut: Cut, imported: Imported, *, refuse: bool) -> None:
        """Keeps an import of mlrun that other modules of the user's take from this one."""
        source = cut.module.absolute(imported)
        full = f"{source}.{imported.attribute}" if imported.attribute else f"{source}"
        found = counterpart(full)
        assert imported.alias is not None
        if found is not None:
            cut.direct[imported.alias] = found
            return
        if refuse and self._may_depend(cut, full, cut.module.source.span(imported.alias)):
            cut.aliases.add(imported.alias)


def counterpart_at(base: str, read: Read) -> int | None:
    """How many attributes of the read belong to the name that has a counterpart."""
    for position in range(len(read.path) + 1):
        if counterpart(".".join([base, *read.path[:position]])) is not None:
            return position
    return None
