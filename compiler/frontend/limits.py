"""Bounds of an evaluation: what goes past one ends it with a diagnostic, never with a crash.

Work is counted in steps, about a microsecond each, so that the same file ends at the same line on
every machine. Native operations are asked for the size of their result before they are run.
"""

from __future__ import annotations

import re
from typing import Any

from ..diagnostics import Span

#: One step is the evaluation of one node of the syntax tree.
MOST_STEPS = 200_000
MOST_ITEMS = 1_000_000
#: Of a loop over known items; longer ones, as those that make up data, are not followed.
MOST_ROUNDS = 20_000
LONGEST_TEXT = 10_000_000
#: Of an integer.
MOST_BITS = 4096
#: Calls of user functions inside each other.
DEEPEST_CALL = 200
#: Containers inside each other.
DEEPEST_VALUE = 100

#: What searching a text with a regular expression may cost.
_MOST_TRIES = 1_000_000

_ITEMS_PER_STEP = 32
_CHARACTERS_PER_STEP = 512


class BoundExceeded(Exception):
    """Evaluation went past a bound; nothing is evaluated after it."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        #: Completed by the innermost expression.
        self.span: Span | None = None


class Budget:
    """The steps that are left."""

    __slots__ = ("_left",)

    def __init__(self, steps: int = MOST_STEPS) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Take steps; raises BoundExceeded when none are left."""
        self._left -= steps
        if self._left < 0:
            raise BoundExceeded(
                f"the file takes more than {MOST_STEPS} steps to evaluate",
                "graphc evaluates the file's top level: move long computations into the steps",
            )

    def items(self, count: int) -> None:
        """A container of this many items is about to be made or read."""
        if count > MOST_ITEMS:
            raise BoundExceeded(
                f"a container of {_amount(count)} items; graphc evaluates up to {MOST_ITEMS}",
                "make large values when the package starts, not in the graph file",
            )
        self.spend(count // _ITEMS_PER_STEP)

    def text(self, length: int) -> None:
        """A text of this many characters is about to be made or read."""
        if length > LONGEST_TEXT:
            raise BoundExceeded(
                f"a text of {_amount(length)} characters; graphc evaluates up to {LONGEST_TEXT}",
                "make large values when the package starts, not in the graph file",
            )
        self.spend(length // _CHARACTERS_PER_STEP)

    def bits(self, count: int) -> None:
        """An integer of this many bits is about to be made."""
        if count > MOST_BITS:
            raise BoundExceeded(
                f"an integer of {_amount(count)} bits; graphc evaluates up to {MOST_BITS}",
                "make large values when the package starts, not in the graph file",
            )


def _amount(count: int) -> str:
    """The number, unless it is itself too long to be written."""
    return str(count) if count.bit_length() < 100 else "far too many"


_WIDTH = re.compile(r"\d+")


def check_widths(budget: Budget, spec: str) -> None:
    """Asks for the widths in a format specification, whatever they mean there."""
    budget.text(len(spec))
    for digits in _WIDTH.findall(spec):
        # A number too long for Python itself is an error that it reports.
        budget.text(int(digits) if len(digits) < 10 else LONGEST_TEXT + 1)


def check_percent(budget: Budget, template: str | bytes, values: Any) -> None:
    text = template if isinstance(template, str) else template.decode("latin-1")
    if "*" in text:
        widths = values if type(values) is tuple else (values,)
        for width in widths:
            if type(width) is int:
                budget.text(abs(width))
    check_widths(budget, text)


_REPEAT = re.compile(r"[*+}]")
#: Repeated groups, and references to groups, may take exponential time.
_EXPONENTIAL = re.compile(r"\)[*+{]|\(\?P=|\\[1-9]")


def is_costly(pattern: str, text: str) -> bool:
    """Could matching the regular expression take very long?"""
    repeats = len(_REPEAT.findall(pattern))
    return bool(_EXPONENTIAL.search(pattern)) or len(text) ** min(repeats, 8) > _MOST_TRIES
