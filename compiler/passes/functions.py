"""What a function takes that a step runs, and what it does with it (spec/serving.md 2.3, 2.5)."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from .. import ir
from ..code_index import CodeIndex, FunctionInfo
from ..diagnostics import Diagnostics
from ..only_reads import only_reads
from ..plan import Callee, Formula, Library, User, Value
from ..returns import returns_parameter
from .facts import Facts


class Functions:
    """Looks at functions; those that a step cannot call are reported (GC017)."""

    def __init__(self, index: CodeIndex, diagnostics: Diagnostics) -> None:
        self._index = index
        self._diagnostics = diagnostics

    def called(self, target: ir.Target, full_event: bool, pass_context: bool = False) -> Facts:
        """Of a function, a lambda or an expression that is called with the body or the event."""
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
            return replace(unknown, is_async=self._index.is_coroutine(target.symbol))
        only_reads = takes == "body" and self.only_reads(info, target.symbol.module)
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
            returns_other=full_event and not returns_event(info),
        )

    def only_reads(self, info: FunctionInfo, module: str, bound: bool = False) -> bool:
        """Is it certain that it only reads its argument? `bound`: its first one is `self`."""
        if info.is_async or info.is_generator or info.decorators:
            return False
        parameters = [p for p in info.parameters if p.kind in ("positional-only", "positional")]
        builtins = only_reads(info.node, parameters[bound].name) if parameters[bound:] else None
        return builtins is not None and all(
            self._index.resolve(module, name) in (None, f"builtins.{name}") for name in builtins
        )

    def _report(self, target: ir.Target, message: str, code: str, help: str = "") -> None:
        self._diagnostics.error(code, message, target.span, help=help)


def returns_event(info: FunctionInfo, bound: bool = False) -> bool:
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
