"""The top level of a user's module, statement by statement.

In: a parsed file. Out: its units (statements), what each binds when the module is imported, and
what `from module import *` takes. Names are not followed: `code_index` does that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from .scopes import Binding, Imported, bindings, dotted, walk
from .source import SourceModule


@dataclass(frozen=True, slots=True)
class Unit:
    """A top-level statement: a compound one, or one of those that share a line."""

    index: int
    node: cst.CSTNode
    #: The element of the module's body that it stands in.
    line: cst.CSTNode
    bindings: tuple[Binding, ...]


class ModuleIndex:
    """The top level of one module, statement by statement."""

    def __init__(self, source: SourceModule) -> None:
        self.source = source
        self.units: list[Unit] = []
        #: What cells bind that a notebook leaves out of its functions' code.
        self.left_out: dict[str, list[Binding]] = {}
        for line in source.tree.body:
            if source.leaves_out(line):
                for binding in _top_level(line):
                    self.left_out.setdefault(binding.name, []).append(binding)
                continue
            small = line.body if isinstance(line, cst.SimpleStatementLine) else (line,)
            for node in small:
                found = tuple(_top_level(node))
                self.units.append(Unit(len(self.units), node, line, found))
        self._chosen: dict[str, Binding | None] = {}
        #: Every binding of a name, in source order.
        self.bindings: dict[str, list[tuple[Unit, Binding]]] = {}
        self.stars: list[tuple[Unit, Imported]] = []
        #: Names that `del` takes away in the end.
        self.deleted: set[str] = set()
        for unit in self.units:
            for binding in unit.bindings:
                if binding.name == "*" and binding.imported:
                    self.stars.append((unit, binding.imported))
                elif not isinstance(binding.node, cst.Del):
                    self.bindings.setdefault(binding.name, []).append((unit, binding))
                    self.deleted.discard(binding.name)
                elif binding.node is unit.node:
                    self.deleted.add(binding.name)
        #: Names bound only under `if __name__ == "__main__":`.
        self.main_only: dict[str, list[tuple[Unit, Binding]]] = {}
        for unit in self.units:
            if is_main_guard(unit.node):
                for binding in bindings(unit.node):
                    if binding.name not in self.bindings:
                        self.main_only.setdefault(binding.name, []).append((unit, binding))

    def absolute(self, imported: Imported) -> str | None:
        """The dotted module of an import; None if it leads out of the user's folder."""
        if imported.level == 0:
            return imported.module
        package = self.source.name.split(".") if self.source.name else []
        if not self.source.is_package:
            package = package[:-1]
        up = imported.level - 1
        if up > len(package):
            return None
        front = package[: len(package) - up]
        return ".".join([*front, imported.module] if imported.module else front)

    def chosen(self, name: str) -> Binding | None:
        """The binding that counts: the last one, those of `except` branches after all others."""
        if name not in self._chosen:
            self._chosen[name] = self._choose(name)
        return self._chosen[name]

    def _choose(self, name: str) -> Binding | None:
        found = self.bindings.get(name) or self.main_only.get(name)
        if not found:
            return self.left_out[name][-1] if name in self.left_out else None
        regular = [binding for unit, binding in found if not _is_fallback(unit.node, binding)]
        regular = regular or [binding for _, binding in found]
        # `names += [...]` goes on with what the name was, which may be another module's.
        made = [binding for binding in regular if not isinstance(binding.node, cst.AugAssign)]
        return (made or regular)[-1]

    def listed(self) -> tuple[str, ...] | None:
        """The names in `__all__`; None if there is none, or it is computed."""
        found = self.bindings.get("__all__", [])
        value = found[0][1].value if len(found) == 1 else None
        if not isinstance(value, cst.List | cst.Tuple):
            return None
        items = [element.value for element in value.elements]
        texts = [str(item.evaluated_value) for item in items if isinstance(item, cst.SimpleString)]
        return tuple(texts) if len(texts) == len(items) else None

    def exported(self) -> tuple[str, ...]:
        """What `from module import *` takes, stars inside the module left out."""
        listed = self.listed()
        if listed is not None:
            return listed
        return tuple(
            name for name in self.bindings if not name.startswith("_") and name not in self.deleted
        )


def is_type_checking(node: cst.CSTNode) -> bool:
    """Is this `if TYPE_CHECKING:`?"""
    return isinstance(node, cst.If) and dotted(node.test) in (
        "TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING")  # fmt: skip


def is_main_guard(node: cst.CSTNode) -> bool:
    """Is this `if __name__ == "__main__":`?"""
    if not isinstance(node, cst.If) or not isinstance(node.test, cst.Comparison):
        return False
    sides = [node.test.left, *(item.comparator for item in node.test.comparisons)]
    return (
        len(sides) == 2
        and isinstance(node.test.comparisons[0].operator, cst.Equal)
        and any(dotted(side) == "__name__" for side in sides)
        and any(
            isinstance(side, cst.SimpleString) and side.evaluated_value == "__main__"
            for side in sides
        )
    )


def _top_level(node: cst.CSTNode) -> Iterator[Binding]:
    """What a statement binds when the module is imported."""
    if isinstance(node, cst.If) and (is_type_checking(node) or is_main_guard(node)):
        if node.orelse is not None:
            yield from bindings(node.orelse)
        return
    yield from bindings(node)


def _is_fallback(statement: cst.CSTNode, binding: Binding) -> bool:
    """Does the binding stand in an `except` branch?"""
    if not isinstance(statement, cst.Try | cst.TryStar):
        return False
    return any(binding.node is node for handler in statement.handlers for node in walk(handler))
