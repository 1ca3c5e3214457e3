"""Which modules of runtime_min a package needs: those it imports, and what these import."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from functools import cache
from importlib import resources


def vendored(modules: Iterable[str]) -> dict[str, bytes]:
    """The files of runtime_min for these modules and all that they import, by path."""
    needed = {"__init__"}
    todo = list(modules)
    while todo:
        name = todo.pop()
        if name not in needed:
            needed.add(name)
            todo += _imports(name)
    return {f"runtime_min/{name}.py": _text(name) for name in sorted(needed)}


def imported(text: bytes) -> set[str]:
    """The libraries that a module of ours imports: not the standard one, not runtime_min."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"runtime_min"}


@cache
def _text(module: str) -> bytes:
    return resources.files("graphc.runtime_min").joinpath(f"{module}.py").read_bytes()


@cache
def _imports(module: str) -> tuple[str, ...]:
    """The modules beside it that a module imports, at its top or when it runs."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(_text(module))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            found.update([node.module] if node.module else (alias.name for alias in node.names))
    return tuple(sorted(found))
