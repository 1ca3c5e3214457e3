"""source_lines.json: which lines of the user's a package's lines come from.

Read by `runtime_min/tracebacks.py`, whose place it shares, when an error is told.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from .. import ir
from ..codegen.text import comment, one_line
from ..diagnostics import Span
from ..passes.slicing import Slice, SlicedFile
from ..source import SourceTree

PATH = "runtime_min/source_lines.json"

#: First line in the package, number of lines, the file (and the cell) they are from, line there.
Run = tuple[int, int, str, int]


def source_lines(
    tree: SourceTree, function: ir.Function, code: Slice, handler: str
) -> dict[str, bytes]:
    """The file of a function, by its path; `handler` is the path of its handler."""
    document = {
        "handler": handler,
        "steps": {
            comment(one_line(step.name)).removeprefix("# "): f"{_place(step.span)}:{step.span.line}"
            for step in function.steps
        },
        "files": {file.path: _runs(tree, file) for file in code.files},
    }
    lines = ",\n".join(f' "{key}": {json.dumps(value)}' for key, value in document.items())
    return {PATH: f"{{\n{lines}\n}}\n".encode()}


def _runs(tree: SourceTree, file: SlicedFile) -> Sequence[Run]:
    module = tree.file(file.source)
    if module is None:
        return []
    runs: list[Run] = []
    for line, row in enumerate(file.lines, 1):
        if not row:
            continue
        span = module.place(row, 1)
        place = _place(span)
        if runs:
            first, count, known, source = runs[-1]
            if (first + count, known, source + count) == (line, place, span.line):
                runs[-1] = (first, count + 1, known, source)
                continue
        runs.append((line, 1, place, span.line))
    return runs


def _place(span: Span) -> str:
    """The file, and of a notebook the cell, as places are written everywhere."""
    return str(span).rsplit(":", 2)[0]
