"""A step of a flow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import ir
from ..arguments import Arguments
from ..diagnostics import GraphError, Span
from ..frontend.values import HostObject

if TYPE_CHECKING:
    from .flow import FlowBuilder


@dataclass(eq=False)
class StepBuilder(HostObject):
    """A step of a flow."""

    description = "a step"
    api = frozenset(
        "to error_handler respond after_step name after full_event on_error responder".split()
    )
    flow: FlowBuilder
    name: str
    span: Span
    cls: Any = None
    handler: Any = None
    args: dict[str, Any] = field(default_factory=dict)
    arg_spans: Mapping[str, Span] = field(default_factory=dict)
    after: list[str] = field(default_factory=list)
    full_event: Any = None
    input_path: Any = None
    result_path: Any = None
    responder: bool = False
    on_error: str | None = None
    catcher: bool = False
    before: tuple[str, ...] = ()

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
        return self.flow.add(
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
        self.on_error = self.flow.add_catcher(
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

    def respond(self) -> StepBuilder:
        self.responder = True
        return self

    def after_step(self, *after: Any, append: bool = True) -> StepBuilder:
        if not append:
            self.after.clear()
        for name in after:
            self.after.append(self.flow.existing(name, "after"))
        return self

    def assign(self, name: str, value: Any) -> None:
        session = self.flow.function.session
        if name == "after":
            names = value if isinstance(value, (list, tuple)) else [value]
            self.after = [self.flow.existing(name, "after") for name in names]
        elif name == "on_error":
            self.on_error = session.text(value, "on_error", session.span)
        elif name in ("full_event", "responder", "input_path", "result_path"):
            setattr(self, name, value)
        else:
            raise GraphError(f"a step has no setting {name!r}", code="GC011")

    def freeze(self) -> ir.Task:
        session = self.flow.function.session
        arguments = Arguments(session)
        runs = arguments.runs(self.cls, self.handler, self.args, self.span, self.arg_spans)
        return ir.Task(
            name=self.name,
            span=self.span,
            cls=runs.cls,
            method=runs.method,
            function=runs.function,
            args=runs.args,
            after=tuple(self.after),
            full_event=arguments.flag(self.full_event, "full_event", self.span),
            input_path=arguments.path(self.input_path, "input_path", self.span),
            result_path=arguments.path(self.result_path, "result_path", self.span),
            responder=bool(arguments.flag(self.responder, "responder", self.span)),
            on_error=self.on_error,
            catcher=self.catcher,
            before=self.before,
        )


def last_part(cls: ir.Target | None) -> str:
    """The last dotted part of a class's name: the name of a step that is given none."""
    match cls:
        case ir.Named(text=text):
            return text.rpartition(".")[2]
        case ir.Dotted(name=name):
            return name.rpartition(".")[2]
        case ir.UserCode(symbol=symbol):
            return symbol.name
    return ""
