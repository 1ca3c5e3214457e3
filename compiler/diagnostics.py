"""What goes wrong with a graph, as values: where it is, what it is, what to do.

Inner code that knows no position raises `GraphError`; the caller that knows it turns it into a
`Diagnostic`. Diagnostics are collected in a `Diagnostics`, and shown by `rendering` to people and
by `reports` to other programs.
"""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of source; lines and columns count from 1, `end` is exclusive.

    `end` is on the first line: that line's own end if the stretch goes on behind it.
    In a notebook `cell` is the number of the cell, markdown cells counted, and `line` the line in
    it, as ruff has it: `nb.ipynb:cell 4:2:8`. In other files `cell` is 0.
    """

    file: str
    line: int
    column: int
    end: int
    #: The whole source line, without its line break.
    text: str = field(compare=False, repr=False, default="")
    #: Further lines, if the stretch goes on; it ends before column `last` of the last one.
    more: tuple[str, ...] = field(compare=False, repr=False, default=())
    last: int = field(compare=False, repr=False, default=0)
    cell: int = 0

    def __lt__(self, other: Span) -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[str, int, int, int, int]:
        return (self.file, self.cell, self.line, self.column, self.end)

    def seen_from(self, folder: str) -> Span:
        """The place with its file's path below a folder."""
        return replace(self, file=posixpath.normpath(f"{folder}/{self.file}"))

    def __str__(self) -> str:
        cell = f":cell {self.cell}" if self.cell else ""
        return f"{self.file}{cell}:{self.line}:{self.column}"


class Severity(Enum):
    value: Literal["error", "warning", "note"]

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
    #: The expression whose value, given to the build, would settle it.
    value: str = ""

    def seen_from(self, folder: str) -> Diagnostic:
        """The finding with its files' paths below a folder: as whoever runs graphc names them."""

        def moved(span: Span | None) -> Span | None:
            return span and span.seen_from(folder)

        notes = tuple(replace(note, span=moved(note.span)) for note in self.notes)
        return replace(self, span=moved(self.span), notes=notes)


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
        value: str = "",
        raises: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        #: The full names of the class of what MLRun raises for it in the graph file, and of its
        #: bases; () if MLRun takes the call, or has changed the graph before it raises.
        self.raises = raises
        self.value = value
        self.code = code
        self.message = message
        self.help = help
        self.span = span
        self.notes = tuple(notes)

    def diagnostic(self, span: Span | None) -> Diagnostic:
        """The diagnostic of this error, at its own place or else at `span`."""
        return Diagnostic(
            self.code,
            Severity.ERROR,
            self.message,
            self.span or span,
            self.notes,
            self.help,
            self.value,
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

    def amend(self, change: Callable[[Diagnostic], Diagnostic]) -> None:
        """Put what `change` makes of each finding in its place."""
        self._found = dict.fromkeys(map(change, self._found))

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def has_errors(self) -> bool:
        return any(found.severity is Severity.ERROR for found in self._found)


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """`did you mean 'x'?`, or nothing when no known name is near."""
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=cutoff)
    return f"did you mean {near[0]!r}?" if near else ""
