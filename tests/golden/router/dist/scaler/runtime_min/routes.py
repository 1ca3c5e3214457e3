"""The routes of a router: `run` (or `do_event`) takes an event and returns one.

Models are routes by themselves where a router calls `do_event`; these two are for the
rest, and for router classes, which call `run`.
"""

from __future__ import annotations

from typing import Any, Callable

from . import paths


class Route:
    """A step that takes events: a model, a router, an object with `do_event`."""

    def __init__(self, name: str, do_event: Callable[[Any], Any]) -> None:
        self.name = name
        self.run = do_event
        self.do_event = do_event


class BodyRoute:
    """A step that takes bodies: a function, or the `do` of an object."""

    def __init__(
        self,
        name: str,
        function: Callable[[Any], Any],
        input_path: str | None = None,
        result_path: str | None = None,
    ) -> None:
        self.name = name
        self._function = function
        self._input_path = input_path
        self._result_path = result_path

    def run(self, event: Any) -> Any:
        body = event.body
        if self._input_path:
            body = paths.get_sync(body, self._input_path)
        result = self._function(body)
        if self._result_path:
            result = paths.put_sync(event.body, self._result_path, result)
        event.body = result
        return event

    do_event = run
