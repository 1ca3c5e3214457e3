"""What a static look at the steps' code proves: how each is made and called.

For every step and route a `Facts`: does it take the body or the event, is it a coroutine, which of
the arguments that MLRun offers does its constructor take (spec/serving.md 2.3, 2.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import libcst as cst

from .. import ir
from ..builder import HUB_CLASS, HUB_MODULE
from ..code_index import CodeIndex, FunctionInfo, Symbol
from ..constructors import Signature, forwarding
from ..diagnostics import Diagnostics, did_you_mean
from ..only_reads import only_reads
from ..plan import CONTEXT, Callee, Formula, GraphStep, Library, Make, User, Value
from ..returns import returns_parameter
from ..runtime_names import IDLE_BASES, PICKLE_MODEL, known_remedy
from .concurrent import CONCURRENT, CONCURRENT_STEPS, SEND, concurrent_make, send_make
from .facts import Facts, FunctionFacts, Selects
from .outgoing import BATCH, OUTGOING, REMOTE, batch_make, remote_make
from .storey import (
    ASSERT,
    CHOICE,
    FLATTEN,
    FUNCTION_STEPS,
    IDLE_ARGUMENTS,
    MAP_CLASS,
    OBJECT_STEPS,
    STOREY_BASES,
    STOREY_STEPS,
    storey_function,
)
from .validate import reached, successors

V2_MODEL = "mlrun.serving.V2ModelServer"
MODELS = frozenset((V2_MODEL, PICKLE_MODEL))
VOTING = "mlrun.serving.VotingEnsemble"
PARALLEL = "mlrun.serving.routers.ParallelRun"
MERGE = "mlrun.serving.merger.Merge"
#: Classes of MLRun and storey that steps may name.
COMPILED = frozenset(
    (
        *MODELS,
        "mlrun.serving.ModelRouter",
        "mlrun.serving.VotingEnsemble",
        PARALLEL,
        MERGE,
        *OUTGOING,
        *CONCURRENT_STEPS,
        *STOREY_STEPS,
    )
)
ROUTERS = frozenset(
    (
        "mlrun.serving.ModelRouter",
        "mlrun.serving.VotingEnsemble",
        "mlrun.serving.routers.BaseModelRouter",
        PARALLEL,
    )
)
#: How the routes of a ParallelRun or an ensemble are run.
EXECUTORS = ("array", "thread", "process")
#: What runtime_min's pickle_model imports.
_PICKLE_IMPORTS = ("cloudpickle", "numpy", "pandas")
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
            in_turn = library not in COMPILED - MODELS - {REMOTE} or _runs_in_turn(step)
            if not in_turn or facts.result == "outlets" or facts.merges:
                what = library or ("a Merge" if facts.merges else "a Choice")
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
        full_event = bool(step.full_event)
        if step.function is not None:
            return self._called(step.function, full_event)
        match step.cls:
            case ir.UserCode(symbol=symbol) as target:
                return self._object(target, symbol, step, name)
            case ir.Dotted(name=dotted) as target:
                return self._library(target, dotted, step, name, full_event)
        return Facts()

    # -- functions

    def _called(self, target: ir.Target, full_event: bool, pass_context: bool = False) -> Facts:
        takes: Value = "event" if full_event else "body"
        if isinstance(target, ir.Inline):
            other = full_event and target.text != target.parameter
            only_reads = _formula_only_reads(target)
            return Facts(takes, context=pass_context, only_reads=only_reads, returns_other=other)
        unknown = Facts(takes, context=pass_context, returns_other=full_event)
        if not isinstance(target, ir.UserCode):
            return unknown
        info = self._index.function_info(target.symbol)
        if info is None:
            return unknown
        only_reads = takes == "body" and self._only_reads(info, target.symbol.module)
        names = [parameter.name for parameter in info.parameters]
        first = [p for p in info.parameters if p.kind in ("positional-only", "positional")]
        context = "context" in names or pass_context
        if any(p.kind == "var-positional" for p in info.parameters):
            pass
        elif not first or (context and first[0].name == "context"):
            self._report(
                target,
                f"{target.symbol.name}() does not take the "
                f"{'event' if full_event else 'body'} as its first parameter",
                "GC017",
            )
        missing = [
            parameter.name
            for parameter in info.parameters
            if parameter.required and parameter.name != "context" and parameter not in first[:1]
        ]
        if missing and first:
            self._report(
                target,
                f"{target.symbol.name}() needs more than the "
                f"{'event' if full_event else 'body'}: {', '.join(missing)}",
                "GC017",
                "give these parameters defaults; a step is called with one argument",
            )
        return Facts(
            takes,
            is_async=info.is_async,
            context=context,
            terminates=full_event and "terminated" in info.names_read,
            result="items" if info.is_generator else "value",
            generator=info.is_generator,
            only_reads=only_reads,
            returns_other=full_event and not _returns_event(info),
        )

    def _only_reads(self, info: FunctionInfo, module: str, bound: bool = False) -> bool:
        """Is it certain that it only reads its argument? `bound`: its first one is `self`."""
        if info.is_async or info.is_generator or info.decorators:
            return False
        parameters = [p for p in info.parameters if p.kind in ("positional-only", "positional")]
        builtins = only_reads(info.node, parameters[bound].name) if parameters[bound:] else None
        return builtins is not None and all(
            self._index.resolve(module, name) in (None, f"builtins.{name}") for name in builtins
        )

    # -- objects

    def _library(
        self, target: ir.Dotted, dotted: str, step: ir.Task | ir.Route, name: str, full: bool
    ) -> Facts:
        if dotted in OUTGOING | CONCURRENT_STEPS:
            return self._outgoing(target, dotted, step, name)
        if dotted in MODELS or dotted == f"{HUB_MODULE}.{HUB_CLASS}":
            paths = (("input_path", step.input_path), ("result_path", step.result_path))
            args = (*step.args, *((key, path) for key, path in paths if path is not None))
            make = Make(Library(dotted), (CONTEXT, name), args, starts=True)
            plain = dotted != V2_MODEL
            imports = _PICKLE_IMPORTS if dotted == PICKLE_MODEL else ()
            return Facts(
                "event", "do_event", make=make, plain=plain, protocol=True, imports=imports
            )
        if dotted in STOREY_STEPS or dotted == MERGE:
            return self._storey(target, step, full)
        return Facts()

    def _outgoing(
        self, target: ir.Dotted, dotted: str, step: ir.Task | ir.Route, name: str
    ) -> Facts:
        """A step that waits for others; where nothing awaits, in routes, too, a RemoteStep only."""
        root = self._function.root
        awaits = isinstance(step, ir.Task) and isinstance(root, ir.Flow) and root.engine == "async"

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
        facts = self._called(function, full_event, bool(args.get("pass_context")))
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
                and ancestor not in MODELS | ROUTERS | IDLE_BASES | STOREY_BASES | {MERGE}
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
            for candidate in ("do_event", "do"):
                found = None if chooses else self._index.method(symbol, candidate)
                if found is not None and (found[1] is not None or is_model or is_router):
                    method, (owner, info) = candidate, found
                    break
            else:
                if chooses and self._index.method(symbol, "select_outlets") is not None:
                    make = self._make(target, symbol, step, name, False, False, extra)
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
            make=self._make(target, symbol, step, name, is_model, is_router, extra),
            plain=is_model and self._is_plain(symbol),
            terminates=takes == "event" and self._mentions(symbol, "terminated"),
            protocol=is_model or is_router,
            own_method=info is not None,
            imports=_PICKLE_IMPORTS if PICKLE_MODEL in ancestors else (),
            result="items" if generator else "value",
            generator=generator,
            selects=Selects() if own_selection and not (is_model or is_router) else None,
            filters=MAP_CLASS in ancestors and self._mentions(symbol, "filter"),
            only_reads=takes == "body"
            and info is not None
            and isinstance(owner, Symbol)
            and self._only_reads(info, owner.module, bound=True),
            returns_other=takes == "event"
            and info is not None
            and not _returns_event(info, bound=True),
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
        make = self._make(target, symbol, step, name, False, False, frozenset())
        return Facts(make=make, merges=True, by_id=by_id)

    def _methods(self, symbol: Symbol) -> list[str]:
        infos = [self._index.class_info(item) for item in self._lineage(symbol)]
        return [name for info in infos if info for name in info.methods]

    def _lineage(self, symbol: Symbol) -> list[Symbol]:
        """The class and its ancestors, as far as they are the user's."""
        found = [item for item in self._index.ancestors(symbol) if isinstance(item, Symbol)]
        return found if symbol in found else [symbol, *found]

    def _is_plain(self, symbol: Symbol) -> bool:
        """Nothing but `load`, `predict` and helpers of its own, and no base that is not known."""
        if any(
            isinstance(item, str) and item not in (*MODELS, "object")
            for item in self._index.ancestors(symbol)
        ):
            return False
        for item in self._lineage(symbol):
            info = self._index.class_info(item)
            if info is None:
                return False
            names = (set(info.methods) | info.attributes) - _PLAIN_METHODS
            if names & _PROTOCOL or any(name.startswith(("op_", "__")) for name in names):
                return False
        return True

    def _mentions(self, symbol: Symbol, name: str) -> bool:
        infos = [self._index.class_info(item) for item in self._lineage(symbol)]
        return any(
            name in function.names_read
            for info in infos
            if info
            for function in info.methods.values()
        )

    def _make(
        self,
        target: ir.UserCode,
        symbol: Symbol,
        step: ir.Task | ir.Router | ir.Route,
        name: str,
        is_model: bool,
        is_router: bool,
        extra: frozenset[str] | set[str],
    ) -> Make:
        """How the object is made: MLRun's own arguments where the constructor takes them."""
        signature = self._index.constructor(symbol)
        given = {
            key.removeprefix("_") if _is_callable(value) else key: value for key, value in step.args
        }
        offered: dict[str, object] = {
            "context": CONTEXT,
            "name": name,
            "input_path": step.input_path,
            "result_path": step.result_path,
            "full_event": getattr(step, "full_event", None),
        }
        if self._asks_for_step(symbol, signature):
            offered["graph_step"] = _graph_step(step, name)
        starts = is_model or is_router or self._index.method(symbol, "post_init") is not None
        told = self._told(symbol, isinstance(step, ir.Router))
        accepted = set(signature.names) | extra
        if not signature.var_keyword:
            for key in given:
                if key not in accepted:
                    self._report(
                        target,
                        f"{symbol.name}() has no parameter {key!r}",
                        "GC017",
                        did_you_mean(key, accepted),
                    )
        for key in signature.required:
            if key not in given and key not in offered and key not in extra:
                self._report(
                    target,
                    f"{symbol.name}() needs an argument {key!r}",
                    "GC017",
                    f"pass {key}=... with the step",
                )
        own_constructor = self._index.method(symbol, "__init__")
        if is_model and self._loads_nothing(symbol) and "model" not in given:
            self._report(
                target,
                f"class {symbol.name!r} has no method `load`, and the step no model=",
                "GC017",
                "add a method `def load(self)`, also if there is nothing to load",
            )
        if is_model and (own_constructor is None or own_constructor[1] is None):
            plain_args = tuple(
                (key, value)
                for key, value in {**given, **offered}.items()
                if key not in ("context", "name", "full_event")
                and (key not in offered or value is not None)
            )
            return Make(User(symbol), (CONTEXT, name), plain_args, starts=True, start_args=told)
        passed: dict[str, object] = {}
        bases = self._index.ancestors(symbol)
        is_step = any(base in STOREY_BASES for base in bases)
        for key, value in offered.items():
            takes = key in signature.names or signature.accepts_any
            if key not in (*signature.positional, *signature.required):
                # mlrun 1.12 looks at positional parameters and at `**kwargs`.
                takes = takes and (signature.var_keyword or signature.accepts_any)
            # Where the default is None, too, it need not be said.
            anything = signature.accepts_any and not is_step and MERGE not in bases
            needs = key in (*signature.required, *signature.defaults)
            if takes and (value is not None or needs or anything):
                passed[key] = value
        if is_step and (own_constructor is None or own_constructor[1] is None):
            # runtime_min's steps only keep these, for code of the user's that asks.
            uses = {"context": ("context", "logger", "verbose"), "name": ("name",)}
            passed = {
                key: value
                for key, value in passed.items()
                if any(self._mentions(symbol, name) for name in uses.get(key, ()))
            }
        passed |= {key: value for key, value in given.items() if key not in offered}
        return Make(User(symbol), (), tuple(passed.items()), starts=starts, start_args=told)

    def _asks_for_step(self, symbol: Symbol, signature: Signature) -> bool:
        """Is there a parameter `graph_step`, or a `**kwargs` that code takes it from?"""
        if "graph_step" in signature.names:
            return True
        nodes = [self._index.binding(item) for item in self._lineage(symbol)]
        return signature.accepts_any and any(
            "graph_step" in _code(binding.node) for binding in nodes if binding
        )

    def _told(self, symbol: Symbol, is_router: bool) -> ir.Args:
        """What the class's own `post_init` asks for besides the mode.

        As deployed by mlrun 1.12.1, which fails where a `post_init` does not take these.
        """
        found = self._index.method(symbol, "post_init")
        if found is None or found[1] is None:
            return ()
        names = {parameter.name: parameter.kind for parameter in found[1].parameters}
        keywords = next((name for name, kind in names.items() if kind == "var-keyword"), None)
        uses_any = keywords is not None and keywords in found[1].names_read
        if uses_any and self._hands_on(symbol, found[1], str(keywords)):
            uses_any = False
        told = (("creation_strategy", "skip"), ("endpoint_type", 2 if is_router else 1))
        return tuple(item for item in told if uses_any or item[0] in names)

    def _hands_on(self, symbol: Symbol, info: FunctionInfo, keywords: str) -> bool:
        """Are a method's `**kwargs` only handed on, and to no other class of the user's?"""
        owners = [self._index.class_info(item) for item in self._lineage(symbol)]
        return (
            isinstance(info.node, cst.FunctionDef)
            and forwarding(info.node, keywords) is not None
            and sum(info.name in owner.methods for owner in owners if owner) == 1
        )

    def _loads_nothing(self, symbol: Symbol) -> bool:
        """Is it certain that the base class's `load` is called, which fails without a model?"""
        ways = ("__init__", "post_init", "load")
        found = [self._index.method(symbol, method) for method in ways]
        bases = {base for base in self._index.ancestors(symbol) if isinstance(base, str)}
        return bases <= {V2_MODEL, "object"} and all(one is None or one[1] is None for one in found)

    def _report(self, target: ir.Target, message: str, code: str, help: str = "") -> None:
        self._diagnostics.error(code, message, target.span, help=help)


def _runs_in_turn(step: ir.Task) -> bool:
    """Can the sync engine run this object of runtime_min?"""
    known = OBJECT_STEPS.get(ir.library(step) or "")
    if known is None or not known.ordinary:
        return False
    return known.takes == "body" or bool(step.full_event)  # a `do` gets no event of itself


def _graph_step(step: ir.Task | ir.Router | ir.Route, name: str) -> GraphStep:
    """What MLRun's step object says of the step, as far as it is not the usual."""
    kind = "error_step" if isinstance(step, ir.Task) and step.catcher else "task"
    fields = {
        "name": name,
        "kind": "router" if isinstance(step, ir.Router) else kind,
        "class_name": step.cls.symbol.name if isinstance(step.cls, ir.UserCode) else None,
        "class_args": dict(step.args),
        "handler": step.method,
        "after": [*getattr(step, "after", ())],
        "full_event": getattr(step, "full_event", None),
        "input_path": step.input_path,
        "result_path": step.result_path,
        "on_error": getattr(step, "on_error", None),
        "responder": getattr(step, "responder", None) or None,
    }
    usual: tuple[object, ...] = (None, "task", {}, [])
    return GraphStep(tuple((key, value) for key, value in fields.items() if value not in usual))


def _code(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)


def _is_callable(value: object) -> bool:
    return isinstance(value, ir.Target)


def _returns_event(info: FunctionInfo, bound: bool = False) -> bool:
    """Is it certain that it returns its argument? `bound`: its first one is `self`."""
    parameters = [p for p in info.parameters if p.kind in ("positional-only", "positional")]
    return (
        not info.decorators
        and bool(parameters[bound:])
        and returns_parameter(info.node, parameters[bound].name)
    )


def _formula_only_reads(target: ir.Inline) -> bool:
    formula = cst.ensure_type(
        cst.parse_expression(f"lambda {target.parameter}: ({target.text})"), cst.Lambda
    )
    builtins = only_reads(formula, target.parameter)
    return builtins is not None and builtins.isdisjoint((*target.names, *target.values))


def _identity(target: ir.Dotted) -> ir.Inline:
    return ir.Inline("event", "event", target.span)


def callee_of(target: ir.Target) -> Callee:
    """What calls the target, for codegen."""
    match target:
        case ir.UserCode(symbol=symbol):
            return User(symbol)
        case ir.Dotted(name=name):
            return Library(name)
        case ir.Inline():
            return Formula(target)
    raise AssertionError(f"{target} was not resolved")
