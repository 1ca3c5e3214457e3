"""Notes on where a value came from, for findings that stand at a name of the graph file's.

    graph.py:14:10: error[GC012]: there is no class 'Duoble'
      14 | graph.to(NAME).respond()
         |          ^^^^
      note: graph.py:9:8: 'NAME' is set here
      9 | NAME = "Duoble"
        |        ^^^^^^^^

Only a name that one statement binds, at the top level of the file, is sure to come from there.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from .diagnostics import Diagnostic, Note, Span
from .source import SourceModule


def with_origin(found: Diagnostic, main: SourceModule) -> Diagnostic:
    """The finding, with a note if it stands at a name that `main` sets once."""
    span = found.span
    if span is None or span.more or span.file != main.shown:
        return found
    name = span.text[span.column - 1 : span.end - 1]
    if not name.isidentifier() or f"{name!r}" in found.message:
        return found
    value = _only_value(main, name)
    # Of calls, the span is the method's name.
    if value is None or span.text[: span.column - 1].endswith("."):
        return found
    note = Note(f"{name!r} is set here", value)
    if any(other.span == value for other in found.notes) or value == span:
        return found
    return replace(found, notes=(*found.notes, note))


def _only_value(main: SourceModule, name: str) -> Span | None:
    """The place of what the name is set to."""
    try:
        tree = ast.parse(main.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    bound = 0
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=found, ctx=ast.Store() | ast.Del()) | ast.arg(arg=found):
                bound += found == name
            case ast.FunctionDef(name=found) | ast.ClassDef(name=found):
                bound += found == name
            case ast.AsyncFunctionDef(name=found) | ast.ExceptHandler(name=found):
                bound += found == name
            case ast.alias(name=full, asname=asname):
                bound += (asname or full.partition(".")[0]) == name
            case ast.MatchAs(name=found) | ast.MatchStar(name=found):
                bound += found == name
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                return _span(main, value) if bound == 1 else None
    return None


def _span(main: SourceModule, value: ast.expr) -> Span:
    line = main.lines[value.lineno - 1].encode()
    column = len(line[: value.col_offset].decode()) + 1
    if value.end_lineno != value.lineno:
        return main.place(value.lineno, column)
    end = len(line[: value.end_col_offset].decode()) + 1
    return main.place(value.lineno, column, end)
