"""Keeps single statements, and asks for all that they read."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from ...code_index import Symbol
from ...diagnostics import Span
from ...notebook import SHELL_OUTPUT
from ...reads import Read
from ...runtime_names import CONTEXT_NEEDS, counterpart, is_replaced
from ...scopes import dotted, global_writes, imports, nested_imports, walk
from ...top_level import ModuleIndex, Unit
from .cut import Cut
from .data_files import DataFiles
from .dynamic import dynamic_uses
from .facts import evaluated_parts
from .replaced import Replaced, counterpart_at
from .state import NOTHING, State

_UNPICKLERS = frozenset({
    "pickle.load", "pickle.loads", "pickle.Unpickler", "cloudpickle.load", "cloudpickle.loads",
    "dill.load", "dill.loads", "joblib.load", "torch.load", "pandas.read_pickle",
    "sklearn.externals.joblib.load", "shelve.open",
})  # fmt: skip


class Statements:
    """Keeps statements."""

    def __init__(self, state: State, replaced: Replaced) -> None:
        self._state = state
        self._index = state.index
        self._facts = state.facts
        self._replaced = replaced
        self._data_files = DataFiles(state.index, state.facts)

    def keep(self, cut: Cut, unit: Unit) -> None:
        """Keeps a whole statement, with everything that it reads."""
        if unit.index in cut.units:
            return
        cut.units.add(unit.index)
        module = cut.module
        here = module.source.name
        for binding in unit.bindings:
            if binding.imported is None:
                self._state.symbols.add(Symbol(here, binding.name))
        for part in evaluated_parts(unit.node):
            for name in sorted(global_writes(part)):
                self._state.need(Symbol(here, name), (), module.source.span(unit.node))
            for node in walk(part):
                if isinstance(node, cst.Call) and _is_shell_output(node):
                    self._state.findings.refuse_shell(module.source.span(node))
                if isinstance(node, cst.Attribute):
                    self._state.model_spec |= node.attr.value == "get_model"
                    self._state.asks_subclasses |= node.attr.value == "__subclasses__"
                    if _is_of_context(node):
                        place = module.source.span(node)
                        self._state.findings.refuse_context(node.attr.value, place)
            for statement in nested_imports(part):
                self._keep_nested(cut, statement)
        self._read_all(cut, self._facts.reads(module, unit))
        self._keep_dynamic(cut, unit)
        self._state.data.update(self._data_files.uses(module, unit))

    def _keep_dynamic(self, cut: Cut, unit: Unit) -> None:
        """What code reads by names that it makes up: all that it may."""
        module = cut.module
        is_function = isinstance(unit.node, cst.FunctionDef | cst.ClassDef)
        for use in dynamic_uses(unit.node, self._facts.reads(module, unit), is_function):
            place = module.source.span(use.node)
            if use.taken_of is not None:
                # The module is read as a value, so all of it is kept anyway.
                if (whole := self._module_at(module, unit, use.taken_of)) is not None:
                    self._state.findings.note_whole(place, use.by, whole.source.path)
            elif use.module is not None:
                if self._index.is_module(use.module):
                    self._state.cut(use.module)
                    self._state.need(self._index.symbol_of_module(use.module), (), place)
                elif not is_replaced(use.module) and not use.module.startswith("."):
                    self._state.use_library(module.source, use.module, use.node)
            elif use.imports:
                self._state.findings.note_import(place, use.by)
            elif use.names is not None:
                for name in use.names:
                    self._state.need(Symbol(module.source.name, name), (), None)
            else:
                self._state.findings.note_whole(place, use.by, module.source.path)
                self._state.need(Symbol(module.source.name, ""), (), place)

    def _module_at(
        self, module: ModuleIndex, unit: Unit, node: cst.BaseExpression
    ) -> ModuleIndex | None:
        """The user's module that an expression names."""
        for read in self._facts.reads(module, unit):
            if node in (read.node, *read.attributes[-1:]):
                target = self._facts.target(module, read)
                if isinstance(target, Symbol) and not target.name:
                    return self._index.module(target.module)
        return None

    def _keep_nested(self, cut: Cut, statement: cst.Import | cst.ImportFrom) -> None:
        """An import below the top level stays as it is, whether its names are read or not."""
        for _, imported in imports(statement):
            source = cut.module.absolute(imported)
            if source is None or is_replaced(source):
                if source and imported.attribute not in (None, "*") and imported.alias:
                    found = counterpart(f"{source}.{imported.attribute}")
                    if found:
                        cut.direct[imported.alias] = found
                continue
            if not self._index.is_module(source.partition(".")[0]):
                if imported.level:
                    continue
                full = f"{source}.{imported.attribute}" if imported.attribute else imported.loads
                self._state.use_library(cut.module.source, full, statement)
                continue
            self._state.cut(source)
            if imported.attribute is None:
                self._state.cut(imported.loads)
            elif imported.attribute == "*":
                self._state.need(Symbol(source, ""), (), None)
            else:
                place = cut.module.source.span(statement)
                self._state.need_attribute(source, imported.attribute, NOTHING, place)

    def _read_all(self, cut: Cut, found: Iterable[Read]) -> None:
        module = cut.module
        later = "annotations" in module.bindings and any(
            binding.imported and binding.imported.module == "__future__"
            for _, binding in module.bindings["annotations"]
        )
        plain: list[Read] = []
        annotated: dict[cst.Annotation, list[Read]] = {}
        for read in found:
            if read.annotation is None:
                plain.append(read)
            else:
                annotated.setdefault(read.annotation, []).append(read)
        for annotation, inside in annotated.items():
            replaced = [(read, self._replaced.base(module, read)) for read in inside]
            if any(
                counterpart_at(name, read) is None
                if name
                else self._replaced.is_alias(module, read)
                for read, name in replaced
            ):
                cut.annotations.add(annotation)
                continue
            for read, name in replaced:
                if name or is_evaluated(read, later):
                    plain.append(read)
        for read in plain:
            self._read(cut, read)

    def _read(self, cut: Cut, read: Read) -> None:
        module = cut.module
        place = module.source.span(read.attributes[-1] if read.attributes else read.node)
        base = self._replaced.base(module, read)
        if base is not None:
            self._replaced.read(cut, read, base, place, self.keep)
        elif read.imported is not None:
            self._read_local_import(cut, read, place)
        if read.imported is None and (base is None or read.name in module.bindings):
            self._state.need(Symbol(module.source.name, read.name), read.path, place)
        if read.use == "call" and self._facts.external(module, read) in _UNPICKLERS:
            self._state.unpickles.add(place)

    def _read_local_import(self, cut: Cut, read: Read, place: Span) -> None:
        imported = read.imported
        source = cut.module.absolute(imported) if imported else None
        if imported is None or not source or not self._index.is_module(source):
            return
        if imported.attribute is None:
            self._state.need(self._index.symbol_of_module(source), read.path, place)
        else:
            self._state.need_attribute(source, imported.attribute, read.path, place)


def _is_of_context(node: cst.Attribute) -> bool:
    """Is this something of the graph's context that only MLRun has?"""
    if node.attr.value not in CONTEXT_NEEDS:
        return False
    owner = dotted(node.value)
    return owner is not None and owner.rpartition(".")[2] == "context"


def _is_shell_output(node: cst.Call) -> bool:
    """Is this what a notebook's `names = !ls` was read as?"""
    named = isinstance(node.func, cst.Attribute) and node.func.attr.value == "getoutput"
    return named and cst.Module([]).code_for_node(node) == SHELL_OUTPUT


def is_evaluated(read: Read, later: bool) -> bool:
    """Is what is read needed at run time? `later`: annotations of functions are not evaluated."""
    return read.evaluated == "always" or (read.evaluated == "eagerly" and not later)
