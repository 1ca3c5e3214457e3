"""How functions are made: empty, of a file, of this file, of a function's YAML, of the hub."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from .. import ir
from ..diagnostics import GraphError, Span, did_you_mean
from ..frontend.values import HostFunction, HostObject, Unknown
from ..source import SourceModule
from .function import FunctionBuilder
from .magics import apply_magics
from .mistakes import (
    INVALID_ARGUMENT,
    NOT_FOUND,
    OS_ERROR,
    VALUE_ERROR,
    normal_name,
    not_yet,
    unknown_value,
)

if TYPE_CHECKING:
    from .session import Session

HUB_MODEL_SERVER = "hub://v2_model_server"
#: The module that packages get for it, and its class.
HUB_MODULE, HUB_CLASS = "v2_model_server", "ClassifierModel"


class Foreign(HostObject):
    """A function that graphc does not have: its settings are nobody's loss, a graph on it is."""

    description = "a function that graphc does not have"
    api = frozenset(("set_topology", "add_model", "spec"))

    def __init__(self, what: str, span: Span, help: str) -> None:
        self._what = what
        self._span = span
        self._help = help

    def read(self, name: str) -> Any:
        if name == "spec":
            return Unknown(f"the settings of {self._what}", self._span)
        return HostFunction(f"fn.{name}", self._refuse)

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise GraphError(f"graphc does not have {self._what}", code="GC016", help=self._help)

    def assign(self, name: str, value: Any) -> None:
        """Of no consequence, as there is no such function."""


class Making:
    """`mlrun.new_function` and its like."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def members(self) -> Mapping[str, HostFunction]:
        """The functions of the module `mlrun` that make functions."""
        return {
            "new_function": HostFunction(
                "mlrun.new_function", self.new_function, idle=_no_serving(3)
            ),
            "code_to_function": HostFunction(
                "mlrun.code_to_function", self.code_to_function, idle=_no_serving(5)
            ),
            "import_function": HostFunction("mlrun.import_function", self.import_function),
        }

    def new_function(
        self,
        name: Any = "",
        project: Any = "",
        tag: Any = "",
        kind: Any = "",
        command: Any = "",
        image: Any = "",
        args: Any = None,
        runtime: Any = None,
        mode: Any = None,
        handler: Any = None,
        source: Any = None,
        requirements: Any = None,
        kfp: Any = None,
        requirements_file: Any = "",
    ) -> FunctionBuilder | Unknown:
        """`mlrun.new_function`: an empty function; only kind "serving" concerns graphs."""
        if kind != "serving":
            return self._not_serving("new_function", kind)
        if not name:
            raise GraphError(
                "the function has no name",
                help='name it: mlrun.new_function("my-function", kind="serving")',
            )
        return self.add(
            name,
            image=image,
            requirements=requirements,
            requirements_file=requirements_file,
            project=project,
            tag=tag,
        )

    def code_to_function(
        self,
        name: Any = "",
        project: Any = "",
        tag: Any = "",
        filename: Any = "",
        handler: Any = "",
        kind: Any = "",
        image: Any = None,
        code_output: Any = "",
        embed_code: Any = True,
        description: Any = "",
        requirements: Any = None,
        categories: Any = None,
        labels: Any = None,
        with_doc: Any = True,
        ignored_tags: Any = None,
        requirements_file: Any = "",
    ) -> FunctionBuilder | Unknown:
        """`mlrun.code_to_function`: a function whose code is a file, by default this one."""
        if kind != "serving":
            return self._not_serving("code_to_function", kind)
        function = self.of_file(
            filename,
            name,
            self.session.argument_span("filename", 3),
            image=image,
            requirements=requirements,
            requirements_file=requirements_file,
            ignored_tags=_tags(ignored_tags),
            project=project,
            tag=tag,
        )
        function.settings.values["description"] = description
        for key, value in (labels or {}).items() if isinstance(labels, dict) else ():
            function.read("set_label").call(key, value)
        return function

    def of_file(
        self,
        filename: Any,
        name: Any,
        where: Span,
        *,
        image: Any = None,
        requirements: Any = None,
        requirements_file: Any = "",
        ignored_tags: Collection[str] = (),
        folder: str = "",
        project: Any = "",
        tag: Any = "",
        parent: FunctionBuilder | None = None,
    ) -> FunctionBuilder:
        """A function of a file, the one that is read if none is named.

        `folder` is where the file is looked for first.
        """
        session = self.session
        missing = NOT_FOUND if parent is None else OS_ERROR
        module = session.tree.main
        if filename:
            module = self.module_of(filename, where, folder, missing)
        named = name if isinstance(name, str) else ""  # marks name it as the call spells it
        if parent is None:
            module.used_by(named, ignored_tags)
        else:
            module = session.tree.part(module, named, ignored_tags)
        name = name or PurePosixPath(module.path).name.partition(".")[0]
        function = self.add(
            name,
            image=image,
            requirements=requirements,
            requirements_file=requirements_file,
            code=_searched(module, parent),
            project=project,
            tag=tag,
            parent=parent,
        )
        apply_magics(function, module, ignored_tags)
        return function

    def child(
        self,
        parent: FunctionBuilder,
        name: Any,
        url: Any,
        image: Any,
        requirements: Any,
        kind: Any,
    ) -> FunctionBuilder:
        """A child function, of a file (mlrun 1.12.1, `FunctionReference.to_function`)."""
        from .function_yaml import child_of_yaml

        session = self.session
        where = session.argument_span("url", 1)
        name_place = session.argument_span("name", 0)
        for checked in (name, f"{parent.name}-{name}"):  # the second is what it is deployed as
            try:
                normal_name(session.text(checked, "name", name_place))
            except GraphError as exc:
                exc.span = exc.span or name_place
                raise
        if isinstance(kind, Unknown):
            raise unknown_value(kind, session.argument_span("kind", 4))
        if kind not in (None, "", "serving"):
            raise GraphError(
                f"child functions of kind {kind!r} run no steps of a graph",
                code="GC016",
                span=session.argument_span("kind", 4),
                help='leave kind= out, or say "serving"',
            )
        if isinstance(url, FunctionBuilder):
            raise GraphError(
                "a child function is made of a file, not of a function",
                span=where,
                help="pass the path of its code, and set what it needs on the function that "
                "add_child_function() returns",
            )
        if not url:
            raise GraphError(
                f"child function {name!r} has no code",
                span=where,
                help="pass url=, the path of a .py, .ipynb or .yaml file",
                raises=VALUE_ERROR,
            )
        path = session.text(str(url) if isinstance(url, PurePosixPath) else url, "url", where)
        scheme, remote, _ = path.partition("://")
        if remote and scheme in ("db", "hub"):
            raise GraphError(
                f"graphc does not ask the MLRun service for functions ({path})",
                code="GC016",
                span=where,
                help="export it, fn.export('function.yaml'), and give the path of that file",
            )
        if path.endswith(".yaml") and not remote:
            return child_of_yaml(self, parent, name, path, image, requirements, where)
        if not path.endswith((".py", ".ipynb")):
            raise GraphError(
                f"a child function cannot be made of {path!r}",
                span=where,
                help="give the path of a .py, .ipynb or .yaml file",
            )
        if path.endswith(".py") and not image:
            raise GraphError(
                f"child function {name!r} has no image; MLRun makes none of a .py file without",
                span=where,
                help='pass image="mlrun/mlrun"; the package then has the base image of packages',
                raises=VALUE_ERROR,
            )
        return self.of_file(
            path, name, where, image=image, requirements=requirements, parent=parent
        )

    def code_of(self, function: FunctionBuilder, from_file: Any, body: Any) -> tuple[str, ...]:
        """The modules that `with_code` stands for; with no argument, the file that is read."""
        session = self.session
        for name, value in (("from_file", from_file), ("body", body)):
            if isinstance(value, Unknown):
                raise unknown_value(value, session.argument_span(name))
        if body and from_file:
            raise GraphError(
                "with_code() takes a file or a body, not both",
                help="pass from_file= or body=",
                raises=INVALID_ARGUMENT,
            )
        if body:
            text = session.text(body, "body", session.argument_span("body", 1))
            if not text.strip():  # as people write it to be able to deploy
                return ("",)
            module = session.tree.add(f"{function.name}_code.py", text)
        else:
            where = session.argument_span("from_file", 0)
            module = self.module_of(from_file, where) if from_file else session.tree.main
            module.used_by(function.name)
        return _searched(module, function.parent)

    def module_of(
        self, filename: Any, where: Span, folder: str = "", missing: tuple[str, ...] = NOT_FOUND
    ) -> SourceModule:
        """The user's module in a file; raises GraphError if it is not there, as MLRun `missing`."""
        session = self.session
        path = session.text(
            str(filename) if isinstance(filename, PurePosixPath) else filename, "filename", where
        )
        if "://" in path:
            raise not_yet(
                f"code from {path.partition('://')[0]}:// addresses",
                where,
                help="put a copy of the file beside the graph file",
            )
        if not path.endswith((".py", ".ipynb")):
            raise GraphError(
                f"a function's code is not read from {path!r}",
                span=where,
                help="give the path of a .py or .ipynb file",
            )
        for candidate in dict.fromkeys((str(PurePosixPath(folder, path)), path)):
            module = session.tree.file(candidate)
            if module is not None:
                return module
        raise GraphError(
            f"there is no file {path!r} in the folder of {session.tree.main.path}",
            code="GC011",
            span=where,
            help=did_you_mean(path, session.tree.names_beside())
            or "give the path of a .py or .ipynb file, relative to the graph file",
            raises=missing,
        )

    def import_function(
        self,
        url: Any = "",
        secrets: Any = None,
        db: Any = "",
        project: Any = None,
        new_name: Any = None,
    ) -> FunctionBuilder | Foreign | Unknown:
        """`mlrun.import_function`: a function's YAML, or the hub's model server."""
        from .function_yaml import function_of_yaml

        session = self.session
        where = session.argument_span("url", 0)
        if isinstance(url, PurePosixPath):
            url = str(url)
        url = session.text(url, "url", where)
        if url.endswith((".yaml", ".yml")) and "://" not in url:
            return function_of_yaml(self, url, new_name, where)
        base = url.partition(":")[0] + ":" + url.partition(":")[2].split(":")[0]
        if base.replace("-", "_") == HUB_MODEL_SERVER:
            function = self.add(new_name or "v2-model-server", image="mlrun/mlrun")
            function.serving.default_class = ir.Dotted(f"{HUB_MODULE}.{HUB_CLASS}", session.span)
            return function
        return Foreign(
            f"the function that is imported from {url!r}",
            session.span,
            f"graphc knows {HUB_MODEL_SERVER} of the hub; export the function to a YAML file "
            "beside the graph file, and import that"
            if "://" in url
            else "give the path of a function's .yaml file",
        )

    def _not_serving(self, call: str, kind: Any) -> Unknown:
        if isinstance(kind, Unknown):
            raise unknown_value(kind, self.session.argument_span("kind"))
        shown = f"kind={kind!r}" if kind else ""
        self.session.others.append(f"{call}({shown})")
        return Unknown(
            f"{call}({shown}) makes no serving function, so it is none of graphc's",
            self.session.span,
        )

    def add(
        self,
        name: Any,
        *,
        image: Any,
        requirements: Any = None,
        requirements_file: Any = "",
        code: tuple[str, ...] = ("",),
        project: Any = "",
        tag: Any = "",
        parent: FunctionBuilder | None = None,
    ) -> FunctionBuilder:
        """A new function; one of the same name that was made before gives way, as in MLRun."""
        session = self.session
        where = session.argument_span("name", 0)
        name, _, named_tag = session.text(name, "name", where).partition(":")
        if parent is None:
            name = normal_name(name)
        function = FunctionBuilder(session, name, session.span, code)
        # Records name them; where they are not known, records do without.
        function.project = project if isinstance(project, str) else ""
        function.tag = tag if tag and isinstance(tag, str) else named_tag
        if image:
            function.settings.assign("image", image)
        function.settings.build.with_requirements(requirements, requirements_file)
        if parent is None:
            session.add(function)
        else:
            function.parent = parent
        return function


def _searched(module: SourceModule, parent: FunctionBuilder | None) -> tuple[str, ...]:
    """The modules in which a function's names are looked up.

    On Nuclio that is its own file. Of a function that is no child, MLRun's simulator looks into
    the file that defines the graph, too: accept both.
    """
    return (module.name, "") if module.name and parent is None else (module.name,)


def _no_serving(position: int) -> Any:
    """Do a call's arguments say that it makes no serving function?"""

    def idle(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
        kind = kwargs.get("kind", args[position] if len(args) > position else "")
        return isinstance(kind, str) and kind != "serving"

    return idle


def _tags(value: Any) -> Collection[str]:
    listed = [value] if isinstance(value, str) else value
    if isinstance(listed, (list, tuple, set)):
        return [tag for tag in listed if isinstance(tag, str)]
    return ()
