"""Copies of data files that code names by `__file__`, or as resources of a package.

They lie where they lay, relative to the modules. What is not there, or cannot be told, is said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from posixpath import dirname

from ..diagnostics import Diagnostics, GraphError
from ..passes.slicing import DataUse, Slice
from ..source import SourceTree

_LARGEST = 2_000_000_000  # bytes, all files of a function together
#: What packages call their own files.
_OWN = frozenset({"Dockerfile", "function.yaml", "requirements.txt", "runtime_min"})


def data_files(code: Slice, tree: SourceTree, diagnostics: Diagnostics) -> dict[str, bytes]:
    """The files that a function's code names, by their paths in the package."""
    found: dict[str, Path] = {}
    modules = {file.path for file in code.files}
    folders = {dirname(path) or "." for path in modules} | {"."}
    for use in code.data:
        found |= _files_of(use, tree, folders, diagnostics)
    found = {path: file for path, file in found.items() if path not in modules and _clean(path)}
    try:
        if sum(file.stat().st_size for file in found.values()) > _LARGEST:
            raise GraphError("the data files of a function are larger than 2 GB", code="GC041")
        return {path: file.read_bytes() for path, file in sorted(found.items())}
    except OSError as exc:
        raise GraphError(f"cannot read {exc.filename}: {exc.strerror}", code="GC041") from exc


def _files_of(
    use: DataUse, tree: SourceTree, folders: set[str], diagnostics: Diagnostics
) -> dict[str, Path]:
    if use.path.startswith("/"):
        return {}  # `folder / "/etc/hosts"` is a path of the machine
    if use.path.startswith("../") or use.path == "..":
        if not use.optional:
            _warn(use, "a file above the folder of the graph file", diagnostics)
        return {}
    if not _clean(use.path):
        _warn(use, f"{use.path!r}, a name that no package can have", diagnostics)
        return {}
    if use.path.partition("/")[0] in _OWN:
        _warn(use, f"{use.path!r}, as packages have a file of that name", diagnostics)
        return {}
    target = tree.beside(use.path)
    if target is not None and target.is_file():
        return {use.path: target}
    if target is None or not target.is_dir():
        if not use.optional:
            _warn(use, f"{use.path!r}, which is not there", diagnostics)
        return {}
    if use.path in folders:
        return _beside_modules(use, target, diagnostics)
    return {f"{use.path}/{name}": file for name, file in _inside(target)}


def _beside_modules(use: DataUse, folder: Path, diagnostics: Diagnostics) -> dict[str, Path]:
    """A folder with modules in it is never copied whole."""
    if use.listed and use.pattern.strip("*/"):
        return {
            f"{use.path}/{name}".removeprefix("./"): file
            for name, file in _inside(folder)
            if fnmatch(name, use.pattern) and not name.endswith(".py")
        }
    if use.listed or use.partial:
        _warn(use, "a file whose name is not known at build time", diagnostics)
    return {}


def _inside(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and "__pycache__" not in name and not name.endswith(".pyc"):
            yield name, file


def _clean(path: str) -> bool:
    return path.isprintable() and "\\" not in path


def _warn(use: DataUse, what: str, diagnostics: Diagnostics) -> None:
    diagnostics.warning(
        "GC035",
        f"the code reads {what}: it is not part of the package",
        use.span,
        help="put it beside the module that reads it, and name it there, or mount it",
    )


def copy_lines(paths: Iterable[str]) -> list[str]:
    """`COPY` and its words in a Dockerfile, for folders and for files that are no modules."""
    folders = sorted({path.partition("/")[0] for path in paths if "/" in path})
    files = sorted(path for path in paths if "/" not in path and not path.endswith(".py"))
    return [_words(name, f"/opt/nuclio/{name}") for name in (*folders, *files)]


def _words(source: str, target: str) -> str:
    """The plain form, or that for names which Docker would take apart or for a pattern."""
    if re.fullmatch(r"[\w.-]+", source, re.ASCII):
        return f"{source} {target}"
    return json.dumps([re.sub(r"[*?\[\\]", r"\\\g<0>", source), target])
