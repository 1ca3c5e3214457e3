"""The graph API: the one place that knows what `new_function`, `to`, `add_route` ... mean.

The evaluator calls these objects with the values it knows; `Session.graph()` freezes what was built
into the IR. Rules and defaults: spec/serving.md 1 (mlrun 1.12.1), the seed's older forms included
(1.6). Mistakes raise `GraphError`; the evaluator adds the place of the call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from . import ir
from .arguments import Arguments, target_of
from .diagnostics import Diagnostics, GraphError, Span, did_you_mean
from .frontend.values import External, HostFunction, HostModule, HostObject, Instance, Unknown
from .source import SourceTree

HUB_MODEL_SERVER = "hub://v2_model_server"
#: The module that packages get for it, and its class.
HUB_MODULE, HUB_CLASS = "v2_model_server", "ClassifierModel"

_NOT_YET = "graphc does not compile {} yet"
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
#: Nuclio calls a Deployment `nuclio-<name>`, and Kubernetes allows 63 characters.
_LONGEST_NAME = 56


class Session(HostObject):
    """One reading of one graph file: the `mlrun` module that it sees, and what it built."""

    #: Calls that mean nothing for the graph; harmless also where it is unsure whether they run.
    no_effect: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, tree: SourceTree, diagnostics: Diagnostics) -> None:
        self.tree = tree
        self.diagnostics = diagnostics
        self.call_span: Span | None = None
        self.call_spans: Mapping[str, Span] = {}
        self.functions: list[FunctionBuilder] = []
        self._mlrun = HostModule(
            "mlrun",
            {
                "new_function": HostFunction("mlrun.new_function", self.new_function),
                "code_to_function": HostFunction("mlrun.code_to_function", self.code_to_function),
                "import_function": HostFunction("mlrun.import_function", self.import_function),
            },
        )

    def module(self, dotted: str) -> HostModule | None:
        """`mlrun`; its submodules hold nothing but names of classes."""
        if dotted == "mlrun":
            return self._mlrun
        return HostModule(dotted) if dotted.startswith("mlrun.") else None

    @property
    def span(self) -> Span:
        """The place of the call at hand."""
        if self.call_span is None:
            raise AssertionError("the graph API is called by the evaluator, which sets call_span")
        return self.call_span

    def argument_span(self, name: str, position: int | None = None) -> Span:
        """The place of an argument of the call at hand, or of the call itself."""
        return (
            self.call_spans.get(name)
            or self.call_spans.get("" if position is None else str(position))
            or self.span
        )

    # -- making functions

    def new_function(
        self,
        name: str = "",
        project: str = "",
        tag: str = "",
        kind: str = "",
        command: str = "",
        image: str = "",
        args: Any = None,
        runtime: Any = None,
        mode: Any = None,
        handler: Any = None,
        source: Any = None,
        requirements: Any = None,
        kfp: Any = None,
        requirements_file: str = "",
    ) -> FunctionBuilder | Unknown:
        """`mlrun.new_function`: an empty function; only kind "serving" concerns graphs."""
        if kind != "serving":
            return self._not_serving("new_function", kind)
        if not name:
            raise GraphError(
                "the function has no name",
                help='name it: mlrun.new_function("my-function", kind="serving")',
            )
        return self._add(name, image=image, requirements=requirements)

    def code_to_function(
        self,
        name: str = "",
        project: str = "",
        tag: str = "",
        filename: str = "",
        handler: str = "",
        kind: str = "",
        image: str | None = None,
        code_output: str = "",
        embed_code: bool = True,
        description: str = "",
        requirements: Any = None,
        categories: Any = None,
        labels: Any = None,
        with_doc: bool = True,
        ignored_tags: Any = None,
        requirements_file: str = "",
    ) -> FunctionBuilder | Unknown:
        """`mlrun.code_to_function`: a function whose code is a file, by default this one."""
        if kind != "serving":
            return self._not_serving("code_to_function", kind)
        code: tuple[str, ...] = ("",)
        if filename:
            where = self.argument_span("filename", 3)
            text = self.text(filename, "filename", where)
            if text.endswith(".ipynb"):
                raise GraphError(_NOT_YET.format("code in notebooks"), code="GC016", span=where)
            module = self.tree.file(text)
            if module is None:
                raise GraphError(
                    f"there is no file {text!r} in the folder of {self.tree.main.path}",
                    code="GC011",
                    span=where,
                    help="give the path of a .py file beside the graph file or below it",
                )
            name = name or module.path.rpartition("/")[2].removesuffix(".py")
            # On Nuclio only the function's own file is searched; MLRun's simulator then looks
            # into the file that defines the graph. Accept both.
            code = (module.name, "") if module.name else ("",)
        function = self._add(name or "", image=image or "", requirements=requirements, code=code)
        function.description = description
        return function

    def import_function(
        self,
        url: str = "",
        secrets: Any = None,
        db: str = "",
        project: Any = None,
        new_name: str | None = None,
    ) -> FunctionBuilder:
        """`mlrun.import_function`: the hub's model server, the one function that is known here."""
        base = url.partition(":")[0] + ":" + url.partition(":")[2].split(":")[0]
        if base.replace("-", "_") != HUB_MODEL_SERVER:
            raise GraphError(
                _NOT_YET.format(f"functions imported from {url!r}"),
                code="GC016",
                help=f"the hub function it knows is {HUB_MODEL_SERVER}",
            )
        function = self._add(new_name or "v2-model-server", image="mlrun/mlrun")
        function.default_class = ir.Dotted(f"{HUB_MODULE}.{HUB_CLASS}", self.span)
        return function

    def _not_serving(self, call: str, kind: str) -> Unknown:
        return Unknown(
            f"{call}(kind={kind!r}) makes no serving function, so it is none of graphc's",
            self.span,
        )

    def _add(
        self,
        name: Any,
        *,
        image: Any,
        requirements: Any = None,
        code: tuple[str, ...] = ("",),
    ) -> FunctionBuilder:
        where = self.argument_span("name", 0)
        name = normal_name(self.text(name, "name", where))
        if any(function.name == name for function in self.functions):
            raise GraphError(f"there is a function {name!r} already", span=where)
        function = FunctionBuilder(self, name, self.span, code)
        function.image = self.text(image, "image", self.argument_span("image"))
        function.with_requirements(requirements)
        self.functions.append(function)
        return function

    # -- values

    def text(self, value: Any, what: str, where: Span) -> str:
        """The value as the str it must be; raises GraphError."""
        if isinstance(value, str):
            return value
        raise self.wrong_value(value, f"{what} must be a text", where)

    def wrong_value(self, value: Any, message: str, where: Span) -> GraphError:
        """The error for a value of the wrong type, or one that is not known."""
        if isinstance(value, Unknown):
            return unknown_value(value, where)
        return GraphError(f"{message}, not {type(value).__name__}", span=where)

    # -- the end

    def graph(self) -> ir.Graph:
        """Everything that was built, frozen; mistakes that only the whole shows are reported."""
        functions = []
        for function in self.functions:
            try:
                functions.append(function.freeze())
            except GraphError as exc:
                self.diagnostics.add(exc.diagnostic(function.span))
        return ir.Graph(self.tree.main.path, tuple(functions))


class _Spec(HostObject):
    """`fn.spec`: attributes that MLRun keeps there."""

    description = "a function's spec"
    _aliases: ClassVar[Mapping[str, str]] = {
        "image": "image",
        "default_class": "default_class",
        "parameters": "parameters",
        "min_replicas": "min_replicas",
        "max_replicas": "max_replicas",
        "description": "description",
    }
    api = frozenset({*_aliases, "graph"})

    def __init__(self, function: FunctionBuilder) -> None:
        self._function = function

    def read(self, name: str) -> Any:
        if name == "graph":
            return self._function.root
        return getattr(self._function, self._aliases[name])

    def assign(self, name: str, value: Any) -> None:
        session = self._function.session
        if name == "replicas":
            self._function.min_replicas = self._function.max_replicas = value
        elif name in self._aliases:
            setattr(self._function, self._aliases[name], value)
        else:
            session.diagnostics.warning(
                "GC032",
                f"graphc does not carry the setting spec.{name} into the package yet",
                session.call_span,
            )


class FunctionBuilder(HostObject):
    """A serving function."""

    description = "a serving function"
    _skipped: ClassVar[tuple[str, ...]] = (
        ["apply", "deploy", "doc", "export", "invoke", "plot", "save", "set_annotations", "to_mock_server", "to_yaml"]
    )
    api = frozenset(
        ["add_child_function", "add_model", "set_env", "set_envs", "set_topology", "spec", "verbose", "with_requirements", "name"]
        + list(_skipped)
    )

    def __init__(self, session: Session, name: str, span: Span, code: tuple[str, ...]) -> None:
        self.session = session
        self.name = name
        self.span = span
        self.code = code
        self.root: FlowBuilder | RouterBuilder | None = None
        self.image: Any = ""
        self.description: Any = ""
        self.default_class: Any = None
        self.parameters: Any = {}
        self.requirements: list[str] = []
        self.env: dict[str, str] = {}
        self.min_replicas: Any = None
        self.max_replicas: Any = None
        self.verbose: Any = False
        self.spec = _Spec(self)

    def read(self, name: str) -> Any:
        if name in self._skipped:
            return HostFunction(f"fn.{name}", lambda *args, **kwargs: self._no_meaning(name))
        return super().read(name)

    def _no_meaning(self, name: str) -> Any:
        """Calls that have no meaning for the graph (serving.md 1.4)."""
        if name == "apply":
            return self
        return Unknown(f"graphc does not run fn.{name}()", self.session.call_span)

    def assign(self, name: str, value: Any) -> None:
        if name != "verbose":
            raise GraphError(f"a function has no setting {name!r}", code="GC011")
        self.verbose = value

    def set_topology(
        self,
        topology: Any = None,
        class_name: Any = None,
        engine: Any = None,
        exist_ok: bool = False,
        allow_cyclic: bool = False,
        max_iterations: Any = None,
        **class_args: Any,
    ) -> FlowBuilder | RouterBuilder:
        if self.root is not None and not exist_ok:
            raise GraphError(
                "the topology of this function is set already",
                help="set it once, or pass exist_ok=True to begin again",
            )
        if allow_cyclic:
            raise GraphError(_NOT_YET.format("cyclic graphs"), code="GC016")
        session = self.session
        if topology is None or topology == "router":
            where = session.argument_span("class_name", 1)
            self.root = RouterBuilder(self, None, class_name, class_args, where)
        elif topology == "flow":
            text = "async" if engine is None else session.text(engine, "engine", session.span)
            self.root = FlowBuilder(self, "sync" if text == "sync" else "async")
        else:
            where = session.argument_span("topology", 0)
            if isinstance(topology, Unknown):
                raise unknown_value(topology, where)
            raise GraphError(
                f"unsupported topology {topology!r}", help='use "router" or "flow"', span=where
            )
        return self.root

    def add_model(
        self,
        key: Any,
        model_path: Any = None,
        class_name: Any = None,
        model_url: Any = None,
        handler: Any = None,
        router_step: Any = None,
        child_function: Any = None,
        creation_strategy: Any = None,
        outputs: Any = None,
        **class_args: Any,
    ) -> RouteBuilder:
        """A route of the function's router; makes a router if there is no topology yet."""
        if model_url is not None:
            raise GraphError(_NOT_YET.format("remote models (model_url)"), code="GC016")
        if child_function is not None:
            raise GraphError(
                "a model in a child function is never reached: MLRun answers with the request",
                code="GC016",
                help="leave child_function out",
            )
        class_name = class_name if class_name is not None else self.default_class
        if class_name is None and handler is None:
            raise GraphError(
                f"model {key!r} has no class",
                help="pass class_name=, or set fn.spec.default_class",
            )
        arguments = dict(class_args)
        # As mlrun 1.12 does, but only where something was given (spec/serving.md Q2).
        if model_path is not None:
            arguments["model_path"] = model_path
        if outputs is not None:
            arguments["outputs"] = outputs
        return self._router_of(router_step).add_route(
            key, class_name=class_name, handler=handler, **arguments
        )

    def _router_of(self, router_step: Any) -> RouterBuilder:
        if self.root is None:
            self.set_topology("router")
        if isinstance(self.root, RouterBuilder):
            return self.root
        assert self.root is not None
        routers = {
            name: step
            for name, step in self.root.steps.items()
            if isinstance(step, RouterBuilder)
        }
        if router_step is not None:
            if isinstance(router_step, RouterBuilder):
                return router_step
            if router_step not in routers:
                raise GraphError(f"there is no router step {router_step!r}", code="GC011")
            return routers[router_step]
        if len(routers) != 1:
            found = "no router" if not routers else f"{len(routers)} routers"
            raise GraphError(
                f"the graph has {found}, so it is not clear where the model goes",
                help="add one router step, or name it with router_step=",
            )
        return next(iter(routers.values()))

    def add_child_function(self, *args: Any, **kwargs: Any) -> Any:
        raise GraphError(_NOT_YET.format("child functions"), code="GC016")

    def with_requirements(
        self,
        requirements: Any = None,
        overwrite: bool = False,
        prepare_image_for_deploy: bool = True,
        requirements_file: str = "",
    ) -> FunctionBuilder:
        if overwrite:
            self.requirements.clear()
        if isinstance(requirements, Unknown):
            raise unknown_value(requirements, self.session.span)
        for line in requirements or ():
            where = self.session.argument_span("requirements", 0)
            line = self.session.text(line, "a requirement", where)
            if line not in self.requirements:
                self.requirements.append(line)
        return self

    def set_env(self, name: Any, value: Any = None, value_from: Any = None) -> FunctionBuilder:
        where = self.session.argument_span("value", 1)
        if isinstance(value, Unknown):
            raise unknown_value(value, where)
        self.env[self.session.text(name, "the variable's name", where)] = str(value)
        return self

    def set_envs(self, env_vars: Any = None, file_path: Any = None) -> FunctionBuilder:
        if not isinstance(env_vars, dict):
            raise GraphError(_NOT_YET.format("environment files"), code="GC016")
        for name, value in env_vars.items():
            self.set_env(name, value)
        return self

    def freeze(self) -> ir.Function:
        """The function as data; raises GraphError."""
        if self.root is None:
            raise GraphError(
                f"function {self.name!r} has no graph",
                help='call set_topology("router") or set_topology("flow") on it',
            )
        if not isinstance(self.parameters, dict):
            raise self.session.wrong_value(
                self.parameters, "spec.parameters must be a dict", self.span
            )
        parameters = Arguments(self.session).freeze(self.parameters, self.span)
        return ir.Function(
            name=self.name,
            span=self.span,
            root=self.root.freeze(),
            code=self.code,
            image=self.session.text(self.image, "image", self.span),
            parameters=parameters,
            requirements=tuple(self.requirements),
            env=tuple(sorted(self.env.items())),
            min_replicas=_whole(self.min_replicas, "min_replicas", self),
            max_replicas=_whole(self.max_replicas, "max_replicas", self),
            description=self.session.text(self.description, "description", self.span),
            verbose=bool(self.verbose),
        )


def _whole(value: Any, what: str, function: FunctionBuilder) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise function.session.wrong_value(value, f"{what} must be a whole number", function.span)


@dataclass(eq=False)
class StepBuilder(HostObject):
    """A step of a flow."""

    description = "a step"
    api = frozenset(
        ["to", "error_handler", "respond", "after_step", "name", "after", "full_event", "on_error", "responder"]
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

    def to(self, class_name: Any = None, name: Any = None, handler: Any = None,
           graph_shape: Any = None, function: Any = None, full_event: Any = None,
           input_path: Any = None, result_path: Any = None,
           model_endpoint_creation_strategy: Any = None, cycle_to: Any = None,
           max_iterations: Any = None, **class_args: Any) -> AnyStep:  # fmt: skip
        """Add a step that follows this one."""
        return self.flow.add(
            class_name, name, handler, function, full_event, input_path, result_path, cycle_to,
            class_args, after=[self.name],
        )  # fmt: skip

    def error_handler(self, name: Any = None, class_name: Any = None, handler: Any = None,
                      before: Any = None, function: Any = None, full_event: Any = None,
                      input_path: Any = None, result_path: Any = None,
                      **class_args: Any) -> HostObject:  # fmt: skip
        """Name the step that takes this one's failures, and add it unless only a name is given."""
        self.on_error = self.flow.add_catcher(
            name, class_name, handler, before, function, full_event, input_path, result_path,
            class_args,
        )  # fmt: skip
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
            full_event=self.full_event,
            input_path=arguments.path(self.input_path, "input_path", self.span),
            result_path=arguments.path(self.result_path, "result_path", self.span),
            responder=bool(self.responder),
            on_error=self.on_error,
            catcher=self.catcher,
            before=self.before,
        )


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
        self.routes: dict[str, RouteBuilder] = {}

    def read(self, name: str) -> Any:
        if name == "plot":
            return HostFunction("router.plot", lambda *args, **kwargs: None)
        if self.flow is None and name in StepBuilder.api - {"name"}:
            return HostFunction(f"router.{name}", self._not_in_a_flow)
        return super().read(name)

    def _not_in_a_flow(self, *args: Any, **kwargs: Any) -> Any:
        raise GraphError(
            "the graph is a router, so no steps can follow it",
            help='use set_topology("flow") and add the router with add_step("*...")',
        )

    def add_route(
        self,
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
            raise GraphError(_NOT_YET.format("route objects"), code="GC016")
        if class_name is None and handler is None:
            raise GraphError(f"route {key!r} names no class", help="pass class_name=")
        if class_name == "$remote":
            raise GraphError(_NOT_YET.format("remote routes ($remote)"), code="GC016")
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
            responder=bool(self.responder),
            on_error=self.on_error,
        )


AnyStep = StepBuilder | RouterBuilder


class FlowBuilder(HostObject):
    """A flow graph."""

    description = "a flow graph"
    api = frozenset(["to", "add_step", "error_handler", "set_flow", "plot", "steps"])

    def __init__(self, function: FunctionBuilder, engine: str) -> None:
        self.function = function
        self.engine = engine
        self.span = function.session.span
        self.steps: dict[str, AnyStep] = {}
        self.on_error: str | None = None
        self._last: str | None = None

    def read(self, name: str) -> Any:
        if name == "plot":
            return HostFunction("graph.plot", lambda *args, **kwargs: None)
        return super().read(name)

    def assign(self, name: str, value: Any) -> None:
        if name != "on_error":
            raise GraphError(f"a graph has no setting {name!r}", code="GC011")
        session = self.function.session
        self.on_error = session.text(value, "on_error", session.span)

    def item(self, key: Any) -> Any:
        return self.steps[self.existing(key, "graph[...]")]

    def iterate(self) -> list[Any]:
        return list(self.steps)

    def contains(self, key: Any) -> bool:
        return key in self.steps

    def to(self, class_name: Any = None, name: Any = None, handler: Any = None,
           graph_shape: Any = None, function: Any = None, full_event: Any = None,
           input_path: Any = None, result_path: Any = None,
           model_endpoint_creation_strategy: Any = None, cycle_to: Any = None,
           max_iterations: Any = None, **class_args: Any) -> AnyStep:  # fmt: skip
        """Add a start step, each time it is called."""
        return self.add(
            class_name, name, handler, function, full_event, input_path, result_path, cycle_to,
            class_args, after=[],
        )  # fmt: skip

    def add_step(self, class_name: Any = None, name: Any = None, handler: Any = None,
                 after: Any = None, before: Any = None, graph_shape: Any = None,
                 function: Any = None, full_event: Any = None, input_path: Any = None,
                 result_path: Any = None, model_endpoint_creation_strategy: Any = None,
                 cycle_to: Any = None, max_iterations: Any = None,
                 **class_args: Any) -> AnyStep:  # fmt: skip
        """Add a step after, or in front of, steps given by name."""
        session = self.function.session
        where = session.argument_span("after", 3)
        if isinstance(after, Unknown):
            raise unknown_value(after, where)
        listed = after if isinstance(after, (list, tuple)) else [after]
        if isinstance(after, (list, tuple)) and not after:
            raise GraphError("after=[] names no step", help='leave "after" out', span=where)
        names = [self._previous(item, where) for item in listed]
        known = [name for name in names if name]
        step = self.add(
            class_name, name, handler, function, full_event, input_path, result_path, cycle_to,
            class_args, after=known,
        )  # fmt: skip
        if before:
            self._insert(step, before)
        return step

    def _previous(self, item: Any, where: Span) -> str | None:
        if item is None or item == "":
            return None
        if item == "$prev":
            return self._last
        return self.existing(item, "after", where)

    def _insert(self, step: AnyStep, before: Any) -> None:
        """Put the step in front of another: it takes over what that one followed (mlrun 1.12)."""
        where = self.function.session.argument_span("before", 4)
        target = self.steps[self.existing(before, "before", where)]
        if target is step or before in step.after:
            raise GraphError(f"step {step.name!r} cannot stand before {before!r}: a loop",
                             code="GC013", span=where)  # fmt: skip
        step.after = target.after
        target.after = [step.name]

    def set_flow(self, steps: Any, force: bool = False) -> AnyStep:
        """Chain steps given as class names or dicts of `to` keywords."""
        session = self.function.session
        if self.steps and not force:
            raise GraphError("the graph has steps already", help="pass force=True")
        if not isinstance(steps, (list, tuple)) or not steps:
            raise session.wrong_value(steps, "steps must be a list with entries", session.span)
        self.steps.clear()
        last: FlowBuilder | AnyStep = self
        for entry in steps:
            last = last.to(**entry) if isinstance(entry, dict) else last.to(entry)
        assert not isinstance(last, FlowBuilder)
        return last

    def error_handler(self, name: Any = None, class_name: Any = None, handler: Any = None,
                      before: Any = None, function: Any = None, full_event: Any = None,
                      input_path: Any = None, result_path: Any = None,
                      **class_args: Any) -> FlowBuilder:  # fmt: skip
        """Name the step that takes the failures of all steps without a catcher of their own."""
        if before:
            raise GraphError("the handler of a whole graph cannot have `before`")
        self.on_error = self.add_catcher(
            name, class_name, handler, None, function, full_event, input_path, result_path,
            class_args,
        )  # fmt: skip
        return self

    # -- what the calls above share

    def add(self, class_name: Any, name: Any, handler: Any, function: Any, full_event: Any,
            input_path: Any, result_path: Any, cycle_to: Any, class_args: dict[str, Any],
            after: list[str]) -> AnyStep:  # fmt: skip
        """Make a step and put it into the graph; one of the same name takes its place."""
        session = self.function.session
        where = session.argument_span("class_name", 0)
        if isinstance(class_name, str) and class_name.startswith("$remote"):
            raise GraphError(_NOT_YET.format("remote steps ($remote)"), code="GC016", span=where)
        if class_name in ("$queue", ">>", ">") if isinstance(class_name, str) else False:
            raise GraphError(
                _NOT_YET.format("queues ($queue)"), code="GC016", span=where
            )
        if isinstance(class_name, str) and class_name.startswith("hub://"):
            raise GraphError(_NOT_YET.format("steps of the hub"), code="GC016", span=where)
        if function is not None:
            raise GraphError(
                _NOT_YET.format("steps of other functions (function=)"),
                code="GC016",
                span=session.argument_span("function", 4),
            )
        if cycle_to:
            raise GraphError(_NOT_YET.format("cycles (cycle_to)"), code="GC016")
        step: AnyStep
        is_router = isinstance(class_name, str) and class_name.startswith("*")
        if is_router or _is_router_object(class_name):
            spelled = class_name[1:] if isinstance(class_name, str) else class_name
            chosen = self._name(name, where) if name else None
            if not spelled and not chosen:
                chosen = "router"
            step = RouterBuilder(self.function, self, spelled, class_args, where, chosen)
        else:
            step = self._task(class_name, name, handler, class_args, where)
        step.after = after
        step.full_event = full_event if full_event is not None else step.full_event
        step.input_path = input_path if input_path is not None else step.input_path
        step.result_path = result_path if result_path is not None else step.result_path
        self.steps[step.name] = step
        self._last = step.name
        return step

    def _task(
        self, class_name: Any, name: Any, handler: Any, class_args: dict[str, Any], where: Span
    ) -> StepBuilder:
        session = self.function.session
        cls: Any = None
        own: dict[str, Any] = {}
        if class_name is None:
            if handler is None:
                raise GraphError("the step names neither a class nor a function",
                                 help="pass class_name= or handler=")  # fmt: skip
            if not name:
                raise GraphError("a step that calls a function needs a name", help="pass name=")
            if class_args:
                session.diagnostics.warning(
                    "GC032",
                    "arguments of a function step are ignored, as in MLRun: "
                    + ", ".join(class_args),
                    session.argument_span(next(iter(class_args))),
                )
                class_args = {}
        elif isinstance(class_name, Instance):
            cls, own = Arguments(session).of_instance(class_name, where)
            name = name or own.get("name")
        else:
            cls = target_of(session, class_name, where, "class_name")
        paths = {key: own.pop(key, None) for key in ("full_event", "input_path", "result_path")}
        own.pop("name", None)
        return StepBuilder(
            self,
            self._name(name or last_part(cls), session.argument_span("name", 1)),
            session.span,
            cls,
            handler,
            {**own, **class_args},
            dict(session.call_spans),
            **paths,
        )

    def add_catcher(self, name: Any, class_name: Any, handler: Any, before: Any, function: Any,
                    full_event: Any, input_path: Any, result_path: Any,
                    class_args: dict[str, Any]) -> str:  # fmt: skip
        """The name of a catcher; a new step unless the seed's form, a name alone, is used."""
        session = self.function.session
        where = session.argument_span("name", 0)
        if class_name is None and handler is None:
            if not name:
                raise GraphError("error_handler names neither a step nor a class")
            # The seed's form: a step of this name is added before or after. `freeze` finds it.
            return self._name(name, where)
        last = self._last
        step = self.add(
            class_name, name, handler, function, full_event, input_path, result_path, None,
            class_args, after=[],
        )  # fmt: skip
        self._last = last
        if isinstance(step, RouterBuilder):
            raise GraphError("a router cannot be an error handler", span=where)
        step.catcher = True
        listed = before if isinstance(before, (list, tuple)) else [before] if before else []
        step.before = tuple(session.text(item, "before", where) for item in listed)
        return step.name

    def existing(self, name: Any, what: str, where: Span | None = None) -> str:
        """The name, if there is a step of that name; raises GraphError."""
        if isinstance(name, Unknown):
            raise unknown_value(name, where)
        if isinstance(name, StepBuilder):
            raise GraphError(
                f"{what} takes the step's name, not the step",
                help=f"write {name.name!r}",
                span=where,
            )
        if not isinstance(name, str) or name not in self.steps:
            raise GraphError(
                f"{what}: there is no step named {name!r}",
                code="GC011",
                span=where,
                help=did_you_mean(name, self.steps) if isinstance(name, str) else "",
            )
        return name

    def _name(self, name: Any, where: Span) -> str:
        name = self.function.session.text(name, "a step's name", where)
        if len(name) > 200 or not name.isprintable():
            raise GraphError(
                "a step's name must be printable and at most 200 characters long",
                code="GC018",
                span=where,
            )
        return name

    def freeze(self) -> ir.Flow:
        """The flow as data. A step that is only named as a catcher becomes one here."""
        session = self.function.session
        named = {step.on_error for step in self.steps.values()} | {self.on_error}
        for step in self.steps.values():
            if step.name in named and not step.after:
                step.catcher = True
        steps: list[ir.Step] = []
        for step in self.steps.values():
            try:
                steps.append(step.freeze())
            except GraphError as exc:
                session.diagnostics.add(exc.diagnostic(step.span))
        engine = "sync" if self.engine == "sync" else "async"
        return ir.Flow(engine, self.span, tuple(steps), self.on_error)


def _is_router_object(value: Any) -> bool:
    """Is this `ModelRouter()` or the like, given as an object?"""
    return (
        isinstance(value, Instance)
        and isinstance(value.cls, External)
        and value.cls.dotted.startswith("mlrun.serving.")
        and value.cls.dotted.rpartition(".")[2]
        in ("ModelRouter", "VotingEnsemble", "ParallelRun", "BaseModelRouter")
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


def unknown_value(value: Unknown, where: Span | None) -> GraphError:
    """The error for a value that reaches the graph and is not known."""
    from .diagnostics import Note

    notes = [Note(f"it comes from here: {value.why}", value.span)] if value.span else []
    why = "" if notes else f": {value.why}"
    return GraphError(
        f"this value is not known at build time{why}",
        code="GC005",
        span=where,
        notes=notes,
        help=value.help or "write the value into the file, or compute it from constants",
    )


def normal_name(name: str) -> str:
    """A function's name as MLRun normalises it; raises GraphError if Nuclio cannot use it."""
    normal = re.sub(r"[\s_]+", "-", name.strip()).lower() if name else ""
    if not _DNS_LABEL.fullmatch(normal) or len(normal) > _LONGEST_NAME:
        raise GraphError(
            f"a function cannot be named {name[:80]!r}",
            code="GC018",
            help="use letters, digits and `-`, beginning with a letter or digit, "
            f"at most {_LONGEST_NAME} characters",
        )
    return normal


