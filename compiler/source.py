"""The user's files: text, syntax tree, positions. Read once, never run.

`SourceTree` finds modules as Python would from the folder of the graph file; what is not there
is not the user's own code. The evaluator, the resolver and the slicer share one tree. Notebooks
are modules like others (`notebook.py`), and the files that their `%%writefile` cells make are
there if they are not in the folder.
"""

from __future__ import annotations

import ast
import io
import itertools
import os
import posixpath
import re
import sys
import tokenize
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from keyword import iskeyword
from pathlib import Path, PurePosixPath

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from .diagnostics import GraphError, Span, did_you_mean
from .nesting import too_deep, with_deep_stack
from .notebook import Line, MisplacedMark, Notebook, WrittenFile, read_notebook

_LARGEST_FILE = 5_000_000  # bytes; libcst needs some 200 times that
#: Most of a notebook is pictures.
_LARGEST_NOTEBOOK = 100_000_000


class SourceModule:
    """One user file.

    `name` is its dotted module name, `""` for the `__main__` file; `path` is relative to the
    folder of the graph file, with forward slashes. Of what stands in a notebook, `places` says
    where each line does, and `shown` is the notebook's path.
    """

    def __init__(
        self,
        name: str,
        path: str,
        text: str,
        file: Path,
        *,
        places: Sequence[Line] = (),
        shown: str = "",
        notebook: Notebook | None = None,
    ) -> None:
        self.name = name
        self.path = path
        self.text = text
        self.file = file
        #: As Python counts them: form feeds and U+2028 end no line.
        self.lines = text.split("\n")
        self.shown = shown or path
        self.notebook = notebook
        self._places = places
        #: Rows that are no code of the functions made of it.
        self.left_out = frozenset[int]()
        if notebook is not None:
            with suppress(MisplacedMark):  # told to whoever makes a function of the file
                self.left_out = notebook.left_out()
        #: Is a function made of it?
        self.is_used = False

    def used_by(self, function: str, ignored_tags: Collection[str] = ()) -> None:
        """A function of this name is made of the file; before the index is asked about it.

        Raises GraphError (GC001) where MLRun cannot tell what the function's code is.
        """
        out = self.no_code_of(function, ignored_tags)
        self.left_out = self.left_out & out if self.is_used else out
        self.is_used = True

    def no_code_of(self, function: str, ignored_tags: Collection[str] = ()) -> frozenset[int]:
        """The rows that are no code of a function; raises GraphError (GC001)."""
        if self.notebook is None:
            return frozenset()
        try:
            return self.notebook.left_out(function, ignored_tags)
        except MisplacedMark as exc:
            raise GraphError(
                f"{self.path}: {exc}",
                code="GC001",
                span=self.place(exc.row, 1),
                help="a function's code stands between start-code and end-code, in turns",
            ) from exc

    def leaves_out(self, node: cst.CSTNode) -> bool:
        """Does the statement stand in a cell that is no code of a function?"""
        return bool(self.left_out) and self._positions[node].start.line in self.left_out

    @property
    def is_package(self) -> bool:
        return PurePosixPath(self.path).name == "__init__.py"

    @cached_property
    def _wrapper(self) -> MetadataWrapper:
        if line := too_deep(self.text):
            raise GraphError(
                "the code is nested too deeply to be read",
                code="GC003",
                span=self.place(line, 1),
                help="split the expression, or the chain of calls, into several statements",
            )
        return with_deep_stack(
            lambda: MetadataWrapper(cst.parse_module(self.text), unsafe_skip_copy=True)
        )

    @property
    def tree(self) -> cst.Module:
        """The syntax tree; raises GraphError (GC001) if the file is not Python."""
        try:
            return self._wrapper.module
        except cst.ParserSyntaxError as exc:
            line, column = self._python_says() or (exc.editor_line, exc.editor_column)
            span = self.place(line, column, column + 1)
            raise GraphError("this is not valid Python", code="GC001", span=span) from exc
        except cst.CSTValidationError as exc:
            # Of what Python allows, `return"x"` among it, or refuses later than its grammar.
            raise GraphError(f"{self.path} cannot be read: {exc}", code="GC001") from exc

    def _python_says(self) -> tuple[int, int] | None:
        """Where Python's own parser sees the mistake; libcst often names the first line."""
        try:
            ast.parse(self.text)
        except SyntaxError as exc:
            return (exc.lineno, exc.offset) if exc.lineno and exc.offset else None
        except (ValueError, RecursionError, MemoryError):
            pass
        return None

    @cached_property
    def _positions(self) -> Mapping[cst.CSTNode, CodeRange]:
        return with_deep_stack(lambda: self._wrapper.resolve(PositionProvider))

    def span(self, node: cst.CSTNode) -> Span:
        """Where the node starts; `end` is its end, or that of its first line."""
        where = self._positions[node]
        one_line = where.end.line == where.start.line
        end = where.end.column + 1 if one_line else None
        span = self.place(where.start.line, where.start.column + 1, end)
        if one_line or isinstance(node, cst.BaseCompoundStatement):
            return span  # of a statement with a body, the line it begins with
        more = self._shown_lines[where.start.line : where.end.line]
        return replace(span, more=tuple(more), last=where.end.column + 1)

    @property
    def _shown_lines(self) -> Sequence[str]:
        return self.lines if self.notebook is None else self.notebook.raw

    def place(self, row: int, column: int, end: int | None = None) -> Span:
        """A place in the text; without `end`, to the end of the line."""
        lines = self._shown_lines
        text = lines[row - 1] if 0 < row <= len(lines) else ""
        end = len(text) + 1 if end is None else end
        if not self._places:
            return Span(self.shown, row, column, end, text)
        where = self._places[min(row, len(self._places)) - 1]
        return Span(self.shown, where.line, column, end, text, cell=where.cell)

    def line_of(self, node: cst.CSTNode) -> int | None:
        """The line that the node starts in, if it is a node of this file."""
        where = self._positions.get(node)
        return where.start.line if where else None

    def code(self, node: cst.CSTNode) -> str:
        """The node's text, on one line."""
        where = self._positions[node]
        lines = self.lines[where.start.line - 1 : where.end.line]
        lines[-1] = lines[-1][: where.end.column]
        lines[0] = lines[0][where.start.column :]
        return " ".join(line.strip() for line in lines)


class SourceTree:
    """The graph file, the modules beside it, and packages that lie elsewhere.

    `packages`: packages, modules, or folders that modules are looked for in.
    """

    def __init__(self, main: Path, packages: Sequence[Path] = ()) -> None:
        self.root = main.parent
        #: Folders, and the one top-level name that is looked for there; "" is any.
        self._elsewhere: list[tuple[Path, str]] = []
        for package in packages:
            self._add_elsewhere(package)
        self._modules: dict[str, SourceModule | None] = {}
        #: What `%%writefile` cells make, and the path of their notebook.
        self._written: dict[str, tuple[WrittenFile, str]] = {}
        self.main = self._read("", main.name, main)

    def module(self, name: str) -> SourceModule | None:
        """The user's module of this dotted name, or None if it is not beside the graph file.

        Raises GraphError (GC001) if the file is there and cannot be read.
        """
        if name not in self._modules:
            self._modules[name] = self._find(name)
        return self._modules[name]

    def search(self, folder: str) -> None:
        """Looks for modules in this folder, too: a project's context, a part of `sys.path`."""
        target = self.root / folder
        if target.name in ("site-packages", "dist-packages"):
            return  # what is installed there is no code of the user's
        # Unlike Path's methods, those of os.path take any text.
        if os.path.isdir(target) and target.resolve() != self.root.resolve():
            self._add_elsewhere(target)
            self._modules = {key: found for key, found in self._modules.items() if found}

    def _add_elsewhere(self, package: Path) -> None:
        package = package.resolve()
        if package.suffix == ".py":
            self._elsewhere.append((package.parent, package.stem))
        elif (package / "__init__.py").is_file():
            self._elsewhere.append((package.parent, package.name))
        else:
            self._elsewhere.append((package, ""))

    def _folders(self, top: str) -> Iterator[Path]:
        """Where modules of a top-level name are looked for."""
        yield self.root
        for folder, only in self._elsewhere:
            # A project's context must not take the place of Python's own modules.
            if only == top or (not only and top not in sys.stdlib_module_names):
                yield folder

    def is_file(self, path: str) -> bool:
        """Is there a file at a path relative to the graph file's folder?"""
        return os.path.isfile(self.root / path) or posixpath.normpath(path) in self._written

    def text(self, path: str, where: Span) -> str:
        """The text of a file given by its path, relative to the graph file's folder."""
        file = self.root / path
        if os.path.isfile(file):
            return _read(file, path)
        if (written := self._written.get(posixpath.normpath(path))) is not None:
            return written[0].text
        help = did_you_mean(path, self.names_beside())
        raise GraphError(f"there is no file {path!r}", code="GC011", span=where, help=help)

    def names_beside(self) -> list[str]:
        """The names of the files in the graph file's folder."""
        return sorted(item.name for item in self.root.iterdir() if item.is_file())

    def file(self, path: str) -> SourceModule | None:
        """The module in a file given by its path, relative to the graph file's folder.

        A file that no import can name (a notebook, `my-steps.py`, one outside of the folder) is
        a module by its stem.
        """
        target = self.root / path
        try:
            real = target.resolve()
        except (OSError, RuntimeError, ValueError):  # a circle of links; no path at all
            return None
        if real == self.main.file.resolve():
            return self.main
        relative = posixpath.relpath(real.as_posix(), self.root.resolve().as_posix())
        parts = relative.removesuffix(".py").removesuffix("/__init__").split("/")
        if relative.endswith(".py") and all(map(str.isidentifier, parts)):
            return self.module(".".join(parts))
        if not os.path.isfile(target):
            return None
        shown = relative if not relative.startswith("..") else posixpath.normpath(path)
        name = self._free_name(target.stem, shown)
        if name not in self._modules:
            self._modules[name] = self._read(name, shown, target)
        return self._modules[name]

    def part(
        self, module: SourceModule, function: str, ignored_tags: Collection[str] = ()
    ) -> SourceModule:
        """The module as a child function sees it: of one notebook, several see parts of their own.

        Raises GraphError (GC001) where MLRun cannot tell what the function's code is.
        """
        out = module.no_code_of(function, ignored_tags)
        if module.notebook is None or (module.left_out == out and module.is_used):
            return module
        if not module.is_used and module is not self.main:
            module.used_by(function, ignored_tags)
            return module
        stem = PurePosixPath(module.path).stem
        name = self._free_name(f"{stem}_{function}", "")
        made = SourceModule(
            name,
            f"{name}.ipynb",
            module.text,
            module.file,
            places=module._places,
            shown=module.shown,
            notebook=module.notebook,
        )
        made.used_by(function, ignored_tags)
        self._modules[name] = made
        return made

    def add(self, path: str, text: str) -> SourceModule:
        """A module that no file holds: its text came with a call (`with_code(body=...)`)."""
        stem = re.sub(r"\W", "_", path.removesuffix(".py"))
        name = self._free_name(stem, path)
        made = SourceModule(name, path, _checked(text, path), self.root / path)
        self._modules[name] = made
        return made

    def _free_name(self, stem: str, path: str) -> str:
        """A module's name for a file that has none."""
        name = re.sub(r"\W", "_", stem) or "code"
        name = f"_{name}" if name[0].isdigit() or iskeyword(name) else name
        while (other := self.module(name)) is not None and other.path != path:
            name += "_"
        if self._modules[name] is None:
            del self._modules[name]
        return name

    def beside(self, path: str) -> Path | None:
        """The file or folder at a path relative to the graph file's folder, if it is there."""
        top = path.partition("/")[0]
        found = (folder / path for folder in self._folders(top))
        return next((target for target in found if os.path.exists(target)), None)

    def _find(self, name: str) -> SourceModule | None:
        parts = name.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        stem = "/".join(parts)
        paths = (f"{stem}/__init__.py", f"{stem}.py")
        for folder, path in itertools.product(self._folders(parts[0]), paths):
            file = folder / path
            if os.path.isfile(file):  # which takes any text for a path
                if file.resolve() == self.main.file.resolve():
                    return self.main
                return self._read(name, path, file)
            if path in self._written:
                written, shown = self._written[path]
                return SourceModule(
                    name, path, written.text, file, places=written.places, shown=shown
                )
        return None

    def _read(self, name: str, path: str, file: Path) -> SourceModule:
        text = _read(file, path)
        if file.suffix != ".ipynb":
            return SourceModule(name, path, text, file)
        notebook = read_notebook(text, path)
        if len(notebook.text) > _LARGEST_FILE:
            raise GraphError(f"the code of {path} is larger than {_LARGEST_FILE}", code="GC003")
        if notebook.files:
            made = {inner: (written, path) for inner, written in notebook.files.items()}
            self._written = made | self._written
            self._modules = {key: found for key, found in self._modules.items() if found}
        return SourceModule(
            name, path, notebook.text, file, places=notebook.places, notebook=notebook
        )

    def is_namespace(self, name: str) -> bool:
        """Is there a folder of this dotted name without an `__init__.py`, with Python in it?"""
        path = name.replace(".", "/")
        if any(item.startswith(f"{path}/") and item.endswith(".py") for item in self._written):
            return True
        folders = (folder / path for folder in self._folders(name.partition(".")[0]))
        return any(folder.is_dir() and any(folder.rglob("*.py")) for folder in folders)


def _read(file: Path, path: str) -> str:
    try:
        limit = _LARGEST_NOTEBOOK if file.suffix == ".ipynb" else _LARGEST_FILE
        if file.stat().st_size > limit:
            raise GraphError(f"{path} is larger than {limit} bytes", code="GC003")
        data = file.read_bytes()
    except OSError as exc:
        raise GraphError(f"cannot read {path}: {exc.strerror}", code="GC001") from exc
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, LookupError) as exc:  # not UTF-8, or a declared encoding that is none
        reason = exc.msg if isinstance(exc, SyntaxError) else exc
        raise GraphError(
            f"{path} cannot be decoded: {reason}", code="GC001", help="save the file as UTF-8"
        ) from exc
    except UnicodeDecodeError as exc:
        raise GraphError(
            f"{path} is not {exc.encoding.upper()}: {exc.reason} at byte {exc.start}",
            code="GC001",
            help="save the file as UTF-8",
        ) from exc
    return _checked(text, path)


def _checked(text: str, path: str) -> str:
    if "\0" in text:
        raise GraphError(f"{path} contains null bytes", code="GC001")
    return text.replace("\r\n", "\n").replace("\r", "\n")
