"""Tables of results, as Markdown; `write` puts them into docs/benchmarks.md."""

from __future__ import annotations

import platform
import re
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the page, between the marks `<!-- key -->` and `<!-- /key -->`."""

    key: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    #: Below the table: what a reader needs to judge it.
    note: str = ""

    def markdown(self) -> str:
        align = ["---", *("---:" for _ in self.head[1:])]
        lines = ["| " + " | ".join(row) + " |" for row in (self.head, align, *self.rows)]
        return "\n".join([f"**{self.title}**", "", *lines, *(["", self.note] if self.note else [])])


def write(tables: Iterable[Table], command: str, page: Path = PAGE) -> None:
    """Replace these tables in the page, and leave the rest of it alone."""
    text = page.read_text()
    for table in tables:
        marked = re.compile(rf"(<!-- {table.key} -->\n).*?(<!-- /{table.key} -->)", re.DOTALL)
        block = f"{table.markdown()}\n\n`{command}` on {machine()}\n"
        text, found = marked.subn(lambda hit: f"{hit[1]}{block}{hit[2]}", text)  # noqa: B023
        if not found:
            raise SystemExit(f"{page} has no place for {table.key}")
    page.write_text(text)


def machine() -> str:
    """The processor, how many of it there are, and the Python that measures."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    cores = Path("/proc/cpuinfo").read_text().count("processor\t")
    return f"{model}, {cores} cores, {platform.system()}, Python {platform.python_version()}"


def ratio(value: float) -> str:
    return f"{value:.2f}"


def spread(values: Iterable[float], digits: int = 1) -> str:
    """The median, and where the middle 80 % of the values lie."""
    ordered = sorted(values)
    low, high = (ordered[int((len(ordered) - 1) * part)] for part in (0.1, 0.9))
    return f"{statistics.median(ordered):.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
