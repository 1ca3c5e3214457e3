"""A finding as text for people: `file:line:col: error[GC012]: ...`, the lines, carets, what to do.

    graph.py:14:10: error[GC012]: there is no class 'Knwon'
      14 | graph.to("Knwon").respond()
         |          ^^^^^^^
      help: did you mean 'Known'?

Texts come from files that may be hostile: what a terminal would not print as it is, is escaped, and
carets stand below what they mark whatever is before them on the line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import accumulate
from typing import Literal

from .diagnostics import Diagnostic, Span

Role = Literal["error", "warning", "note", "help", "place", "margin"]
#: Gives a piece of the text its colour.
Paint = Callable[[Role, str], str]

_TAB = 4
#: Columns of source that are shown; about as many as fit a terminal and its margin.
_WIDEST = 120
#: Lines of source that are shown at the beginning and at the end of a longer stretch.
_HEAD_LINES, _TAIL_LINES = 3, 1
_GAP = "..."


def _plain(_role: Role, text: str) -> str:
    return text


def render(diagnostic: Diagnostic, paint: Paint = _plain) -> str:
    """The finding as text, of several lines."""
    role: Role = diagnostic.severity.value
    place = f"{_printable(str(diagnostic.span))}: " if diagnostic.span else ""
    kind = f"{role}[{diagnostic.code}]"
    lines = [f"{paint('place', place)}{paint(role, kind)}: {_printable(diagnostic.message)}"]
    lines += _excerpt(diagnostic.span, role, paint)
    for note in diagnostic.notes:
        # A note about the very place of the finding need not show it again.
        span = note.span if note.span != diagnostic.span else None
        place = f"{_printable(str(span))}: " if span else ""
        lines.append(f"  {paint('note', 'note')}: {place}{_printable(note.message)}")
        lines += _excerpt(span, "note", paint)
    if diagnostic.help:
        lines.append(f"  {paint('help', 'help')}: {_printable(diagnostic.help)}")
    return "\n".join(lines)


def _excerpt(span: Span | None, role: Role, paint: Paint) -> list[str]:
    if span is None or not span.text:
        return []
    width = len(str(span.line + len(span.more)))

    def line(number: int | str, text: str, mark: str = "") -> str:
        margin = paint("margin", f"  {number:>{width}} |")
        return f"{margin} {text}{paint(role, mark) if mark else ''}".rstrip()

    if not span.more:
        text, before, marked = _window(span.text, span.column - 1, span.end - 1)
        return [line(span.line, text), line("", " " * before, "^" * marked)]
    # A stretch of several lines is framed on its left.
    text, before, _ = _window(span.text, span.column - 1, span.column)
    lines = [line(span.line, f"  {text}"), line("", " ", "_" * (before + 1) + "^")]
    rest = list(enumerate(span.more, span.line + 1))
    if len(rest) > _HEAD_LINES + _TAIL_LINES:
        shown = [*rest[:_HEAD_LINES], None, *rest[-_TAIL_LINES:]]
    else:
        shown = [*rest]
    for item in shown:
        if item is None:
            lines.append(paint("margin", f"  {_GAP:>{max(width, 3)}}"))
        else:
            lines.append(line(item[0], f"{paint(role, '|')} {_window(item[1], 0, 1)[0]}"))
    _, before, _ = _window(span.more[-1], max(0, span.last - 2), span.last - 1)
    lines.append(line("", "", "|" + "_" * (before + 1) + "^"))
    return lines


def _window(text: str, start: int, end: int) -> tuple[str, int, int]:
    """The part of a line around `start`, the columns before it there, and those up to `end`."""
    cells: list[str] = []
    column = 0
    for char in text.rstrip():
        cells.append(" " * (_TAB - column % _TAB) if char == "\t" else _printable(char))
        column += _width(cells[-1])
    columns = [0, *accumulate(map(_width, cells))]
    start = min(start, len(cells))
    end = min(max(end, start), len(cells))
    left, right = 0, len(cells)
    if columns[-1] > _WIDEST:
        if columns[start] > _WIDEST * 2 // 3:
            left = next(
                at for at in range(start + 1) if columns[start] - columns[at] <= _WIDEST // 3
            )
        right = max(
            at for at in range(left, len(cells) + 1) if columns[at] - columns[left] <= _WIDEST
        )
    head = _GAP if left else ""
    tail = _GAP if right < len(cells) else ""
    before = len(head) + columns[start] - columns[left]
    marked = columns[min(end, right)] - columns[start] + (len(tail) if end > right else 0)
    return head + "".join(cells[left:right]) + tail, before, max(1, marked)


def _width(text: str) -> int:
    """Columns that a terminal gives to the text."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(char) in ("Mn", "Me")
        else 2
        if unicodedata.east_asian_width(char) in "WF"
        else 1
        for char in text
    )


def _printable(text: str) -> str:
    """The text without control characters, and without those that turn the direction of text."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
