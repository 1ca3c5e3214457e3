"""What of one user module is kept, and what in it is re-pointed."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from ...runtime_names import Counterpart
from ...top_level import ModuleIndex, Unit

#: A star that stays, whatever it takes; and one that at least loads its module.
WHOLE, LOADED = "* whole", "* loaded"


@dataclass(slots=True)
class Cut:
    """What of a module is kept. Import aliases and other nodes are told apart by identity."""

    module: ModuleIndex
    #: Units that are kept whole; units that are imports have their aliases in `aliases`.
    units: set[int] = field(default_factory=set)
    aliases: set[cst.ImportAlias] = field(default_factory=set)
    #: Names taken through `from module import *`; with WHOLE, and LOADED if there are no names,
    #: the star itself stays.
    stars: dict[cst.ImportFrom, set[str]] = field(default_factory=dict)
    #: Counterparts to import where mlrun or storey is, under the names that the statement binds.
    direct: dict[cst.ImportAlias, Counterpart] = field(default_factory=dict)
    #: Counterparts that `mlrun.x.Y` stands for, by the import (an alias, or a star) that binds it.
    hosted: dict[cst.CSTNode, set[Counterpart]] = field(default_factory=dict)
    #: Expressions to replace by a counterpart.
    uses: dict[cst.CSTNode, Counterpart] = field(default_factory=dict)
    annotations: set[cst.Annotation] = field(default_factory=set)
    bases: set[cst.CSTNode] = field(default_factory=set)

    @property
    def kept_units(self) -> list[Unit]:
        return [unit for unit in self.module.units if unit.index in self.units]


def names(cut: Cut) -> tuple[str, ...]:
    """The kept top-level definitions, imports left out, in source order."""
    found = {
        binding.name: None
        for unit in cut.kept_units
        for binding in unit.bindings
        if binding.imported is None
    }
    return tuple(found)


def runtime_modules(cut: Cut) -> set[str]:
    """The modules of runtime_min that the text imports."""
    found = set(cut.direct.values()).union(*cut.hosted.values())
    return {item.module for item in found}
