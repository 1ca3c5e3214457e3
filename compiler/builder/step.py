"""A step of a flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import ir
from ..diagnostics import GraphError
from ..frontend.values import HostObject
from . import mlrun_names
from .task import SETTINGS, TaskBuilder

if TYPE_CHECKING:
    from .flow import FlowBuilder

#: Calls that rearrange steps which are there, and what to do instead.
REARRANGED: Mapping[str, str] = {
    "insert_step": "add the step where it belongs: graph.add_step(..., after=..., before=...)",
    "set_next": "let the step that follows name this one: graph.add_step(..., after=...)",
    "cycle_from": "write the loop into the code of a step",
    "cycle_to": "write the loop into the code of a step",
}


@dataclass(eq=False)
class StepBuilder(TaskBuilder):
    """A step of a flow."""

    description = "a step"
    api = frozenset(
        (*"to error_handler respond after_step name after on_error function".split(), *SETTINGS)
    )
    known = mlrun_names.STEP
    refused = REARRANGED
    #: None: the step is in no flow.
    flow: FlowBuilder | None = None
    after: list[str] = field(default_factory=list)
    on_error: str | None = None
    catcher: bool = False
    before: tuple[str, ...] = ()
    #: The function that it runs in, as `ir.Task` has it, and where that is said.
    runs_in: str = ""

    def to(
        self,
        /,
        class_name: Any = None,
        name: Any = None,
        handler: Any = None,
        graph_shape: Any = None,
        function: Any = None,
        full_event: Any = None,
        input_path: Any = None,
        result_path: Any = None,
        model_endpoint_creation_strategy: Any = None,
        cycle_to: Any = None,
        max_iterations: Any = None,
        **class_args: Any,
    ) -> StepBuilder:
        """Add a step that follows this one."""
        return self._flow.add(
            class_name,
            name,
            handler,
            function,
            full_event,
            input_path,
            result_path,
            cycle_to,
            class_args,
            after=[self.name],
        )

    def error_handler(
        self,
        /,
        name: Any = None,
        class_name: Any = None,
        handler: Any = None,
        before: Any = None,
        function: Any = None,
        full_event: Any = None,
        input_path: Any = None,
        result_path: Any = None,
        **class_args: Any,
    ) -> HostObject:
        """Name the step that takes this one's failures, and add it unless only a name is given."""
        self.on_error = self._flow.add_catcher(
            name,
            class_name,
            handler,
            before,
            function,
            full_event,
            input_path,
            result_path,
            class_args,
        )
        return self

    @property
    def _flow(self) -> FlowBuilder:
        if self.flow is None:
            raise GraphError(
                f"{self.description} that is in no flow has no steps after it",
                help="add it to a flow with graph.add_step(), and use what that returns",
            )
        return self.flow

    @property
    def function(self) -> str | None:
        return self.runs_in or None

    def after_step(self, *after: Any, append: bool = True) -> StepBuilder:
        if not append:
            self.after.clear()
        for name in after:
            self.after.append(self._flow.existing(name, "after"))
        return self

    def assign(self, name: str, value: Any) -> None:
        session = self.session
        if name == "after":
            names = value if isinstance(value, (list, tuple)) else [value]
            self.after = [self._flow.existing(name, "after") for name in names]
        elif name == "on_error":
            self.on_error = session.text(value, "on_error", session.span)
        elif name == "function":
            self.runs_in = session.text(value, "function", session.span) if value else ""
        else:
            super().assign(name, value)

    def freeze(self) -> ir.Task:
        runs = self.runs()
        return ir.Task(
            name=self.name,
            span=self.span,
            cls=runs.cls,
            method=runs.method,
            function=runs.function,
            args=runs.args,
            after=tuple(self.after),
            full_event=self.flag("full_event"),
            input_path=self.path("input_path"),
            result_path=self.path("result_path"),
            responder=bool(self.flag("responder")),
            on_error=self.on_error,
            catcher=self.catcher,
            before=self.before,
            runs_in=self.runs_in,
        )
