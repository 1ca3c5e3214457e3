"""How objects of the user's classes are made: what constructors and `post_init` are told.

MLRun looks at the signatures and offers what they ask for (spec/serving.md 2.3).
"""

from __future__ import annotations

import libcst as cst

from .. import ir
from ..code_index import CodeIndex, FunctionInfo, Symbol
from ..constructors import Signature, forwarding
from ..diagnostics import Diagnostics, did_you_mean
from ..plan import CONTEXT, GraphStep, Make, User
from .mlrun_classes import MERGE, V2_MODEL
from .storey import STOREY_BASES


class Instantiation:
    """Finds how objects are made; what constructors do not take is reported (GC017)."""

    def __init__(self, index: CodeIndex, diagnostics: Diagnostics) -> None:
        self._index = index
        self._diagnostics = diagnostics

    def make(
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
                if any(self._index.mentions(symbol, name) for name in uses.get(key, ()))
            }
        passed |= {key: value for key, value in given.items() if key not in offered}
        return Make(User(symbol), (), tuple(passed.items()), starts=starts, start_args=told)

    def _asks_for_step(self, symbol: Symbol, signature: Signature) -> bool:
        """Is there a parameter `graph_step`, or a `**kwargs` that code takes it from?"""
        if "graph_step" in signature.names:
            return True
        nodes = [self._index.binding(item) for item in self._index.lineage(symbol)]
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
        owners = [self._index.class_info(item) for item in self._index.lineage(symbol)]
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
