"""The slicer: text cases in `slicing/*.txt`, and what holds for every slice.

A case names its roots, then the user's files (`--- path`); from the first `+++ path` on it says
what comes out (without the header) and is rewritten by `pytest --update`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from graphc.code_index import CodeIndex, Symbol
from graphc.diagnostics import Diagnostics
from graphc.passes.slicing import RESERVED, Slice, SlicedFile, module_name, slice_code
from graphc.passes.slicing.text import printable
from graphc.source import SourceTree

CASES = sorted((Path(__file__).parent / "slicing").glob("*.txt"))
HEADER_LINES = 4


def cut(folder: Path, main: str, roots: list[str]) -> tuple[Slice, Diagnostics]:
    tree, diagnostics = SourceTree(folder / main), Diagnostics()
    symbols = [Symbol(*root.rpartition(":")[::2]) for root in roots]
    return slice_code(tree, CodeIndex(tree), symbols, RESERVED, diagnostics), diagnostics


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def shown(result: Slice, diagnostics: Diagnostics) -> str:
    parts = []
    for file in result.files:
        lines = file.text.splitlines(keepends=True)
        assert lines[0].endswith("DO NOT EDIT.\n")
        parts.append(f"+++ {file.path}\n{''.join(lines[HEADER_LINES:])}")
    facts = {
        "imports": ", ".join(f"{name} ({span})" for name, span in result.imports.items()),
        "runtime": ", ".join(sorted(result.runtime)),
        "unpickles": ", ".join(map(str, result.unpickles)),
        "get_model": "yes" if result.model_spec else "",
    }
    parts += [f"{key}: {value}\n" for key, value in facts.items() if value]
    for found in diagnostics:
        parts.append(f"{found.span}: {found.code}: {found.message}\n")
        parts += [f"  note: {note.span}: {note.message}\n" for note in found.notes]
        parts.append(f"  help: {found.help}\n")
    return "".join(parts)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_case(case: Path, tmp_path: Path, update: bool) -> None:
    text = case.read_text(encoding="utf-8")
    given_part = re.split(r"^(?=\+\+\+ |\w+: .*\n(?![\s\S]*^--- )|\S+: GC)", text, maxsplit=1,
                          flags=re.M)[0]  # fmt: skip
    head, *files = re.split(r"^--- (.+)\n", given_part, flags=re.M)
    sources = dict(zip(files[::2], files[1::2], strict=True))
    write(tmp_path, sources)
    roots = re.search(r"^roots: (.*)$", head, flags=re.M)
    assert roots
    result, diagnostics = cut(tmp_path, next(iter(sources)), roots[1].split(", "))
    for file in result.files:
        compile(file.text, file.path, "exec")
        check_lines(file, sources[file.source])
    answer = given_part + shown(result, diagnostics)
    if update and answer != text:
        case.write_text(answer, encoding="utf-8")
    else:
        assert answer == text


def check_lines(file: SlicedFile, source: str) -> None:
    """Every line that was copied knows where it comes from."""
    written, there = file.text.split("\n")[:-1], source.split("\n")
    assert len(file.lines) == len(written)
    for line, number in zip(written[HEADER_LINES:], file.lines[HEADER_LINES:], strict=True):
        if line.strip() and line in there and line.strip() not in ("pass", "else:"):
            assert there[number - 1] == line
        elif number == 0:
            assert not line.strip()


def test_header_names_hostile_files() -> None:
    assert printable("a\nimport os #\u202e.py") == "a\\nimport os #\\u202e.py"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("my-graph.py", "my_graph"),
        ("2nd.py", "_2nd"),
        ("class.py", "class_"),
        ("graph.test.py", "graph"),
        ("other-module.py", "other_module_"),
        ("queue.py", "queue_"),
        ("runtime_min.py", "runtime_min_"),
    ],
)
def test_module_name(tmp_path: Path, file: str, expected: str) -> None:
    write(tmp_path, {file: "", "other_module.py": ""})
    assert module_name(SourceTree(tmp_path / file), "") == expected


@pytest.mark.parametrize("name", ["nuclio_sdk", "runtime_min", "queue", "json"])
def test_reserved_module_names(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"graph.py": f"from {name} import f\n", f"{name}.py": "def f(x): return x\n"})
    _, found = cut(tmp_path, "graph.py", [f"{name}:f"])
    assert [item.code for item in found] == ["GC018"]


def test_files_do_not_depend_on_the_order_of_roots(tmp_path: Path) -> None:
    write(tmp_path, {"graph.py": "import a, b\ndef f(): a.x()\ndef g(): b.y()\n",
                     "a.py": "def x(): pass\n", "b.py": "def y(): pass\n"})  # fmt: skip
    first, _ = cut(tmp_path, "graph.py", ["f", "g"])
    second, _ = cut(tmp_path, "graph.py", ["g", "f", "g"])
    assert first == second


# -- slices of several files run


def test_sliced_packages_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {
        "graph.py": "import pkg\nimport pkg.deep.leaf as leaf\nfrom pkg import *\n"
        "fn = mlrun.new_function('x')\n"
        "def root(x):\n    from pkg.side import side\n"
        "    return pkg.deep.leaf.LEAF + leaf.twice(x) + starred(x) + side(x)\n",
        "pkg/__init__.py": "from .stars import *\nfrom . import deep\nUNUSED = 1 / 0\n",
        "pkg/stars.py": "__all__ = ['starred']\ndef starred(x): return x + _hidden\n_hidden = 7\n",
        "pkg/side.py": "from . import LATER as later\ndef side(x): return later * x\n",
        "pkg/deep/__init__.py": "",
        "pkg/deep/leaf.py": "from ..stars import _hidden as h\nLEAF = 1\nLEAF += h\n"
        "def twice(x): return 2 * x\ndef thrice(x): return numpy.nothing\n",
    }
    sources["pkg/__init__.py"] += "LATER = 3\n"
    write(tmp_path / "in", sources)
    result, diagnostics = cut(tmp_path / "in", "graph.py", ["root"])
    assert not list(diagnostics)
    write(tmp_path / "out", {file.path: file.text for file in result.files})
    assert "UNUSED" not in (tmp_path / "out/pkg/__init__.py").read_text()
    assert "thrice" not in (tmp_path / "out/pkg/deep/leaf.py").read_text()
    monkeypatch.syspath_prepend(str(tmp_path / "out"))
    before = set(sys.modules)
    try:
        graph = __import__("graph")
        assert graph.root(5) == (1 + 7) + 10 + 12 + 15
    finally:
        for name in set(sys.modules) - before:
            del sys.modules[name]
