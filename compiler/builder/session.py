"""One reading of one graph file: the `mlrun` module that it sees, and what it built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from .. import ir
from ..diagnostics import Diagnostics, GraphError, Span
from ..frontend.values import HostFunction, HostModule, HostObject, Unknown
from ..source import SourceTree
from . import mounts, triggers
from .function import FunctionBuilder
from .mistakes import normal_name, not_yet, unknown_value
from .objects import StepObjects

HUB_MODEL_SERVER = "hub://v2_model_server"
#: The module that packages get for it, and its class.
HUB_MODULE, HUB_CLASS = "v2_model_server", "ClassifierModel"


class Project(HostObject):
    """An MLRun project; functions that are made through it are not read yet."""

    description = "a project"
    api = frozenset(("get_function", "set_function"))

    def set_function(self, *args: Any, **kwargs: Any) -> Any:
        raise not_yet("functions of projects", help="make the function with mlrun.code_to_function")

    get_function = set_function


class Session(HostObject):
    """One reading of one graph file: the `mlrun` module that it sees, and what it built."""

    #: Calls that mean nothing for the graph; harmless also where it is unsure whether they run.
    no_effect: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self, tree: SourceTree, diagnostics: Diagnostics, env: Mapping[str, str] | None = None
    ) -> None:
        self.tree = tree
        #: Values of environment variables that the build is told.
        self.env = env or {}
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
                **mounts.members(self),
                **{
                    name: HostFunction(f"mlrun.{name}", lambda *args, **kwargs: Project())
                    for name in ("get_or_create_project", "load_project", "new_project")
                },
            },
        )
        objects = StepObjects(self)
        self._steps = {
            "RouterStep": HostFunction("mlrun.serving.RouterStep", objects.router_step),
            "TaskStep": HostFunction("mlrun.serving.TaskStep", objects.task_step),
        }

    def module(self, dotted: str) -> HostModule | None:
        """`mlrun`; its submodules hold step objects, modifiers and names of classes; `nuclio`."""
        if dotted == "mlrun":
            return self._mlrun
        if dotted in ("mlrun.serving", "mlrun.serving.states"):
            return HostModule(dotted, self._steps)
        if dotted in triggers.MODULES:
            return triggers.module(self, dotted)
        if dotted in mounts.MODULES:
            return HostModule(dotted, mounts.members(self))
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
        return self._add(
            name,
            image=image,
            requirements=requirements,
            requirements_file=requirements_file,
            project=project,
            tag=tag,
        )

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
                raise not_yet("code in notebooks", where)
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
        function = self._add(
            name or "",
            image=image or "",
            requirements=requirements,
            requirements_file=requirements_file,
            code=code,
            project=project,
            tag=tag,
        )
        function.settings.values["description"] = description
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
            raise not_yet(
                f"functions imported from {url!r}",
                help=f"the hub function it knows is {HUB_MODEL_SERVER}",
            )
        function = self._add(new_name or "v2-model-server", image="mlrun/mlrun")
        function.serving.default_class = ir.Dotted(f"{HUB_MODULE}.{HUB_CLASS}", self.span)
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
        requirements_file: str = "",
        code: tuple[str, ...] = ("",),
        project: str = "",
        tag: str = "",
    ) -> FunctionBuilder:
        where = self.argument_span("name", 0)
        name = normal_name(self.text(name, "name", where))
        if any(function.name == name for function in self.functions):
            raise GraphError(f"there is a function {name!r} already", span=where)
        function = FunctionBuilder(self, name, self.span, code)
        # Records name them; where they are not known, records do without.
        function.project = project if isinstance(project, str) else ""
        function.tag = tag if isinstance(tag, str) else ""
        if image:
            function.settings.assign("image", image)
        function.settings.with_requirements(requirements, requirements_file=requirements_file)
        self.functions.append(function)
        return function

    # -- values

    def text(self, value: Any, what: str, where: Span) -> str:
        """The value as the str it must be, one that files can hold; raises GraphError."""
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError as exc:
                raise GraphError(
                    f"{what} has a lone surrogate, which no file can hold", code="GC020", span=where
                ) from exc
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
