"""What the user's files beside the graph file, or named to the build, declare about packages."""

from __future__ import annotations

import configparser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from packaging.requirements import InvalidRequirement, Requirement

from ..diagnostics import Diagnostics, GraphError, Span
from .files import FORMATS, Malformed, Stated, format_of, options

_LARGEST = 20_000_000  # bytes; lock files of large projects have some millions


@dataclass(frozen=True, slots=True)
class Entry:
    """All that is declared about one distribution."""

    line: str
    #: The file that says it, or that gives the version.
    file: str
    #: It is asked for, and not only locked or constrained.
    wanted: bool
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """Distributions by their normalised names."""

    entries: Mapping[str, Entry] = field(default_factory=dict)


def read_declared(root: Path, named: Sequence[Path], diagnostics: Diagnostics) -> Declared:
    """Reads the files; what is wrong with one is a warning, and the others count."""
    wanted: dict[str, Entry] = {}
    versions: dict[str, Entry] = {}
    for file in [*named, *(root / name for name in FORMATS)]:
        path = _shown(root, file)
        if not file.is_file():
            if file in named:
                raise GraphError(f"there is no file {path}", code="GC041")
            continue

        def read(path: str, base: Path = file.parent) -> str | None:
            return _text(base / path)

        found = _found(read, file.name, path, diagnostics)
        extra = options(read, file.name) if file.suffix == ".txt" else ()
        for item in found:
            table = wanted if item.wanted else versions
            table.setdefault(item.name, Entry(item.line, path, item.wanted, extra))
    names = sorted(wanted.keys() | versions.keys())
    return Declared({name: _joined(wanted.get(name), versions.get(name)) for name in names})


def _found(
    read: Callable[[str], str | None], name: str, path: str, diagnostics: Diagnostics
) -> list[Stated]:
    found = []
    try:
        for item in format_of(name)(read, name):
            if isinstance(item, Stated) and item.line.isprintable():
                found.append(item)
            elif isinstance(item, Stated):
                _warn(path, Malformed(0, f"{item.line!r} is no requirement"), "", diagnostics)
            else:
                _warn(path, item, read(name) or "", diagnostics)
    except (
        ValueError,
        AttributeError,
        TypeError,
        RecursionError,
        yaml.YAMLError,
        configparser.Error,
    ) as exc:
        first = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
        _warn(path, Malformed(0, first), "", diagnostics)
    return found


def _warn(path: str, item: Malformed, text: str, diagnostics: Diagnostics) -> None:
    span = None
    if item.line:
        line = text.splitlines()[item.line - 1]
        span = Span(path, item.line, 1, len(line) + 1, line)
    where = "" if span else f"{path}: "
    diagnostics.warning(
        "GC036",
        f"{where}{item.reason}: nothing is taken from it",
        span,
        help="versions come from requirements, constraints and lock files beside the graph file",
    )


def _joined(wanted: Entry | None, version: Entry | None) -> Entry:
    """The line that asks for a distribution, with the version of a lock file or constraint."""
    if wanted is None or version is None:
        found = wanted or version
        assert found is not None
        return found
    try:
        asked, locked = Requirement(_plain(wanted.line)), Requirement(_plain(version.line))
    except InvalidRequirement:
        return wanted
    if asked.url or (not locked.url and not locked.specifier):
        return wanted
    if locked.url:
        asked.url = locked.url
        asked.specifier &= ""
    elif any(item.operator == "==" and "*" not in item.version for item in asked.specifier):
        return wanted  # the user's own line is as exact
    else:
        asked.specifier = locked.specifier
    return Entry(str(asked), version.file, True, wanted.options)


def _plain(line: str) -> str:
    return line.split(" --")[0].strip()


def _shown(root: Path, file: Path) -> str:
    try:
        return file.relative_to(root).as_posix()
    except ValueError:
        return file.name


def _text(file: Path) -> str | None:
    """The file's text; None if it is not there, is not UTF-8 or is far too large."""
    try:
        if file.stat().st_size > _LARGEST:
            return None
        return file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return None
