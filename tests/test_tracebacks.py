"""Errors in packages name the user's own lines (`runtime_min/tracebacks.py`)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from golden_cases import GOLDEN, built, cases, graph_file
from graphc.notebook import read_notebook
from graphc.pipeline import build
from running import answers

STEPS = '''\
import math

UNUSED = math.pi


class Price:
    """A step."""

    def do(self, event):
        try:
            return self.total(event)
        except KeyError as exc:
            raise ValueError("no price") from exc

    def total(self, event):
        return event["amount"] * 2
'''
GRAPH = """\
import mlrun
from steps import Price

fn = mlrun.new_function("shop", kind="serving")
fn.verbose = True
graph = fn.set_topology("flow", engine="async")
graph.to(name="first", handler="(event)").to(
    Price, "type: ignore"
).to(name="\'#\'", handler="(event + 'x')").respond()
"""


def frames(folder: Path, body: bytes) -> list[str]:
    """The lines of the answer's traceback that name files, without their folder."""
    made = build(folder / "graph.py")
    assert not made.failed
    requests = [{"body": body, "content_type": "application/json"}]
    (answer,) = answers(made.files, "shop", requests, folder)
    return re.findall(r'^ *File ".*/(.*)$', answer.body.decode(), re.MULTILINE)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "graph.py").write_text(GRAPH)
    (tmp_path / "steps.py").write_text(STEPS)
    return tmp_path


def test_frames_name_the_users_lines(work: Path) -> None:
    told = [re.sub(r"line \d+", "line N", frame) for frame in frames(work, b"{}")]
    assert told == [
        'steps.py", line N, in do  (steps.py:11)',
        'steps.py", line N, in total  (steps.py:16)',
        'handler.py", line N, in handler',
        'handler.py", line N, in run  (step "type: ignore", graph.py:7)',
        'steps.py", line N, in do  (steps.py:13)',
    ]
    assert frames(work, b'{"amount": 1}')[-1].endswith(", in run  (step '#', graph.py:9)")


def test_errors_are_told_without_the_map(work: Path) -> None:
    made = build(work / "graph.py")
    path = "shop/runtime_min/source_lines.json"
    for text in (b"{", b"[]", b'{"handler": 1}'):
        requests = [{"body": {}}]
        (answer,) = answers({**made.files, path: text}, "shop", requests, work)
        assert b"ValueError: no price\nTraceback" in answer.body
        assert b"  (" not in answer.body


def _source(folder: Path, place: str) -> list[str]:
    name, _, cell = place.partition(":cell ")
    text = (folder / name).read_text(encoding="utf-8")
    if not cell:
        return text.splitlines()
    assert read_notebook(text, name).files is not None
    lines = json.loads(text)["cells"][int(cell) - 1]["source"]
    return ("".join(lines) if isinstance(lines, list) else lines).splitlines()


@pytest.mark.parametrize("folder", list(cases()), ids=lambda folder: folder.name)
def test_lines_are_those_they_are_said_to_be(folder: Path) -> None:
    """In every golden package; lines that name mlrun were changed."""
    for path, data in built(folder).files.items():
        if not path.endswith("source_lines.json"):
            continue
        known = json.loads(data)
        package = path.partition("/")[0]
        for place in known["steps"].values():
            file, _, line = place.rpartition(":")
            assert _source(graph_file(folder).parent, file)[int(line) - 1].strip()
        for name, runs in known["files"].items():
            lines = built(folder).files[f"{package}/{name}"].decode().splitlines()
            for first, count, place, start in runs:
                for number in range(count):
                    here = lines[first + number - 1]
                    there = _source(graph_file(folder).parent, place)[start + number - 1]
                    if not re.search(r"mlrun|storey|runtime_min|import ", f"{here}{there}"):
                        assert here == there


def test_most_lines_are_known() -> None:
    made = built(GOLDEN / "notebook")
    path = next(path for path in made.files if path.endswith("source_lines.json"))
    known = json.loads(made.files[path])
    assert known["files"]["graph.py"][0][2:] == ["graph.ipynb:cell 12", 1]
