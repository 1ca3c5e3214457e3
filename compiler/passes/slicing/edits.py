"""Edits inside kept statements: imports reduced to the names in use, mlrun and storey re-pointed.

In: a statement and the `Cut` of its module. Out: the statement, itself if there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import libcst as cst

from ...runtime_names import REPLACED, Counterpart
from ...scopes import Imported, all_parameters, bindings, imports, walk
from .cut import LOADED, WHOLE, Cut

_Node = TypeVar("_Node", bound=cst.CSTNode)

_LONGEST_LINE = 88  # as black has it


class Editor(cst.CSTTransformer):
    """Re-points uses and imports of mlrun and storey inside kept statements."""

    def __init__(self, cut: Cut, spelled: Mapping[Counterpart, str]) -> None:
        super().__init__()
        self._cut = cut
        self._spelled = spelled
        self._written: set[tuple[str, str]] = set()
        #: Lines of `pass`, where nothing of an import is left.
        self._fillers: set[cst.CSTNode] = set()
        #: Edited node -> the user's.
        self._origins: dict[cst.CSTNode, cst.CSTNode] = {}

    def origin(self, node: cst.CSTNode) -> cst.CSTNode:
        """The user's node that a written one was made of."""
        return self._origins.get(node, node)

    def edit(self, node: _Node) -> _Node:
        """The node with everything re-pointed; the node itself if there is nothing to do."""
        if not self._concerns(node):
            return node
        edited = node.visit(self)
        if not isinstance(edited, type(node)):
            raise AssertionError(f"an edit turned {type(node)} into {type(edited)}")
        return edited

    def _concerns(self, node: cst.CSTNode) -> bool:
        cut = self._cut
        return any(
            item in cut.uses
            or item in cut.annotations
            or item in cut.bases
            or (isinstance(item, cst.Import | cst.ImportFrom) and self._replaced(item))
            for item in walk(node)
        )

    def _replaced(self, statement: cst.Import | cst.ImportFrom) -> bool:
        return any(
            imported.level == 0 and imported.module.partition(".")[0] in REPLACED
            for _, imported in imports(statement)
        )

    def on_leave(self, original_node, updated_node):  # type: ignore[no-untyped-def]
        edited: Any = self._edited(original_node, updated_node)
        for node in edited if isinstance(edited, cst.FlattenSentinel) else (edited,):
            self._origins[node] = original_node
        return edited

    def _edited(self, old: Any, new: Any) -> Any:
        cut = self._cut
        if old in cut.uses:
            text = self._spelled[cut.uses[old]]
            return cst.parse_expression(text).with_changes(lpar=new.lpar, rpar=new.rpar)
        match old:
            case cst.Param(annotation=annotation) if annotation in cut.annotations:
                equal = new.equal
                if isinstance(equal, cst.AssignEqual):
                    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
                return new.with_changes(annotation=None, equal=equal)
            case cst.FunctionDef(returns=annotation) if annotation in cut.annotations:
                return new.with_changes(returns=None)
            case cst.AnnAssign(annotation=annotation) if annotation in cut.annotations:
                # In a class body the annotation may be what makes this a field.
                return new.with_changes(annotation=cst.Annotation(cst.Name("object")))
            case cst.ClassDef(bases=bases) if any(item.value in cut.bases for item in bases):
                return _without_bases(old, new, cut.bases)
            case cst.IndentedBlock():
                kept = [line for line in new.body if line not in self._fillers]
                return new.with_changes(body=kept) if kept else new
            case cst.SimpleStatementLine(body=body):
                small = self._inner(body, new.body)
                if small is None:
                    return new
                first, *rest = statement_lines(new, small or [cst.Pass()], comment=True)
                first = first.with_changes(leading_lines=new.leading_lines)
                if not small:
                    self._fillers.add(first)
                return cst.FlattenSentinel([first, *rest])
            case cst.SimpleStatementSuite(body=body):
                small = self._inner(body, new.body)
                if small is None:
                    return new
                small = small or [cst.Pass()]
                return new.with_changes(
                    body=[_semicolon(item, item is not small[-1]) for item in small]
                )
        return new

    def _inner(
        self,
        original: Sequence[cst.BaseSmallStatement],
        updated: Sequence[cst.BaseSmallStatement],
    ) -> list[cst.BaseSmallStatement] | None:
        """Statements below the top level with mlrun's imports replaced; None: nothing to do."""
        if not any(
            isinstance(item, cst.Import | cst.ImportFrom) and self._replaced(item)
            for item in original
        ):
            return None
        small: list[cst.BaseSmallStatement] = []
        for old, new in zip(original, updated, strict=True):
            if isinstance(old, cst.Import | cst.ImportFrom) and self._replaced(old):
                small += self.reduce(old, nested=True)
            else:
                small.append(new)
        return small

    # -- imports

    def reduce(
        self, statement: cst.Import | cst.ImportFrom, *, nested: bool = False
    ) -> list[cst.BaseSmallStatement]:
        """The import with the aliases in use; what stands in for mlrun comes after them.

        Below the top level everything stays but mlrun and storey.
        """
        result: list[cst.BaseSmallStatement] = []
        if isinstance(statement.names, cst.ImportStar):
            assert isinstance(statement, cst.ImportFrom)
            result += self._star(statement)
        else:
            kept = [
                alias
                for (_, imported), alias in zip(imports(statement), statement.names, strict=True)
                if (nested and not _is_replaced(imported))
                or alias in self._cut.aliases
                or imported.module == "__future__"
            ]
            if len(kept) == len(statement.names):
                result.append(statement)
            elif kept:
                result.append(_with_aliases(statement, kept))
        return result + list(self._counterparts(statement, nested=nested))

    def _star(self, statement: cst.ImportFrom) -> list[cst.BaseSmallStatement]:
        taken = self._cut.stars.get(statement, set())
        names = sorted(taken - {LOADED, WHOLE})
        if not names or WHOLE in taken:
            return [statement] if taken else []
        aliases = [cst.ImportAlias(cst.Name(name)) for name in names]
        return [_with_aliases(statement.with_changes(names=aliases), aliases)]

    def _counterparts(
        self, statement: cst.Import | cst.ImportFrom, *, nested: bool
    ) -> Iterator[cst.BaseSmallStatement]:
        wanted: dict[str, set[str]] = {}
        for bound, imported in imports(statement):
            host: cst.CSTNode = imported.alias or statement
            if imported.alias in self._cut.direct:
                found = self._cut.direct[imported.alias]
                name = found.name if found.name == bound else f"{found.name} as {bound}"
                wanted.setdefault(f"runtime_min.{found.module}", set()).add(name)
            for found in self._cut.hosted.get(host, ()):
                spelled = self._spelled[found]
                module, _, attribute = spelled.rpartition(".")
                if not attribute or not module:
                    name = found.name if spelled == found.name else f"{found.name} as {spelled}"
                    wanted.setdefault(f"runtime_min.{found.module}", set()).add(name)
                elif module == found.module:
                    wanted.setdefault("runtime_min", set()).add(found.module)
                else:
                    wanted.setdefault("runtime_min", set()).add(f"{found.module} as {module}")
        for module, members in sorted(wanted.items()):
            if not nested:  # several imports of mlrun may stand for one of ours
                members -= {name for name in members if (module, name) in self._written}
                self._written |= {(module, name) for name in members}
            if not members:
                continue
            line = f"from {module} import {', '.join(sorted(members))}"
            if len(line) > _LONGEST_LINE and not nested:
                inner = "".join(f"    {name},\n" for name in sorted(members))
                line = f"from {module} import (\n{inner})"
            parsed = cst.parse_statement(line)
            assert isinstance(parsed, cst.SimpleStatementLine)
            yield from parsed.body


def _without_bases(old: cst.ClassDef, new: cst.ClassDef, idle: set[cst.CSTNode]) -> cst.ClassDef:
    bases = [
        after
        for before, after in zip(old.bases, new.bases, strict=True)
        if before.value not in idle
    ]
    if bases and not new.keywords:
        bases[-1] = bases[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    if bases or new.keywords:
        return new.with_changes(bases=bases)
    none = cst.MaybeSentinel.DEFAULT
    return new.with_changes(bases=(), lpar=none, rpar=none)


def _is_replaced(imported: Imported) -> bool:
    return imported.level == 0 and imported.module.partition(".")[0] in REPLACED


def _with_aliases(
    statement: cst.Import | cst.ImportFrom, aliases: Sequence[cst.ImportAlias]
) -> cst.Import | cst.ImportFrom:
    last = aliases[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    changed = [*aliases[:-1], last]
    if isinstance(statement, cst.ImportFrom) and statement.lpar is not None:
        changed[-1] = aliases[-1]  # inside parentheses a comma may stay
    return statement.with_changes(names=changed, semicolon=cst.MaybeSentinel.DEFAULT)


def statement_lines(
    line: cst.SimpleStatementLine, small: Sequence[cst.BaseSmallStatement], *, comment: bool
) -> Iterator[cst.SimpleStatementLine]:
    """The line with other statements in it: imports on lines of their own."""
    groups: list[list[cst.BaseSmallStatement]] = []
    for item in small:
        alone = isinstance(item, cst.Import | cst.ImportFrom)
        if groups and not alone and not isinstance(groups[-1][0], cst.Import | cst.ImportFrom):
            groups[-1].append(item)
        else:
            groups.append([item])
    plain = cst.TrailingWhitespace()
    for index, group in enumerate(groups):
        last = index == len(groups) - 1
        yield line.with_changes(
            body=[_semicolon(item, item is not group[-1]) for item in group],
            leading_lines=(),
            trailing_whitespace=line.trailing_whitespace if last and comment else plain,
        )


def _semicolon(item: cst.BaseSmallStatement, more: bool) -> cst.BaseSmallStatement:
    if more and isinstance(item.semicolon, cst.Semicolon):
        return item
    return item.with_changes(
        semicolon=cst.Semicolon(whitespace_after=cst.SimpleWhitespace(" "))
        if more
        else cst.MaybeSentinel.DEFAULT
    )


def spellings(cut: Cut) -> dict[Counterpart, str]:
    """How each counterpart is written in this file: by its name, or as `models.V2ModelServer`."""
    used = sorted(set().union(*cut.hosted.values()), key=lambda item: (item.module, item.name))
    if not used:
        return {}
    taken = _bound_anywhere(cut)
    spelled: dict[Counterpart, str] = {}
    modules: dict[str, str] = {}
    for item in used:
        if taken.get(item.name, item) == item:
            spelled[item] = item.name
            taken[item.name] = item
            continue
        if item.module not in modules:
            name, number = item.module, 1
            while name in taken:
                number += 1
                name = f"runtime_{item.module}" + (f"_{number}" if number > 2 else "")
            modules[item.module] = name
            taken[name] = None
        spelled[item] = f"{modules[item.module]}.{item.name}"
    return spelled


def _bound_anywhere(cut: Cut) -> dict[str, Counterpart | None]:
    """Names that the kept code binds in any scope; those of counterparts with what they are."""
    taken: dict[str, Counterpart | None] = {}
    for unit in cut.kept_units:
        for node in walk(unit.node):
            if isinstance(node, cst.Parameters):
                taken.update(dict.fromkeys(item.name.value for item in all_parameters(node)))
            elif isinstance(node, cst.Global):
                taken.update(dict.fromkeys(item.name.value for item in node.names))
            elif isinstance(
                node,
                cst.BaseSmallStatement | cst.FunctionDef | cst.ClassDef | cst.For | cst.CompFor
                | cst.AsName | cst.NamedExpr | cst.MatchPattern,
            ):  # fmt: skip
                taken.update(_own_bindings(node, cut))
    for unit in cut.module.units:
        if isinstance(unit.node, cst.Import | cst.ImportFrom):
            taken.update(_own_bindings(unit.node, cut))
    return taken


def _own_bindings(node: cst.CSTNode, cut: Cut) -> Iterable[tuple[str, Counterpart | None]]:
    if isinstance(node, cst.CompFor):
        for item in walk(node.target):
            if isinstance(item, cst.Name):
                yield item.value, None
        return
    for binding in bindings(node):
        imported = binding.imported
        if imported is None or imported.alias is None:
            yield binding.name, None
        elif imported.alias in cut.direct:
            yield binding.name, cut.direct[imported.alias]
        elif imported.alias in cut.aliases or not _is_replaced(imported):
            yield binding.name, None
