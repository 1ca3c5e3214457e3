"""Lines of Python with their indentation, so that no one counts spaces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Writer:
    """Collects lines; `block` indents what is written inside it."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._depth = 0

    def line(self, text: str = "") -> None:
        self._lines.append("    " * self._depth + text if text else "")

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """`head` and, indented below it, what is written inside the `with`."""
        self.line(head)
        self._depth += 1
        yield
        self._depth -= 1

    def gap(self) -> None:
        """An empty line, unless a block begins here or one is there already."""
        if self._lines and self._lines[-1] and not self._lines[-1].endswith(":"):
            self._lines.append("")

    def text(self) -> str:
        return "\n".join(self._lines)
