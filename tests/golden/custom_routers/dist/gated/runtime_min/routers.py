"""Router classes to derive from (mlrun 1.12, `serving/routers.py`).

Generated code writes plain routers out; a graph's own router classes have these bases.
How a request is read is in `router`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import paths, router


class BaseModelRouter:
    """Reads a request, answers health checks, and leaves the rest to `_handle_event`.

    `routes` has a route, an object with `run(event) -> event`, for each name.
    """

    def __init__(
        self,
        context: Any = None,
        name: str | None = None,
        routes: Mapping[str, Any] | None = None,
        protocol: str | None = None,
        url_prefix: str | None = None,
        health_prefix: str | None = None,
        input_path: str | None = None,
        result_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.name = name
        self.context = context
        self.routes = routes or {}
        self.protocol = protocol or "v2"
        self.url_prefix = url_prefix or f"/{self.protocol}/models"
        self.health_prefix = health_prefix or f"/{self.protocol}/health"
        self.inputs_key = "instances" if self.protocol == "v1" else "inputs"
        self.kwargs = kwargs
        self._input_path = input_path
        self._result_path = result_path

    def post_init(self, mode: str | None = "sync", **kwargs: Any) -> None:
        """Called once, when all routes are ready."""

    def do_event(self, event: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer an event; the answer becomes its body."""
        original = event.body
        if self._input_path:
            event.body = paths.get_sync(original, self._input_path)
        event = self._pre_handle_event(self.preprocess(event))
        if not getattr(event, "terminated", False):
            event = self.postprocess(self._handle_event(event))
        if self._result_path:
            event.body = paths.put_sync(original, self._result_path, event.body)
        return event

    # -- what subclasses write

    def preprocess(self, event: Any) -> Any:
        return event

    def postprocess(self, event: Any) -> Any:
        return event

    def parse_event(self, event: Any) -> Any:
        """The body as a dict; called for every body but those of GET."""
        return router.parse(event, self.inputs_key)

    def get_metadata(self) -> dict[str, Any]:
        """The answer to `GET /` and to health checks."""
        return {"name": type(self).__name__, "version": "v2", "extensions": []}

    def _handle_event(self, event: Any) -> Any:
        return event

    def _pre_handle_event(self, event: Any) -> Any:
        """Parse the body; `terminated` is set on an event that is answered by this."""
        if event.body and event.method != "GET":
            event.body = self.parse_event(event)
        if router.asks_metadata(event, self.health_prefix):
            event.terminated = True
            event.body = self.get_metadata()
            return event
        path = event.path
        if path not in ("", "/") and not path.startswith(self.url_prefix):
            raise ValueError(
                f"illegal path prefix {path}, must start with {self.url_prefix}"
            )
        return event


class ModelRouter(BaseModelRouter):
    """Hands a request to the route that its path, or its body, names."""

    def _resolve_route(self, body: Any, urlpath: str) -> tuple[str, Any, str]:
        """`(name, route, operation)`; no name and no route for a list of the models."""
        model, operation = router.split(urlpath, self.url_prefix)
        if operation is not None and not model:
            return "", None, ""
        model, operation = router.named(model, operation, body, self.routes)
        return model, self.routes[model], operation

    def _handle_event(self, event: Any) -> Any:
        _, route, event_path = self._resolve_route(event.body, event.path)
        if not route:
            event.terminated = True
            event.body = {"models": list(self.routes)}
            return event
        event.path = event_path
        answer = route.run(event)
        event.body = answer.body if answer else None
        return event
