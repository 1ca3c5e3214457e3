"""Which of several streams an event comes from, in a function that reads more than one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Source:
    """A stream that the function reads, by the path that the graph has for it.

    Nuclio's events do not tell V3IO streams of two containers apart, or topics of two
    brokers: of such, the name of the `trigger` does. `alike` are the triggers of the others.
    """

    def __init__(self, path: str, trigger: str = "", alike: Sequence[str] = ()) -> None:
        self._trigger = trigger
        self._alike = alike
        url = urlsplit(path)
        name = url.path.strip("/") if url.scheme else path.strip("/")
        self._names = {name, *parse_qs(url.query).get("topic", ())}
        if url.scheme in ("", "v3io", "v3ios"):
            # Nuclio names a V3IO stream without its container.
            self._names.add(name.partition("/")[2])
        self._names.discard("")

    def sent(self, event: Any) -> bool:
        """Does the event come from it? Requests come from no stream."""
        if self._alike and event.trigger.name in (self._trigger, *self._alike):
            return bool(event.trigger.name == self._trigger)
        name = getattr(event, "stream_path", None)  # as nuclio.decode found it
        if name is None and event.trigger.kind != "http":
            name = getattr(event, "topic", None) or event.path
        return isinstance(name, str) and name.strip("/") in self._names
