"""A serving function: its topology, its models, its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from .. import ir
from ..diagnostics import GraphError, Span, did_you_mean
from ..frontend.values import CallBack, HostFunction, HostObject, Unknown, UserFunction
from . import mlrun_names
from .flow import FlowBuilder
from .mistakes import INVALID_ARGUMENT, VALUE_ERROR, normal_name, not_yet, unknown_value
from .mounts import Mounts
from .objects import add_routes, router
from .plain import field
from .router import RouterBuilder
from .serving import Serving
from .setting_calls import SettingCalls
from .settings import MEANINGLESS, Settings
from .settled import settle
from .task import TaskBuilder

if TYPE_CHECKING:
    from .session import Session


class _Spec(HostObject):
    """`fn.spec`: attributes that MLRun keeps there."""

    description = "a function's spec"
    api = Settings.attributes | Serving.attributes | {"graph"}
    idle = MEANINGLESS

    def __init__(self, function: FunctionBuilder) -> None:
        self._function = function

    def read(self, name: str) -> Any:
        if name == "graph":
            return self._function.root
        if name in Serving.attributes:
            return getattr(self._function.serving, name)
        return self._function.settings.read(name)

    def assign(self, name: str, value: Any) -> None:
        if name in Serving.attributes:
            self._function.serving.assign(name, value)
        else:
            self._function.settings.assign(name, value)


class FunctionBuilder(HostObject):
    """A serving function."""

    description = "a serving function"
    #: Calls that change what callers are answered, and are not compiled yet (serving.md 1.4, 11).
    _refused: ClassVar[Mapping[str, str]] = {
        "set_streaming": "streaming answers (set_streaming)",
        "set_api_handler_config": "API handlers (set_api_handler_config)",
        "set_openai_frontend": "OpenAI front ends (set_openai_frontend)",
        "from_image": "images that hold the function already (from_image)",
    }
    known = mlrun_names.FUNCTION
    refused: ClassVar[Mapping[str, str]] = {
        "set_db_connection": "packages do without MLRun's service: leave it out",
        "setup_model_monitoring": "use set_tracking(stream_path=...)",
    }
    #: Calls that have no meaning for the graph (serving.md 1.4).
    skipped: ClassVar[frozenset[str]] = frozenset(
        """deploy doc export invoke plot save set_categories skip_image_enrichment to_mock_server
        to_yaml""".split()
    )
    #: Calls that packages have no place for, and what to do instead.
    _without_place: ClassVar[Mapping[str, str]] = {
        "set_source_archive": "the modules beside the graph file are the code",
        "with_source_archive": "the modules beside the graph file are the code",
        "set_probe": "Nuclio sets probes of its own",
        "delete_probe": "Nuclio sets probes of its own",
    }
    api = (
        skipped
        | frozenset(_without_place)
        | SettingCalls.names
        | Serving.calls
        | frozenset(_refused)
        | frozenset(
            """add_child_function add_model apply metadata name remove_states set_topology spec
            verbose with_code with_v3io""".split()
        )
    )

    def __init__(self, session: Session, name: str, span: Span, code: tuple[str, ...]) -> None:
        self.session = session
        self.name = name
        self.span = span
        self.code = code
        self.root: FlowBuilder | RouterBuilder | None = None
        #: Of a child function: the one whose graph it runs.
        self.parent: FunctionBuilder | None = None
        #: By the name under which steps know them.
        self.children: dict[str, FunctionBuilder] = {}
        self.project = ""
        self.tag = ""
        self.serving = Serving(session, span)
        self.settings = Settings(session, name, span)
        self.spec = _Spec(self)

    def read(self, name: str) -> Any:
        if name in self.skipped:
            return HostFunction(f"fn.{name}", lambda *args, **kwargs: self._no_meaning(name))
        if name in SettingCalls.names:
            return SettingCalls(self.settings).call(name, self)
        if name in Serving.calls:
            return self.serving.call(name, self)
        if name == "verbose":
            return self.serving.verbose
        if name == "metadata":
            return self.settings.metadata
        if name in self._without_place:
            return HostFunction(f"fn.{name}", lambda *args, **kwargs: self._no_place(name))
        if name in self._refused:
            return HostFunction(f"fn.{name}", lambda *args, **kwargs: self._refuse(name))
        return super().read(name)

    def _no_meaning(self, name: str) -> Any:
        return Unknown(f"graphc does not run {name}()", None)

    def _no_place(self, name: str) -> FunctionBuilder:
        self.settings.no_place(f"{name}()", self._without_place[name])
        return self

    def apply(self, modifier: Any) -> Any:
        """Change the function by a modifier (mounts.py), or by a function of the user's."""
        if isinstance(modifier, HostFunction) and modifier.name == "modifier":
            return modifier.call(self)
        if isinstance(modifier, UserFunction):
            return CallBack(modifier, (self,), self)
        where = self.session.argument_span("modifier", 0)
        if isinstance(modifier, Unknown):
            raise unknown_value(modifier, where)
        raise not_yet("this modifier", where, "apply one of mlrun.runtimes.mounts, or a function")

    def with_v3io(self, local: Any = "", remote: Any = "") -> Any:
        mounts = Mounts(self.session)
        if local and remote:
            return self.apply(mounts.mount_v3io(remote=remote, volume_mounts=[(local, "")]))
        return self.apply(mounts.v3io_cred())

    def _refuse(self, name: str) -> Any:
        raise not_yet(self._refused[name])

    def assign(self, name: str, value: Any) -> None:
        if name != "verbose":
            known = [f"spec.{setting}" for setting in sorted(_Spec.api)]
            raise GraphError(
                f"a function has no setting {name!r}",
                code="GC011",
                help=did_you_mean(name, ("verbose",)) or did_you_mean(f"spec.{name}", known),
            )
        self.serving.assign(name, value)

    def with_code(self, from_file: Any = "", body: Any = None, with_doc: Any = True) -> Any:
        """The function's code, in place of what it was made of."""
        self.code = self.session.making.code_of(self, from_file, body)
        return self

    def set_topology(
        self,
        /,
        topology: Any = None,
        class_name: Any = None,
        engine: Any = None,
        exist_ok: bool = False,
        allow_cyclic: bool = False,
        max_iterations: Any = None,
        **class_args: Any,
    ) -> FlowBuilder | RouterBuilder:
        if self.parent is not None:
            raise GraphError(
                f"child function {self.name!r} runs steps of the graph of {self.parent.name!r}; "
                "with a graph of its own it would run none of them",
                code="GC016",
                help=f"add the steps to that graph, with function={self.name!r}",
            )
        if self.root is not None and not exist_ok:
            raise GraphError(
                "the topology of this function is set already",
                help="set it once, or pass exist_ok=True to begin again",
                raises=INVALID_ARGUMENT,
            )
        if allow_cyclic:
            raise not_yet("cyclic graphs")
        session = self.session
        if topology is None or topology == "router":
            where = session.argument_span("class_name", 1)
            routes = class_args.pop("routes", None)
            self.root = router(session, class_name, class_args, where, is_root=True)
            add_routes(self.root, routes)
        elif topology == "flow":
            for name in class_args:
                session.diagnostics.warning(
                    "GC032",
                    f"a flow has no argument {name!r}; it has no effect, as in MLRun",
                    session.argument_span(name),
                    help=did_you_mean(name, ("class_name", "engine", "exist_ok")),
                )
            text = "async" if engine is None else session.text(engine, "engine", session.span)
            if text not in ("sync", "async"):
                session.diagnostics.warning(
                    "GC032",
                    f"there is no engine {text!r}: the flow is asynchronous, as in MLRun",
                    session.argument_span("engine", 2),
                    help='write engine="sync" or engine="async"',
                )
            self.root = FlowBuilder(self, "sync" if text == "sync" else "async")
        else:
            where = session.argument_span("topology", 0)
            if isinstance(topology, Unknown):
                raise unknown_value(topology, where)
            raise GraphError(
                f"unsupported topology {topology!r}",
                help='use "router" or "flow"',
                span=where,
                raises=INVALID_ARGUMENT,
            )
        return self.root

    def add_model(
        self,
        /,
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
    ) -> TaskBuilder:
        """A route of the function's router; makes a router if there is no topology yet."""
        if child_function is not None:
            raise GraphError(
                "a model in a child function is never reached: MLRun answers with the request",
                code="GC016",
                help="leave child_function out",
            )
        if model_url:
            if "url" in class_args:
                raise GraphError(
                    "add_model() got the model's URL twice",
                    help="leave url= out: model_url= says it",
                    span=self.session.argument_span("url"),
                )
            return self._router_of(router_step).add_route(
                key, class_name="$remote", **class_args, url=model_url
            )
        class_name = class_name if class_name is not None else self.serving.default_class
        if class_name is None and handler is None:
            raise GraphError(
                f"model {key!r} has no class",
                help="pass class_name=, or set fn.spec.default_class",
                raises=VALUE_ERROR if model_path and self.root is not None else (),
            )
        # As mlrun 1.12 does, but only where something was given (spec/serving.md Q2).
        arguments = {} if model_path is None else {"model_path": model_path}
        arguments |= class_args
        if outputs is not None:
            arguments["outputs"] = outputs
        return self._router_of(router_step).add_route(
            key, class_name=class_name, handler=handler, **arguments
        )

    def remove_states(self, keys: Any) -> None:
        """Remove steps or models from the graph, all for an empty list."""
        if self.root is not None:
            self.root.clear_children(keys)

    def _router_of(self, router_step: Any) -> RouterBuilder:
        if self.root is None:
            self.set_topology("router")
        if isinstance(self.root, RouterBuilder):
            return self.root
        assert self.root is not None
        routers = {
            name: step for name, step in self.root.steps.items() if isinstance(step, RouterBuilder)
        }
        if router_step is not None:
            if isinstance(router_step, RouterBuilder):
                return router_step
            if not isinstance(router_step, str) or router_step not in routers:
                raise GraphError(
                    f"there is no router step {router_step!r}",
                    code="GC011",
                    help=did_you_mean(str(router_step), routers),
                    raises=VALUE_ERROR,
                )
            return routers[router_step]
        if len(routers) != 1:
            found = "no router" if not routers else f"{len(routers)} routers"
            raise GraphError(
                f"the graph has {found}, so it is not clear where the model goes",
                help="add one router step, or name it with router_step=",
                raises=VALUE_ERROR,
            )
        return next(iter(routers.values()))

    def add_child_function(
        self,
        name: Any,
        url: Any = None,
        image: Any = None,
        requirements: Any = None,
        kind: Any = None,
    ) -> FunctionBuilder:
        """A function for the steps that name it; it has settings of its own (serving.md 8.2)."""
        if self.parent is not None:
            raise not_yet(
                "child functions of child functions",
                help=f"add it to {self.parent.name!r}, whose graph has all steps",
            )
        child = self.session.making.child(self, name, url, image, requirements, kind)
        self.children[child.name] = child
        return child

    def _freeze_child(self) -> ir.Child:
        """A child function as data; raises GraphError."""
        serving, settings = self._freeze_settings()
        parent = self.parent
        assert parent is not None
        # As MLRun deploys it: these are its parent's.
        of_parent = parent.serving.freeze()
        serving = replace(
            serving,
            verbose=serving.verbose or of_parent.verbose,
            secrets=of_parent.secrets,
            tracking=of_parent.tracking,
        )
        return ir.Child(self.name, self.span, self.code, serving, settings)

    def _freeze_settings(self) -> tuple[ir.Serving, ir.Settings]:
        serving = self.serving.freeze()
        settings = settle(self.settings)
        # As mlrun 1.12 reads it when a server starts.
        env = settings.spec.get("env")
        if isinstance(env, list) and any(
            field(one, "name") == "MLRUN_LOG_LEVEL" and str(field(one, "value")).lower() == "debug"
            for one in env
        ):
            serving = replace(serving, verbose=True)
        return serving, settings

    @property
    def names(self) -> list[str]:
        """What it and its child functions are called, and deployed as."""
        children = [normal_name(name) for name in self.children]
        return [self.name, *children, *(f"{self.name}-{name}" for name in children)]

    def freeze(self) -> ir.Function:
        """The function as data; raises GraphError."""
        if self.root is None:
            raise GraphError(
                f"function {self.name!r} has no graph",
                help='call set_topology("router") or set_topology("flow") on it',
            )
        serving, settings = self._freeze_settings()
        return ir.Function(
            name=self.name,
            span=self.span,
            root=self.root.freeze(),
            code=self.code,
            project=self.project,
            tag=self.tag,
            serving=serving,
            settings=settings,
            children=tuple(child._freeze_child() for child in self.children.values()),
        )
