"""Reads `graph.json`, from disk or from a revision of git's, into what `compare` takes.

Whatever is read is checked: the file may be damaged, hostile, or of another version of graphc.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: A function's name -> what graph.json says of it.
Graph = Mapping[str, Mapping[str, Any]]


class Unreadable(Exception):
    """There is no graph to be read, and why."""


def read(place: Path) -> Graph:
    """The graph of a graph.json, or of the dist folder that holds one; raises Unreadable."""
    file = place / "graph.json" if place.is_dir() else place
    try:
        return parse(file.read_bytes(), str(file))
    except OSError as exc:
        raise Unreadable(f"cannot read {file}: {exc.strerror}") from exc


def read_revision(place: Path, revision: str) -> Graph | None:
    """The same as it was in a revision of the git repository; None if it was not there yet."""
    folder = place if place.is_dir() or not place.suffix else place.parent
    name = "graph.json" if folder == place else place.name
    inside = folder
    while not inside.is_dir():
        inside = inside.parent
    path = (folder / name).absolute().relative_to(inside.absolute()).as_posix()
    commit = _git(inside, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^0")
    if commit is None:
        raise Unreadable(f"{revision!r} is no revision of a git repository at {inside}")
    text = _git(inside, "show", f"{commit.decode().strip()}:./{path}")
    return None if text is None else parse(text, f"{revision}:{folder / name}")


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git says, or None if it refuses."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, check=False
        )
    except OSError as exc:
        raise Unreadable(f"git cannot be run: {exc.strerror}") from exc
    return done.stdout if done.returncode == 0 else None


def parse(text: bytes, name: str) -> Graph:
    """The functions in the text of a graph.json; raises Unreadable."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise Unreadable(f"{name} is not JSON: {exc}") from exc
    functions: Any = document.get("functions") if isinstance(document, dict) else None
    if not _is_table(functions) or not all(map(_is_function, functions.values())):
        raise Unreadable(f"{name} is not a graph.json that graphc wrote")
    found: Graph = functions
    return found


def _is_function(value: dict[str, Any]) -> bool:
    return _is_table(value.get("steps", {})) and all(
        map(_is_step, [value, *value.get("steps", {}).values()])
    )


def _is_step(value: dict[str, Any]) -> bool:
    return (
        isinstance(value.get("args", {}), dict)
        and isinstance(value.get("settings", {}), dict)
        and _is_names(value.get("requirements", []))
        and all(_is_names(value.get(key, [])) for key in ("after", "before", "catches"))
        and _is_table(value.get("routes", {}))
        and all(map(_is_step, value.get("routes", {}).values()))
    )


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(item, dict) for item in value.values())


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
