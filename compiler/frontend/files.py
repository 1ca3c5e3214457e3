"""Files that a graph file reads to build its graph: settings in JSON, YAML, TOML or CSV.

Only text in the folder of the graph file is read, as its modules are; anything else, what is not
there, and what the graph file wrote before, stays unknown. Packages get no such file from here:
what steps read where they run is found by the slicer (passes/slicing/data_files.py).
"""

from __future__ import annotations

import csv
import json
import posixpath
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import yaml

from ..diagnostics import GraphError
from .builtin_functions import Builtin
from .memory import ITERATOR, Memory, origin
from .operators import PLAIN, elements
from .signals import native
from .values import TextFile, Unknown, Value

if TYPE_CHECKING:
    from .machine import Machine

METHODS: Final = frozenset({"read", "readlines", "close"})
_READING: Final = frozenset({"r", "rt", "tr"})
#: What a loader of YAML makes of a text may be so many times larger.
_GROWTH: Final = 16
_LOADERS: Final = frozenset({"SafeLoader", "FullLoader", "CSafeLoader", "CFullLoader", "Loader"})


def text_at(machine: Machine, path: Value) -> str | Unknown:
    """The text of the file at a path."""
    if type(path) not in (str, PurePosixPath):
        return origin(path) or Unknown("what a file holds that is not given by its path", None)
    whole = posixpath.normpath(posixpath.join(machine.root, str(path)))
    relative = posixpath.relpath(whole, machine.root)
    unknown = Unknown(f"what the file {relative} holds", None)
    if relative.startswith("..") or whole in machine.written or not _is_beside(machine, relative):
        return unknown
    try:
        text = machine.tree.text(relative, machine.here)
    except GraphError:
        return unknown  # too large, or no text
    machine.memory.budget.text(len(text))
    return text


def _is_beside(machine: Machine, relative: str) -> bool:
    root = Path(machine.root).resolve()
    try:
        inside = (root / relative).resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):  # a circle of links; no path at all
        return False
    return inside and machine.tree.is_file(relative)


def opened(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """`open(path, mode)`"""
    path, mode = native(_open_arguments, *args, **kwargs)
    if mode not in _READING:
        if type(path) in (str, PurePosixPath):
            machine.written.add(posixpath.normpath(posixpath.join(machine.root, str(path))))
        return Unknown("a file that is opened otherwise than to read text", None)
    text = text_at(machine, path)
    return text if isinstance(text, Unknown) else TextFile(iter(text.splitlines(keepends=True)))


def _open_arguments(file: Value, mode: Value = "r", *_: Value, **__: Value) -> tuple[Value, Value]:
    return file, mode


def of_path(machine: Machine, path: Value, name: str, args: list[Value]) -> Value:
    """A method in OF_FILES of a path."""
    if name == "read_text":
        return text_at(machine, path)
    if name == "open":
        return opened(machine, [path, *args], {})
    machine.written.add(posixpath.normpath(posixpath.join(machine.root, str(path))))
    machine.skip(machine.here, f"{name}() is not run")
    return Unknown(f"what {name}() gives", None)


def call(memory: Memory, file: TextFile, name: str, args: Sequence[Value]) -> Value:
    """`file.read()` and its like."""
    if name == "close":
        return None
    if args:
        return Unknown(f"{name}() of a part of a file", None)
    lines = elements(memory, file)
    if isinstance(lines, Unknown):
        return lines
    return lines if name == "readlines" else "".join(lines)


def _source(machine: Machine, value: Value) -> str | Unknown:
    """The text that a loader is given, or reads."""
    if isinstance(value, TextFile):
        return call(machine.memory, value, "read", ())  # type: ignore[no-any-return]
    if type(value) is not str:
        return origin(value) or Unknown("what is read from something that is no text", None)
    return value


def _loaded(machine: Machine, text: str | Unknown, load: Callable[[str], Any]) -> Value:
    if isinstance(text, Unknown):
        return text
    machine.memory.budget.text(len(text) * _GROWTH)
    made = native(load, text)
    if _is_plain(machine.memory, made):
        return made
    return Unknown("a file with values such as dates", None)


def _is_plain(memory: Memory, value: Any, depth: int = 0) -> bool:
    """Raises BoundExceeded for aliases of YAML that stand for more than anybody could hold."""
    memory.budget.spend()
    parts: list[Any] = []
    if type(value) is dict:
        parts += [*value.keys(), *value.values()]
    elif type(value) in (list, tuple, set):
        parts += value
    else:
        return type(value) in PLAIN
    return depth < 50 and all(_is_plain(memory, part, depth + 1) for part in parts)


def _loader(load: Callable[[str], Any]) -> Builtin:
    """`json.load`, `yaml.safe_load`, `tomllib.loads`: one text or file, no options that count."""

    def called(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        options = {**kwargs}
        name = getattr(options.pop("Loader", args[1] if len(args) == 2 else None), "dotted", "")
        known = name.rpartition(".")[2] in _LOADERS
        if options or len(args) - known not in (0, 1) or not args:
            return Unknown("what a file holds that is read with options", None)
        return _loaded(machine, _source(machine, args[0]), load)

    return called


def _rows(reader: Callable[..., Any]) -> Builtin:
    """`csv.reader`, `csv.DictReader`"""

    def called(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        lines = elements(machine.memory, args[0]) if args else Unknown("no rows", None)
        if isinstance(lines, Unknown):
            return lines
        for value in (*lines, *args[1:], *kwargs.values()):
            if doubt := machine.memory.doubt(value):
                return doubt
            if type(value) not in PLAIN or type(value) is ITERATOR:
                return Unknown("rows that are read with options", None)
        return iter(native(lambda: list(reader(lines, *args[1:], **kwargs))))

    return called


FUNCTIONS: Final[Mapping[str, Builtin]] = {
    **dict.fromkeys(("builtins.open", "io.open"), opened),
    "json.load": _loader(json.loads),
    "tomllib.load": _loader(tomllib.loads),
    "tomllib.loads": _loader(tomllib.loads),
    **{f"yaml.{name}": _loader(yaml.safe_load) for name in ("load", "safe_load", "full_load")},
    "csv.reader": _rows(csv.reader),
    "csv.DictReader": _rows(csv.DictReader),
}
