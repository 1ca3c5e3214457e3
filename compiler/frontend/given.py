"""Values that a build is told, by the expressions that have them in the file (`--set`)."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import libcst as cst

from ..diagnostics import GraphError, did_you_mean
from .values import Value

_OPEN = "give the expression as it is spelled in the file, e.g. --set 'run.outputs[\"m\"]=s3://m'"


class Given:
    """Finds the expressions; `"` and `'`, and spaces, make no difference.

    Of `values`, keys are expressions. Raises GraphError for what is none.
    """

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self._values: dict[str, Value] = {}
        self._spelled: dict[str, str] = {}
        kinds: set[type[cst.CSTNode]] = set()
        for text, value in (values or {}).items():
            try:
                kinds.add(type(cst.parse_expression(text.strip())))
                key = _normal(text)
            except (cst.ParserSyntaxError, SyntaxError, ValueError, RecursionError) as exc:
                message = f"{text!r} is no expression whose value can be given"
                raise GraphError(message, code="GC005", help=_OPEN) from exc
            self._values[key] = value
            self._spelled[key] = text
        #: The kinds of nodes that are worth looking at.
        self.kinds = frozenset(kinds)
        self._texts: dict[cst.CSTNode, str] = {}
        self._used: set[str] = set()

    def of(self, node: cst.CSTNode) -> tuple[bool, Value]:
        """Is the expression's value given, and which is it?"""
        if node not in self._texts:
            self._texts[node] = _normal(cst.Module([]).code_for_node(node))
        key = self._texts[node]
        if key not in self._values:
            return False, None
        self._used.add(key)
        return True, self._values[key]

    def check(self) -> None:
        """Raises GraphError for what was given and never asked for."""
        for key, text in self._spelled.items():
            if key not in self._used:
                near = did_you_mean(key, {*self._texts.values()} - {key})
                raise GraphError(
                    f"a value is given for {text!r}, which the file never evaluates",
                    code="GC005",
                    help=near or _OPEN,
                )


def _normal(text: str) -> str:
    return ast.unparse(ast.parse(f"({text.strip()}\n)", mode="eval"))
