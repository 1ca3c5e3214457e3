"""docs/diagnostics.md, made of the registry and of what graphc says to the examples."""

from __future__ import annotations

import tempfile
from pathlib import Path

from graphc.codes import CODES, PRELUDE, Code, graph_file
from graphc.diagnostics import Diagnostic
from graphc.pipeline import build
from graphc.rendering import render

_HEAD = """\
<!-- Made of compiler/codes/ by `tests/run tests/test_codes.py --update`. DO NOT EDIT. -->
# Diagnostics

Every finding has a stable code, the place in your file, the line with a caret, where a value
came from, and what to do. Errors leave the previous output as it was; warnings (GC03x) do not stop
a build. `graphc explain GC012` shows on a terminal what is below.

In a notebook a place is `nb.ipynb:cell 4:2:8`, as ruff has it: the cell, counted from 1 with
markdown cells, the line in it, the column. With `--format json` there is a `cell` beside `line`;
SARIF and GitHub, which know lines of files only, get the place in words.

Examples leave out their first lines when these are:

```python
{prelude}```
"""


def findings(example: str) -> list[Diagnostic]:
    """What graphc says to an example of the registry."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "graph.py")
        file.write_text(graph_file(example), encoding="utf-8")
        return list(build(file).diagnostics)


def page() -> str:
    """The text of docs/diagnostics.md."""
    return "\n".join([_HEAD.format(prelude=PRELUDE), *map(_section, CODES.values())])


def _section(code: Code) -> str:
    lines = [f"## {code.code}", code.title, "", code.explanation, ""]
    if code.is_session:
        lines += ["Refused, and put right:", "", "```console", code.bad, code.good, "```", ""]
    else:
        said = "\n".join(map(render, findings(code.bad)))
        lines += ["```python", code.bad, "```", "```text", said, "```", "Put right:", ""]
        lines += ["```python", code.good, "```", ""]
    return "\n".join(lines)
