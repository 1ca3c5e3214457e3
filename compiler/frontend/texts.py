"""Formatted strings, and literals that stand beside each other."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import libcst as cst

from .formats import formatted
from .memory import open_text, origin
from .scope import Scope
from .signals import native
from .values import EnvValue, OpenText, Unknown, Value

if TYPE_CHECKING:
    from .machine import Machine


class Texts:
    """Puts texts together."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._memory = machine.memory

    def concatenated_string(self, node: cst.ConcatenatedString, scope: Scope) -> Value:
        parts: list[Value] = []
        rest: cst.BaseExpression = node
        while isinstance(rest, cst.ConcatenatedString):
            parts.append(self._machine.expressions.value(rest.left, scope))
            rest = rest.right
        parts.append(self._machine.expressions.value(rest, scope))
        for part in parts:
            if (unknown := origin(part)) is not None:
                return unknown
        self._memory.budget.text(sum(map(len, parts)))
        empty: str | bytes = "" if type(parts[0]) is str else b""
        return native(empty.join, parts)

    def formatted_string(self, node: cst.FormattedString, scope: Scope) -> Value:
        return self._pieces(node.parts, scope, node.start, node.end)

    def _pieces(
        self,
        parts: Sequence[cst.BaseFormattedStringContent],
        scope: Scope,
        start: str,
        end: str,
    ) -> Value:
        """The text of a formatted string or of a format specification in one."""
        pieces: list[Value] = []
        is_open = False
        for part in parts:
            if isinstance(part, cst.FormattedStringExpression):
                piece = self._replacement(part, scope, start, end)
            else:
                piece = _literal_piece(part, start, end)
            is_open = is_open or type(piece) is not str
            pieces.append(piece)
        if is_open:
            return open_text(self._memory, pieces)
        self._memory.budget.text(sum(map(len, pieces)))
        return "".join(pieces)

    def _replacement(
        self, part: cst.FormattedStringExpression, scope: Scope, start: str, end: str
    ) -> Value:
        value = self._machine.expressions.value(part.expression, scope)
        spec: Value = ""
        if part.format_spec is not None:
            spec = self._pieces(part.format_spec, scope, start, end)
        if (doubt := origin(spec)) is not None:
            return doubt
        conversion = part.conversion
        label = ""
        if part.equal is not None:
            if conversion is None and part.format_spec is None:
                conversion = "r"
            label = cst.Module([]).code_for_node(
                part.with_changes(conversion=None, format_spec=None)
            )[1:-1]
        if type(value) in (EnvValue, OpenText) and not label and not spec and conversion is None:
            return value
        text = formatted(self._memory, value, spec, conversion)
        if isinstance(text, Unknown):
            return self._machine.spelled(text, scope.module, part.expression)
        return label + text


def _literal_piece(part: cst.CSTNode, start: str, end: str) -> Value:
    """The text between the braces of a formatted string."""
    assert isinstance(part, cst.FormattedStringText)
    text = part.value.replace("{{", "{").replace("}}", "}")
    if "r" in start.lower() or "\\" not in text:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(end + text + end)
    except (SyntaxError, ValueError):
        return Unknown("an escape in a formatted string", None)
