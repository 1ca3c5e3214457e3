"""Steps as objects: `TaskStep(...)`, `RouterStep(...)`, `ModelRouter()` (serving.md 1.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ir
from ..arguments import Arguments, target_of
from ..diagnostics import GraphError, Span
from ..frontend.values import Instance, Unknown
from .mistakes import unknown_value
from .router import MODEL_ROUTER, RouterBuilder
from .task import RouteBuilder, TaskBuilder, last_part

if TYPE_CHECKING:
    from .session import Session


def router(
    session: Session,
    class_name: Any,
    class_args: dict[str, Any],
    where: Span,
    name: str | None = None,
    **more: Any,
) -> RouterBuilder:
    """A router of a class given by name or as an object; raises GraphError."""
    if isinstance(class_name, RouterBuilder):
        more = {key: value for key, value in more.items() if value is not None}
        return class_name.copy(name=name or class_name.name, **more)
    cls: ir.Target
    if isinstance(class_name, Instance):
        cls, own = Arguments(session).of_instance(class_name, where)
        class_args = {**own, **class_args}
        name = name or class_args.get("name")
        for path in ("input_path", "result_path"):
            given = class_args.pop(path, None)
            more[path] = more.get(path) or given
    elif class_name is None or class_name == "":
        if more.get("handler") is not None:
            raise GraphError(
                "a router that names a function instead of a class never asks its routes",
                code="GC016",
                span=where,
                help="add the function as a step: graph.add_step(handler=...)",
            )
        cls = ir.Dotted(MODEL_ROUTER, where)
        name = name or "router"
    else:
        cls = target_of(session, class_name, where, "class_name")
    return RouterBuilder(
        session,
        name or last_part(cls),
        session.span,
        cls,
        args={key: value for key, value in class_args.items() if key != "name"},
        arg_spans=dict(session.call_spans),
        **more,
    )


class StepObjects:
    """The step classes of `mlrun.serving` that graph files call."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def task_step(
        self,
        class_name: Any = None,
        class_args: Any = None,
        handler: Any = None,
        name: Any = None,
        after: Any = None,
        full_event: Any = None,
        function: Any = None,
        responder: Any = None,
        input_path: Any = None,
        result_path: Any = None,
        model_endpoint_creation_strategy: Any = None,
        endpoint_type: Any = None,
    ) -> RouteBuilder:
        """`TaskStep(...)`: a step or route that is in no graph yet."""
        session = self._session
        self._no_wiring(after, function)
        if class_name is None and handler is None:
            raise GraphError("the step names neither a class nor a function")
        return RouteBuilder(
            session,
            self._name(name),
            session.span,
            class_name,
            handler,
            self._arguments(class_args),
            dict(session.call_spans),
            full_event=full_event,
            input_path=input_path,
            result_path=result_path,
            responder=bool(responder),
        )

    def router_step(
        self,
        class_name: Any = None,
        class_args: Any = None,
        handler: Any = None,
        routes: Any = None,
        name: Any = None,
        function: Any = None,
        input_path: Any = None,
        result_path: Any = None,
    ) -> RouterBuilder:
        """`RouterStep(...)`: a router that is in no graph yet."""
        session = self._session
        self._no_wiring(None, function)
        made = router(
            session,
            class_name,
            self._arguments(class_args),
            session.argument_span("class_name", 0),
            self._name(name) or None,
            handler=handler,
            input_path=input_path,
            result_path=result_path,
        )
        add_routes(made, routes)
        return made

    def _arguments(self, class_args: Any) -> dict[str, Any]:
        if class_args is None:
            return {}
        if not isinstance(class_args, dict):
            session = self._session
            where = session.argument_span("class_args", 1)
            raise session.wrong_value(class_args, "class_args must be a dict", where)
        return dict(class_args)

    def _name(self, name: Any) -> str:
        session = self._session
        return session.text(name, "a step's name", session.argument_span("name")) if name else ""

    def _no_wiring(self, after: Any, function: Any) -> None:
        if isinstance(after, Unknown):
            raise unknown_value(after, self._session.argument_span("after"))
        if after:
            raise GraphError(
                "a step that is in no graph yet follows no step",
                span=self._session.argument_span("after"),
                help="give after= to graph.add_step()",
            )
        if function not in (None, "*"):
            raise GraphError(
                "the function of a step is given where the step is added",
                span=self._session.argument_span("function"),
                help="pass function= to graph.add_step() or .to()",
            )


def add_routes(made: RouterBuilder, routes: Any) -> None:
    """The routes that a router is made with: step objects by key."""
    if routes is None:
        return
    session = made.session
    if not isinstance(routes, dict):
        where = session.argument_span("routes")
        raise session.wrong_value(routes, "routes must be a dict of step objects", where)
    for key, route in routes.items():
        if not isinstance(route, TaskBuilder):
            where = session.argument_span("routes")
            raise session.wrong_value(route, "a route is a TaskStep or a RouterStep", where)
        made.add_route(key, route)
