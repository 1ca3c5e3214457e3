"""Names and texts of a graph reach code, YAML, Dockerfiles and paths: they stay what they are."""

from __future__ import annotations

import ast
import json
import os
import random
import re
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from golden_cases import cases, findings, graph_file
from graphc.codes import CODES
from graphc.pipeline import Build, build
from running import answers

NASTY = [
    "../../x", 'a"; import os #', "line\nbreak", "{{ 7 * 7 }}", "{% raw %}", '"""', "'''\\", "\\",
    "$(touch x)", "${HOME}", "`id`", "--flag", "a: b", "- a", "# c", "&a *a !!python/none", "\0",
    "\ud800", "\u2028", "\u202e", "é" * 300, "null", "1e3", "yes", "", " ", "fmt: off", "noqa",
    "type: ignore", "-*- coding: latin-1 -*-", "]]>", "<b>", "| x |", "%s", "{0}", "f'{x}'",
]  # fmt: skip
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=30))
hostile = settings(max_examples=60, deadline=None, derandomize=True)

GRAPH = """
import mlrun


class Step:
    def __init__(self, text, name=None):
        self.text, self.name = text, name

    def do(self, body):
        return {"text": self.text, "name": self.name}


fn = mlrun.new_function("hostile", kind="serving", image=IMAGE)
fn.set_env("VALUE", TEXT)
fn.spec.description = TEXT
graph = fn.set_topology("flow", engine="async")
graph.to("Step", NAME, text=TEXT).respond()
"""


def compiled(source: str, folder: Path, name: str = "graph.py") -> Build:
    (folder / name).write_bytes(source.encode("utf-8", "surrogatepass"))
    made = build(folder / name)
    assert made.files or made.failed
    assert all(found.code in CODES for found in made.diagnostics)
    assert findings(made).isascii() or "Traceback" not in findings(made)
    return made


def test_modules_named_as_a_handlers_own_things(tmp_path: Path) -> None:
    names = ("items", "item", "chosen", "result", "body", "event", "exc", "arrived", "nuclio")
    for name in names:
        (tmp_path / f"{name}.py").write_text("def many(body):\n    return [body]\n")
    source = f"import mlrun\nimport {', '.join(names)}\n"
    source += "fn = mlrun.new_function('hostile', kind='serving')\nstep = fn.set_topology('flow')\n"
    for name in names:
        source += f"step = step.to('storey.FlatMap', '{name}', _fn='{name}.many')\n"
        source += f"step.error_handler('c-{name}', handler='{name}.many')\n"
    made = compiled(source + "step.respond()\n", tmp_path)
    assert not made.failed
    folder = tmp_path / "run"
    folder.mkdir()
    (answer,) = answers(made.files, "hostile", [{"body": [1]}], folder)
    assert json.loads(answer.body) == [1]


@hostile
@given(text=texts, name=texts, image=st.one_of(st.just(""), texts))
@example(text="x" * 3_000_000, name="ok", image="")
def test_texts_arrive_as_they_are(text: str, name: str, image: str) -> None:
    source = GRAPH.replace("IMAGE", repr(image)).replace("NAME", repr(name))
    source = source.replace("TEXT", repr(text))
    with tempfile.TemporaryDirectory() as folder:
        made = compiled(source, Path(folder))
        if made.failed:
            assert {found.code for found in made.diagnostics} <= {
                "GC018",
                "GC020",
                "GC010",
                "GC003",
            }
            return
        files = made.files
        config = yaml.safe_load(files["hostile/function.yaml"])
        assert config["spec"]["env"] == [{"name": "VALUE", "value": text}]
        assert config["spec"]["description"] == (text or config["spec"]["description"])
        assert set(config["spec"]) <= {
            "description", "runtime", "handler", "env", "minReplicas", "maxReplicas", "triggers",
            "build",
        }  # fmt: skip
        instructions = {"ARG", "FROM", "COPY", "RUN", "HEALTHCHECK", "CMD", "#", ""}
        for line in files["hostile/Dockerfile"].decode().split("\n"):
            assert line.split(" ")[0] in instructions
        json.loads(files["graph.json"])
        for path, data in files.items():
            assert ".." not in path
            if path.endswith(".py"):
                ast.parse(data)
        (answer,) = answers(files, "hostile", [{"body": {}}], Path(folder))
        assert json.loads(answer.body) == {"text": text, "name": name or "Step"}


@hostile
@given(name=texts)
def test_function_names(name: str) -> None:
    source = f"import mlrun\nfn = mlrun.new_function({name!r}, kind='serving')\n"
    source += "fn.set_topology('flow').to(name='a', handler='(event)').respond()\n"
    with tempfile.TemporaryDirectory() as folder:
        made = compiled(source, Path(folder))
        for path in made.files:
            top = path.split("/")[0]
            assert top in ("graph.json", "graph.md", ".gitattributes") or top.isascii()


@hostile
@given(data=st.binary(max_size=200))
@example(data=b"\xff\xfe")
@example(data=b"import mlrun\0")
@example(data=b"(" * 100_000)
@example(data=b"x = 1\n" * 50_000 + b"\x0c\x0b")
def test_files_that_are_no_graphs(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.py"
        file.write_bytes(data)
        assert build(file).failed


@hostile
@given(key=texts, keyword=st.sampled_from(["model_path", "x", "class", "self"]), text=texts)
@example(key="", keyword="x", text="a")
def test_routes(key: str, keyword: str, text: str) -> None:
    source = (
        "import mlrun\n"
        "class M(mlrun.serving.V2ModelServer):\n"
        "    def load(self): pass\n"
        "    def predict(self, body): return [self.get_param('x', None)]\n"
        "fn = mlrun.new_function('hostile', kind='serving')\n"
        "fn.set_topology('router')\n"
        f"fn.add_model({key!r}, class_name='M', **{{{keyword!r}: {text!r}}})\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        made = compiled(source, Path(folder))
        for path, data in made.files.items():
            if path.endswith(".py"):
                ast.parse(data)
        if not made.failed and keyword == "x":
            (answer,) = answers(
                made.files, "hostile", [{"path": "/", "body": {"model": key, "inputs": []}}],
                Path(folder),
            )  # fmt: skip
            assert json.loads(answer.body)["outputs"] == [text]


PIECES = re.compile(r"""\w+|\s+|"[^"\n]*"|'[^'\n]*'|.""")
REPLACEMENTS = (
    'None [] {} 0 -1 "" "x" b"x" 1.5 True ... object() lambda(x):x mlrun graph fn print *[1] '
    '**{"a":1} {"a"} (1,2) Unknown()'
).split()


def mutated(text: str, chance: random.Random) -> str:
    """The graph file with a few of its words replaced, moved, doubled or left out."""
    pieces = PIECES.findall(text)
    for _ in range(chance.randint(1, 4)):
        here, there = chance.randrange(len(pieces)), chance.randrange(len(pieces))
        match chance.randrange(5):
            case 0:
                pieces[here] = pieces[there]
            case 1:
                del pieces[here]
            case 2:
                pieces.insert(here, pieces[there])
            case 3:
                pieces[here] = chance.choice(REPLACEMENTS)
            case 4:
                pieces[here], pieces[there] = pieces[there], pieces[here]
    return "".join(pieces)


def test_mutated_graphs_end_in_packages_or_findings(tmp_path: Path) -> None:
    """A long run: GRAPHC_EXAMPLES=20000 GRAPHC_RANDOM=1 tests/run tests/test_hostile.py"""
    chance = random.Random(None if os.environ.get("GRAPHC_RANDOM") else 1)
    files = [graph_file(case) for case in cases()]
    texts = [file.read_text(encoding="utf-8") for file in files if file.suffix == ".py"]
    for _ in range(int(os.environ.get("GRAPHC_EXAMPLES", "400"))):
        text = mutated(chance.choice(texts), chance)
        try:
            compiled(text, tmp_path)
        except Exception as exc:
            raise AssertionError(f"{exc!r} on\n{text}") from exc


@pytest.mark.parametrize(
    "line",
    [
        'graph.to(name="a", handler=lambda\n  x:\n x).respond()',
        'def f():\n    return"x"',
        'x = "a" b"b"',
        'graph.to(name="a", handler="(event)", full_event=graph)',
        'graph.add_step("mlrun.serving.merger.Merge", name="m", key_path=3)',
        'graph.to("*mlrun.serving.VotingEnsemble", "v", weights={"a": "b"}).add_route("a", "x")',
        'graph.to("*", "r")\nfn.add_model("m", class_name="X", router_step=[])',
        'fn.set_config("spec.triggers", 3)',
    ],
)
def test_what_once_crashed(line: str, tmp_path: Path) -> None:
    head = "import mlrun\nfn = mlrun.new_function('f', kind='serving')\n"
    compiled(f"{head}graph = fn.set_topology('flow')\n{line}\n", tmp_path)
