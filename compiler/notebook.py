"""Notebooks as Python files: the code of their cells, and where each line of it came from.

In: the text of an `.ipynb` file. Out: a `Notebook`: one text, the code of the cells, in which
what only IPython understands (`!pip ...`, `%matplotlib`, cells of other languages) is blank, and
what MLRun's comments say about a function's code (spec/serving.md 1.1). Nothing is run.
"""

from __future__ import annotations

import posixpath
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from .diagnostics import GraphError

#: Cell magics whose cell is Python that is run.
_PYTHON_CELLS: Final = frozenset(
    "capture memit mprun prun py python python3 scalene time timeit".split()
)
_IGNORING_TAGS: Final = frozenset(("mlrun-ignore", "nuclio-ignore"))

#: As nuclio-jupyter 0.13 finds them (export.py): anywhere in a line.
_MARK: Final = re.compile(
    r"#[ \t]*(?:nuclio|mlrun):[ \t]*(?P<what>ignore|start-code|end-code)[ \t]*(?P<name>\S*)"
)
_ASSIGNED: Final = re.compile(r"^(?P<target>\s*[^\s=!%#'\"][^=!%#'\"]*=\s*)[!%](?!=)")
#: What stands for the command in such a line; nobody calls it without a command by hand.
SHELL_OUTPUT: Final = "get_ipython().getoutput()"
#: `name?`, `?name`, and the commands that IPython takes without a `%`.
_SHELL_ONLY: Final = re.compile(
    r"^\s*(\?{1,2}[\w.]+|[\w.]+\?{1,2}|(pip3?|conda|mamba)\s+(install|uninstall)\b.*)\s*$"
)
_TOKEN: Final = re.compile(r"#.*|\"\"\"|'''|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[\[({]|[\])}]")


@dataclass(frozen=True, slots=True)
class Line:
    """Where a line of the text stands in the notebook; both count from 1, markdown cells count."""

    cell: int
    line: int


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that a `%%writefile` cell makes."""

    path: str
    text: str
    places: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Magic:
    """A `%nuclio` command: its name, its arguments, the lines of the cell if it heads one."""

    name: str
    arguments: str
    lines: tuple[str, ...]
    row: int


class MisplacedMark(Exception):
    """A mark at which MLRun's export of the notebook ends."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


@dataclass(frozen=True, slots=True)
class _Mark:
    what: str
    name: str
    row: int
    #: Does code stand before it in its line, or anything behind it in its cell?
    behind_code: bool
    is_last: bool


@dataclass(slots=True)
class Notebook:
    """The code of a notebook."""

    lines: list[str] = field(default_factory=list)
    #: The same lines as the notebook has them.
    raw: list[str] = field(default_factory=list)
    #: For each line of the text.
    places: list[Line] = field(default_factory=list)
    files: dict[str, WrittenFile] = field(default_factory=dict)
    magics: list[Magic] = field(default_factory=list)
    #: The rows of each code cell, and its tags.
    _cells: list[tuple[range, frozenset[str]]] = field(default_factory=list)
    _marks: list[_Mark] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join([*self.lines, ""])

    def ignored(self, tags: Collection[str] = ()) -> frozenset[int]:
        """The rows, from 1, of cells that are ignored, `tags` among them."""
        return frozenset(
            row
            for rows, cell_tags in self._cells
            if self._is_ignored(rows, cell_tags, tags)
            for row in rows
        )

    def _is_ignored(self, rows: range, cell_tags: frozenset[str], tags: Collection[str]) -> bool:
        return bool(cell_tags & (_IGNORING_TAGS | set(tags))) or any(
            mark.what == "ignore" and mark.row in rows for mark in self._marks
        )

    def left_out(self, function: str = "", tags: Collection[str] = ()) -> frozenset[int]:
        """The rows, from 1, that are no code of the function, as MLRun 1.12 exports notebooks.

        Marks with a name count for the function of just that name; `tags` are ignored cells'.
        Raises MisplacedMark.
        """
        kept = {name: _Kept() for name in ("", function)}
        seen = ""
        for rows, cell_tags in self._cells:
            if self._is_ignored(rows, cell_tags, tags):
                continue
            marks = [mark for mark in self._marks if mark.row in rows]
            start = _first("start-code", marks, kept)
            end = _first("end-code", marks, kept)
            part: range | None = None
            if start is not None:
                kept[start.name].start(start)
                # As nuclio-jupyter 0.13 has it, a mark that nothing follows takes the whole cell.
                part = None if start.is_last else range(start.row + 1, rows.stop)
            if end is not None:
                kept[end.name].end(end)
                last = end
                if part is not None and start is not None:
                    # The first one behind the start, whoever it names.
                    behind = marks[marks.index(start) :]
                    found = next((mark for mark in behind if mark.what == "end-code"), None)
                    if found is None:
                        raise MisplacedMark(end.row, "end-code before start-code in one cell")
                    last = found
                if part is not None or last.behind_code or last.row > rows.start:
                    first = rows.start if part is None else part.start
                    part = range(first, last.row + last.behind_code)
            for mark in filter(None, (start, end)):
                seen = seen or mark.name
            for one in kept.values():
                if part is not None:
                    one.rows.update(part)
                elif not one.ended:
                    one.rows.update(rows)
        return frozenset(range(1, len(self.lines) + 1)) - kept[seen].rows


def _first(what: str, marks: Sequence[_Mark], names: Collection[str]) -> _Mark | None:
    """A cell's first mark of a kind; later ones do not count, whoever it names."""
    found = next((mark for mark in marks if mark.what == what), None)
    return found if found is not None and found.name in names else None


@dataclass(slots=True)
class _Kept:
    """The rows that are a function's code, as far as the cells were read."""

    rows: set[int] = field(default_factory=set)
    started: bool = False
    ended: bool = False

    def start(self, mark: _Mark) -> None:
        if not self.started:
            self.rows.clear()
        elif not self.ended:
            raise MisplacedMark(mark.row, "a second start-code with no end-code before it")
        self.started, self.ended = True, False

    def end(self, mark: _Mark) -> None:
        if self.ended:
            raise MisplacedMark(mark.row, "a second end-code with no start-code before it")
        self.started = self.ended = True


def read_notebook(data: str, path: str) -> Notebook:
    """Read a notebook of any version; raises GraphError (GC001) if it is none."""
    import nbformat

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about cells without ids
            document = nbformat.reads(data, as_version=4)  # type: ignore[no-untyped-call]
        cells = [
            (
                number,
                str(cell.source),
                frozenset(map(str, cell.get("metadata", {}).get("tags", ()))),
            )
            for number, cell in enumerate(document.cells, start=1)
            if cell.cell_type == "code"
        ]
    except Exception as exc:  # nbformat fails in whatever way the file makes it stumble
        raise GraphError(
            f"{path} is not a notebook: {str(exc).splitlines()[0][:200] if str(exc) else exc!r}",
            code="GC001",
            help="save it in Jupyter again, or give a Python file",
        ) from exc
    made = Notebook()
    for number, source, tags in cells:
        _add_cell(made, number, source.replace("\r\n", "\n").replace("\r", "\n"), tags)
    return made


def _add_cell(made: Notebook, number: int, source: str, tags: frozenset[str]) -> None:
    lines = source.split("\n")
    if made.lines:  # as far apart as PEP 8 has definitions
        made.lines.extend(["", ""])
        made.raw.extend(["", ""])
        made.places.extend([made.places[-1]] * 2)
    first = len(made.lines) + 1
    made.places.extend(Line(number, line) for line in range(1, len(lines) + 1))
    made._cells.append((range(first, first + len(lines)), tags))
    made.raw.extend(lines)
    made.lines.extend(_python(made, lines, number, first))
    for row, line in enumerate(lines, start=first):
        for mark in _MARK.finditer(line):
            behind_code = bool(line[: mark.start()].strip())
            is_last = line[mark.end() :] == "" and row == first + len(lines) - 1
            made._marks.append(_Mark(mark["what"], mark["name"], row, behind_code, is_last))
            if not behind_code:
                made.lines[row - 1] = ""  # nobody's comment on the code that follows


def _python(made: Notebook, lines: Sequence[str], number: int, first: int) -> list[str]:
    """The lines of a cell with what is not Python blanked."""
    blank = [""] * len(lines)
    head = 0
    while head < len(lines):
        stripped = lines[head].strip()
        if not stripped or stripped.startswith("#"):
            head += 1
            continue
        if not stripped.startswith("%%"):
            break
        name, _, rest = stripped[2:].partition(" ")
        if name in _PYTHON_CELLS:
            head += 1
            continue
        below = tuple(lines[head + 1 :])
        if name in ("writefile", "file"):
            _write_file(made, rest, below, number, head + 1)
        elif name == "nuclio":
            command, _, arguments = rest.strip().partition(" ")
            made.magics.append(Magic(command, arguments.strip(), below, first + head))
        return blank
    comments = [line if line.lstrip().startswith("#") else "" for line in lines[:head]]
    return [*comments, *_without_magics(made, lines[head:], first + head)]


def _without_magics(made: Notebook, lines: Sequence[str], first: int) -> Iterator[str]:
    inside = _Inside()
    continues = False
    for row, line in enumerate(lines, start=first):
        stripped = line.lstrip()
        if continues:
            continues = line.endswith("\\")
            yield ""
        elif inside.anything:
            inside.read(line)
            yield line
        elif stripped.startswith(("!", "%")) or _SHELL_ONLY.match(line):
            if stripped.startswith("%nuclio"):
                command, _, rest = stripped[len("%nuclio") :].strip().partition(" ")
                made.magics.append(Magic(command, rest.strip(), (), row))
            continues = line.endswith("\\")
            # A block may consist of nothing else.
            indent = line[: len(line) - len(stripped)]
            yield f"{indent}pass" if indent else ""
        elif found := _ASSIGNED.match(line):
            continues = line.endswith("\\")
            yield f"{found['target']}{SHELL_OUTPUT}"
        else:
            inside.read(line)
            yield line


class _Inside:
    """Is the next line inside a string, brackets, or a line that goes on?"""

    def __init__(self) -> None:
        self._quote = ""
        self._depth = 0
        self._backslash = False

    @property
    def anything(self) -> bool:
        return bool(self._quote or self._depth > 0 or self._backslash)

    def read(self, line: str) -> None:
        position = 0
        self._backslash = False
        while position < len(line):
            if self._quote:
                end = _end_of(self._quote, line, position)
                if end < 0:
                    return
                position, self._quote = end, ""
                continue
            found = _TOKEN.search(line, position)
            if found is None:
                break
            token, position = found.group(), found.end()
            if token in ('"""', "'''"):
                self._quote = token
            elif token in "[({":
                self._depth += 1
            elif token in "])}":
                self._depth -= 1
            elif token.startswith("#"):
                return
        self._backslash = line.endswith("\\")


def _end_of(quote: str, line: str, position: int) -> int:
    """Where a string of several lines ends in this one, -1 if it does not."""
    while True:
        end = line.find(quote, position)
        if end < 0:
            return -1
        backslashes = len(line[:end]) - len(line[:end].rstrip("\\"))
        if backslashes % 2 == 0:
            return end + len(quote)
        position = end + 1


def _write_file(
    made: Notebook, arguments: str, lines: tuple[str, ...], cell: int, head: int
) -> None:
    words = arguments.split()
    append = bool({"-a", "--append"} & set(words))
    names = [word for word in words if word not in ("-a", "--append")]
    path = posixpath.normpath(" ".join(names).strip("\"'")) if names else ""
    if not path or posixpath.isabs(path) or path.startswith(".."):
        return
    text = "\n".join([*lines, ""]) if lines else ""
    places = tuple(Line(cell, head + line) for line in range(1, len(lines) + 1))
    before = made.files.get(path)
    if append and before is not None:
        text, places = before.text + text, before.places + places
    made.files[path] = WrittenFile(path, text, places)
