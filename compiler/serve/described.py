"""What `graph.json` says of a function, as far as those want to know who run it.

Nothing that runs depends on it: what cannot be read is not there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..codegen.text import one_line
from .worker import topic_of


@dataclass(frozen=True, slots=True)
class Described:
    """A function as the graph has it."""

    #: Paths that it answers.
    routes: tuple[str, ...]
    #: The names of its steps.
    steps: tuple[str, ...]
    #: Those with which requests begin.
    starts: tuple[str, ...]
    #: Those with which the messages of a stream begin, by the stream's topic.
    reads: Mapping[str, tuple[str, ...]]
    #: The function whose graph it runs a part of; nothing if that is its own.
    parent: str
    #: The streams that the build knows, with the number of their partitions.
    streams: Mapping[str, int]

    def begin(self, stream: str | None = None) -> str:
        """The steps that get a request, or a stream's messages; nothing if they are not known."""
        found = self.starts if stream is None else self.reads.get(topic_of(stream), self.starts)
        return one_line(", ".join(found))


def functions(dist: Path) -> dict[str, Any]:
    """The functions of an output folder, in the graph's order."""
    try:
        graph = json.loads((dist / "graph.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return _mapping(graph, "functions")


def describe(folder: Path) -> Described:
    """The function in a folder."""
    function = functions(folder.parent).get(folder.name)
    steps = _mapping(function, "steps")
    reads = {
        topic_of(path): tuple(map(str, read["steps"]))
        for read in _mapping(function, "reads").values()
        if isinstance(path := _value(read, "stream"), str)
        and isinstance(_value(read, "steps"), list)
    }
    return Described(
        routes=tuple(_routes(function)),
        steps=tuple(steps),
        starts=tuple(
            name
            for name, step in steps.items()
            if _value(step, "after") == [] and not _value(step, "catches")
        ),
        reads=reads,
        parent=str(_value(function, "parent") or ""),
        streams=dict(_streams(function)),
    )


def _routes(function: object) -> Iterator[str]:
    routes = _mapping(function, "routes") if _value(function, "topology") == "router" else {}
    if not routes:
        yield "/"
    for name in routes:
        yield f"/v2/models/{quote(name)}/infer"


def _streams(function: object) -> Iterator[tuple[str, int]]:
    written = [_value(step, "queue") for step in _mapping(function, "steps").values()]
    for path in (*written, _value(_mapping(function, "settings"), "error_stream")):
        if isinstance(path, str) and path and not path.startswith("dummy://"):
            yield topic_of(path), 1
    for read in _mapping(function, "reads").values():
        path, shards = _value(read, "stream"), _value(read, "shards")
        if isinstance(path, str) and path:
            yield topic_of(path), shards if isinstance(shards, int) and shards > 0 else 1


def _value(found: object, key: str) -> Any:
    return found.get(key) if isinstance(found, dict) else None


def _mapping(found: object, key: str) -> dict[str, Any]:
    value = _value(found, key)
    return value if isinstance(value, dict) else {}
