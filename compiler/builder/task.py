"""What a step and a route have in common: the code that is run, and what it gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import ir
from ..arguments import Arguments, Runs
from ..diagnostics import GraphError, Span, did_you_mean
from ..frontend.values import HostObject
from . import mlrun_names
from .mistakes import ATTRIBUTE_ERROR

if TYPE_CHECKING:
    from .session import Session


@dataclass(eq=False)
class TaskBuilder(HostObject):
    """A class or function that is run, with its arguments."""

    session: Session
    name: str
    span: Span
    cls: Any = None
    handler: Any = None
    args: dict[str, Any] = field(default_factory=dict)
    arg_spans: Mapping[str, Span] = field(default_factory=dict)
    full_event: Any = None
    input_path: Any = None
    result_path: Any = None
    responder: bool = False

    def respond(self) -> TaskBuilder:
        self.responder = True
        return self

    def assign(self, name: str, value: Any) -> None:
        known = ("full_event", "responder", "input_path", "result_path")
        if name not in known:
            raise GraphError(
                f"{self.description} has no setting {name!r}",
                code="GC011",
                help=did_you_mean(name, known),
            )
        setattr(self, name, value)

    def runs(self) -> Runs:
        """The code, found and checked; raises GraphError."""
        arguments = Arguments(self.session)
        return arguments.runs(self.cls, self.handler, self.args, self.span, self.arg_spans)

    def flag(self, name: str) -> bool | None:
        """The setting of this name as a truth value, None if it was not given."""
        return Arguments(self.session).flag(getattr(self, name), name, self.span)

    def path(self, name: str) -> str | None:
        """`input_path` or `result_path`."""
        return Arguments(self.session).path(getattr(self, name), name, self.span)


@dataclass(eq=False)
class RouteBuilder(TaskBuilder):
    """A route of a router, or a `TaskStep(...)` that is in no graph yet."""

    description = "a route"
    api = frozenset(
        "name full_event input_path result_path responder respond to error_handler".split()
    )
    known = mlrun_names.ROUTE

    def to(self, *args: Any, **kwargs: Any) -> None:
        """`route.to()` and `route.error_handler()`, which fail in MLRun, too."""
        raise GraphError(
            "a route is not followed by steps of its own, and has no error handler",
            help="call it on the router",
            raises=ATTRIBUTE_ERROR,
        )

    error_handler = to

    @property
    def key(self) -> str:
        return self.name

    def freeze(self) -> ir.Route:
        runs = self.runs()
        return ir.Route(
            self.name,
            self.span,
            runs.cls,
            runs.method,
            runs.function,
            runs.args,
            self.flag("full_event"),
            self.path("input_path"),
            self.path("result_path"),
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
