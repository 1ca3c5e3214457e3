"""The command as people use it: what goes where, and the exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def graphc(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "graphc", *arguments],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def work(tmp_path: Path) -> Path:
    shutil.copy(GOLDEN / "sync_chain" / "graph.py", tmp_path)
    return tmp_path


def test_build_check_invoke(work: Path) -> None:
    built = graphc("build", "graph.py", cwd=work)
    assert (built.returncode, built.stdout) == (0, "")
    assert "built dist/shop" in built.stderr
    assert graphc("build", "graph.py", "-q", "--timings", cwd=work).stderr.count("generate") == 1

    equal = graphc("check", "graph.py", cwd=work)
    assert (equal.returncode, equal.stdout, equal.stderr) == (0, "", "")

    done = graphc("invoke", "dist/shop", "--path", "/x", "--body", '{"amount": " 2 "}', cwd=work)
    assert (done.returncode, json.loads(done.stdout)["path"]) == (0, "/x")
    assert "200 application/json" in done.stderr
    (work / "bad.json").write_text('{"amount": "two"}')
    failed = graphc("invoke", "dist/shop", "--body", "@bad.json", cwd=work)
    assert failed.returncode == 1
    assert failed.stdout.startswith("ValueError: could not convert")

    handler = work / "dist" / "shop" / "handler.py"
    handler.write_text(handler.read_text().replace("# price", "# cost"))
    (work / "dist" / "shop" / "left.py").write_text("")
    (work / "dist" / "graph.md").unlink()
    stale = graphc("check", "graph.py", cwd=work)
    assert stale.returncode == 1
    for line in ("-        # cost", "+        # price", "left.py", "graph.md"):
        assert line in stale.stdout
    document = json.loads(graphc("check", "graph.py", "--format", "json", cwd=work).stdout)
    assert [item["code"] for item in document["diagnostics"]] == ["GC044"]
    assert document["diff"] == stale.stdout


def test_errors_leave_the_output_as_it_was(work: Path) -> None:
    graphc("build", "graph.py", cwd=work)
    before = {path: path.read_bytes() for path in (work / "dist").rglob("*") if path.is_file()}
    graph = work / "graph.py"
    graph.write_text(graph.read_text().replace('"Price"', '"Prize"'))
    failed = graphc("build", "graph.py", cwd=work)
    assert failed.returncode == 1
    assert "graph.py:28:42: error[GC012]: there is no class 'Prize'" in failed.stderr
    assert "did you mean 'Price'?" in failed.stderr
    assert before == {
        path: path.read_bytes() for path in (work / "dist").rglob("*") if path.is_file()
    }
    found = json.loads(graphc("build", "graph.py", "--format", "json", cwd=work).stdout)
    assert [item["code"] for item in found["diagnostics"]] == ["GC012"]
    assert found["diagnostics"][0]["span"]["line"] == 28


def test_dump_and_plot(work: Path) -> None:
    assert "task trim: :trim" in graphc("dump", "graph.py", cwd=work).stdout
    assert (
        "price: self.price.total(body)"
        in graphc("dump", "graph.py", "--stage", "plan", cwd=work).stdout
    )
    assert graphc("plot", "graph.py", cwd=work).stdout.startswith("flowchart LR\n")
    assert graphc("plot", "graph.py", "--as", "dot", cwd=work).stdout.startswith("digraph {\n")
    svg = graphc("plot", "graph.py", "--as", "svg", "-o", "graph.svg", cwd=work)
    if shutil.which("dot"):
        assert "<svg" in (work / "graph.svg").read_text()
    else:
        assert svg.returncode == 1
        assert "Graphviz" in svg.stderr


def test_environment(tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "environment" / "graph.py", tmp_path)
    graphc("build", "graph.py", "--env", "SERVICE_URL=http://a=b", cwd=tmp_path)
    handler = (tmp_path / "dist" / "caller" / "handler.py").read_text()
    assert 'url="http://a=b"' in handler
    assert 'os.environ.get("TOKEN")' in handler


def test_models_are_bundled_and_found(tmp_path: Path) -> None:
    (tmp_path / "models" / "m1").mkdir(parents=True)
    (tmp_path / "models" / "m1" / "factor.txt").write_text("3")
    (tmp_path / "graph.py").write_text(
        """
import mlrun


class Model(mlrun.serving.V2ModelServer):
    def load(self):
        path, _ = self.get_model(".txt")
        self.factor = int(open(path).read())

    def predict(self, body):
        return [value * self.factor for value in body["inputs"]]


fn = mlrun.new_function("bundled", kind="serving")
fn.set_topology("router")
fn.add_model("m", class_name="Model", model_path="./models/m1")
"""
    )
    warned = graphc("build", "graph.py", cwd=tmp_path)
    assert warned.returncode == 0
    assert "warning[GC033]" in warned.stderr
    built = graphc("build", "graph.py", "--bundle-models", cwd=tmp_path)
    assert (built.returncode, "GC033" in built.stderr) == (0, False)
    shutil.rmtree(tmp_path / "models")
    done = graphc("invoke", "dist/bundled", "--path", "/v2/models/m/infer", "--body",
                  '{"inputs": [2]}', cwd=tmp_path)  # fmt: skip
    assert json.loads(done.stdout)["outputs"] == [6]
    assert "PyYAML" in (tmp_path / "dist" / "bundled" / "requirements.txt").read_text()
    missing = graphc("build", "graph.py", "--bundle-models", cwd=tmp_path)
    assert missing.returncode == 1
    assert "GC041" in missing.stderr


def test_usage(work: Path) -> None:
    assert graphc("build", cwd=work).returncode == 2
    assert graphc("build", "graph.py", "--env", "novalue", cwd=work).returncode == 2
    helped = graphc("--help", cwd=work)
    assert helped.returncode == 0
    for word in ("build", "check", "dump", "invoke", "plot", "serve", "never run"):
        assert word in helped.stdout
    missing = graphc("build", "nowhere.py", cwd=work)
    assert missing.returncode == 1
    assert "error[GC001]: cannot read nowhere.py" in missing.stderr
    refused = graphc("build", "graph.py", "-o", ".", cwd=work)
    assert refused.returncode == 1
    assert "GC040" in refused.stderr
    (work / "other").mkdir()
    (work / "other" / "mine.txt").write_text("")
    assert "GC040" in graphc("build", "graph.py", "-o", "other", cwd=work).stderr


def test_a_bug_of_ours_is_said_to_be_one(work: Path) -> None:
    program = (
        "import graphc.pipeline, graphc.cli, sys\n"
        "def broken(*args): raise KeyError('ours')\n"
        "graphc.pipeline.lower = broken\n"
        "sys.argv = ['graphc', 'build', 'graph.py']\n"
        "graphc.cli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=work, capture_output=True, text=True, check=False
    )
    assert done.returncode == 70
    assert "bug in graphc" in done.stderr
    assert not (work / "dist").exists()
