"""What goes wrong with a graph, as values: where it is, what it is, what to do.

Inner code that knows no position raises `GraphError`; the caller that knows it turns it into a
`Diagnostic`. Diagnostics are collected in a `Diagnostics` and rendered in one place, here.
"""

from __future__ import annotations

import difflib
import json
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one source line; lines and columns count from 1, `end` is exclusive."""

    file: str
    line: int
    column: int
    end: int
    #: The whole source line, without its line break.
    text: str = field(compare=False, repr=False, default="")

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Note:
    """A remark below a diagnostic, at a place of its own if it has one."""

    message: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `code` is one of `graphc.codes`; `help` says what to do."""

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    notes: tuple[Note, ...] = ()
    help: str = ""


class GraphError(Exception):
    """A mistake in a graph, found by code that knows no position; the caller completes it."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "GC010",
        help: str = "",
        span: Span | None = None,
        notes: Iterable[Note] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help
        self.span = span
        self.notes = tuple(notes)

    def diagnostic(self, span: Span | None) -> Diagnostic:
        """The diagnostic of this error, at its own place or else at `span`."""
        return Diagnostic(
            self.code, Severity.ERROR, self.message, self.span or span, self.notes, self.help
        )


class Diagnostics:
    """Collects findings in the order they are made; the same finding counts once."""

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}

    def add(self, diagnostic: Diagnostic) -> None:
        self._found[diagnostic] = None

    def error(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        notes: Iterable[Note] = (),
        help: str = "",
    ) -> None:
        self.add(Diagnostic(code, Severity.ERROR, message, span, tuple(notes), help))

    def warning(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        notes: Iterable[Note] = (),
        help: str = "",
    ) -> None:
        self.add(Diagnostic(code, Severity.WARNING, message, span, tuple(notes), help))

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def has_errors(self) -> bool:
        return any(found.severity is Severity.ERROR for found in self._found)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean 'x'?`, or nothing when no known name is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""


_LONGEST_LINE = 160


def render(diagnostic: Diagnostic) -> str:
    """The diagnostic as text: `file:line:col: error[GC012]: ...`, the line, a caret, what to do."""
    place = f"{diagnostic.span}: " if diagnostic.span else ""
    lines = [f"{place}{diagnostic.severity.value}[{diagnostic.code}]: {diagnostic.message}"]
    lines += _excerpt(diagnostic.span)
    for note in diagnostic.notes:
        lines.append(f"  note: {f'{note.span}: ' if note.span else ''}{note.message}")
        lines += _excerpt(note.span)
    if diagnostic.help:
        lines.append(f"  help: {diagnostic.help}")
    return "\n".join(_printable(line) for line in lines)


def _excerpt(span: Span | None) -> list[str]:
    if span is None or not span.text:
        return []
    start = max(0, span.column - _LONGEST_LINE // 2) if len(span.text) > _LONGEST_LINE else 0
    text = span.text[start : start + _LONGEST_LINE].replace("\t", " ")
    before = text[: max(0, span.column - 1 - start)]
    marked = text[len(before) : max(len(before) + 1, span.end - 1 - start)]
    number = str(span.line)
    return [
        f"  {number} | {text.rstrip()}",
        f"  {' ' * len(number)} | {' ' * _width(before)}{'^' * max(1, _width(marked))}",
    ]


def _width(text: str) -> int:
    """Columns that a terminal gives to the text."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _printable(line: str) -> str:
    """The line without control characters: names in it come from files that may be hostile."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in line
    )


def as_json(diagnostics: Iterable[Diagnostic]) -> str:
    """The diagnostics as JSON, one object each, for tools."""

    def place(span: Span | None) -> dict[str, object] | None:
        if span is None:
            return None
        return {"file": span.file, "line": span.line, "column": span.column, "end": span.end}

    return json.dumps(
        [
            {
                "code": found.code,
                "severity": found.severity.value,
                "message": found.message,
                "span": place(found.span),
                "notes": [
                    {"message": note.message, "span": place(note.span)} for note in found.notes
                ],
                "help": found.help,
            }
            for found in diagnostics
        ],
        indent=1,
    )
