"""Top-level statements that set a library up: `matplotlib.use("Agg")`, `sys.path.append(...)`.

In: statements. Out: the packages that they set up. Which of these a slice uses is for the slicer
to know; what is set up for the whole process is `PROCESS_WIDE`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from ...code_index import CodeIndex, Symbol
from ...reads import Read
from ...runtime_names import is_replaced
from ...scopes import Imported, dotted, root_name, walk
from ...top_level import ModuleIndex, Unit
from .facts import Facts

#: What is set up here is so for all code of the process.
PROCESS_WIDE = frozenset({
    "sys", "os", "warnings", "logging", "locale", "gc", "socket", "ssl", "signal", "decimal",
    "faulthandler", "resource", "multiprocessing", "asyncio", "atexit", "mimetypes", "codecs",
    "threading", "dotenv", "nest_asyncio", "uvloop", "sentry_sdk", "truststore",
})  # fmt: skip

#: Calls that do or show something instead: work of a notebook, tests, files.
_WORK = (
    "time", "pprint", "IPython", "subprocess", "shutil", "requests", "httpx", "urllib", "json",
    "pickle", "joblib", "cloudpickle", "yaml", "csv", "unittest", "pytest", "doctest", "timeit",
    "threading.Thread", "os.system", "os.remove", "os.unlink", "os.rename", "os.listdir",
    "os.walk", "os.getcwd", "os.getenv", "os.kill", "os.abort", "os._exit", "os.popen",
    "sys.exit", "sys.stdout.write", "sys.stdout.flush", "sys.stderr.write", "asyncio.run",
    "asyncio.get_event_loop", "logging.debug", "logging.info", "logging.warning",
    "logging.error", "logging.log", "signal.pause", "signal.alarm", "gc.collect",
    "multiprocessing.Process", "multiprocessing.Pool", "tqdm.tqdm",
)  # fmt: skip

#: Of modules that draw, what is set up.
_DRAWING = ("matplotlib.pyplot", "pylab", "seaborn", "plotly.express")
_DRAWING_SETUP = frozenset({
    "use", "style", "rcParams", "rc", "rcdefaults", "switch_backend", "ioff", "ion", "set_theme",
    "set", "set_style", "set_palette", "set_context",
})  # fmt: skip

#: Modules that are imported for what their import does.
_EFFECTIVE = frozenset({"sklearn.experimental", "tensorflow_text", "hvplot", "swifter"})

_NOQA = re.compile(r"#\s*(noqa(?!:)|noqa:.*F401|pylint:.*unused-import)", re.IGNORECASE)


class LibrarySetup:
    """Questions about statements that set libraries up, answered once."""

    def __init__(self, index: CodeIndex, facts: Facts) -> None:
        self._index = index
        self._facts = facts
        self._of: dict[tuple[str, int], frozenset[str]] = {}
        self._read: dict[str, set[str]] = {}

    def of(self, module: ModuleIndex, unit: Unit) -> frozenset[str]:
        """The top-level packages that the statement sets up."""
        key = (module.source.name, unit.index)
        if key not in self._of:
            self._of[key] = frozenset(self._packages(module, unit))
        return self._of[key]

    def needs(self, module: ModuleIndex, unit: Unit) -> Iterator[Symbol]:
        """What of the user's the statement needs besides definitions and plain values."""
        for read in self._facts.reads(module, unit):
            target = self._facts.target(module, read)
            if isinstance(target, Symbol) and target.name and not self._is_plain(target):
                yield target

    def _packages(self, module: ModuleIndex, unit: Unit) -> Iterator[str]:
        if isinstance(unit.node, cst.FunctionDef | cst.ClassDef | cst.Import | cst.ImportFrom):
            return
        found = {id(read.node): read for read in self._facts.reads(module, unit)}
        for expression in _set_up(unit.node):
            root = root_name(expression)
            read = found.get(id(root)) if root is not None else None
            if read is None or read.deferred:
                continue
            name = self._external(module, read)
            if name and not is_replaced(name) and not _is_work(name):
                yield name.partition(".")[0]

    def _external(self, module: ModuleIndex, read: Read) -> str | None:
        if read.name not in module.bindings and read.imported is None:
            return None
        return self._facts.external(module, read)

    def _is_plain(self, symbol: Symbol) -> bool:
        """A class, a function, or a value that is not worked for: no calls but of `os` and str."""
        if self._index.class_info(symbol) or self._index.function_info(symbol):
            return True
        binding = self._index.binding(symbol)
        if binding is None or binding.value is None:
            return False
        for item in walk(binding.value):
            if isinstance(item, cst.Call):
                name = dotted(item.func)
                first = name.partition(".")[0] if name else ""
                root = root_name(item.func)
                if first not in ("os", "Path", "pathlib", "str", "int", "float", "bool") and (
                    root is not None and root.value not in ("Path", "os", "pathlib")
                ):
                    return False
        return True

    def is_for_effect(self, module: ModuleIndex, imported: Imported) -> bool:
        """Is the import there for what it does: never read in its file, and marked so?"""
        source = module.absolute(imported)
        if source is None or is_replaced(source) or self._index.is_module(source.split(".")[0]):
            return False
        if module.source.is_package or imported.module == "__future__":
            return False
        alias = imported.alias
        if alias is None:
            return False
        bound = (dotted(alias.asname.name) if alias.asname else dotted(alias.name)) or ""
        if bound.partition(".")[0] in self._names_read(module):
            return False
        known = any(f"{imported.loads}.".startswith(f"{name}.") for name in _EFFECTIVE)
        line = module.source.lines[(module.source.line_of(imported.statement) or 1) - 1]
        return known or _NOQA.search(line) is not None

    def _names_read(self, module: ModuleIndex) -> set[str]:
        name = module.source.name
        if name not in self._read:
            self._read[name] = {
                read.name for unit in module.units for read in self._facts.reads(module, unit)
            } | set(module.listed() or ())
        return self._read[name]


def _is_work(name: str) -> bool:
    for drawing in _DRAWING:
        if f"{name}.".startswith(f"{drawing}."):
            return name.removeprefix(f"{drawing}.").partition(".")[0] not in _DRAWING_SETUP
    return any(f"{name}.".startswith(f"{work}.") for work in _WORK)


def _set_up(node: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """What statements call for its effect, or assign to: `a.b(...)`, `a.b = 1`, `del a.b`."""
    for item in walk(node):
        match item:
            case cst.Expr(value=cst.Call(func=function)):
                yield function
            case cst.Assign(targets=targets):
                for target in targets:
                    if isinstance(target.target, cst.Attribute | cst.Subscript):
                        yield target.target
            case (
                cst.AugAssign(target=target) | cst.Del(target=target) | cst.AnnAssign(target=target)
            ):
                if isinstance(target, cst.Attribute | cst.Subscript):
                    yield target
