"""What steps and models get as their `context` (mlrun 1.12, `serving/server.py`)."""

from __future__ import annotations

import inspect
import os
import socket
from collections.abc import Mapping
from typing import Any, Callable

#: Secrets of an MLRun project are mounted under names that begin so.
_MOUNTED = "MLRUN_K8S_SECRET__"
_NEED_MLRUN = {
    "executor": "the flow of mlrun's own engine",
    "get_remote_endpoint": "the MLRun service; give the step a URL",
    "get_store_resource": "MLRun's artifact store",
    "get_table": "MLRun's feature store",
    "project_obj": "the MLRun service",
    "root": "the step objects of mlrun; hand steps what they need as arguments",
}


class GraphContext:
    """Nuclio's logger and Response, and what the function was set up with.

    There is one per worker. Steps may set attributes of their own on it.
    """

    def __init__(
        self,
        nuclio: Any,
        function: str = "",
        project: str = "",
        tag: str = "",
        parameters: dict[str, Any] | None = None,
        secrets: Mapping[str, str | None] | None = None,
        error_stream: Any = None,
        output_stream: Any = None,
        current_function: str = "",
        verbose: bool = False,
    ) -> None:
        self.logger = nuclio.logger
        self.Response = nuclio.Response
        self.platform = nuclio.platform
        self.worker_id = nuclio.worker_id
        self.trigger = nuclio.trigger.kind
        self.project = project
        self.current_function = current_function
        self.verbose = verbose
        self.is_mock = False
        self.monitoring_mock = False
        self.state: Any = None
        self.server = Server(self, function, tag, parameters or {})
        self.stream = Stream(self.server.function_uri, output_stream)
        self._secrets = secrets or {}
        #: What `push_error` writes to: an object with `push(record)`.
        self._error_stream = error_stream
        self._closing: list[Callable[[], Any]] = []

    def get_param(self, key: str, default: Any = None) -> Any:
        """A parameter of the function."""
        return self.server.parameters.get(key, default)

    def get_secret(self, key: str) -> Any:
        """A secret: from the function's sources, else one of the project's; or None."""
        return self._secrets.get(key) or os.environ.get(_MOUNTED + key) or None

    def at_termination(self, close: Callable[[], Any]) -> None:
        """Have `close` called when the worker ends, and awaited if it is a coroutine.

        Nuclio itself keeps one callback only.
        """
        if not self._closing:
            self.platform.set_termination_callback(self._terminate)
        self._closing.append(close)

    async def _terminate(self) -> None:
        for close in reversed(self._closing):
            closing = close()
            if inspect.isawaitable(closing):
                await closing

    def push_error(
        self, event: Any, message: str, source: str | None = None, **kwargs: Any
    ) -> None:
        """Write a record of a failure to the error stream, or to the log without one."""
        if self.verbose:
            self.logger.error(
                f"got error from {source} state:\n{event.body}\n{message}"
            )
        if self._error_stream is None:
            self.logger.error(f"error in {source}: {message}")
            return
        record = {
            "function_uri": self.server.function_uri,
            "worker": self.worker_id,
            "host": socket.gethostname(),
            "source": source,
            "event": {"id": event.id, "body": event.body},
            "message": message,
            "args": kwargs,
        }
        try:
            self._error_stream.push(record)
        except Exception as exc:  # noqa: BLE001
            # The event has failed already; this must not hide how.
            self.logger.error(f"failed to write to error stream: {exc!r}")

    def __getattr__(self, name: str) -> Any:
        if name in _NEED_MLRUN:
            raise AttributeError(f"context.{name} needs {_NEED_MLRUN[name]}")
        raise AttributeError(f"the context has no attribute {name!r}")


class Server:
    """`context.server`: what graph initializers get, and what steps ask of it."""

    def __init__(
        self, context: GraphContext, function: str, tag: str, parameters: dict[str, Any]
    ) -> None:
        self.context = context
        self.parameters = parameters
        self.verbose = context.verbose
        self.project = context.project
        self.function_name = function
        self.function_tag = tag or None
        self.function_uri = f"{self.project}/{function}" + (f":{tag}" if tag else "")

    def __getattr__(self, name: str) -> Any:
        if name == "graph":
            raise AttributeError(f"server.graph needs {_NEED_MLRUN['root']}")
        raise AttributeError(f"the server has no attribute {name!r}")


class Stream:
    """`context.stream`: where records of model tracking go, if it is switched on."""

    def __init__(self, function_uri: str, output_stream: Any = None) -> None:
        self.enabled = output_stream is not None
        self.hostname = socket.gethostname()
        self.function_uri = function_uri
        self.output_stream = output_stream
