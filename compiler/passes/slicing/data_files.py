"""Files beside modules that code names: `Path(__file__).parent / "labels.json"`.

In: kept statements. Out: the paths they name, relative to the folder of the graph file, as far as
they are constants. Whether a file is there is none of this module's business.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import libcst as cst

from ...code_index import CodeIndex, Symbol
from ...diagnostics import Span
from ...reads import Read
from ...scopes import children, dotted
from ...top_level import ModuleIndex, Unit
from .facts import Facts

#: Calls that give the path that they get.
_SAME = frozenset({
    "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "os.path.abspath", "os.path.realpath",
    "os.path.normpath", "os.fspath", "os.path.expanduser", "builtins.str", "os.fsdecode",
})  # fmt: skip
_SAME_METHODS = frozenset({"resolve", "absolute", "expanduser", "as_posix"})

#: `f(package, name)`, and where the name stands.
_RESOURCES = frozenset({
    "importlib.resources.open_text", "importlib.resources.open_binary",
    "importlib.resources.read_text", "importlib.resources.read_binary",
    "importlib.resources.path", "importlib.resources.contents", "pkgutil.get_data",
    "pkg_resources.resource_filename", "pkg_resources.resource_string",
    "pkg_resources.resource_stream", "pkg_resources.resource_listdir",
})  # fmt: skip
_RESOURCE_ROOTS = frozenset({"importlib.resources.files", "importlib_resources.files"})

#: What is done with a path that need not be there.
_ASKING = frozenset({
    "exists", "is_file", "is_dir", "mkdir", "touch", "write_text", "write_bytes", "unlink",
    "os.path.exists", "os.path.isfile", "os.path.isdir", "os.makedirs", "os.mkdir", "os.remove",
})  # fmt: skip
_LISTING = frozenset({"iterdir", "glob", "rglob", "os.listdir", "os.scandir", "os.walk"})

#: Calls that add a folder of modules (`sys.path.insert(0, folder)`).
SEARCHED = frozenset({"sys.path.append", "sys.path.insert"})


@dataclass(frozen=True, slots=True)
class DataUse:
    """A file or folder that code names."""

    #: Relative to the folder of the graph file; begins with `..` if it lies above it.
    path: str
    span: Span
    #: The rest of the path is not known: whatever is in the folder may be meant.
    partial: bool = False
    #: The code lists what is in the folder.
    listed: bool = False
    #: The pattern of the names that are listed.
    pattern: str = "*"
    #: It need not be there: the code writes it, or asks.
    optional: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """A path relative to the folder of the graph file."""

    path: str
    partial: bool = False

    def joined(self, part: str | None) -> _Place:
        if part is None or self.partial:
            return replace(self, partial=True)
        return _Place(posixpath.normpath(posixpath.join(self.path, part)))

    def parent(self) -> _Place:
        # Of a path whose last part is unknown, the parent is the folder that is known.
        return _Place(self.path) if self.partial else self.joined("..")


class DataFiles:
    """Finds the paths in statements."""

    def __init__(self, index: CodeIndex, facts: Facts) -> None:
        self._index = index
        self.facts = facts
        self._constants: dict[Symbol, _Place | None] = {}

    def uses(self, module: ModuleIndex, unit: Unit) -> Iterator[DataUse]:
        """The paths that a statement names."""
        finder = _Finder(self, module, self.facts.reads(module, unit))
        if isinstance(unit.node, cst.Import | cst.ImportFrom):
            return
        yield from finder.uses(unit.node, {})

    def path(self, module: ModuleIndex, unit: Unit, node: cst.BaseExpression) -> str | None:
        """The path that an expression of a statement is; plain texts are paths, too."""
        if (text := _text(node)) is not None:
            return text
        place = _Finder(self, module, self.facts.reads(module, unit)).place(node, {})
        return place.path if place is not None and not place.partial else None

    def constant(self, symbol: Symbol) -> _Place | None:
        """The path that a top-level name of the user's stands for."""
        if symbol not in self._constants:
            self._constants[symbol] = None  # of names that are defined by each other
            module, binding = self._index.module(symbol.module), self._index.binding(symbol)
            if module is not None and binding is not None and binding.value is not None:
                units = [u for u, b in module.bindings.get(symbol.name, ()) if b is binding]
                if units and len(module.bindings[symbol.name]) == 1:
                    finder = _Finder(self, module, self.facts.reads(module, units[0]))
                    self._constants[symbol] = finder.place(binding.value, {})
        return self._constants[symbol]

    def folder_of(self, package: str) -> str | None:
        """The folder of a package of the user's, by name."""
        found = self._index.module(package)
        if found is not None:
            return posixpath.dirname(found.source.path)
        return package.replace(".", "/") if self._index.is_module(package) else None


class _Finder:
    def __init__(self, files: DataFiles, module: ModuleIndex, found: list[Read]) -> None:
        self._files = files
        self._facts = files.facts
        self._module = module
        self._reads = {id(read.node): read for read in found}

    # -- what is done with paths

    def uses(
        self,
        node: cst.CSTNode,
        local: Mapping[str, cst.BaseExpression],
        in_class: bool = False,
    ) -> Iterator[DataUse]:
        if isinstance(node, cst.FunctionDef):
            local = {**local, **_assigned(node.body)}
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            in_class = isinstance(node, cst.ClassDef)
        if isinstance(node, cst.Assign) and not in_class and _names_only(node):
            place = self.place(node.value, local)
            if place is not None and not place.partial:
                return  # what becomes of a named path is seen where the name is read
        if isinstance(node, cst.Call) and dotted(node.func) in SEARCHED:
            return  # a folder of modules: those that are imported come along
        if isinstance(node, cst.BaseExpression):
            found = self._use(node, local)
            if found is not None:
                yield found
                return
        for child in children(node):
            yield from self.uses(child, local, in_class)

    def _use(
        self, node: cst.BaseExpression, local: Mapping[str, cst.BaseExpression]
    ) -> DataUse | None:
        if isinstance(node, cst.Call):
            name = self._external(node.func)
            method = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
            first = node.args[0].value if node.args else None
            if name in ("builtins.open", "io.open", *_ASKING, *_LISTING) and first is not None:
                place = self.place(first, local)
                if place is not None:
                    return self._made(
                        node, place, listed=name in _LISTING,
                        optional=name in _ASKING or _writes(node, 1),
                    )  # fmt: skip
            if method in (*_ASKING, *_LISTING, "open") and isinstance(node.func, cst.Attribute):
                place = self.place(node.func.value, local)
                if place is not None:
                    pattern = _text(first) if first is not None and "glob" in method else None
                    return self._made(
                        node, place, listed=method in _LISTING, pattern=pattern or "*",
                        optional=method in _ASKING or (method == "open" and _writes(node, 0)),
                    )  # fmt: skip
        place = self.place(node, local)
        return None if place is None else self._made(node, place)

    def _made(
        self,
        node: cst.CSTNode,
        place: _Place,
        *,
        listed: bool = False,
        pattern: str = "*",
        optional: bool = False,
    ) -> DataUse:
        span = self._module.source.span(node)
        path = posixpath.normpath(place.path)
        return DataUse(path, span, place.partial, listed, pattern, optional)

    # -- paths

    def place(
        self, node: cst.BaseExpression, local: Mapping[str, cst.BaseExpression]
    ) -> _Place | None:
        """The path that an expression is, if it starts at a module's file or package."""
        match node:
            case cst.Name(value="__file__") if id(node) in self._reads:
                return _Place(self._module.source.path)
            case cst.Name(value=name):
                if name in local:
                    others = {key: value for key, value in local.items() if key != name}
                    return self.place(local[name], others)
                return self._named(node)
            case cst.Attribute(value=cst.Name()) if self._reads.get(id(node.value)):
                if found := self._named(node):
                    return found
        match node:
            case cst.Attribute(value=inner, attr=cst.Name(value="parent")):
                place = self.place(inner, local)
                return place.parent() if place else None
            case cst.Subscript(value=cst.Attribute(value=inner, attr=cst.Name(value="parents"))):
                return self._parents(node, inner, local)
            case cst.BinaryOperation(left=left, operator=cst.Divide(), right=right):
                place = self.place(left, local)
                return place.joined(_text(right)) if place else None
            case cst.BinaryOperation(left=left, operator=cst.Add(), right=right):
                place = self.place(left, local)
                return _added(place, _text(right)) if place else None
            case cst.FormattedString(parts=[cst.FormattedStringExpression() as first, *rest]):
                place = self.place(first.expression, local)
                texts = [item.value if isinstance(item, cst.FormattedStringText) else None
                         for item in rest]  # fmt: skip
                for text in texts if place else ():
                    assert place is not None
                    place = _added(place, text)
                return place
            case cst.Call():
                return self._called(node, local)
        return None

    def _called(self, node: cst.Call, local: Mapping[str, cst.BaseExpression]) -> _Place | None:
        values = [argument.value for argument in node.args]
        name = self._external(node.func)
        if name in _RESOURCES and values:
            place = self._package(values[0])
            return place.joined(_text(values[1])) if place and len(values) > 1 else place
        if name in _RESOURCE_ROOTS:
            return self._package(values[0] if values else cst.Name("__package__"))
        if name in (*_SAME, "os.path.dirname", "os.path.join") and values:
            place = self.place(values[0], local)
            if place is None or (name in _SAME and len(values) == 1):
                return place
            if name == "os.path.dirname":
                return place.parent()
            for value in values[1:]:
                place = place.joined(_text(value))
            return place
        if isinstance(node.func, cst.Attribute):
            method = node.func.attr.value
            place = self.place(node.func.value, local)
            if place is None:
                return None
            if method in _SAME_METHODS:
                return place
            if method == "joinpath":
                for value in values:
                    place = place.joined(_text(value))
                return place
            if method == "with_name" and values:
                return place.parent().joined(_text(values[0]))
            if method == "with_suffix" and values:
                suffix = _text(values[0])
                stem = posixpath.splitext(place.path)[0]
                return _Place(stem + suffix) if suffix is not None else place.parent().joined(None)
        return None

    def _parents(
        self,
        node: cst.Subscript,
        inner: cst.BaseExpression,
        local: Mapping[str, cst.BaseExpression],
    ) -> _Place | None:
        place = self.place(inner, local)
        match node.slice:
            case [cst.SubscriptElement(slice=cst.Index(value=cst.Integer(value=number)))]:
                for _ in range(min(int(number, 0), 20) + 1) if place else ():
                    assert place is not None
                    place = place.parent()
                return place
        return None

    def _named(self, node: cst.Name | cst.Attribute) -> _Place | None:
        """`HERE`, or `config.HERE` where `config` is a module of the user's."""
        root = node.value if isinstance(node, cst.Attribute) else node
        read = self._reads.get(id(root))
        target = self._facts.target(self._module, read) if read is not None else None
        if read is None or not isinstance(target, Symbol) or not target.name:
            return None
        if isinstance(node, cst.Attribute) and read.path[:1] != (target.name,):
            return None  # an attribute of the path itself
        return self._files.constant(target)

    def _package(self, node: cst.BaseExpression) -> _Place | None:
        source = self._module.source
        if isinstance(node, cst.Name) and node.value in ("__package__", "__name__"):
            return _Place(posixpath.dirname(source.path))
        if isinstance(node, cst.Attribute) and dotted(node) == "__spec__.parent":
            return _Place(posixpath.dirname(source.path))
        name = _text(node)
        if name is None:
            read = self._reads.get(id(_root(node)))
            target = self._facts.target(self._module, read) if read else None
            name = target.module if isinstance(target, Symbol) and not target.name else None
        folder = self._files.folder_of(name) if name else None
        return None if folder is None else _Place(folder)

    def _external(self, node: cst.BaseExpression) -> str | None:
        name = dotted(node)
        read = self._reads.get(id(_root(node)))
        if name is None or read is None:
            return None
        found = self._facts.external(self._module, read)
        if found is not None:
            return found
        return f"builtins.{name}" if name in ("open", "str") else None


def _names_only(node: cst.Assign) -> bool:
    return all(isinstance(target.target, cst.Name) for target in node.targets)


def _root(node: cst.CSTNode) -> cst.CSTNode:
    while isinstance(node, cst.Attribute):
        node = node.value
    return node


def _text(node: cst.CSTNode | None) -> str | None:
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def _added(place: _Place, text: str | None) -> _Place:
    """A text behind a path: the name goes on until a slash."""
    if place.partial:
        return place
    if text is None:
        return _Place(posixpath.dirname(place.path) or ".", partial=True)
    whole = place.path + text
    return _Place(whole if text.endswith("/") else posixpath.normpath(whole))


def _writes(call: cst.Call, position: int) -> bool:
    """`open(path, "w")`: is the file made by the code itself?"""
    modes = [argument.value for argument in call.args
             if argument.keyword and argument.keyword.value == "mode"]  # fmt: skip
    modes += [item.value for item in call.args[position : position + 1] if not item.keyword]
    return any(set(_text(mode) or "") & set("wax") for mode in modes)


def _assigned(body: cst.CSTNode) -> dict[str, cst.BaseExpression]:
    """Names that a function assigns once."""
    found: dict[str, cst.BaseExpression | None] = {}
    waiting = [body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, cst.Assign):
            for target in node.targets:
                if isinstance(target.target, cst.Name):
                    name = target.target.value
                    found[name] = None if name in found else node.value
        if not isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Lambda):
            waiting += children(node)
    return {name: value for name, value in found.items() if value is not None}
