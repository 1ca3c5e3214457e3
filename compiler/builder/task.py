"""What a step and a route have in common: the code that is run, and what it gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import ir
from ..arguments import Arguments, Runs, target_of
from ..diagnostics import GraphError, Span, did_you_mean
from ..frontend.values import HostObject
from . import mlrun_names
from .mistakes import ATTRIBUTE_ERROR

if TYPE_CHECKING:
    from .session import Session

#: What a graph file may read of a step or route, and set.
SETTINGS = (
    "class_name", "class_args", "handler", "full_event", "responder", "input_path", "result_path",
)  # fmt: skip


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

    @property
    def class_args(self) -> dict[str, Any]:
        """The arguments, which a graph file may change in place."""
        return self.args

    @property
    def class_name(self) -> Any:
        return self.cls.text if isinstance(self.cls, ir.Named) else self.cls

    def respond(self) -> TaskBuilder:
        self.responder = True
        return self

    def assign(self, name: str, value: Any) -> None:
        session = self.session
        match name:
            case "full_event" | "responder" | "input_path" | "result_path" | "handler":
                setattr(self, name, value)
            case "class_name":
                self.cls = target_of(session, value, session.span, name)
            case "class_args":
                if not isinstance(value, dict):
                    raise session.wrong_value(value, "class_args must be a dict", session.span)
                self.args = value
            case _:
                raise GraphError(
                    f"{self.description} has no setting {name!r}",
                    code="GC011",
                    help=did_you_mean(name, SETTINGS),
                )
        self.arg_spans = {**self.arg_spans, name: session.span}

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
    api = frozenset(("name", "respond", "to", "error_handler", *SETTINGS))
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
