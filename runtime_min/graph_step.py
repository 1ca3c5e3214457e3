"""What a constructor with a parameter `graph_step` learns of its step (mlrun 1.12).

The fields of MLRun's step object that the graph itself decides. There are no step objects
to walk in a package, so everything else is an error that says so.
"""

from __future__ import annotations

from typing import Any


class GraphStep:
    """A step as the graph file describes it."""

    def __init__(
        self,
        name: str,
        kind: str = "task",
        class_name: str | None = None,
        class_args: dict[str, Any] | None = None,
        handler: str | None = None,
        function: str | None = None,
        after: list[str] | None = None,
        full_event: bool | None = None,
        input_path: str | None = None,
        result_path: str | None = None,
        on_error: str | None = None,
        responder: bool | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.class_name = class_name
        self.class_args = class_args or {}
        self.handler = handler
        self.function = function
        self.after = after or []
        self.full_event = full_event
        self.input_path = input_path
        self.result_path = result_path
        self.on_error = on_error
        self.responder = responder

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"a package has no graph_step.{name}: it knows what the graph file says of the "
            "step, and no other steps"
        )
