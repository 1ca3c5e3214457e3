"""What is kept so far, what is still asked for, and what has been found on the way."""

from __future__ import annotations

import sys
from collections.abc import Set as AbstractSet

import libcst as cst

from ...code_index import CodeIndex, Symbol
from ...diagnostics import Span
from ...requirements import SHARED_PACKAGES
from ...source import SourceModule
from .cut import Cut
from .data_files import DataUse
from .facts import Facts
from .findings import Findings
from .result import RESERVED

#: Asks for a module as such; an empty path asks for whatever is in it.
NOTHING = ("",)

#: A name of the user's, what is taken of it, and the place that does so.
Asked = tuple[Symbol, tuple[str, ...], Span | None]


class State:
    """The slice in the making."""

    def __init__(self, index: CodeIndex, allowed: AbstractSet[str]) -> None:
        self.index = index
        #: Of mlrun and storey, what the package may depend on.
        self.allowed = allowed
        self.facts = Facts(index)
        self.findings = Findings()
        self.cuts: dict[str, Cut] = {}
        #: Definitions that are kept: what top-level statements may have to prepare.
        self.symbols: set[Symbol] = set()
        #: Third-party imports, and which of them the code cannot do without.
        self.imports: dict[str, Span] = {}
        self.required: set[str] = set()
        #: Libraries in use, those of Python's own included.
        self.packages: set[str] = set()
        self.unpickles: set[Span] = set()
        self.data: set[DataUse] = set()
        self.model_spec = False
        #: Some code asks a class for its subclasses.
        self.asks_subclasses = False
        self._seen: set[tuple[Symbol, tuple[str, ...]]] = set()
        self._waiting: list[Asked] = []

    def need(self, symbol: Symbol, path: tuple[str, ...], origin: Span | None) -> None:
        """Asks for a name, and for what `path` takes of it; once."""
        key = (symbol, path)
        if key not in self._seen:
            self._seen.add(key)
            self._waiting.append((symbol, path, origin))

    def next(self) -> Asked | None:
        """Something that is asked for and not yet followed."""
        return self._waiting.pop() if self._waiting else None

    def cut(self, name: str) -> Cut | None:
        """The cut of a module, begun if need be, with the packages around it."""
        module = self.index.module(name)
        if module is None:
            return None
        name = module.source.name
        if name not in self.cuts:
            self.cuts[name] = Cut(module)
            package, _, _ = name.rpartition(".")
            while package:
                self.cut(package)
                package, _, _ = package.rpartition(".")
        return self.cuts[name]

    def need_attribute(
        self, source: str, name: str, path: tuple[str, ...], origin: Span | None
    ) -> None:
        """What `from source import name` binds."""
        other = self.index.module(source)
        here = other.source.name if other else source
        found = self.index.resolve(here, name) if other is not None else None
        if found is not None:
            self.need(Symbol(here, name), path, origin)
            if isinstance(found, Symbol) and not found.name:
                self.need(found, path, origin)  # packages may name their modules in a circle
        elif self.index.is_module(f"{source}.{name}"):
            self.cut(source)
            self.need(self.index.symbol_of_module(f"{source}.{name}"), path, origin)
        elif other is not None:
            self.need(Symbol(here, name), path, origin)

    def use_library(self, source: SourceModule, name: str, statement: cst.CSTNode) -> None:
        """Notes a library that an import reaches: what pip has to install for it."""
        parts = name.split(".")
        top = parts[0]
        self.packages.add(top)
        is_required = not self.facts.is_optional(source, statement)
        if top in sys.stdlib_module_names or top in RESERVED:
            return
        if top in SHARED_PACKAGES and len(parts) > 1:
            top = ".".join(parts[:3])
        if is_required:
            self.required.add(top)
        place = source.span(statement)
        self.imports[top] = min(place, self.imports.get(top, place))
