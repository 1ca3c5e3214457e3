"""The routes of a router: `run` (or `do_event`) takes an event and returns one.

Models and routers are routes by themselves where only `do_event` is called; `BodyRoute`
makes one of what takes bodies, and `named` what router classes find in `self.routes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from . import paths


class Route:
    """A step that takes events: a model, a router, an object with `do_event`."""

    def __init__(self, do_event: Callable[[Any], Any], name: str = "") -> None:
        self.name = name
        self.run = do_event
        self.do_event = do_event


class BodyRoute:
    """A step that takes bodies: a function, or the `do` of an object."""

    def __init__(
        self,
        function: Callable[[Any], Any],
        input_path: str | None = None,
        result_path: str | None = None,
    ) -> None:
        self.name = ""
        self._function = function
        self._input_path = input_path
        self._result_path = result_path

    def ask_aside(self, event: Any) -> Any:
        """The step's answer; the event stays as it is."""
        body = event.body
        if self._input_path:
            body = paths.get_sync(body, self._input_path)
        result = self._function(body)
        if self._result_path:
            result = paths.put_sync(event.body, self._result_path, result)
        return result

    def run(self, event: Any) -> Any:
        event.body = self.ask_aside(event)
        return event

    do_event = run


def named(made: Mapping[str, Any]) -> dict[str, Any]:
    """The routes as router classes expect them: each has a `name` and `run`."""
    found: dict[str, Any] = {}
    for name, route in made.items():
        if isinstance(route, (Route, BodyRoute)):
            route.name = name
            found[name] = route
        else:
            found[name] = Route(route.do_event, name)
    return found
