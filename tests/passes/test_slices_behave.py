"""A slice answers as the whole modules do: random sets of modules, run both ways.

A long run, by seeds: `.venv/bin/python tests/passes/test_slices_behave.py 0 5000 /tmp/sets`, and
behind it another interpreter that runs the modules.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from module_sets import Modules

from graphc.code_index import CodeIndex, Symbol
from graphc.diagnostics import Diagnostics, Severity
from graphc.passes.slicing import RESERVED, slice_code
from graphc.source import SourceTree

EXAMPLES = int(os.environ.get("GRAPHC_EXAMPLES", "40"))
RANDOM = bool(os.environ.get("GRAPHC_RANDOM"))
HERE = Path(__file__).parent

#: Stands in for mlrun where the whole modules run: everything is there and does nothing.
MLRUN = """
class Anything:
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self


def __getattr__(name):
    return Anything()
"""


class Child:
    """An interpreter that imports modules from folders."""

    def __init__(self, python: str = sys.executable) -> None:
        self._process = subprocess.Popen(
            [python, "-I", "-W", "error", str(HERE / "slice_child.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def answers(self, folders: list[Path], roots: list[str]) -> list[str]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([list(map(str, folders)), roots]) + "\n")
        self._process.stdin.flush()
        found: list[str] = json.loads(self._process.stdout.readline())
        return found

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    started = Child()
    yield started
    started.close()


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def compare(folder: Path, modules: Modules, roots: list[str], child: Child) -> bool:
    """Compares the answers of slice and whole; False: the whole does not run by itself."""
    write(folder / "whole", modules.files())
    write(folder / "stub", {"mlrun.py": MLRUN})
    expected = child.answers([folder / "whole", folder / "stub"], roots)
    if expected[0].startswith(("import:", "took too long")):
        return False
    if any("circular import" in answer for answer in expected):
        return False  # slices leave out imports that fail so
    tree, diagnostics = SourceTree(folder / "whole/graph.py"), Diagnostics()
    symbols = [Symbol("", root) for root in roots]
    result = slice_code(tree, CodeIndex(tree), symbols, RESERVED, diagnostics)
    found = [str(item) for item in diagnostics if item.severity is Severity.ERROR]
    assert not found, "\n".join(found)
    write(folder / "slice", {file.path: file.text for file in result.files})
    assert child.answers([folder / "slice"], roots) == expected
    return True


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not RANDOM,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_slices_behave_as_the_whole_modules(
    tmp_path_factory: pytest.TempPathFactory, child: Child, data: st.DataObject
) -> None:
    modules = Modules(lambda items: data.draw(st.sampled_from(items)))
    roots = sorted(data.draw(st.sets(st.sampled_from(modules.roots), min_size=1, max_size=2)))
    compare(tmp_path_factory.mktemp("set"), modules, roots, child)


def main(first: int, last: int, folder: Path, python: str = sys.executable) -> None:
    """Seeds instead of Hypothesis, which is much faster: what failed, and how many ran."""
    started, ran, failed = Child(python), 0, []
    for seed in range(first, last):
        source = random.Random(seed)
        modules = Modules(lambda items, source=source: source.choice(list(items)))
        roots = sorted(source.sample(modules.roots, k=2))
        try:
            ran += compare(folder / str(seed), modules, roots, started)
        except AssertionError as exc:
            failed.append(seed)
            print(f"{folder / str(seed)}: {str(exc)[:200]}")
    started.close()
    print(f"{ran} of {last - first} sets ran, {len(failed)} slices behaved otherwise")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])
