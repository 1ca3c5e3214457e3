"""Which models and ensembles write tracking records (spec/serving.md 6.6).

Before:  m: start :Model(context, 'm', model_endpoint_uid='u')   (of a function with set_tracking)
After:   m: start tracked :Model(context, 'm', model_endpoint_uid='u')

Only those with an endpoint's uid do: from MLRun's service, or given in the graph. Others are left
as they are, so that nothing is asked for each event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .. import ir
from ..code_index import CodeIndex, Symbol
from ..diagnostics import Diagnostics
from .facts import Facts, FunctionFacts
from .mlrun_classes import MODELS, VOTING

_UID = "model_endpoint_uid"


def track(
    graph: ir.Graph,
    facts: Mapping[str, FunctionFacts],
    index: CodeIndex,
    diagnostics: Diagnostics,
) -> Mapping[str, FunctionFacts]:
    """The facts, with what is tracked; tracking without effect is reported (GC032)."""
    return {
        function.name: _tracked(function, facts[function.name], index, diagnostics)
        for function in graph.functions
    }


def log_stream(function: ir.Function) -> Any:
    """Where a function's records go: a path or EnvLookup, None if it names no stream."""
    path = dict(function.serving.parameters).get("log_stream")
    if isinstance(path, str):
        return path.replace("{project}", function.project or "default") or None
    return path


def _tracked(
    function: ir.Function, facts: FunctionFacts, index: CodeIndex, diagnostics: Diagnostics
) -> FunctionFacts:
    span = function.serving.tracking
    if log_stream(function) is None:
        if span is not None:
            diagnostics.warning(
                "GC032",
                "models are tracked in a stream of MLRun's service, which packages do without, "
                "so nothing is tracked",
                span,
                help="name a stream: fn.set_tracking(stream_path=...)",
            )
        return facts
    found = FunctionFacts(dict(facts.steps), dict(facts.routes))
    for step in function.steps:
        found.steps[step.name] = _with_log(step, found.steps[step.name], index)
        if isinstance(step, ir.Router):
            _routes(step, (step.name,), found, index)
    if not any(_is_tracked(item) for item in (*found.steps.values(), *found.routes.values())):
        diagnostics.warning(
            "GC032",
            "no model has an endpoint, which MLRun's service makes, so nothing is tracked",
            span or function.span,
            help=f"name endpoints yourself: add_model(..., {_UID}=...)",
        )
    return found


def _routes(
    router: ir.Router, path: tuple[str, ...], found: FunctionFacts, index: CodeIndex
) -> None:
    for route in router.routes:
        inner = (*path, route.key)
        found.routes[inner] = _with_log(route, found.routes[inner], index)
        if isinstance(route, ir.Router):
            _routes(route, inner, found, index)


def _is_tracked(facts: Facts) -> bool:
    return facts.make is not None and bool(facts.make.tracked)


def _with_log(step: ir.Step | ir.Route, facts: Facts, index: CodeIndex) -> Facts:
    if isinstance(step, ir.Queue) or facts.make is None or not _has_endpoint(step, index):
        return facts
    classes = _classes(step.cls, index)
    if not MODELS.isdisjoint(classes):
        module = "tracking"
    elif VOTING in classes:
        module = "ensemble_tracking"
    else:
        return facts
    return replace(facts, make=replace(facts.make, tracked=module), plain=False)


def _has_endpoint(step: ir.Task | ir.Router | ir.Route, index: CodeIndex) -> bool:
    """Is the uid among the arguments, or a matter of the class's own code?"""
    if dict(step.args).get(_UID):
        return True
    infos = [index.class_info(cls) for cls in _classes(step.cls, index) if isinstance(cls, Symbol)]
    return any(
        _UID in function.names_read for info in infos if info for function in info.methods.values()
    )


def _classes(cls: ir.Target | None, index: CodeIndex) -> tuple[Symbol | str, ...]:
    """The class and its ancestors."""
    match cls:
        case ir.UserCode(symbol=symbol):
            return index.order(symbol)
        case ir.Dotted(name=name):
            return (name,)
    return ()
