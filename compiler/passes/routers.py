"""How a router is made: written out in the handler, or an object of its class."""

from __future__ import annotations

from .. import ir
from ..identifiers import Names
from ..plan import CONTEXT, Invoke, Library, Make, MakeRouter, Member, RouteMade
from .infer import VOTING, Facts, FunctionFacts, callee_of

MODEL_ROUTER = "mlrun.serving.ModelRouter"

#: Arguments that the written-out forms know.
_WRITTEN_OUT = {
    MODEL_ROUTER: frozenset(("executor_type",)),
    VOTING: frozenset(("vote_type", "weights", "executor_type")),
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
    args = tuple((key, value) for key, value in router.args if key != "name")
    routes = tuple(_route(route, facts.routes[router.name, route.key]) for route in router.routes)
    library = router.cls.name if isinstance(router.cls, ir.Dotted) else None
    plain = all(facts.routes[router.name, route.key].plain for route in router.routes)
    simple = (
        library in _WRITTEN_OUT
        and {key for key, _ in args} <= _WRITTEN_OUT[library]
        and _are_weights(dict(args).get("weights"))
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
            name=name,
            args=args,
            plain=plain,
        )
    made = facts.steps[router.name].make
    assert made is not None
    if library is not None:
        paths = (("input_path", router.input_path), ("result_path", router.result_path))
        extra = tuple((key, value) for key, value in paths if value is not None)
        made = Make(
            Library(library), (), (("context", CONTEXT), ("name", name), *args, *extra), starts=True
        )
    attribute = names.give("router") if root else method
    return MakeRouter(router.name, attribute, "object", routes, make=made, name=name)


def _are_weights(value: object) -> bool:
    return value is None or (
        isinstance(value, dict)
        and all(isinstance(key, str) for key in value)
        and all(isinstance(weight, (int, float)) for weight in value.values())
    )


def _route(route: ir.Route, facts: Facts) -> RouteMade:
    if route.function is not None:
        invoke = Invoke(callee_of(route.function), facts.takes, facts.is_async, facts.context)
        return RouteMade(route.key, None, invoke)
    if facts.protocol:
        return RouteMade(route.key, facts.make)
    method = facts.method or "do"
    return RouteMade(route.key, facts.make, Invoke(Member("", method), facts.takes, facts.is_async))
