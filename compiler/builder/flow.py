"""A flow graph: its steps, and the calls that put them there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from .. import ir
from ..arguments import Arguments, target_of
from ..diagnostics import GraphError, Span, did_you_mean
from ..frontend.values import HostFunction, HostObject, Instance, Unknown
from . import mlrun_names
from .mistakes import INVALID_ARGUMENT, KEY_ERROR, not_yet, unknown_value
from .objects import add_routes, router
from .queue import QueueBuilder, is_queue, queue
from .router import RouterBuilder, is_router_object
from .step import REARRANGED, StepBuilder
from .task import RouteBuilder, last_part

if TYPE_CHECKING:
    from .function import FunctionBuilder


class FlowBuilder(HostObject):
    """A flow graph."""

    description = "a flow graph"
    api = frozenset(
        ["to", "add_step", "error_handler", "set_flow", "clear_children", "plot", "steps"]
    )
    known = mlrun_names.FLOW
    refused: ClassVar[Mapping[str, str]] = {
        **REARRANGED,
        **dict.fromkeys(
            ("add_shared_model", "configure_shared_pool_resource"),
            "load the model in the step that runs it, a class derived from V2ModelServer",
        ),
        "set_flow_source": "events come by Nuclio's triggers: set these on the function",
        "track_models": "use set_tracking() of the function",
    }

    def __init__(self, function: FunctionBuilder, engine: Literal["sync", "async"]) -> None:
        self.function = function
        self.engine = engine
        self.span = function.session.span
        self.steps: dict[str, StepBuilder] = {}
        self.on_error: str | None = None
        self._last: str | None = None

    def read(self, name: str) -> Any:
        if name == "plot":
            return HostFunction("graph.plot", lambda *args, **kwargs: None)
        return super().read(name)

    def assign(self, name: str, value: Any) -> None:
        if name != "on_error":
            raise GraphError(
                f"a graph has no setting {name!r}",
                code="GC011",
                help=did_you_mean(name, ("on_error",)),
            )
        session = self.function.session
        self.on_error = session.text(value, "on_error", session.span)

    def item(self, key: Any) -> Any:
        return self.steps[self.existing(key, "graph[...]", raises=KEY_ERROR)]

    def iterate(self) -> list[Any]:
        return list(self.steps)

    def contains(self, key: Any) -> bool:
        return key in self.steps

    def remove(self, key: Any) -> None:
        del self.steps[self.existing(key, "graph[...]")]

    def clear_children(self, steps: Any = None) -> None:
        """Remove the steps of these names, or all."""
        for name in self.function.session.listed(steps, "steps") or list(self.steps):
            self.remove(name)

    def to(
        self,
        /,
        class_name: Any = None,
        name: Any = None,
        handler: Any = None,
        graph_shape: Any = None,
        function: Any = None,
        full_event: Any = None,
        input_path: Any = None,
        result_path: Any = None,
        model_endpoint_creation_strategy: Any = None,
        cycle_to: Any = None,
        max_iterations: Any = None,
        **class_args: Any,
    ) -> StepBuilder:
        """Add a start step, each time it is called."""
        return self.add(
            class_name,
            name,
            handler,
            function,
            full_event,
            input_path,
            result_path,
            cycle_to,
            class_args,
            after=[],
        )

    def add_step(
        self,
        /,
        class_name: Any = None,
        name: Any = None,
        handler: Any = None,
        after: Any = None,
        before: Any = None,
        graph_shape: Any = None,
        function: Any = None,
        full_event: Any = None,
        input_path: Any = None,
        result_path: Any = None,
        model_endpoint_creation_strategy: Any = None,
        cycle_to: Any = None,
        max_iterations: Any = None,
        **class_args: Any,
    ) -> StepBuilder:
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
            class_name,
            name,
            handler,
            function,
            full_event,
            input_path,
            result_path,
            cycle_to,
            class_args,
            after=known,
        )
        if before:
            self._insert(step, before)
        return step

    def _previous(self, item: Any, where: Span) -> str | None:
        if item is None or item == "":
            return None
        if item == "$prev":
            return self._last
        return self.existing(item, "after", where)

    def _insert(self, step: StepBuilder, before: Any) -> None:
        """Put the step in front of another: it takes over what that one followed (mlrun 1.12)."""
        where = self.function.session.argument_span("before", 4)
        target = self.steps[self.existing(before, "before", where)]
        # Of several `after`, mlrun 1.12 puts the step before the other once for each.
        if target is step or before in step.after or len(step.after) > 1:
            raise GraphError(
                f"step {step.name!r} cannot stand before {before!r}: a loop",
                code="GC013",
                span=where,
            )
        step.after = target.after
        target.after = [step.name]

    def set_flow(self, steps: Any, force: bool = False) -> StepBuilder:
        """Chain steps given as class names or dicts of `to` keywords."""
        session = self.function.session
        if self.steps and not force:
            raise GraphError(
                "the graph has steps already", help="pass force=True", raises=INVALID_ARGUMENT
            )
        if not isinstance(steps, (list, tuple)):
            raise session.wrong_value(steps, "steps must be a list", session.span)
        if not steps:
            raise GraphError("set_flow() needs at least one step", code="GC010", span=session.span)
        for key in (key for entry in steps if isinstance(entry, dict) for key in entry):
            if not isinstance(key, str):
                raise session.wrong_value(key, "an entry's keys must be texts", session.span)
        self.steps.clear()
        last: FlowBuilder | StepBuilder = self
        for entry in steps:
            last = last.to(**entry) if isinstance(entry, dict) else last.to(entry)
        assert not isinstance(last, FlowBuilder)
        return last

    def error_handler(
        self,
        /,
        name: Any = None,
        class_name: Any = None,
        handler: Any = None,
        before: Any = None,
        function: Any = None,
        full_event: Any = None,
        input_path: Any = None,
        result_path: Any = None,
        **class_args: Any,
    ) -> FlowBuilder:
        """Name the step that takes the failures of all steps without a catcher of their own."""
        if before:
            raise GraphError(
                "the handler of a whole graph cannot have `before`", raises=INVALID_ARGUMENT
            )
        self.on_error = self.add_catcher(
            name,
            class_name,
            handler,
            None,
            function,
            full_event,
            input_path,
            result_path,
            class_args,
        )
        return self

    # -- what the calls above share

    def add(
        self,
        class_name: Any,
        name: Any,
        handler: Any,
        function: Any,
        full_event: Any,
        input_path: Any,
        result_path: Any,
        cycle_to: Any,
        class_args: dict[str, Any],
        after: list[str],
    ) -> StepBuilder:
        """Make a step and put it into the graph; one of the same name takes its place."""
        session = self.function.session
        where = session.argument_span("class_name", 0)
        if isinstance(class_name, str) and class_name.startswith("hub://"):
            raise not_yet("steps of the hub", where)
        if cycle_to:
            raise not_yet("cycles (cycle_to)")
        step: StepBuilder
        is_router = isinstance(class_name, str) and class_name.startswith("*")
        if is_router or is_router_object(class_name) or isinstance(class_name, RouterBuilder):
            spelled = class_name[1:] if isinstance(class_name, str) else class_name
            chosen = self._name(name, where) if name else None
            routes = class_args.pop("routes", None)
            step = router(session, spelled, class_args, where, chosen, flow=self, handler=handler)
            add_routes(step, routes)
        elif is_queue(class_name):
            if full_event is not None:
                class_args["full_event"] = full_event
            step = self._queue(class_name, name, class_args, where)
        else:
            step = self._task(class_name, name, handler, class_args, where)
        step.after = after
        if function:
            step.runs_in = session.text(function, "function", session.argument_span("function"))
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
        if isinstance(class_name, RouteBuilder):
            return self._of_object(class_name, name)
        if class_name is None:
            if handler is None:
                raise GraphError(
                    "the step names neither a class nor a function",
                    help="pass class_name= or handler=",
                    raises=INVALID_ARGUMENT,
                )
            if not name:
                raise GraphError(
                    "a step that calls a function needs a name",
                    help="pass name=",
                    raises=INVALID_ARGUMENT,
                )
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
            session,
            self._name(name or last_part(cls), session.argument_span("name", 1)),
            session.span,
            cls,
            handler,
            {**own, **class_args},
            dict(session.call_spans),
            flow=self,
            **paths,
        )

    def _queue(
        self, class_name: Any, name: Any, class_args: dict[str, Any], where: Span
    ) -> QueueBuilder:
        if isinstance(class_name, QueueBuilder):
            # The object itself, as in MLRun: what is set on it later counts.
            is_taken = class_name.flow is not None
            step = replace(class_name, args=dict(class_name.args)) if is_taken else class_name
            name = name or class_name.name
        else:
            step = queue(self.function.session, "", class_args, where)
        if not name:
            raise GraphError(
                "a queue needs a name", help="pass name=", span=where, raises=INVALID_ARGUMENT
            )
        step.name = self._name(name, where)
        step.flow = self
        return step

    def _of_object(self, given: RouteBuilder, name: Any) -> StepBuilder:
        """A step like the `TaskStep(...)` that is given; its name and settings are its own."""
        session = self.function.session
        cls = given.cls
        if cls is not None and not isinstance(cls, Instance):
            cls = target_of(session, cls, given.arg_spans.get("class_name", given.span), "class")
        named = name or given.name or last_part(cls)
        return StepBuilder(
            session,
            self._name(named, session.argument_span("name", 1)),
            session.span,
            cls,
            given.handler,
            dict(given.args),
            given.arg_spans,
            given.full_event,
            given.input_path,
            given.result_path,
            given.responder,
            flow=self,
        )

    def add_catcher(
        self,
        name: Any,
        class_name: Any,
        handler: Any,
        before: Any,
        function: Any,
        full_event: Any,
        input_path: Any,
        result_path: Any,
        class_args: dict[str, Any],
    ) -> str:
        """The name of a catcher; a new step unless the seed's form, a name alone, is used."""
        session = self.function.session
        where = session.argument_span("name", 0)
        if class_name is None and handler is None:
            if not name:
                raise GraphError(
                    "error_handler names neither a step nor a class", raises=INVALID_ARGUMENT
                )
            # The seed's form: a step of this name is added before or after. `freeze` finds it.
            return self._name(name, where)
        last = self._last
        step = self.add(
            class_name,
            name,
            handler,
            function,
            full_event,
            input_path,
            result_path,
            None,
            class_args,
            after=[],
        )
        self._last = last
        if isinstance(step, (RouterBuilder, QueueBuilder)):
            raise GraphError(f"{step.description} cannot be an error handler", span=where)
        step.catcher = True
        listed = before if isinstance(before, (list, tuple)) else [before] if before else []
        step.before = tuple(session.text(item, "before", where) for item in listed)
        return step.name

    def existing(
        self, name: Any, what: str, where: Span | None = None, raises: tuple[str, ...] = ()
    ) -> str:
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
                raises=raises,
            )
        return str(name)

    def _name(self, name: Any, where: Span) -> str:
        text = self.function.session.text(name, "a step's name", where)
        if len(text) > 200 or not text.isprintable():
            raise GraphError(
                "a step's name must be printable and at most 200 characters long",
                code="GC018",
                span=where,
            )
        return text

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
        return ir.Flow(self.engine, self.span, tuple(steps), self.on_error)
