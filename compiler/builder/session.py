"""One reading of one graph file: the `mlrun` module that it sees, and what it built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from .. import ir
from ..diagnostics import Diagnostics, GraphError, Note, Span, did_you_mean
from ..frontend.memory import origin
from ..frontend.values import HostFunction, HostModule, HostObject
from ..source import SourceTree
from . import mounts, trigger_sources, triggers
from .function import FunctionBuilder
from .making import HUB_CLASS, HUB_MODULE, Making
from .mistakes import normal_name, unknown_value
from .objects import StepObjects
from .projects import project_members
from .queue import queue_step

__all__ = ["HUB_CLASS", "HUB_MODULE", "Session"]

#: Modules of mlrun's that offer what `mlrun` itself offers.
_SAME = ("mlrun", "mlrun.run", "mlrun.projects", "mlrun.projects.project")


class Session(HostObject):
    """One reading of one graph file: the `mlrun` module that it sees, and what it built."""

    #: Calls that mean nothing for the graph; harmless also where it is unsure whether they run.
    no_effect = frozenset(
        {f"fn.{name}" for name in FunctionBuilder.skipped}
        | {"graph.plot", "router.plot", "project.deploy_function", "project.get_artifact_uri"}
        | {"project.get_function"}
    )

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
        #: Functions that the file makes and that do not serve, as it makes them.
        self.others: list[str] = []
        self.making = making = Making(self)
        members = {
            **making.members(),
            **project_members(self, making),
            **mounts.members(self),
        }
        objects = StepObjects(self)
        steps = {
            "RouterStep": HostFunction("mlrun.serving.RouterStep", objects.router_step),
            "TaskStep": HostFunction("mlrun.serving.TaskStep", objects.task_step),
            "QueueStep": HostFunction("mlrun.serving.QueueStep", partial(queue_step, self)),
        }
        self._modules: dict[str, HostModule] = {
            **{name: HostModule(name, mounts.members(self)) for name in mounts.MODULES},
            **{name: HostModule(name, members) for name in _SAME},
            **{name: HostModule(name, steps) for name in ("mlrun.serving", "mlrun.serving.states")},
        }

    def module(self, dotted: str) -> HostModule | None:
        """`mlrun`, its step objects and modifiers, other names of classes; `nuclio`."""
        if dotted in self._modules:
            return self._modules[dotted]
        if dotted in triggers.MODULES:
            return triggers.module(self, dotted)
        if dotted in trigger_sources.MODULES:
            return trigger_sources.module(self, dotted)
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

    # -- functions

    def add(self, function: FunctionBuilder) -> None:
        """A function was made; an earlier one of its name gives way, as it does in MLRun."""
        for number, other in enumerate(self.functions):
            if other.name == function.name:
                if other.root is not None:
                    self.diagnostics.warning(
                        "GC032",
                        f"this function replaces the earlier one of the name {function.name!r}",
                        self.span,
                        notes=[Note("the earlier one", other.span)],
                        help="give it another name to keep both",
                    )
                self.functions[number] = function
                return
        self.functions.append(function)

    def rename(self, function: FunctionBuilder, name: str) -> None:
        """The function gets another name."""
        if any(other.name == name for other in self.functions if other is not function):
            raise GraphError(f"there is a function {name!r} already")
        function.name = name

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

    def listed(self, value: Any, what: str) -> list[Any]:
        """The value as the list it must be, empty for None; raises GraphError."""
        if value is None or isinstance(value, list | tuple):
            return list(value or ())
        raise self.wrong_value(value, f"{what} must be a list of names", self.span)

    def wrong_value(self, value: Any, message: str, where: Span) -> GraphError:
        """The error for a value of the wrong type, or one that is not known."""
        if origin(value) is not None:
            return unknown_value(value, where)
        return GraphError(f"{message}, not {type(value).__name__}", span=where)

    # -- the end

    def graph(self, chosen: Sequence[str] = ()) -> ir.Graph:
        """Everything that was built, or what the chosen functions belong to, frozen.

        Mistakes that only the whole shows are reported.
        """
        functions = []
        chosen = [normal_name(name) for name in chosen]
        known = [name for function in self.functions for name in function.names]
        for name in chosen:
            if name not in known:
                raise GraphError(
                    f"--function: {self.tree.main.path} makes no function {name!r}",
                    code="GC011",
                    help=did_you_mean(name, known) or f"it makes {', '.join(known) or 'none'}",
                )
        for function in self.functions:
            if chosen and not any(name in chosen for name in function.names):
                continue
            try:
                functions.append(function.freeze())
            except GraphError as exc:
                self.diagnostics.add(exc.diagnostic(function.span))
        return ir.Graph(self.tree.main.path, tuple(functions))
