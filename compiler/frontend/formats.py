"""The text of values: `str`, `repr`, format specifications, `str.format`."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from . import special
from .limits import check_widths
from .memory import Memory
from .operators import printable
from .signals import Native, native
from .values import ABSENT, Unknown, Value

_CONVERSIONS: Final[Mapping[str, Callable[[Any], str]]] = {"r": repr, "s": str, "a": ascii}


def formatted(memory: Memory, value: Value, spec: str, conversion: str | None = None) -> Value:
    """`format(value, spec)`, after `!r`, `!s` or `!a`."""
    if conversion is not None:
        value = text_of(memory, value, _CONVERSIONS[conversion])
    if (found := special.method(memory, value, "__format__", spec)) is not ABSENT:
        return found
    if not spec and (found := special.text(memory, value, as_repr=False)) is not ABSENT:
        return found
    if doubt := printable(memory, value):
        return doubt
    check_widths(memory.budget, spec)
    if type(value) is PurePosixPath:
        value = str(value)
    result = native(format, value, spec)
    memory.budget.text(len(result))
    return result


def text_of(memory: Memory, value: Value, function: Callable[[Any], str]) -> Value:
    """`str(value)` or `repr(value)`."""
    if (found := special.text(memory, value, as_repr=function is not str)) is not ABSENT:
        return found
    if doubt := printable(memory, value, paths=function is str):
        return doubt
    result = native(function, value)
    memory.budget.text(len(result))
    return result


class Formatter(string.Formatter):
    """`str.format` with known values: no attributes, and no widths beyond the bounds."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._length = 0
        #: Why the text is not known, if it is not.
        self.doubt: Unknown | None = None

    def get_field(
        self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[Any, str | int]:
        if "." in field_name:
            self.doubt = self.doubt or Unknown("an attribute in a format text", None)
            return "", 0
        return super().get_field(field_name, args, kwargs)  # type: ignore[no-any-return]

    def convert_field(self, value: Any, conversion: Any) -> Any:
        if conversion in ("r", "a", "s"):
            return self._known(text_of(self._memory, value, _CONVERSIONS[conversion]))
        return super().convert_field(value, conversion)

    def format_field(self, value: Any, format_spec: str) -> str:
        text = self._known(formatted(self._memory, value, format_spec))
        self._length += len(text)
        self._memory.budget.text(self._length)
        return text

    def _known(self, value: Value) -> str:
        if isinstance(value, Unknown):
            self.doubt = self.doubt or value
            return ""
        return str(value)


def format_text(
    memory: Memory, template: str, args: Sequence[Value], kwargs: Mapping[str, Value]
) -> Value:
    """`template.format(*args, **kwargs)`."""
    memory.budget.text(len(template))
    formatter = Formatter(memory)
    try:
        text = native(formatter.vformat, template, args, kwargs)
    except Native:
        if formatter.doubt is None:
            raise
        text = ""
    return formatter.doubt if formatter.doubt is not None else text
