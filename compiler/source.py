"""The user's files: text, syntax tree, positions. Read once, never run.

`SourceTree` finds modules as Python would from the folder of the graph file; what is not there
is not the user's own code. The evaluator, the resolver and the slicer share one tree.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from .diagnostics import GraphError, Span
from .nesting import too_deep, with_deep_stack

_LARGEST_FILE = 5_000_000  # bytes; libcst needs some 200 times that


class SourceModule:
    """One user file.

    `name` is its dotted module name, `""` for the `__main__` file; `path` is relative to the
    folder of the graph file, with forward slashes.
    """

    def __init__(self, name: str, path: str, text: str, file: Path) -> None:
        self.name = name
        self.path = path
        self.text = text
        self.file = file
        #: As Python counts them: form feeds and U+2028 end no line.
        self.lines = text.split("\n")

    @property
    def is_package(self) -> bool:
        return PurePosixPath(self.path).name == "__init__.py"

    @cached_property
    def _wrapper(self) -> MetadataWrapper:
        if line := too_deep(self.text):
            text = self.lines[line - 1]
            raise GraphError(
                "the code is nested too deeply to be read",
                code="GC003",
                span=Span(self.path, line, 1, len(text) + 1, text),
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
            text = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
            span = Span(self.path, line, column, column + 1, text)
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
        text = self.lines[where.start.line - 1] if where.start.line <= len(self.lines) else ""
        one_line = where.end.line == where.start.line
        end = where.end.column + 1 if one_line else len(text) + 1
        span = Span(self.path, where.start.line, where.start.column + 1, end, text)
        if one_line or isinstance(node, cst.BaseCompoundStatement):
            return span  # of a statement with a body, the line it begins with
        more = self.lines[where.start.line : where.end.line]
        return replace(span, more=tuple(more), last=where.end.column + 1)

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
    """The graph file and the modules beside it."""

    def __init__(self, main: Path) -> None:
        self.root = main.parent
        self._modules: dict[str, SourceModule | None] = {}
        self.main = SourceModule("", main.name, _read(main, main.name), main)

    def module(self, name: str) -> SourceModule | None:
        """The user's module of this dotted name, or None if it is not beside the graph file.

        Raises GraphError (GC001) if the file is there and cannot be read.
        """
        if name not in self._modules:
            self._modules[name] = self._find(name)
        return self._modules[name]

    def text(self, path: str, where: Span) -> str:
        """The text of a file given by its path, relative to the graph file's folder."""
        file = self.root / path
        if not file.is_file():
            raise GraphError(f"there is no file {path!r}", code="GC011", span=where)
        return _read(file, path)

    def file(self, path: str) -> SourceModule | None:
        """The module in a `.py` file given by its path, relative to the graph file's folder."""
        target = (self.root / path).resolve()
        if target == self.main.file.resolve():
            return self.main
        try:
            relative = target.relative_to(self.root.resolve())
        except ValueError:
            return None
        parts = list(relative.with_suffix("").parts)
        if parts and parts[-1] == "__init__":
            parts.pop()
        return self.module(".".join(parts))

    def _find(self, name: str) -> SourceModule | None:
        parts = name.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        base = self.root.joinpath(*parts)
        for file in (base / "__init__.py", base.with_name(base.name + ".py")):
            if file.is_file():
                if file.resolve() == self.main.file.resolve():
                    return self.main
                path = file.relative_to(self.root).as_posix()
                return SourceModule(name, path, _read(file, path), file)
        return None

    def is_namespace(self, name: str) -> bool:
        """Is there a folder of this dotted name without an `__init__.py`, with Python in it?"""
        folder = self.root.joinpath(*name.split("."))
        return folder.is_dir() and any(folder.rglob("*.py"))


def _read(file: Path, path: str) -> str:
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise GraphError(f"{path} is larger than {_LARGEST_FILE} bytes", code="GC003")
        data = file.read_bytes()
    except OSError as exc:
        raise GraphError(f"cannot read {path}: {exc.strerror}", code="GC001") from exc
    try:
        # libcst reads a declared encoding itself; graph files in practice are UTF-8.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise GraphError(
            f"{path} is not UTF-8: {exc.reason} at byte {exc.start}",
            code="GC001",
            help="save the file as UTF-8",
        ) from exc
    if "\0" in text:
        raise GraphError(f"{path} contains null bytes", code="GC001")
    return text.replace("\r\n", "\n").replace("\r", "\n")
