"""How a router is made: written out in the handler, or an object of its class."""

from __future__ import annotations

from dataclasses import replace

from .. import ir
from ..identifiers import Names
from ..plan import CONTEXT, Invoke, Library, Make, MakeRouter, Member, RouteMade
from .facts import Facts, FunctionFacts
from .functions import callee_of
from .mlrun_classes import VOTING

MODEL_ROUTER = "mlrun.serving.ModelRouter"

_PATHS = ("url_prefix", "health_prefix")
#: Arguments that the written-out forms know.
_WRITTEN_OUT = {
    MODEL_ROUTER: frozenset(("executor_type", *_PATHS)),
    VOTING: frozenset(("vote_type", "weights", "executor_type", *_PATHS)),
}


def router_making(
    router: ir.Router,
    facts: FunctionFacts,
    names: Names,
    *,
    attribute: str,
    root: bool,
    written_out: bool = True,
) -> MakeRouter:
    """The making of a router; `root` if it is the whole graph.

    `written_out` False asks for an object also where the router could be written out.
    """
    args = _arguments(router)
    path = (router.name,)
    routes = tuple(_route(route, facts, (*path, route.key)) for route in router.routes)
    library = router.cls.name if isinstance(router.cls, ir.Dotted) else None
    plain = all(facts.routes[*path, route.key].plain for route in router.routes)
    simple = (
        library in _WRITTEN_OUT
        and {key for key, _ in args} <= _WRITTEN_OUT[library]
        and _are_weights(dict(args).get("weights"))
        and all(isinstance(value, str) and value for key, value in args if key in _PATHS)
        and router.input_path is None
        and router.result_path is None
        and written_out
    )
    name = router.name
    method = "run" if root else names.give(attribute)
    routes_attribute = names.give("routes" if root else f"{method}_routes")
    if simple and library is not None:
        vote = library == VOTING
        return MakeRouter(
            step=router.name,
            attribute=method,
            kind="vote" if vote else "model",
            routes=routes,
            routes_attribute=routes_attribute,
            vote_attribute=names.give("vote" if root else f"{method}_vote") if vote else "",
            prefix=dict(args).get("url_prefix"),
            health=dict(args).get("health_prefix"),
            name=name,
            args=tuple((key, value) for key, value in args if key not in _PATHS),
            plain=plain,
        )
    attribute = names.give("router") if root else method
    known = facts.steps[router.name]
    invoke = Invoke(Member(attribute, known.method or "do_event"), known.takes)
    return MakeRouter(
        router.name,
        attribute,
        "object",
        routes,
        make=_object(router, known),
        invoke=_with_paths(invoke, router),
        any_result=known.own_method,
        name=name,
    )


def _arguments(router: ir.Router) -> ir.Args:
    return tuple((key, value) for key, value in router.args if key != "name")


def _object(router: ir.Router, facts: Facts) -> Make:
    """How a router is made as an object, its routes left out."""
    if not isinstance(router.cls, ir.Dotted):
        assert facts.make is not None
        return facts.make
    paths = (("input_path", router.input_path), ("result_path", router.result_path))
    extra = tuple((key, value) for key, value in paths if value is not None)
    args = (("context", CONTEXT), ("name", router.name), *_arguments(router), *extra)
    tracked = facts.make.tracked if facts.make is not None else ""
    return Make(Library(router.cls.name), (), args, starts=True, tracked=tracked)


def _are_weights(value: object) -> bool:
    return value is None or (
        isinstance(value, dict)
        and all(isinstance(key, str) for key in value)
        and all(isinstance(weight, (int, float)) for weight in value.values())
    )


def _route(route: ir.Route | ir.Router, facts: FunctionFacts, path: tuple[str, ...]) -> RouteMade:
    known = facts.routes[path]
    if isinstance(route, ir.Router):
        inner = tuple(_route(item, facts, (*path, item.key)) for item in route.routes)
        made = _object(route, known)
        if known.takes == "event":
            return RouteMade(route.key, made, routes=inner)
        invoke = Invoke(Member("", known.method or "do"), known.takes)
        return RouteMade(route.key, made, _with_paths(invoke, route), inner)
    if route.function is not None:
        callee = callee_of(route.function)
        invoke = Invoke(callee, known.takes, known.is_async, known.context)
        return RouteMade(route.key, None, _with_paths(invoke, route))
    if known.method == "do_event" and known.takes == "event":
        return RouteMade(route.key, known.make)
    invoke = Invoke(Member("", known.method or "do"), known.takes, known.is_async)
    return RouteMade(route.key, known.make, _with_paths(invoke, route))


def _with_paths(invoke: Invoke, route: ir.Route | ir.Router) -> Invoke:
    if invoke.takes == "event":
        return invoke  # event steps ignore both (serving.md 3.3)
    return replace(invoke, input_path=route.input_path, result_path=route.result_path)
