"""What a function returns: surely its argument, or one of some expressions.

In: a function, and the name of a parameter. True is said if every way through it ends with `return
<parameter>` or an exception. What is not understood counts as another result.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from .scopes import bindings, children, walk


def returns_parameter(node: cst.FunctionDef | cst.Lambda, parameter: str) -> bool:
    """Is the argument all that the function ever returns?"""
    if isinstance(node, cst.Lambda):
        return _is(node.body, parameter)
    rebound = any(binding.name == parameter for binding in bindings(node.body)) or any(
        isinstance(item, cst.Nonlocal) for item in walk(node.body)
    )
    return (
        not rebound
        and all(_is(found.value, parameter) for found in _returns(node.body))
        and _ends(node.body)
    )


def returned(node: cst.FunctionDef) -> list[cst.BaseExpression]:
    """The expressions that it returns."""
    return [found.value for found in _returns(node.body) if found.value is not None]


def _is(value: cst.BaseExpression | None, parameter: str) -> bool:
    return isinstance(value, cst.Name) and value.value == parameter


def _returns(node: cst.CSTNode) -> Iterator[cst.Return]:
    """The `return`s of a function's own."""
    for child in children(node):
        if isinstance(child, cst.Return):
            yield child
        elif not isinstance(child, cst.FunctionDef | cst.ClassDef | cst.Lambda):
            yield from _returns(child)


def _ends(node: cst.CSTNode) -> bool:
    """Does no way lead out of the block at its end?"""
    match node:
        case cst.IndentedBlock(body=body) | cst.SimpleStatementSuite(body=body):
            return bool(body) and _ends(body[-1])
        case cst.SimpleStatementLine(body=body):
            return _ends(body[-1])
        case cst.Return() | cst.Raise():
            return True
        case cst.If(body=body, orelse=cst.If() | cst.Else() as orelse):
            return _ends(body) and _ends(orelse)
        case cst.Else(body=body):
            return _ends(body)
        case cst.Try(body=body, handlers=handlers, orelse=orelse):
            last = body if orelse is None else orelse
            return _ends(last) and all(_ends(handler.body) for handler in handlers)
    return False
