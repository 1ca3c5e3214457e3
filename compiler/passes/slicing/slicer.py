"""Follows names from the roots through the user's modules, and keeps what they need.

In: roots. Out: a `Slice`. What is kept of a module is noted in its `Cut`; `text` writes it.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

import libcst as cst

from ...code_index import CodeIndex, Symbol
from ...diagnostics import Diagnostics, GraphError, Note, Span
from ...reads import Read, reads
from ...requirements import SHARED_PACKAGES
from ...runtime_names import IDLE_BASES, canonical, counterpart, is_replaced
from ...scopes import Binding, Imported, global_writes, imports, nested_imports, walk
from ...source import SourceModule, SourceTree
from ...top_level import ModuleIndex, Unit
from . import text
from .cut import LOADED, WHOLE, Cut, names, runtime_modules
from .data_files import DataFiles, DataUse
from .dynamic import dynamic_uses
from .effects import Effects
from .facts import Facts, evaluated_parts, is_import
from .findings import Findings
from .library_setup import PROCESS_WIDE, LibrarySetup
from .loading import Load, Loading
from .replaced import MODULE_NAMES, Replaced, counterpart_at
from .result import PRELOADED, RESERVED, Slice, SlicedFile, module_name

_UNPICKLERS = frozenset({
    "pickle.load", "pickle.loads", "pickle.Unpickler", "cloudpickle.load", "cloudpickle.loads",
    "dill.load", "dill.loads", "joblib.load", "torch.load", "pandas.read_pickle",
    "sklearn.externals.joblib.load", "shelve.open",
})  # fmt: skip

#: Asks for a module as such; an empty path asks for whatever is in it.
_NOTHING = ("",)


def slice_code(
    tree: SourceTree,
    index: CodeIndex,
    roots: Iterable[Symbol],
    reserved: frozenset[str],
    diagnostics: Diagnostics,
    allowed: AbstractSet[str] = frozenset(),
) -> Slice:
    """Cuts out of the user's modules what the roots need; findings go to `diagnostics`.

    `allowed`: of mlrun and storey, what the package may depend on.
    """
    slicer = _Slicer(tree, index, allowed)
    try:
        for root in sorted(set(roots)):
            slicer.add_root(root)
        slicer.settle()
        slicer.report(reserved, diagnostics)
        return slicer.result()
    except GraphError as exc:
        diagnostics.add(exc.diagnostic(None))
    except RecursionError:
        diagnostics.error("GC003", "user code is nested too deeply to be read")
    return Slice()


class _Slicer:
    def __init__(self, tree: SourceTree, index: CodeIndex, allowed: AbstractSet[str]) -> None:
        self._tree = tree
        self._allowed = allowed
        self._index = index
        self._facts = Facts(index)
        self._effects = Effects(index, self._facts)
        self._replaced = Replaced(index, self._facts)
        self._setup = LibrarySetup(index, self._facts)
        self._data_files = DataFiles(index, self._facts)
        self._loading = Loading(index)
        self._cuts: dict[str, Cut] = {}
        #: Modules whose first import is kept.
        self._loaded: set[str] = set()
        #: Some code asks a class for its subclasses.
        self._asks_subclasses = False
        #: Definitions that are kept: what top-level statements may have to prepare.
        self._kept: set[Symbol] = set()
        self._seen: set[tuple[Symbol, tuple[str, ...]]] = set()
        self._waiting: list[tuple[Symbol, tuple[str, ...], Span | None]] = []
        self._imports: dict[str, Span] = {}
        self._required: set[str] = set()
        #: Libraries in use, those of Python's own included.
        self._packages: set[str] = set()
        self._unpickles: set[Span] = set()
        self._data: set[DataUse] = set()
        self._findings = Findings()
        self._model_spec = False

    # -- what is kept

    def add_root(self, root: Symbol) -> None:
        self._need(root, (), None)

    def settle(self) -> None:
        """Follows names until nothing is missing, then adds statements that prepare them."""
        while True:
            while self._waiting:
                symbol, path, origin = self._waiting.pop()
                self._follow(symbol, path, origin)
            if not self._add_preparations():
                return

    def _need(self, symbol: Symbol, path: tuple[str, ...], origin: Span | None) -> None:
        key = (symbol, path)
        if key not in self._seen:
            self._seen.add(key)
            self._waiting.append((symbol, path, origin))

    def _cut(self, name: str) -> Cut | None:
        """The cut of a module, begun if need be, with the packages around it."""
        module = self._index.module(name)
        if module is None:
            return None
        name = module.source.name
        if name not in self._cuts:
            self._cuts[name] = Cut(module)
            package, _, _ = name.rpartition(".")
            while package:
                self._cut(package)
                package, _, _ = package.rpartition(".")
        return self._cuts[name]

    def _follow(self, symbol: Symbol, path: tuple[str, ...], origin: Span | None) -> None:
        """Keeps a name of a module, and what `path` takes out of it if it is a module itself."""
        cut = self._cut(symbol.module)
        if cut is None:  # a namespace package: only its modules are there
            if not symbol.name and path:
                self._need(Symbol(f"{symbol.module}.{path[0]}", ""), path[1:], origin)
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
            if path == _NOTHING and origin is None:
                return  # asked for only as a part of its module
            self._findings.refuse_graph_object(cut.module, name, last, origin)
            return
        definitions = [
            (unit, binding)
            for unit, binding in found
            if not self._facts.builds_graph(cut.module, unit)
        ]
        for unit, binding in _alive(cut.module, name, definitions):
            if binding.imported is None or not is_import(unit):
                self._kept.add(Symbol(cut.module.source.name, name))
                self._keep(cut, unit)
        if self._is_read_before(cut.module, name, found[0][0]):
            self._follow_star(cut, name, path, origin)
        imported = [(unit, binding.imported) for unit, binding in definitions if binding.imported]
        for unit, item in _used_imports(imported, name, path):
            self._follow_import(cut, unit, item, path, origin)

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
                self._findings.refuse(
                    origin,
                    "GC022",
                    f"{name!r} is defined only when the file is run as a script",
                    (Note("it is defined here", module.source.span(unit.node)),),
                    'define it outside of `if __name__ == "__main__":`',
                )
            return
        if name in module.left_out:
            place = module.source.span(module.left_out[name][-1].node)
            self._findings.refuse(
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
                self._import(module.source, source, imported.statement)
        if "__getattr__" in module.bindings and origin and origin.file != module.source.path:
            self._need(Symbol(module.source.name, "__getattr__"), (), origin)

    def _follow_star(self, cut: Cut, name: str, path: tuple[str, ...], origin: Span | None) -> bool:
        """Takes the name from a star of another module of the user's, if one offers it."""
        module = cut.module
        for _, imported in reversed(module.stars):
            other = self._index.star_source(module, imported)
            if other is None or not self._index.offers(other, name):
                continue
            if self._index.resolve(other.source.name, name) is not None:
                assert isinstance(imported.statement, cst.ImportFrom)
                cut.stars.setdefault(imported.statement, set()).add(name)
                self._need(Symbol(other.source.name, name), path, origin)
                return True
        return False

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
                    self._need(Symbol(here, name), _NOTHING, None)
            for _, imported in module.stars:
                other = self._index.star_source(module, imported)
                if other is not None and other.listed() is None:
                    assert isinstance(imported.statement, cst.ImportFrom)
                    cut.stars.setdefault(imported.statement, set()).add(WHOLE)
                    self._need(Symbol(other.source.name, ""), (), None)
                for name in other.listed() or () if other else ():
                    if not self._is_about_graphs(other, name):
                        self._need(Symbol(here, name), _NOTHING, None)
            return
        if path == _NOTHING:
            return
        first, rest = path[0], path[1:]
        bound = first in module.bindings or self._index.resolve(here, first) is not None
        below = f"{here}.{first}" if here else first
        if not bound and here and self._index.is_module(below):
            self._keep_import_of(cut, below)
            self._need(self._index.symbol_of_module(below), rest, origin)
            return
        self._need(Symbol(here, first), rest, origin)

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
                        self._need(Symbol(module.source.name, binding.name), _NOTHING, None)
                    return

    # -- statements

    def _keep(self, cut: Cut, unit: Unit) -> None:
        """Keeps a whole statement, with everything that it reads."""
        if unit.index in cut.units:
            return
        cut.units.add(unit.index)
        module = cut.module
        here = module.source.name
        for binding in unit.bindings:
            if binding.imported is None:
                self._kept.add(Symbol(here, binding.name))
        for part in evaluated_parts(unit.node):
            for name in sorted(global_writes(part)):
                self._need(Symbol(here, name), (), module.source.span(unit.node))
            for node in walk(part):
                if isinstance(node, cst.Attribute):
                    self._model_spec |= node.attr.value == "get_model"
                    self._asks_subclasses |= node.attr.value == "__subclasses__"
            for statement in nested_imports(part):
                self._keep_nested(cut, statement)
        self._read_all(cut, self._facts.reads(module, unit))
        self._keep_dynamic(cut, unit)
        self._data.update(self._data_files.uses(module, unit))

    def _keep_dynamic(self, cut: Cut, unit: Unit) -> None:
        """What code reads by names that it makes up: all that it may."""
        module = cut.module
        is_function = isinstance(unit.node, cst.FunctionDef | cst.ClassDef)
        for use in dynamic_uses(unit.node, self._facts.reads(module, unit), is_function):
            place = module.source.span(use.node)
            if use.taken_of is not None:
                # The module is read as a value, so all of it is kept anyway.
                if (whole := self._module_at(module, unit, use.taken_of)) is not None:
                    self._findings.note_whole(place, use.by, whole.source.path)
            elif use.module is not None:
                if self._index.is_module(use.module):
                    self._cut(use.module)
                    self._need(self._index.symbol_of_module(use.module), (), place)
                elif not is_replaced(use.module) and not use.module.startswith("."):
                    self._import(module.source, use.module, use.node)
            elif use.imports:
                self._findings.note_import(place, use.by)
            elif use.names is not None:
                for name in use.names:
                    self._need(Symbol(module.source.name, name), (), None)
            else:
                self._findings.note_whole(place, use.by, module.source.path)
                self._need(Symbol(module.source.name, ""), (), place)

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
                self._import(cut.module.source, full, statement)
                continue
            self._cut(source)
            if imported.attribute is None:
                self._cut(imported.loads)
            elif imported.attribute == "*":
                self._need(Symbol(source, ""), (), None)
            else:
                place = cut.module.source.span(statement)
                self._need_attribute(source, imported.attribute, _NOTHING, place)

    def _need_attribute(
        self, source: str, name: str, path: tuple[str, ...], origin: Span | None
    ) -> None:
        """What `from source import name` binds."""
        other = self._index.module(source)
        here = other.source.name if other else source
        found = self._index.resolve(here, name) if other is not None else None
        if found is not None:
            self._need(Symbol(here, name), path, origin)
            if isinstance(found, Symbol) and not found.name:
                self._need(found, path, origin)  # packages may name their modules in a circle
        elif self._index.is_module(f"{source}.{name}"):
            self._cut(source)
            self._need(self._index.symbol_of_module(f"{source}.{name}"), path, origin)
        elif other is not None:
            self._need(Symbol(here, name), path, origin)

    # -- reads

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
                if name or _is_evaluated(read, later):
                    plain.append(read)
        for read in plain:
            self._read(cut, read)

    def _read(self, cut: Cut, read: Read) -> None:
        module = cut.module
        place = module.source.span(read.attributes[-1] if read.attributes else read.node)
        base = self._replaced.base(module, read)
        if base is not None:
            self._read_replaced(cut, read, base, place)
        elif read.imported is not None:
            self._read_local_import(cut, read, place)
        if read.imported is None and (base is None or read.name in module.bindings):
            self._need(Symbol(module.source.name, read.name), read.path, place)
        if read.use == "call" and self._facts.external(module, read) in _UNPICKLERS:
            self._unpickles.add(place)

    def _read_local_import(self, cut: Cut, read: Read, place: Span) -> None:
        imported = read.imported
        source = cut.module.absolute(imported) if imported else None
        if imported is None or not source or not self._index.is_module(source):
            return
        if imported.attribute is None:
            self._need(self._index.symbol_of_module(source), read.path, place)
        else:
            self._need_attribute(source, imported.attribute, read.path, place)

    def _read_replaced(self, cut: Cut, read: Read, base: str, place: Span) -> None:
        full = ".".join([base, *read.path])
        if canonical(full) in IDLE_BASES and read.use == "base":
            cut.bases.add(read.attributes[-1] if read.attributes else read.node)
            return
        position = counterpart_at(base, read)
        if position is None:
            if self._may_depend(cut, full, place):
                self._keep_replaced(cut, read)
            return
        found = counterpart(".".join([base, *read.path[:position]]))
        assert found is not None
        host = self._host(cut, read)
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
        if package not in self._allowed:
            self._findings.refuse_replaced(full, place)
            return False
        self._findings.allow_replaced(full, place)
        self._required.add(package)
        self._imports[package] = min(place, self._imports.get(package, place))
        return True

    def _keep_replaced(self, cut: Cut, read: Read) -> None:
        """Keeps the imports of mlrun or storey that a read relies on."""
        found = self._facts.import_bindings(cut.module, read)
        for unit, imported in found:
            if imported.alias is not None:
                cut.aliases.add(imported.alias)
                if unit is not None and not is_import(unit):
                    self._keep(cut, unit)
        if not found:
            for _, imported in cut.module.stars:
                if is_replaced(cut.module.absolute(imported) or ""):
                    assert isinstance(imported.statement, cst.ImportFrom)
                    cut.stars.setdefault(imported.statement, set()).add(WHOLE)

    def _host(self, cut: Cut, read: Read) -> cst.CSTNode | None:
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
            self._keep(cut, unit)
        return host

    def _follow_import(
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
                self._export_replaced(cut, imported, refuse=origin is not None)
            return
        if not is_import(unit):
            self._keep(cut, unit)
        elif imported.alias is not None:
            cut.aliases.add(imported.alias)
        if imported.attribute is None:
            if self._index.is_module(source):
                self._cut(imported.loads)
                self._need(self._index.symbol_of_module(source), path, origin)
            else:
                self._import(module.source, imported.loads, imported.statement)
        elif not source:
            self._need(self._index.symbol_of_module(imported.attribute), path, origin)
        elif source == module.source.name:  # `from . import x` in a package itself
            self._need(self._index.symbol_of_module(f"{source}.{imported.attribute}"), path, origin)
        elif self._index.is_module(source):
            self._need_attribute(source, imported.attribute, path, origin)
        elif not imported.level and not self._index.is_module(source.partition(".")[0]):
            self._import(module.source, f"{source}.{imported.attribute}", imported.statement)

    def _export_replaced(self, cut: Cut, imported: Imported, *, refuse: bool) -> None:
        source = cut.module.absolute(imported)
        full = f"{source}.{imported.attribute}" if imported.attribute else f"{source}"
        found = counterpart(full)
        assert imported.alias is not None
        if found is not None:
            cut.direct[imported.alias] = found
            return
        if refuse and self._may_depend(cut, full, cut.module.source.span(imported.alias)):
            cut.aliases.add(imported.alias)

    def _import(self, source: SourceModule, name: str, statement: cst.CSTNode) -> None:
        parts = name.split(".")
        top = parts[0]
        self._packages.add(top)
        is_required = not self._facts.is_optional(source, statement)
        if top in sys.stdlib_module_names or top in RESERVED:
            return
        if top in SHARED_PACKAGES and len(parts) > 1:
            top = ".".join(parts[:3])
        if is_required:
            self._required.add(top)
        place = source.span(statement)
        self._imports[top] = min(place, self._imports.get(top, place))

    # -- statements that prepare what is kept

    def _add_preparations(self) -> bool:
        """Keeps top-level statements that change what is kept, of all modules that are loaded."""
        added = False
        order = self._loading.order(sorted(self._cuts))
        self._effects.learn(filter(None, map(self._index.module, order)))
        for name in order:
            module = self._index.module(name)
            for unit in module.units if module else ():
                if module and not self._is_kept(name, unit) and self._prepares(module, unit):
                    self._load(name, order)
                    self._keep(self._cuts[name], unit)
                    added = True
        return added or self._add_loads(order) or self._add_setups()

    def _is_kept(self, name: str, unit: Unit) -> bool:
        return name in self._cuts and unit.index in self._cuts[name].units

    def _prepares(self, module: ModuleIndex, unit: Unit) -> bool:
        if is_import(unit):
            return False
        changed = self._effects.of(module, unit)
        if self._asks_subclasses:
            changed |= self._effects.bases(module, unit)
        return bool(changed & self._kept) and not self._facts.builds_graph(module, unit)

    def _add_loads(self, order: Mapping[str, Load | None]) -> bool:
        """Modules that change others are loaded when they were: the order is part of the state."""
        added = False
        for name in order:
            if name in self._cuts and name not in self._loaded and self._reaches_out(name):
                self._load(name, order)
                added = True
        return added

    def _add_setups(self) -> bool:
        """Keeps statements that set up the libraries in use, and imports that are made for that."""
        used = self._packages | PROCESS_WIDE
        added = False
        for cut in [self._cuts[name] for name in sorted(self._cuts)]:
            if not cut.units:
                continue
            for unit in cut.module.units:
                if is_import(unit):
                    added |= self._add_effective(cut, unit)
                elif unit.index not in cut.units and self._sets_up(cut.module, unit, used):
                    self._keep(cut, unit)
                    added = True
        return added

    def _sets_up(self, module: ModuleIndex, unit: Unit, used: AbstractSet[str]) -> bool:
        return bool(
            self._setup.of(module, unit) & used
            and self._kept.issuperset(self._setup.needs(module, unit))
            and not self._facts.builds_graph(module, unit)
        )

    def _add_effective(self, cut: Cut, unit: Unit) -> bool:
        added = False
        for binding in unit.bindings:
            imported = binding.imported
            if imported and imported.alias and imported.alias not in cut.aliases:  # noqa: SIM102
                if self._setup.is_for_effect(cut.module, imported):
                    self._follow_import(cut, unit, imported, _NOTHING, None)
                    added = True
        return added

    def _reaches_out(self, name: str) -> bool:
        module = self._cuts[name].module
        return any(
            symbol.module != name
            for unit in self._cuts[name].kept_units
            for symbol in self._effects.of(module, unit) & self._kept
        )

    def _load(self, name: str, order: Mapping[str, Load | None]) -> None:
        """Keeps the import statements that load a module first."""
        while name not in self._loaded:
            self._loaded.add(name)
            self._cut(name)
            load = order[name]
            if load is None:
                return
            name = load.importer
            cut = self._cut(name)
            imported = load.binding.imported
            assert cut is not None
            assert imported is not None
            if not is_import(load.unit):
                self._keep(cut, load.unit)
            elif imported.alias is not None:
                self._follow_import(cut, load.unit, imported, _NOTHING, None)
            elif isinstance(imported.statement, cst.ImportFrom):
                cut.stars.setdefault(imported.statement, set()).add(LOADED)
                self._cut(cut.module.absolute(imported) or "")

    # -- findings

    def report(self, reserved: frozenset[str], diagnostics: Diagnostics) -> None:
        """All findings, in the order of the files and lines."""
        self._findings.report(diagnostics)
        modules = {module_name(self._tree, item).partition(".")[0] for item in self._cuts}
        for name in sorted(modules & (reserved | PRELOADED)):
            reason = (
                "has a name that packages and Nuclio use"
                if name in reserved
                else "is never imported: Python's own module of that name is loaded before"
            )
            diagnostics.error(
                "GC018", f"the module {name!r} ({name}.py) {reason}", help="rename the file"
            )

    # -- files

    def result(self) -> Slice:
        files = sorted(map(self._file, self._cuts.values()), key=lambda file: file.path)
        if not self._findings:
            for file, cut in ((self._file_of(cut), cut) for cut in self._cuts.values()):
                self._check(cut, next(item.text for item in files if item.path == file))
        runtime = set().union(*map(runtime_modules, self._cuts.values()))
        return Slice(
            tuple(files),
            dict(sorted(self._imports.items())),
            frozenset(self._imports.keys() - self._required),
            frozenset(runtime),
            tuple(sorted(self._data, key=lambda use: use.span)),
            tuple(sorted(self._unpickles)),
            self._model_spec,
        )

    def _file(self, cut: Cut) -> SlicedFile:
        written, lines = text.write(cut)
        return SlicedFile(self._file_of(cut), cut.module.source.path, names(cut), written, lines)

    def _file_of(self, cut: Cut) -> str:
        source = cut.module.source
        path = module_name(self._tree, source.name).replace(".", "/")
        return f"{path}/__init__.py" if source.is_package else f"{path}.py"

    def _check(self, cut: Cut, text: str) -> None:
        """Every name that a file reads is there; else this module has a bug."""
        source = cut.module.source
        written = ModuleIndex(SourceModule(source.name, source.path, text, source.file))
        there = set(written.bindings) | MODULE_NAMES
        for unit in written.units:
            there |= global_writes(unit.node)
        star = bool(written.stars)
        later = "annotations" in written.bindings
        for unit in written.units:
            for part in evaluated_parts(unit.node):
                for read in reads(part):
                    if (
                        _is_evaluated(read, later)
                        and read.imported is None
                        and read.name not in there
                        and self._index.resolve(source.name, read.name) is not None
                        and not (star or read.name in cut.module.main_only)
                    ):
                        raise AssertionError(f"the slice of {source.path} lacks {read.name!r}")


def _is_evaluated(read: Read, later: bool) -> bool:
    """Is what is read needed at run time? `later`: annotations of functions are not evaluated."""
    return read.evaluated == "always" or (read.evaluated == "eagerly" and not later)


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
