"""What a static look at the steps' code proves: how each is made and called.

For every step and route a `Facts`: does it take the body or the event, is it a coroutine, which of
the arguments that MLRun offers does its constructor take (spec/serving.md 2.3, 2.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .. import ir
from ..code_index import CodeIndex, FunctionInfo, Symbol
from ..diagnostics import Diagnostics, did_you_mean
from ..plan import Library, Make, Value
from ..runtime_names import IDLE_BASES, PICKLE_MODEL, known_remedy
from .facts import Facts, FunctionFacts, Selects
from .functions import Functions, returns_event
from .instantiation import Instantiation
from .library_steps import PICKLE_IMPORTS, LibrarySteps, runs_in_turn
from .mlrun_classes import COMPILED, MERGE, MODELS, PARALLEL, ROUTERS, VOTING
from .outgoing import BATCH, OUTGOING, REMOTE
from .requesting import Requesting
from .storey import CHOICE, MAP_CLASS, STOREY_BASES
from .validate import reached, successors

#: How the routes of a ParallelRun or an ensemble are run.
EXECUTORS = ("array", "thread", "process")
#: What a model may define beyond these takes part in the protocol, so it needs the protocol.
_PLAIN_METHODS = frozenset(("load", "predict"))
#: Hooks and state of the protocol (V2ModelServer's own names).
_PROTOCOL = frozenset(
    """__init__ post_init do_event do preprocess validate postprocess explain logged_results
    get_model get_param set_metric run protocol ready name model context""".split()
)


def infer(
    graph: ir.Graph, index: CodeIndex, diagnostics: Diagnostics
) -> Mapping[str, FunctionFacts]:
    """The facts of every function, by its name; what cannot be called is reported (GC017)."""
    return {
        function.name: _Inference(function, index, diagnostics).facts()
        for function in graph.functions
    }


class _Inference:
    def __init__(self, function: ir.Function, index: CodeIndex, diagnostics: Diagnostics) -> None:
        self._function = function
        self._index = index
        self._diagnostics = diagnostics
        self._functions = Functions(index, diagnostics)
        self._library_steps = LibrarySteps(index, diagnostics)
        self._instantiation = Instantiation(index, diagnostics)
        self._requesting = Requesting(index, diagnostics, self._instantiation)

    def facts(self) -> FunctionFacts:
        found = FunctionFacts()
        root = self._function.root
        for step in self._function.steps:
            if isinstance(step, ir.Router):
                found.steps[step.name] = self._router(step)
                self._routes(step, (step.name,), found)
            elif isinstance(step, ir.Queue):
                found.steps[step.name] = Facts()
            else:
                found.steps[step.name] = self._task(step, step.name)
        if isinstance(root, ir.Flow) and root.engine == "sync":
            self._synchronous(root, found)
        elif isinstance(root, ir.Flow):
            self._generators(root, found)
            self._choices(root, found)
            self._merges(root, found)
        return found

    def _generators(self, flow: ir.Flow, found: FunctionFacts) -> None:
        """Items of a generator go on as events; as an answer they would be a stream."""
        following = successors(flow)
        for step in flow.steps:
            if not found.steps[step.name].generator:
                continue
            behind = reached(following, [step.name])
            if any(flow.step(name).responder and not following[name] for name in behind):
                self._diagnostics.error(
                    "GC016",
                    f"step {step.name!r} is a generator in front of the responder; "
                    "graphc does not compile streaming answers yet",
                    step.span,
                    help="return a list, or let storey.FlatMap call the generator",
                )

    def _choices(self, flow: ir.Flow, found: FunctionFacts) -> None:
        following = successors(flow)
        for step in flow.steps:
            if found.steps[step.name].result == "outlets" and not following[step.name]:
                self._diagnostics.error(
                    "GC010",
                    f"step {step.name!r} chooses among the steps behind it, and there are none",
                    step.span,
                    help="add the steps that it names with after=...",
                )

    def _merges(self, flow: ir.Flow, found: FunctionFacts) -> None:
        """One event brings all parts of a Merge; those of several events would never meet."""
        following = successors(flow)
        for step in flow.steps:
            facts = found.steps[step.name]
            if not facts.merges or not isinstance(step, ir.Task):
                continue
            brings: dict[str, set[str]] = {}
            for read in self._function.reads:
                parts = reached(following, read.steps) & set(step.after)
                if step.name in read.steps:
                    parts.add(read.queue)
                if parts:
                    brings[read.queue] = parts
            whole = set().union(*brings.values())
            at_once = whole <= set(step.after)
            # Of MLRun's own Merge `partition` has told where a stream leads to it directly.
            told = not at_once and isinstance(step.cls, ir.Dotted)
            apart = any(parts < whole for parts in brings.values())
            if not told and (not at_once or (apart and facts.by_id)):
                self._diagnostics.error(
                    "GC016",
                    f"graphc does not compile a Merge of what comes from streams: {step.name!r} "
                    f"gets its parts from {_listed(brings)}",
                    step.span,
                    help="let each event of a stream bring all of them: join them in front of it",
                )

    def _routes(self, router: ir.Router, path: tuple[str, ...], found: FunctionFacts) -> None:
        for route in router.routes:
            inner = (*path, route.key)
            if isinstance(route, ir.Router):
                found.routes[inner] = self._router(route)
                self._routes(route, inner, found)
                continue
            facts = found.routes[inner] = self._task(route, route.key)
            target = route.function or route.cls
            if facts.is_async and target is not None:
                # Routers call their routes; they await nothing (serving.md 6.2).
                self._report(
                    target,
                    f"route {route.key!r} is a coroutine, which routers do not await",
                    "GC017",
                    "make it an ordinary function",
                )

    def _synchronous(self, flow: ir.Flow, found: FunctionFacts) -> None:
        """The sync engine runs no storey steps, and awaits nothing (serving.md 2.5)."""
        following = successors(flow)
        for step in flow.steps:
            if not isinstance(step, ir.Task):
                continue
            facts = found.steps[step.name]
            library = ir.library(step)
            in_turn = library not in COMPILED - MODELS - {REMOTE} or runs_in_turn(step)
            if not in_turn or facts.result == "outlets" or facts.merges or facts.waits:
                what = library or _kind(facts)
                self._diagnostics.error(
                    "GC015",
                    f"{what} runs in the async engine only",
                    step.span,
                    help='use engine="async"',
                )
            if facts.generator:
                self._diagnostics.error(
                    "GC016",
                    f"step {step.name!r} is a generator; "
                    "graphc does not compile streaming answers yet",
                    step.span,
                    help="return a list",
                )
            if found.steps[step.name].is_async and following[step.name]:
                target = step.function or step.cls
                assert target is not None
                self._report(
                    target,
                    f"step {step.name!r} is a coroutine, which the sync engine does not await",
                    "GC015",
                    'use engine="async", or an ordinary function',
                )

    def _router(self, router: ir.Router) -> Facts:
        kinds: set[object] = {router.cls.name} if isinstance(router.cls, ir.Dotted) else set()
        if isinstance(router.cls, ir.UserCode):
            kinds |= set(self._index.ancestors(router.cls.symbol))
        executor = dict(router.args).get("executor_type")
        in_parallel = not kinds.isdisjoint((PARALLEL, VOTING))
        if in_parallel and isinstance(executor, str) and executor not in EXECUTORS:
            self._diagnostics.error(
                "GC010",
                f"{executor!r} is no executor_type",
                router.span,
                help=f"choose among {', '.join(EXECUTORS)}",
            )
        if isinstance(router.cls, ir.Dotted):
            if router.cls.name not in ROUTERS:
                self._report(
                    router.cls,
                    f"graphc does not compile the router {router.cls.name} yet",
                    "GC016",
                    known_remedy(router.cls.name),
                )
            elif router.method is not None:
                self._report(
                    router.cls,
                    f"a method of {router.cls.name} cannot be the handler: it would get the body",
                    "GC017",
                    "leave handler= out, or derive a class that has a method for bodies",
                )
            return Facts("event", "do_event", make=Make(Library(router.cls.name)), protocol=True)
        if not isinstance(router.cls, ir.UserCode):
            return Facts("event")
        symbol = router.cls.symbol
        facts = self._object(router.cls, symbol, router, router.name, extra={"routes"})
        # Its routes may be models, which end events that they answer themselves.
        facts = replace(facts, terminates=facts.takes == "event")
        votes = VOTING in self._index.ancestors(symbol)
        logic = self._index.method(symbol, "logic") if votes else None
        # It gets arrays.
        return replace(facts, imports=("numpy",)) if logic and logic[1] is not None else facts

    def _task(self, step: ir.Task | ir.Route, name: str) -> Facts:
        if step.function is not None:
            return self._functions.called(step.function, bool(step.full_event))
        match step.cls:
            case ir.UserCode(symbol=symbol) as target:
                return self._object(target, symbol, step, name)
            case ir.Dotted() as target:
                return self._library_steps.facts(target, step, name, self._awaits(step))
        return Facts()

    def _awaits(self, step: ir.Task | ir.Router | ir.Route) -> bool:
        """Is it a step of a flow that awaits? Routers do not await their routes."""
        root = self._function.root
        return isinstance(step, ir.Task) and isinstance(root, ir.Flow) and root.engine == "async"

    def _object(
        self,
        target: ir.UserCode,
        symbol: Symbol,
        step: ir.Task | ir.Router | ir.Route,
        name: str,
        extra: frozenset[str] | set[str] = frozenset(),
    ) -> Facts:
        ancestors = self._index.ancestors(symbol)
        is_model = not MODELS.isdisjoint(ancestors)
        is_router = any(ancestor in ROUTERS for ancestor in ancestors)
        for ancestor in ancestors:
            if (
                isinstance(ancestor, str)
                and ancestor.partition(".")[0] in ("mlrun", "storey")
                and ancestor
                not in MODELS | ROUTERS | IDLE_BASES | STOREY_BASES | OUTGOING | {MERGE}
            ):
                self._report(
                    target,
                    f"graphc does not compile subclasses of {ancestor} yet",
                    "GC016",
                    known_remedy(ancestor),
                )
                return Facts()
        if MERGE in ancestors:
            return self._merging(target, symbol, step, name)
        requests = next((base for base in (REMOTE, BATCH) if base in ancestors), None)
        if requests is not None:
            self._requesting.check(symbol, requests)
            if requests == BATCH or self._awaits(step):
                return self._requesting.facts(target, symbol, step, name, requests)
        full_event = bool(getattr(step, "full_event", None))
        method = step.method
        owner: Symbol | str | None = None
        info: FunctionInfo | None = None
        takes: Value = "event" if full_event else "body"
        if method is not None:
            found = self._index.method(symbol, method)
            if found is None:
                self._report(
                    target,
                    f"class {symbol.name!r} has no method {method!r}",
                    "GC017",
                    did_you_mean(method, self._methods(symbol)),
                )
            else:
                owner, info = found
                if is_router and isinstance(owner, str):
                    self._report(
                        target,
                        f"{method}() of {owner} gets an event, and handler= gives it the body",
                        "GC017",
                        f"define {method!r} in {symbol.name}, or leave handler= out",
                    )
        else:
            chooses = CHOICE in ancestors
            brings_do_event = is_model or is_router or requests == REMOTE
            for candidate in ("do_event", "do"):
                found = None if chooses else self._index.method(symbol, candidate)
                if found is not None and (found[1] is not None or brings_do_event):
                    method, (owner, info) = candidate, found
                    break
            else:
                if chooses and self._index.method(symbol, "select_outlets") is not None:
                    make = self._instantiation.make(target, symbol, step, name, False, False, extra)
                    return Facts(takes, "select_outlets", make=make, result="outlets")
                self._report(
                    target,
                    f"class {symbol.name!r} has neither `do` nor `do_event`",
                    "GC017",
                    "add a method `def do(self, body)`, or name one with handler=",
                )
            if method == "do_event":
                takes = "event"
        selecting = self._index.method(symbol, "select_outlets")
        own_selection = selecting is not None and selecting[1] is not None
        generator = info is not None and info.is_generator
        return Facts(
            takes,
            method,
            is_async=info is not None and info.is_async,
            make=self._instantiation.make(target, symbol, step, name, is_model, is_router, extra),
            plain=is_model and self._is_plain(symbol),
            terminates=takes == "event" and self._index.mentions(symbol, "terminated"),
            protocol=is_model or is_router,
            own_method=info is not None,
            imports=PICKLE_IMPORTS if PICKLE_MODEL in ancestors else (),
            result="items" if generator else "value",
            generator=generator,
            selects=Selects() if own_selection and not (is_model or is_router) else None,
            filters=MAP_CLASS in ancestors and self._index.mentions(symbol, "filter"),
            only_reads=takes == "body"
            and info is not None
            and isinstance(owner, Symbol)
            and self._functions.only_reads(info, owner.module, bound=True),
            returns_other=takes == "event"
            and info is not None
            and not returns_event(info, bound=True),
        )

    def _merging(
        self, target: ir.UserCode, symbol: Symbol, step: ir.Task | ir.Router | ir.Route, name: str
    ) -> Facts:
        """A Merge with methods of the user's own (serving.md 4.3)."""
        decides = [
            found
            for method in ("__init__", "get_join_key")
            if (found := self._index.method(symbol, method)) is not None and found[1] is not None
        ]
        by_id = not decides and "key_path" not in dict(step.args)
        make = self._instantiation.make(target, symbol, step, name, False, False, frozenset())
        return Facts(make=make, merges=True, by_id=by_id)

    def _methods(self, symbol: Symbol) -> list[str]:
        infos = [self._index.class_info(item) for item in self._index.lineage(symbol)]
        return [name for info in infos if info for name in info.methods]

    def _is_plain(self, symbol: Symbol) -> bool:
        """Nothing but `load`, `predict` and helpers of its own, and no base that is not known."""
        if any(
            isinstance(item, str) and item not in (*MODELS, "object")
            for item in self._index.ancestors(symbol)
        ):
            return False
        for item in self._index.lineage(symbol):
            info = self._index.class_info(item)
            if info is None:
                return False
            names = (set(info.methods) | info.attributes) - _PLAIN_METHODS
            if names & _PROTOCOL or any(name.startswith(("op_", "__")) for name in names):
                return False
        return True

    def _report(self, target: ir.Target, message: str, code: str, help: str = "") -> None:
        self._diagnostics.error(code, message, target.span, help=help)


def _kind(facts: Facts) -> str:
    """Of a class that the sync engine does not run: what it derives from."""
    if facts.merges:
        return "a Merge"
    return "a BatchHttpRequests" if facts.waits else "a Choice"


def _listed(names: Iterable[str]) -> str:
    return " and ".join(map(repr, names))
