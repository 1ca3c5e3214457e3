"""The slicer: from roots to a `Slice`.

Names are followed until nothing is missing (`names`, `statements`), then statements are added that
prepare what is kept (`preparations`), until there are none. What is kept of a module is noted in
its `Cut`; `text` writes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from ...code_index import CodeIndex, Symbol
from ...diagnostics import Diagnostics, GraphError
from ...reads import reads
from ...scopes import global_writes
from ...source import SourceModule, SourceTree
from ...top_level import ModuleIndex
from . import text
from .cut import Cut, names, runtime_modules
from .facts import evaluated_parts
from .names import Names
from .preparations import Preparations
from .replaced import MODULE_NAMES, Replaced
from .result import PRELOADED, Slice, SlicedFile, module_name
from .state import State
from .statements import Statements, is_evaluated


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
        self._state = State(index, allowed)
        replaced = Replaced(self._state)
        statements = Statements(self._state, replaced)
        self._names = Names(self._state, statements, replaced)
        self._preparations = Preparations(self._state, statements, self._names)

    def add_root(self, root: Symbol) -> None:
        self._state.need(root, (), None)

    def settle(self) -> None:
        """Follows names until nothing is missing, then adds statements that prepare them."""
        while True:
            while (asked := self._state.next()) is not None:
                self._names.follow(*asked)
            if not self._preparations.add():
                return

    def report(self, reserved: frozenset[str], diagnostics: Diagnostics) -> None:
        """All findings, in the order of the files and lines."""
        self._state.findings.report(diagnostics)
        modules = {module_name(self._tree, item).partition(".")[0] for item in self._state.cuts}
        for name in sorted(modules & (reserved | PRELOADED)):
            reason = (
                "has a name that packages and Nuclio use"
                if name in reserved
                else "is never imported: Python's own module of that name is loaded before"
            )
            diagnostics.error(
                "GC018", f"the module {name!r} ({name}.py) {reason}", help="rename the file"
            )

    def result(self) -> Slice:
        files = sorted(map(self._file, self._state.cuts.values()), key=lambda file: file.path)
        if not self._state.findings:
            for file, cut in ((self._file_of(cut), cut) for cut in self._state.cuts.values()):
                self._check(cut, next(item.text for item in files if item.path == file))
        runtime = set().union(*map(runtime_modules, self._state.cuts.values()))
        return Slice(
            tuple(files),
            dict(sorted(self._state.imports.items())),
            frozenset(self._state.imports.keys() - self._state.required),
            frozenset(runtime),
            tuple(sorted(self._state.data, key=lambda use: use.span)),
            tuple(sorted(self._state.unpickles)),
            self._state.model_spec,
        )

    def _file(self, cut: Cut) -> SlicedFile:
        written, lines = text.write(cut)
        source = cut.module.source
        # Of a notebook there may be several parts, each a module of its own.
        shown = source.path if source.notebook is None else source.shown
        return SlicedFile(self._file_of(cut), shown, names(cut), written, lines)

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
                        is_evaluated(read, later)
                        and read.imported is None
                        and read.name not in there
                        and self._state.index.resolve(source.name, read.name) is not None
                        and not (star or read.name in cut.module.main_only)
                    ):
                        raise AssertionError(f"the slice of {source.path} lacks {read.name!r}")
