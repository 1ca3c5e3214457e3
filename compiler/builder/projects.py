"""MLRun projects, as far as serving functions are made, found and deployed through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from ..diagnostics import GraphError, did_you_mean
from ..frontend.values import HostFunction, HostObject, Instance, Unknown
from .function import FunctionBuilder
from .making import Foreign
from .mistakes import normal_name

if TYPE_CHECKING:
    from .making import Making
    from .session import Session


class _Metadata(HostObject):
    description = "a project's metadata"
    api = frozenset(("name",))

    def __init__(self, name: Any) -> None:
        self.name = name

    def assign(self, name: str, value: Any) -> None:
        """Of no consequence for graphs."""


class Project(HostObject):
    """An MLRun project; all but its functions and the names of its artifacts is the service's."""

    description = "a project"
    api = frozenset(
        """context func get_artifact_uri get_function metadata name set_function
        deploy_function""".split()
    )

    def __init__(self, session: Session, making: Making, name: Any, context: Any) -> None:
        self._session = session
        self._making = making
        self.name = name
        self.metadata = _Metadata(name)
        self.context = context
        known = isinstance(context, str | PurePosixPath) and "://" not in str(context)
        self._folder = str(context) if known else ""
        if self._folder:
            session.tree.search(self._folder)
        self._functions: dict[str, Any] = {}

    def read(self, name: str) -> Any:
        if name in ("name", "metadata", "context"):
            return getattr(self, name)
        if name == "set_function":
            return HostFunction("project.set_function", self.set_function, idle=_no_serving)
        if name == "func":
            name = "get_function"
        return HostFunction(f"project.{name}", getattr(self, name))

    def assign(self, name: str, value: Any) -> None:
        """Settings of the project concern jobs and the service."""

    def set_function(
        self,
        func: Any = None,
        name: Any = "",
        kind: Any = "job",
        image: Any = None,
        handler: Any = None,
        with_repo: Any = None,
        tag: Any = None,
        requirements: Any = None,
        requirements_file: Any = "",
    ) -> Any:
        """`project.set_function`: a file, a function's YAML, a function object, or this file."""
        session = self._session
        if isinstance(func, PurePosixPath):
            func = str(func)
        made: Any
        if isinstance(func, FunctionBuilder):
            made = func
            if name:
                session.rename(func, normal_name(session.text(name, "name", session.span)))
        elif isinstance(func, Unknown | Foreign | Instance):
            made = func
        elif isinstance(func, str) and (
            func.endswith((".yaml", ".yml")) or func.startswith(("hub://", "db://"))
        ):
            path = str(PurePosixPath(self._folder, func)) if "://" not in func else func
            made = self._making.import_function(path, new_name=name or None)
            if isinstance(made, FunctionBuilder):
                self._settings(made, image, requirements, requirements_file)
        elif kind != "serving":
            made = self._making.new_function(name, kind=kind)
        else:
            # With a handler, `func` may be the name (mlrun 1.12); no file is meant then.
            if isinstance(func, str) and handler and not func.endswith((".py", ".ipynb")):
                func, name = None, name or func
            made = self._making.of_file(
                func,
                name,
                session.argument_span("func", 0),
                image=image,
                requirements=requirements,
                requirements_file=requirements_file,
                folder=self._folder,
                project=self.name,
                tag=tag,
            )
        key = made.name if isinstance(made, FunctionBuilder) else name
        if isinstance(key, str) and key:
            self._functions[_key(key)] = made
        return made

    def _settings(
        self, function: FunctionBuilder, image: Any, requirements: Any, requirements_file: Any
    ) -> None:
        if image:
            function.settings.assign("image", image)
        function.settings.build.with_requirements(requirements, requirements_file)

    def get_function(self, key: Any, *args: Any, **kwargs: Any) -> Any:
        """`project.get_function`: one that the file has set, or made under that name."""
        session = self._session
        if isinstance(key, FunctionBuilder | Foreign):
            return key
        where = session.argument_span("key", 0)
        name = _key(session.text(key, "key", where))
        if name in self._functions:
            return self._functions[name]
        for function in session.functions:
            if function.name == name:
                return function
        listed = did_you_mean(name, [*self._functions, *(f.name for f in session.functions)])
        return Foreign(
            f"the function {name!r}, which this file does not make",
            session.span,
            listed
            or 'make it here: project.set_function(..., kind="serving"); project.yaml is not read',
        )

    def deploy_function(self, function: Any = None, *args: Any, **kwargs: Any) -> Unknown:
        """`project.deploy_function`: what it gives is known when the function runs."""
        return Unknown("where a function will be reached is known when it is deployed", None)

    def get_artifact_uri(
        self, key: Any, category: Any = "artifact", tag: Any = None, iter: Any = None
    ) -> Any:
        """The address of an artifact in the project's store (mlrun 1.12, projects/project.py)."""
        for value in (self.name, key, category, tag, iter):
            if isinstance(value, Unknown):
                return value
        if not isinstance(key, str) or not isinstance(category, str):
            raise GraphError("an artifact's key and category are texts")
        uri = f"store://{category}s/{self.name}/{key}"
        if iter is not None:
            uri = f"{uri}#{iter}"
        return uri if tag is None else f"{uri}:{tag}"


def project_members(session: Session, making: Making) -> Mapping[str, HostFunction]:
    """The functions of the module `mlrun` that open projects."""

    def opened(name: Any, context: Any, user_project: Any) -> Project:
        if user_project:
            name = Unknown("the project is named after the user who builds", session.span)
        return Project(session, making, name, context)

    def get_or_create_project(
        name: Any = "", context: Any = "./", *args: Any, user_project: Any = False, **kwargs: Any
    ) -> Project:
        return opened(name, context, user_project or (len(args) > 2 and args[2]))

    def load_project(
        context: Any = "./",
        url: Any = None,
        name: Any = None,
        *args: Any,
        user_project: Any = False,
        **kwargs: Any,
    ) -> Project:
        if name is None:
            name = Unknown("the project's name is in its project.yaml", session.span)
        return opened(name, context, user_project)

    def get_current_project(*args: Any, **kwargs: Any) -> Project:
        name = Unknown("which project is the current one", session.span)
        return Project(session, making, name, "./")

    def deploy_function(function: Any = None, *args: Any, **kwargs: Any) -> Unknown:
        return Unknown("where a function will be reached is known when it is deployed", None)

    made: dict[str, Callable[..., Any]] = {
        "get_or_create_project": get_or_create_project,
        "new_project": get_or_create_project,
        "load_project": load_project,
        "get_current_project": get_current_project,
        "deploy_function": deploy_function,
    }
    return {
        name: HostFunction(f"mlrun.{name}", call, idle=lambda args, kwargs: True)
        for name, call in made.items()
    }


def _no_serving(args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Do the arguments of set_function say that it makes no serving function?"""
    func = kwargs.get("func", args[0] if args else None)
    kind = kwargs.get("kind", args[2] if len(args) > 2 else "job")
    if isinstance(func, FunctionBuilder):
        return False
    return isinstance(kind, str) and kind != "serving"


def _key(name: str) -> str:
    return name.partition(":")[0].strip().replace("_", "-").lower()
