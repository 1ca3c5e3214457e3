"""What steps and models get as their `context`."""

from __future__ import annotations

import os
from typing import Any


class GraphContext:
    """Nuclio's logger and Response, and the function's parameters.

    There is one per worker. Steps may set attributes of their own on it.
    """

    def __init__(
        self,
        nuclio: Any,
        parameters: dict[str, Any] | None = None,
        project: str = "",
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
        #: What `push_error` writes to: an object with `push(record)`.
        self.error_stream: Any = None
        self.server = Server(self, parameters or {})

    def get_param(self, key: str, default: Any = None) -> Any:
        """A parameter of the function."""
        return self.server.parameters.get(key, default)

    def get_secret(self, key: str) -> Any:
        """None: the graph names no source of secrets."""
        return None

    def push_error(
        self, event: Any, message: str, source: str | None = None, **kwargs: Any
    ) -> None:
        """Write a record of a failure to the error stream, or to the log without one."""
        if self.error_stream is None:
            self.logger.error(f"error in {source}: {message}")
            return
        record = {
            "function_uri": self.server.function_uri,
            "worker": self.worker_id,
            "host": os.uname().nodename,
            "source": source,
            "event": {"id": event.id, "body": event.body},
            "message": message,
            "args": kwargs,
        }
        try:
            self.error_stream.push(record)
        except Exception as exc:  # noqa: BLE001
            # The event has failed already; this must not hide how.
            self.logger.error(f"failed to write to error stream: {exc!r}")


class Server:
    """`context.server`: what graph initializers get, and what steps ask of it."""

    def __init__(self, context: GraphContext, parameters: dict[str, Any]) -> None:
        self.context = context
        self.parameters = parameters
        self.project = context.project
        self.function_name = os.environ.get("NUCLIO_FUNCTION_NAME", "")
        self.function_tag = ""
        self.function_uri = f"{self.project}/{self.function_name}"
