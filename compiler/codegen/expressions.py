"""Values, callees and expressions of a graph as Python text."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

import libcst as cst

from .. import ir
from ..code_index import Symbol
from ..frontend.free_names import bound_in
from ..plan import CONTEXT, GraphStep

#: How a name of the user's is reached from the handler: `graph.cube`.
Reach = Callable[[Symbol], str]


def literal(value: Any, target: Callable[[Any], str]) -> str:
    """Python text for an argument; `target` spells code. Black chooses the quotes."""
    match value:
        case float() if not math.isfinite(value):
            return f'float("{value}")'
        case str():
            return quoted(value)
        case None | bool() | int() | float() | complex() | bytes():
            return repr(value)
        case list():
            return f"[{', '.join(literal(item, target) for item in value)}]"
        case tuple():
            inner = ", ".join(literal(item, target) for item in value)
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        case dict():
            items = (
                f"{literal(key, target)}: {literal(item, target)}" for key, item in value.items()
            )
            return "{" + ", ".join(items) + "}"
        case set() | frozenset():
            inner = ", ".join(sorted(literal(item, target) for item in value))
            text = f"{{{inner}}}" if inner else "set()"
            return text if isinstance(value, set) else f"frozenset({text if inner else ''})"
        case ir.EnvLookup(opened=opened) if opened:
            return target(value)
        case ir.OpenText(parts=parts):
            return " + ".join(_text_part(part, target) for part in parts)
        case ir.EnvLookup(name=name, default=default, required=required):
            if required:
                return f"os.environ[{quoted(name)}]"
            rest = "" if default is None else f", {quoted(default)}"
            return f"os.environ.get({quoted(name)}{rest})"
        case ir.UserCode() | ir.Dotted() | ir.Inline() | GraphStep():
            return target(value)
    if value is CONTEXT:
        return "context"
    raise AssertionError(f"{value!r} was let through to codegen")


def _text_part(part: str | ir.EnvLookup, target: Callable[[Any], str]) -> str:
    text = literal(part, target)
    optional = isinstance(part, ir.EnvLookup) and not part.required and part.default is None
    return f"str({text})" if optional else text  # in an f-string, None is a text


def quoted(text: str) -> str:
    """The text as a literal in the quotes that black would choose; that saves it half its time."""
    literal_text = repr(text)
    if literal_text[0] == "'" and '"' not in literal_text:
        return f'"{literal_text[1:-1]}"'
    return literal_text


def formula(inline: ir.Inline, argument: str, reach: Reach) -> str | None:
    """The expression with its parameter replaced by `argument`.

    None if it binds a name that would then mean two things: it needs a function of its own.
    """
    tree = ast.parse(f"({inline.text}\n)", mode="eval").body
    bound = bound_in(tree)
    if inline.parameter in bound or argument in bound:
        return None
    return _renamed(inline, {inline.parameter: argument}, reach)


def as_function(name: str, inline: ir.Inline, reach: Reach) -> str:
    """The expression as a function of that name."""
    body = _renamed(inline, {}, reach)
    return f"def {name}({inline.parameter}: Any) -> Any:\n    return {body}"


def as_lambda(inline: ir.Inline, reach: Reach) -> str:
    """The expression as a function."""
    parameters = ", ".join((inline.parameter, *inline.more))
    return f"lambda {parameters}: {_renamed(inline, {}, reach)}"


def negated(text: str) -> str:
    """`not text`, as a person would write it."""
    tree = cst.parse_expression(text)
    if isinstance(tree, cst.Comparison) and len(tree.comparisons) == 1:
        (comparison,) = tree.comparisons
        for operator, opposite in _OPPOSITES:
            if isinstance(comparison.operator, operator):
                flipped = comparison.with_changes(operator=opposite())
                return _code(tree.with_changes(comparisons=[flipped]))
    if isinstance(tree, cst.UnaryOperation) and isinstance(tree.operator, cst.Not):
        return _code(tree.expression)
    loose = (cst.BooleanOperation, cst.IfExp, cst.Lambda, cst.NamedExpr)
    return f"not ({text})" if isinstance(tree, loose) and not tree.lpar else f"not {text}"


def atom(text: str) -> str:
    """The expression in parentheses, unless `.attribute` can follow it as it is."""
    tree = cst.parse_expression(text)
    plain = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Dict)
    return text if isinstance(tree, plain) or tree.lpar else f"({text})"


_OPPOSITES: tuple[tuple[type[cst.BaseCompOp], type[cst.BaseCompOp]], ...] = (
    (cst.Equal, cst.NotEqual),
    (cst.NotEqual, cst.Equal),
    (cst.In, cst.NotIn),
    (cst.NotIn, cst.In),
    (cst.Is, cst.IsNot),
    (cst.IsNot, cst.Is),
)


def _renamed(inline: ir.Inline, names: Mapping[str, str], reach: Reach) -> str:
    texts = dict(names)
    texts |= {name: reach(symbol) for name, symbol in inline.names.items()}
    texts |= {
        name: literal(value, lambda target: _spelled(target, reach))
        for name, value in inline.values.items()
    }
    text = f"({inline.text})" if "\n" in inline.text else inline.text
    tree = cst.parse_expression(text)
    replaced = tree.visit(_Rename(texts))
    assert isinstance(replaced, cst.BaseExpression)
    return _code(replaced)


def _spelled(target: ir.Target, reach: Reach) -> str:
    if isinstance(target, ir.UserCode):
        return reach(target.symbol)
    raise AssertionError("a lambda's value is plain or a name of the user's")


class _Rename(cst.CSTTransformer):
    """Replaces names that are read: not attributes, keywords or parameters of those names."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__()
        self._texts = texts

    def leave_Attribute(
        self, original_node: cst.Attribute, updated_node: cst.Attribute
    ) -> cst.BaseExpression:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Param(self, original_node: cst.Param, updated_node: cst.Param) -> cst.Param:
        return updated_node.with_changes(name=original_node.name)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        text = self._texts.get(original_node.value)
        if text is None:
            return updated_node
        replacement = cst.parse_expression(text)
        return replacement.with_changes(
            lpar=[*updated_node.lpar, *replacement.lpar],
            rpar=[*replacement.rpar, *updated_node.rpar],
        )


def _code(node: cst.BaseExpression) -> str:
    return cst.Module([]).code_for_node(node)
