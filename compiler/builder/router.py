"""A router, as a step of a flow, as the whole graph or as a route, and its routes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .. import ir
from ..arguments import Arguments
from ..diagnostics import GraphError, did_you_mean
from ..frontend.values import External, HostFunction, Instance
from ..runtime_names import canonical
from . import mlrun_names
from .mistakes import INVALID_ARGUMENT, KEY_ERROR
from .step import StepBuilder
from .task import RouteBuilder, TaskBuilder

MODEL_ROUTER = "mlrun.serving.ModelRouter"
_ROUTERS = frozenset(
    (
        MODEL_ROUTER,
        "mlrun.serving.VotingEnsemble",
        "mlrun.serving.routers.BaseModelRouter",
        "mlrun.serving.routers.EnrichmentModelRouter",
        "mlrun.serving.routers.EnrichmentVotingEnsemble",
        "mlrun.serving.routers.ParallelRun",
    )
)
#: As mlrun 1.12's `MAX_MODELS_PER_ROUTER`.
_MOST_ROUTES = 5000


@dataclass(eq=False)
class RouterBuilder(StepBuilder):
    """A router: a step of a flow, the whole graph, or a `RouterStep(...)` in no graph yet."""

    description = "a router"
    api = StepBuilder.api | {"add_route", "clear_children", "routes", "plot", "steps"}
    known = mlrun_names.ROUTER

    routes: dict[str, TaskBuilder] = field(default_factory=dict)
    is_root: bool = False

    def read(self, name: str) -> Any:
        if name == "plot":
            return HostFunction("router.plot", lambda *args, **kwargs: None)
        if self.is_root and name in ("to", "error_handler", "after_step"):
            return HostFunction(f"router.{name}", self._not_in_a_flow)
        return super().read(name)

    def _not_in_a_flow(self, *args: Any, **kwargs: Any) -> Any:
        raise GraphError(
            "the graph is a router, so no steps can follow it",
            help='use set_topology("flow") and add the router with add_step("*...")',
        )

    def copy(self, **changes: Any) -> RouterBuilder:
        """A router of its own, as MLRun makes one of an object that is put into a graph."""
        return replace(self, routes=dict(self.routes), args=dict(self.args), **changes)

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
    ) -> TaskBuilder:
        session = self.session
        key = session.text(key, "a route's key", session.argument_span("key", 0))
        if function is not None:
            raise GraphError(
                "a route in another function is never reached: MLRun answers with the request",
                code="GC016",
                help="leave function= out",
            )
        if len(self.routes) >= _MOST_ROUTES and key not in self.routes:
            raise GraphError(f"a router has at most {_MOST_ROUTES} routes")
        made: TaskBuilder
        if route is None:
            made = self._named_route(key, class_name, handler, class_args)
        elif isinstance(route, (RouteBuilder, RouterBuilder)):
            made = route
            made.name = key
        else:
            where = session.argument_span("route", 1)
            raise session.wrong_value(route, "a route is a TaskStep or a RouterStep", where)
        self.routes[key] = made
        return made

    def _named_route(
        self, key: str, class_name: Any, handler: Any, class_args: dict[str, Any]
    ) -> RouteBuilder:
        session = self.session
        if class_name is None and handler is None:
            raise GraphError(
                f"route {key!r} names no class", help="pass class_name=", raises=INVALID_ARGUMENT
            )
        if isinstance(class_name, str) and class_name.startswith("*"):
            raise GraphError(
                "a router as a route is given as an object",
                span=session.argument_span("class_name", 2),
                help=f"add_route({key!r}, RouterStep(class_name={class_name[1:]!r}, ...))",
            )
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
        paths: dict[str, Any] = {}
        if isinstance(class_name, Instance):
            class_name, own = Arguments(session).of_instance(
                class_name, session.argument_span("class_name", 2)
            )
            own.pop("name", None)
            paths = {name: own.pop(name, None) for name in ("input_path", "result_path")}
            class_args = {**own, **class_args}
        return RouteBuilder(
            session,
            key,
            session.span,
            class_name,
            handler,
            class_args,
            dict(session.call_spans),
            **paths,
        )

    def item(self, key: Any) -> Any:
        if key not in self.routes:
            raise GraphError(
                f"there is no route {key!r}",
                code="GC011",
                help=did_you_mean(key, self.routes),
                raises=KEY_ERROR,
            )
        return self.routes[key]

    def remove(self, key: Any) -> None:
        self.item(key)
        del self.routes[key]

    def clear_children(self, routes: Any = None) -> None:
        """Remove the routes of these names, or all."""
        for key in self.session.listed(routes, "routes") or list(self.routes):
            self.remove(key)

    def iterate(self) -> list[Any]:
        return list(self.routes)

    def contains(self, key: Any) -> bool:
        return key in self.routes

    def freeze(self) -> ir.Router:  # type: ignore[override]
        arguments = Arguments(self.session)
        where = self.arg_spans.get("handler", self.span)
        return ir.Router(
            name=self.name,
            span=self.span,
            cls=self.cls,
            args=arguments.freeze(self.args, self.span, self.arg_spans),
            routes=tuple(self._frozen(key, route) for key, route in self.routes.items()),
            after=tuple(self.after),
            input_path=self.path("input_path"),
            result_path=self.path("result_path"),
            responder=bool(self.flag("responder")),
            on_error=self.on_error,
            runs_in=self.runs_in,
            method=None if self.handler is None else arguments.method(self.handler, where),
        )

    def _frozen(self, key: str, route: TaskBuilder) -> Any:
        """A route under its key: one object may stand under several."""
        route.name = key
        return route.freeze()  # type: ignore[attr-defined]


def is_router_object(value: Any) -> bool:
    """Is this `ModelRouter()`, or of a class that is derived from such?"""
    if not isinstance(value, Instance):
        return False
    pending, seen = [value.cls], set()
    while pending:
        cls = pending.pop()
        if isinstance(cls, External) and canonical(cls.dotted) in _ROUTERS:
            return True
        if id(cls) not in seen:
            seen.add(id(cls))
            pending += getattr(cls, "bases", ())
    return False
