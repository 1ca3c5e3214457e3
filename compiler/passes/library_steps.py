"""Steps of MLRun and storey that a graph uses as they are: how they are made and called."""

from __future__ import annotations

from dataclasses import replace

from .. import ir
from ..builder import HUB_CLASS, HUB_MODULE
from ..code_index import CodeIndex
from ..diagnostics import Diagnostics
from ..plan import CONTEXT, Library, Make, Value
from ..runtime_names import PICKLE_MODEL
from .concurrent import CONCURRENT, CONCURRENT_STEPS, SEND, concurrent_make, send_make
from .facts import Facts, Selects
from .functions import Functions, callee_of
from .mlrun_classes import MERGE, MODELS, ROUTERS, V2_MODEL
from .outgoing import BATCH, OUTGOING, REMOTE, batch_make, remote_make
from .storey import (
    ASSERT,
    FLATTEN,
    FUNCTION_STEPS,
    IDLE_ARGUMENTS,
    OBJECT_STEPS,
    STOREY_STEPS,
    storey_function,
)

#: What runtime_min's pickle_model imports.
PICKLE_IMPORTS = ("cloudpickle", "numpy", "pandas")


class LibrarySteps:
    """Finds their facts; what they cannot be given is reported (GC016, GC017, GC032)."""

    def __init__(self, index: CodeIndex, diagnostics: Diagnostics) -> None:
        self._index = index
        self._diagnostics = diagnostics
        self._functions = Functions(index, diagnostics)

    def facts(self, target: ir.Dotted, step: ir.Task | ir.Route, name: str, awaits: bool) -> Facts:
        """`awaits`: is it a step of a flow that awaits?"""
        dotted = target.name
        if dotted in OUTGOING | CONCURRENT_STEPS:
            return self._outgoing(target, step, name, awaits)
        if dotted in MODELS or dotted == f"{HUB_MODULE}.{HUB_CLASS}":
            paths = (("input_path", step.input_path), ("result_path", step.result_path))
            args = (*step.args, *((key, path) for key, path in paths if path is not None))
            make = Make(Library(dotted), (CONTEXT, name), args, starts=True)
            plain = dotted != V2_MODEL
            imports = PICKLE_IMPORTS if dotted == PICKLE_MODEL else ()
            return Facts(
                "event", "do_event", make=make, plain=plain, protocol=True, imports=imports
            )
        if dotted in ROUTERS:
            self._report(
                target,
                f"{dotted} is a router",
                "GC017",
                f'add the route RouterStep(class_name="{dotted}")'
                if isinstance(step, ir.Route)
                else f'write class_name="*{dotted}"',
            )
            return Facts()
        if dotted == MERGE and isinstance(step, ir.Route):
            self._report(target, "a Merge is a step of a flow, not a route", "GC017")
            return Facts()
        if dotted in STOREY_STEPS or dotted == MERGE:
            return self._storey(target, step, bool(step.full_event))
        return Facts()

    def _outgoing(
        self, target: ir.Dotted, step: ir.Task | ir.Route, name: str, awaits: bool
    ) -> Facts:
        """A step that waits for others; where nothing awaits, in routes, too, a RemoteStep only."""
        dotted = target.name

        def report(code: str, message: str, help: str) -> None:
            if code == "GC032":
                self._diagnostics.warning(code, message, target.span, help=help)
            else:
                self._report(target, message, code, help)

        if dotted == REMOTE and not awaits:
            return Facts("event", "do_event", make=remote_make(step, name, False, report))
        if dotted == CONCURRENT:
            self._concurrent(step)
            takes: Value = "event" if step.full_event else "body"
            make = concurrent_make(step, name, report)
            return Facts(takes, "do", True, make=make, pathless=True, waits=True)
        if dotted == SEND:
            make = send_make(step, name, report)
            facts = Facts("event", "do_event", True, make=make, imports=("aiohttp",), waits=True)
            return replace(facts, filters=True)
        if step.full_event:
            message = f"{name!r} cannot have full_event: in MLRun every event fails"
            report("GC017", message, "leave full_event out")
        make = (
            batch_make(step, name, report)
            if dotted == BATCH
            else remote_make(step, name, True, report)
        )
        return Facts("event", "do_event", True, make=make, imports=("aiohttp",), waits=True)

    def _concurrent(self, step: ir.Task | ir.Route) -> None:
        """The function of a ConcurrentExecution gets an event or body, and perhaps the context."""
        args = dict(step.args)
        function = storey_function(step, "event_processor")
        info = (
            self._index.function_info(function.symbol)
            if isinstance(function, ir.UserCode)
            else None
        )
        if function is None or info is None:
            return
        count = 2 if args.get("pass_context") else 1
        positional = [p for p in info.parameters if p.kind in ("positional-only", "positional")]
        any_number = any(p.kind == "var-positional" for p in info.parameters)
        required = [p for p in info.parameters if p.required and p not in positional[:count]]
        if required or (len(positional) < count and not any_number):
            what = "the body and the context" if count == 2 else "the body"
            self._report(function, f"{info.name}() cannot be called with {what} alone", "GC017")
        if info.is_generator:
            self._report(
                function,
                f"{info.name}() is a generator; graphc does not compile streaming answers yet",
                "GC016",
                "return a list",
            )

    def _storey(self, target: ir.Dotted, step: ir.Task | ir.Route, full_event: bool) -> Facts:
        if target.name == MERGE:
            by_id = not {"key_path", "_key_path"} & set(dict(step.args))
            return Facts(merges=True, by_id=by_id)
        if target.name == FLATTEN:
            return Facts(result="items", callee=_identity(target))
        if target.name == ASSERT:
            return Facts(callee=_identity(target), pathless=True)
        if target.name in OBJECT_STEPS:
            return self._object_step(target, step, full_event)
        function = storey_function(step)
        if function is None:
            self._report(
                target,
                f"{target.name} needs a function",
                "GC017",
                """pass it as _fn="(expression)" or _fn="name" """.strip(),
            )
            return Facts()
        args = dict(step.args)
        facts = self._functions.called(function, full_event, bool(args.get("pass_context")))
        result = FUNCTION_STEPS[target.name]
        if facts.generator and result == "value":
            result = "items"  # as of any other step
        return replace(
            facts,
            result=result,
            generator=facts.generator and target.name == "storey.Map",
            callee=function,
            selects=self._selecting(storey_function(step, "fn_select_outlets")),
        )

    def _selecting(self, function: ir.Target | None) -> Selects | None:
        return None if function is None else Selects(callee_of(function))

    def _object_step(self, target: ir.Dotted, step: ir.Task | ir.Route, full_event: bool) -> Facts:
        """A step that runtime_min has a class for."""
        known = OBJECT_STEPS[target.name]
        args = {key.removeprefix("_"): value for key, value in step.args}
        for key in known.required:
            if key not in args:
                self._report(
                    target,
                    f"{target.name} needs {key}=",
                    "GC017",
                    f"pass {key}=... with the step",
                )
        taken = {*known.required, *known.optional}
        given = tuple((key, value) for key, value in args.items() if key in taken)
        for key in args.keys() - IDLE_ARGUMENTS - taken:
            self._diagnostics.warning(
                "GC032",
                f"{target.name} has no argument {key!r}; it has no effect, as in MLRun",
                step.span,
            )
        gets_event = full_event and (known.ordinary or known.result == "outlets")
        return Facts(
            "event" if gets_event else known.takes,
            known.method,
            make=Make(Library(target.name), args=given),
            imports=known.imports,
            result=known.result,
            pathless=not known.ordinary,
        )

    def _report(self, target: ir.Target, message: str, code: str, help: str = "") -> None:
        self._diagnostics.error(code, message, target.span, help=help)


def runs_in_turn(step: ir.Task) -> bool:
    """Can the sync engine run this object of runtime_min?"""
    known = OBJECT_STEPS.get(ir.library(step) or "")
    if known is None or not known.ordinary:
        return False
    return known.takes == "body" or bool(step.full_event)  # a `do` gets no event of itself


def _identity(target: ir.Dotted) -> ir.Inline:
    return ir.Inline("event", "event", target.span)
