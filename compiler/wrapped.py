"""What decorators, and other functions that make functions, give: a coroutine function or not.

In: an expression of a user's module. Out: the function of the user's that it stands for, followed
through functions that return functions of their own, and `functools.partial`.

    def patient(func):
        async def wait(body): ...
        return wait

    @patient
    def step(body): ...      wrapper(step) is wait
    other = patient(step)    made_function(patient(step)) is wait
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from .returns import returned
from .scopes import bindings, dotted

if TYPE_CHECKING:
    from .code_index import CodeIndex

_DEEPEST = 10


@dataclass(frozen=True, slots=True)
class _Made:
    """A function, the module it is of, and the functions around it that its names may mean."""

    node: cst.FunctionDef
    module: str
    around: Mapping[str, cst.FunctionDef]


def wrapper(index: CodeIndex, module: str, node: cst.FunctionDef) -> cst.FunctionDef | None:
    """The function that the decorators put into the place of this one; None if none is seen."""
    for decorator in node.decorators:
        made = _called(index, _function(index, module, decorator.decorator, {}, 0), 0)
        if made is not None:
            return made.node
    return None


def made_function(
    index: CodeIndex, module: str, expression: cst.BaseExpression
) -> cst.FunctionDef | None:
    """The function that an expression of a module's top level stands for; None if none is seen."""
    made = _function(index, module, expression, {}, 0)
    return made.node if made is not None else None


def _function(
    index: CodeIndex,
    module: str,
    expression: cst.BaseExpression,
    around: Mapping[str, cst.FunctionDef],
    depth: int,
) -> _Made | None:
    if depth > _DEEPEST:
        return None
    if isinstance(expression, cst.Call):
        if index.resolve(module, dotted(expression.func) or "") == "functools.partial":
            whole = expression.args[0].value if expression.args else None
            return _function(index, module, whole, around, depth + 1) if whole else None
        return _called(index, _function(index, module, expression.func, around, depth + 1), depth)
    name = dotted(expression) or ""
    if name in around:
        return _Made(around[name], module, around)
    symbol = index.resolve(module, name)
    if symbol is None or isinstance(symbol, str):
        return None
    binding = index.binding(symbol)
    if binding is None:
        return None
    if isinstance(binding.node, cst.FunctionDef):
        return _Made(binding.node, symbol.module, {})
    if binding.value is not None:
        return _function(index, symbol.module, binding.value, {}, depth + 1)
    return None


def _called(index: CodeIndex, maker: _Made | None, depth: int) -> _Made | None:
    """The function that calling another one gives; None if it may be a coroutine function or not.

    A decorator may give itself, for `@decorator(...)`.
    """
    if maker is None:
        return None
    own = {
        found.name: found.node
        for found in bindings(maker.node.body)
        if isinstance(found.node, cst.FunctionDef)
    }
    around = {**maker.around, **own}
    results = [
        made
        for value in returned(maker.node)
        if (made := _function(index, maker.module, value, around, depth + 1)) is not None
        and made.node is not maker.node
    ]
    kinds = {made.node.asynchronous is None for made in results}
    return results[0] if len(kinds) == 1 else None
