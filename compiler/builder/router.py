"""A router, as a step of a flow or as the whole graph, and its routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import ir
from ..arguments import Arguments, target_of
from ..diagnostics import GraphError, Span, did_you_mean
from ..frontend.values import External, HostFunction, HostObject, Instance
from .mistakes import not_yet
from .step import StepBuilder, last_part

if TYPE_CHECKING:
    from .flow import FlowBuilder
    from .function import FunctionBuilder


@dataclass(eq=False)
class RouteBuilder(HostObject):
    """A route of a router."""

    description = "a route"
    router: RouterBuilder
    key: str
    span: Span
    cls: Any = None
    handler: Any = None
    args: dict[str, Any] = field(default_factory=dict)
    arg_spans: Mapping[str, Span] = field(default_factory=dict)

    def freeze(self) -> ir.Route:
        arguments = Arguments(self.router.function.session)
        runs = arguments.runs(self.cls, self.handler, self.args, self.span, self.arg_spans)
        return ir.Route(self.key, self.span, runs.cls, runs.method, runs.function, runs.args)


class RouterBuilder(StepBuilder):
    """A router: a step of a flow, or the whole graph (then `flow` is None)."""

    description = "a router"
    api = StepBuilder.api | {"add_route", "routes", "plot", "steps"}

    def __init__(
        self,
        function: FunctionBuilder,
        flow: FlowBuilder | None,
        class_name: Any,
        class_args: dict[str, Any],
        where: Span,
        name: str | None = None,
    ) -> None:
        session = function.session
        cls: ir.Target
        if isinstance(class_name, Instance):
            cls, own = Arguments(session).of_instance(class_name, where)
            class_args = {**own, **class_args}
            name = name or class_args.pop("name", None)
        elif class_name is None or class_name == "":
            cls = ir.Dotted("mlrun.serving.ModelRouter", where)
        else:
            cls = target_of(session, class_name, where, "class_name")
        class_args.pop("name", None)
        super().__init__(
            flow,  # type: ignore[arg-type]
            name=name or last_part(cls),
            span=session.span,
            cls=cls,
            args=class_args,
            arg_spans=dict(session.call_spans),
        )
        self.function = function
        self._is_root = flow is None
        self.routes: dict[str, RouteBuilder] = {}

    def read(self, name: str) -> Any:
        if name == "plot":
            return HostFunction("router.plot", lambda *args, **kwargs: None)
        if self._is_root and name in ("to", "error_handler", "after_step"):
            return HostFunction(f"router.{name}", self._not_in_a_flow)
        return super().read(name)

    def _not_in_a_flow(self, *args: Any, **kwargs: Any) -> Any:
        raise GraphError(
            "the graph is a router, so no steps can follow it",
            help='use set_topology("flow") and add the router with add_step("*...")',
        )

    def add_route(
        self,
        /,
        key: Any,
        route: Any = None,
        class_name: Any = None,
        handler: Any = None,
        function: Any = None,
        creation_strategy: Any = None,
        **class_args: Any,
    ) -> RouteBuilder:
        session = self.function.session
        key = session.text(key, "a route's key", session.argument_span("key", 0))
        if function is not None:
            raise GraphError(
                "a route in another function is never reached: MLRun answers with the request",
                code="GC016",
                help="leave function= out",
            )
        if route is not None:
            raise not_yet("route objects")
        if class_name is None and handler is None:
            raise GraphError(f"route {key!r} names no class", help="pass class_name=")
        if class_name == "$remote":
            raise not_yet("remote routes ($remote)")
        # Paths given here never reach the model in mlrun 1.12 (spec/serving.md Q3).
        for name in ("input_path", "result_path"):
            if class_args.pop(name, None) is not None:
                session.diagnostics.warning(
                    "GC032",
                    f"{name} of a route has no effect, as in MLRun",
                    session.argument_span(name),
                )
        # Stray wiring keywords occur in the wild; a route has no place among the steps.
        class_args.pop("after", None)
        built = RouteBuilder(
            self, key, session.span, class_name, handler, class_args, dict(session.call_spans)
        )
        self.routes[key] = built
        return built

    def item(self, key: Any) -> Any:
        if key not in self.routes:
            raise GraphError(
                f"there is no route {key!r}", code="GC011", help=did_you_mean(key, self.routes)
            )
        return self.routes[key]

    def iterate(self) -> list[Any]:
        return list(self.routes)

    def contains(self, key: Any) -> bool:
        return key in self.routes

    def freeze(self) -> ir.Router:  # type: ignore[override]
        arguments = Arguments(self.function.session)
        return ir.Router(
            name=self.name,
            span=self.span,
            cls=self.cls,
            args=arguments.freeze(self.args, self.span, self.arg_spans),
            routes=tuple(route.freeze() for route in self.routes.values()),
            after=tuple(self.after),
            input_path=arguments.path(self.input_path, "input_path", self.span),
            result_path=arguments.path(self.result_path, "result_path", self.span),
            responder=bool(arguments.flag(self.responder, "responder", self.span)),
            on_error=self.on_error,
        )


def is_router_object(value: Any) -> bool:
    """Is this `ModelRouter()` or the like, given as an object?"""
    return (
        isinstance(value, Instance)
        and isinstance(value.cls, External)
        and value.cls.dotted.startswith("mlrun.serving.")
        and value.cls.dotted.rpartition(".")[2]
        in ("ModelRouter", "VotingEnsemble", "ParallelRun", "BaseModelRouter")
    )
