"""Functions from YAML files (`fn.export()`): built as if the calls had been made.

The layout is mlrun 1.12's `fn.to_dict()`; older files keep the code one level deeper, under
`spec.base_spec` (spec/serving.md 1.1, 10.2).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeGuard

import yaml

from ..diagnostics import GraphError, Span
from ..frontend.values import Unknown
from .flow import FlowBuilder
from .function import FunctionBuilder
from .mistakes import not_yet
from .router import RouterBuilder

if TYPE_CHECKING:
    from .making import Making
    from .session import Session

_DEEPEST = 100
#: Kinds of functions with a handler of their own: MLRun's, Nuclio's.
_NUCLIO_KINDS = ("nuclio", "remote", "Function", "NuclioFunction")

#: What a step's entry says about its place, not about its class.
_WIRING = ("full_event", "input_path", "result_path", "responder", "on_error")


class _Loader(yaml.SafeLoader):
    """Plain YAML of bounded depth, and without anchors, which make huge values of small files."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        if self.depth == _DEEPEST:
            raise yaml.YAMLError(f"it is nested more than {_DEEPEST} levels deep")
        self.depth += 1
        made = super().compose_node(parent, index)
        self.depth -= 1
        return made


def function_of_yaml(
    making: Making, path: str, new_name: Any, where: Span
) -> FunctionBuilder | Unknown:
    """The function in a YAML file; Unknown if it is no serving function."""
    session = making.session
    document, kind = _read(session, path, where)
    if kind != "serving":
        return Unknown(f"{path} is a function of kind {kind!r}, so it is none of graphc's", where)
    name = new_name or _part(document, "metadata.name")
    if not name:
        raise GraphError(f"the function in {path} has no name", span=where, help="pass new_name=")
    code = _code(document, path, where)
    modules: tuple[str, ...] = ("",)
    if code is not None:
        modules = (session.tree.add(f"{name}_code.py", code).name, "")
    function = making.add(name, image=_part(document, "spec.image"), code=modules)
    _settings(function, document)
    graph = _part(document, "spec.graph")
    if _has_steps(graph):
        _graph(function, graph)
    elif isinstance(graph, dict) and graph.get("kind") == "router":
        _router_root(function, graph)
    return function


def child_of_yaml(
    making: Making,
    parent: FunctionBuilder,
    name: str,
    path: str,
    image: Any,
    requirements: Any,
    where: Span,
) -> FunctionBuilder:
    """A child function whose code and settings a YAML file has (mlrun 1.12.1, function_reference).

    The graph is its parent's. Raises GraphError.
    """
    session = making.session
    document, kind = _read(session, path, where)
    if kind not in ("serving", *_NUCLIO_KINDS):
        raise GraphError(
            f"{path} is a function of kind {kind!r}, which runs no steps of a graph",
            code="GC016",
            span=where,
            help="child functions are of kind serving",
        )
    if kind != "serving":
        session.diagnostics.warning(
            "GC032",
            f"{path} is a function of kind {kind!r}: here its code has the steps that name "
            f"{name!r}, and its handler is not run; MLRun runs the handler alone",
            where,
            help="let it say `kind: serving`",
        )
    if _has_steps(_part(document, "spec.graph")):
        raise GraphError(
            f"the function in {path} has a graph of its own, so it would run no step of "
            f"{parent.name!r}",
            code="GC016",
            span=where,
            help="take spec.graph out of the file",
        )
    code = _code(document, path, where)
    if code is None:
        raise GraphError(
            f"the function in {path} has no code",
            span=where,
            help="it stands, in base64, under spec.build.functionSourceCode",
        )
    module = session.tree.add(f"{name}_code.py", code)
    function = making.add(
        name, image=image or _part(document, "spec.image"), code=(module.name,), parent=parent
    )
    _settings(function, document)
    function.settings.build.with_requirements(requirements)
    return function


def _read(session: Session, path: str, where: Span) -> tuple[dict[str, Any], str]:
    """The document in a file, and its kind."""
    try:
        document = yaml.load(session.tree.text(path, where), _Loader)
    except yaml.MarkedYAMLError as exc:
        line = f" at its line {exc.problem_mark.line + 1}" if exc.problem_mark else ""
        raise GraphError(
            f"{path} is not YAML{line}: {exc.problem or exc}", code="GC001", span=where
        ) from exc
    except (yaml.YAMLError, RecursionError, ValueError) as exc:
        raise GraphError(
            f"{path} is not the YAML of a function: {exc}", code="GC001", span=where
        ) from exc
    kind = _part(document, "kind")
    if not isinstance(kind, str) or not isinstance(document, dict):
        raise GraphError(
            f"{path} is not the YAML of a function: it has no kind", code="GC001", span=where
        )
    return document, kind


def _has_steps(graph: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(graph, dict) and bool(graph.get("steps") or graph.get("routes"))


def _part(document: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(document, dict):
            return None
        document = document.get(key)
    return document


def _code(document: Mapping[str, Any], path: str, where: Span) -> str | None:
    for place in ("spec.build.functionSourceCode", "spec.base_spec.spec.build.functionSourceCode"):
        text = _part(document, place)
        if isinstance(text, str) and text:
            try:
                return base64.b64decode(text, validate=True).decode("utf-8")
            except (binascii.Error, UnicodeDecodeError) as exc:
                message = f"the code in {path} is not text in base64"
                raise GraphError(message, code="GC001", span=where) from exc
    return None


def _settings(function: FunctionBuilder, document: Mapping[str, Any]) -> None:
    spec = _part(document, "spec")
    for name in ("default_class", "parameters"):
        if isinstance(spec, dict) and spec.get(name):
            function.spec.assign(name, spec[name])
    simple = """graph_initializer load_mode error_stream track_models default_content_type
        config custom_scaling_metric_specs description disable_default_http_trigger env_from
        image_pull_policy image_pull_secret max_replicas min_replicas node_name node_selector
        affinity nuclio_runtime preemption_mode priority_class_name readiness_timeout
        readiness_timeout_before_failure replicas resources security_context service_account
        service_type tolerations volume_mounts volumes""".split()
    for name in simple:
        if isinstance(spec, dict) and spec.get(name) not in (None, "", {}, [], False):
            function.spec.assign(name, spec[name])
    metadata = function.settings.metadata
    for section, place in (
        ("labels", "metadata.labels"),
        ("annotations", "spec.base_spec.metadata.annotations"),
    ):
        if isinstance(found := _part(document, place), dict):
            metadata.assign(section, found)
    if isinstance(found := _part(document, "spec.build.base_image"), str) and found:
        function.read("set_config").call("spec.build.baseImage", found)
    for call, place in (
        ("with_requirements", "spec.build.requirements"),
        ("with_commands", "spec.build.commands"),
    ):
        if isinstance(found := _part(document, place), list) and found:
            function.read(call).call(found)
    env = _part(document, "spec.env") or _part(document, "spec.base_spec.spec.env")
    for entry in env if isinstance(env, list) else ():
        # What MLRun adds for itself (spec/serving.md 10.2).
        if isinstance(entry, dict) and not str(entry.get("name", "")).startswith("MLRUN_"):
            function.read("set_env").call(
                entry.get("name"), entry.get("value"), entry.get("valueFrom")
            )
    if document.get("verbose") is True:
        function.assign("verbose", True)


def _graph(function: FunctionBuilder, graph: dict[str, Any]) -> None:
    if graph.get("kind") == "router" or (graph.get("routes") and not graph.get("steps")):
        _router_root(function, graph)
        return
    flow = function.set_topology(
        "flow", engine=graph.get("engine"), allow_cyclic=bool(graph.get("allow_cyclic"))
    )
    assert isinstance(flow, FlowBuilder)
    steps = {name: step for name, step in graph["steps"].items() if isinstance(step, dict)}
    for name, step in steps.items():
        _step(flow, str(name), step)
    for name, step in steps.items():
        after = step.get("after")
        if after and step.get("kind") != "error_step":
            flow.steps[str(name)].assign("after", after)
    if graph.get("on_error"):
        flow.assign("on_error", graph["on_error"])


def _step(flow: FlowBuilder, name: str, step: dict[str, Any]) -> None:
    kind = step.get("kind", "task")
    arguments = step.get("class_args") or {}
    cls, handler = step.get("class_name"), step.get("handler")
    shared = {"function": step.get("function"), **arguments}
    if kind == "queue":
        options = step.get("options") or {}
        places = {key: step[key] for key in ("path", "shards", "trigger_args") if step.get(key)}
        made = flow.add_step("$queue", name, function=step.get("function"), **places, **options)
    elif kind == "router":
        made = flow.add_step(f"*{cls or ''}", name, **shared)
        assert isinstance(made, RouterBuilder)
        _routes(made, step)
    elif kind == "error_step":
        flow.add_catcher(
            name, cls, handler, step.get("before"), step.get("function"),
            step.get("full_event"), step.get("input_path"), step.get("result_path"), arguments,
        )  # fmt: skip
        return
    elif kind == "task":
        made = flow.add_step(cls, name, handler, **shared)
    else:
        raise not_yet(f"steps of kind {kind!r}")
    for key in _WIRING:
        if step.get(key) is not None:
            made.assign(key, step[key])


def _router_root(function: FunctionBuilder, graph: dict[str, Any]) -> None:
    root = function.set_topology("router", graph.get("class_name"), **graph.get("class_args") or {})
    assert isinstance(root, RouterBuilder)
    _routes(root, graph)


def _routes(router: RouterBuilder, step: dict[str, Any]) -> None:
    for key, route in (step.get("routes") or {}).items():
        # As add_model has it, these are there also where they are not given.
        arguments = {
            name: value
            for name, value in (route.get("class_args") or {}).items()
            if value is not None
        }
        router.add_route(
            key, class_name=route.get("class_name"), handler=route.get("handler"), **arguments
        )
