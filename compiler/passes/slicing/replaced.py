"""What code reads of mlrun and storey, and which of it has a counterpart."""

from __future__ import annotations

import builtins

import libcst as cst

from ...code_index import CodeIndex, Symbol
from ...reads import Read, reads
from ...runtime_names import counterpart, is_replaced
from ...top_level import ModuleIndex
from .facts import Facts

MODULE_NAMES = frozenset({
    "__file__", "__name__", "__doc__", "__package__", "__spec__", "__path__", "__loader__",
    "__builtins__", "__annotations__",
})  # fmt: skip


class Replaced:
    """Questions about reads of mlrun's and storey's names."""

    def __init__(self, index: CodeIndex, facts: Facts) -> None:
        self._index = index
        self._facts = facts

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
        if self._index.resolve(module.source.name, name) is not None:
            return None
        sources = [module.absolute(imported) or "" for _, imported in module.stars]
        for source in sources:
            if is_replaced(source) and counterpart(f"{source}.{name}"):
                return f"{source}.{name}"
        outside = [source for source in sources if not self._index.is_module(source)]
        if outside and all(map(is_replaced, outside)):
            return f"{outside[0]}.{name}"
        return None


def counterpart_at(base: str, read: Read) -> int | None:
    """How many attributes of the read belong to the name that has a counterpart."""
    for position in range(len(read.path) + 1):
        if counterpart(".".join([base, *read.path[:position]])) is not None:
            return position
    return None
