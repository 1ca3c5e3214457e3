"""Which of several streams an event comes from, in a function that reads more than one."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit


class Source:
    """A stream that the function reads, by the path that the graph has for it."""

    def __init__(self, path: str) -> None:
        url = urlsplit(path)
        name = url.path.strip("/") if url.scheme else path.strip("/")
        self._names = {name, *parse_qs(url.query).get("topic", ())}
        if url.scheme in ("", "v3io"):
            # Nuclio names a V3IO stream without its container.
            self._names.add(name.partition("/")[2])
        self._names.discard("")

    def sent(self, event: Any) -> bool:
        """Does the event come from it? Requests come from no stream."""
        name = getattr(event, "stream_path", None)  # as nuclio.decode found it
        if name is None and event.trigger.kind != "http":
            name = getattr(event, "topic", None) or event.path
        return isinstance(name, str) and name.strip("/") in self._names
