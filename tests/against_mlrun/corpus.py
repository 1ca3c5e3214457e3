"""graphc's IR of every graph of the corpus against what real MLRun writes of it.

    python tests/against_mlrun/corpus.py --mlrun-python VENV/bin/python

Compares `fn.to_dict()["spec"]["graph"]` with the IR before names are resolved, in the same form.
What both leave out is not compared: defaults, and what MLRun only adds for its own service.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CORPUS = HERE.parents[2] / "shared" / "corpus"

from graphc import ir  # noqa: E402
from graphc.builder import Session  # noqa: E402
from graphc.diagnostics import Diagnostics, GraphError  # noqa: E402
from graphc.frontend.evaluator import evaluate  # noqa: E402
from graphc.source import SourceTree  # noqa: E402

#: Keys that say nothing of the graph: MLRun's own bookkeeping, and pictures.
SERVICE = (
    "endpoint_type", "model_endpoint_creation_strategy", "shape", "base_step", "version",
    "track_models", "default_class", "graph_shape", "model_endpoints_names",
    "model_endpoints_routes_names", "creation_strategy",
)  # fmt: skip

#: Arguments of steps that are given as objects, which MLRun writes even if they are defaults.
DEFAULTS = {
    "protocol": "v2", "url_prefix": "/v2/models", "health_prefix": "/v2/health",
    "executor_type": "thread", "prediction_col_name": "prediction", "return_json": True,
}  # fmt: skip
#: How a function or class given as an object is written.
OBJECT = re.compile(r"<(?:function|class '?)\s*([^ >']+)")


def mine(folder: Path, name: str) -> dict[str, Any]:
    """The functions of a file, by name, as MLRun would write them."""
    diagnostics = Diagnostics()
    tree = SourceTree(folder / name)
    session = Session(tree, diagnostics)
    try:
        evaluate(tree, session, diagnostics, {})
        graph = session.graph()
    except GraphError as exc:
        return {"refused": str(exc)}
    if diagnostics.has_errors:
        return {"refused": next(iter(diagnostics)).message}
    return {function.name: root(function.root) for function in graph.functions}


def root(item: ir.Flow | ir.Router) -> dict[str, Any]:
    if isinstance(item, ir.Router):
        return step(item)
    found = {"engine": item.engine, "on_error": item.on_error}
    return found | {"steps": {one.name: step(one) for one in item.steps}}


def step(item: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: getattr(item, name, None)
        for name in ("full_event", "input_path", "result_path", "responder", "on_error")
    }
    found["after"] = list(getattr(item, "after", ()))
    found["function"] = getattr(item, "runs_in", "")
    if isinstance(item, ir.Queue):
        brokers = dict(item.options).get("brokers")
        options = {"kafka_brokers": brokers} if brokers else {}
        return found | {"kind": "queue", "path": item.path, "options": options}
    cls = None if item.cls is None else target(item.cls)
    found["class_name"] = cls
    args = {key: value for key, value in item.args if not isinstance(value, ir.Target)}
    found["class_args"] = args | {k: target(v) for k, v in item.args if isinstance(v, ir.Target)}
    if isinstance(item, ir.Router):
        found |= {"kind": "router", "routes": {r.key: step(r) for r in item.routes}}
        if cls == "mlrun.serving.ModelRouter":
            found["class_name"] = None
        return found
    found["kind"] = "error_step" if getattr(item, "catcher", False) else "task"
    found["before"] = list(getattr(item, "before", ()))
    found["handler"] = item.method or (target(item.function) if item.function else None)
    return found


def target(value: Any) -> str:
    match value:
        case ir.Named(text=text) | ir.Inline(text=text):
            return text
        case ir.Dotted(name=name):
            return name
        case ir.UserCode(symbol=symbol):
            return symbol.name
    return repr(value)


def plain(value: Any) -> Any:
    """A graph without what says nothing: empty values, defaults and MLRun's bookkeeping."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: plain(item) for key, item in value.items() if key not in SERVICE}
    found = {key: item for key, item in found.items() if item not in (None, "", [], {}, False)}
    for key, default in (("kind", "task"), ("kind", "root"), ("kind", "flow"), ("kind", "router")):
        if found.get(key) == default:
            del found[key]
    for key in ("class_name", "handler"):
        text = found.get(key)
        if isinstance(text, str) and (
            named := re.match(r"<(?:function|class '?)\s*([^ >']+)", text)
        ):
            text = found[key] = named[1]
        if isinstance(text, str) and re.fullmatch(r"[\w.]+", text):
            found[key] = text.rpartition(".")[2]
    if str(found.get("handler", "")).startswith(("<lambda>", "(")) or " " in str(
        found.get("handler")
    ):
        found["handler"] = "(an expression)"
    found.pop("name", None)
    if isinstance(found.get("class_args"), dict):
        args = {k: v for k, v in found["class_args"].items() if DEFAULTS.get(k) != v}
        found["class_args"] = args
        if not args:
            del found["class_args"]
    if found.get("class_name") == "ModelRouter":
        del found["class_name"]
    if "after" in found:
        found["after"] = sorted(found["after"])
    return found


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        lines = []
        for key in [*ours, *(key for key in theirs if key not in ours)]:
            lines += differences(ours.get(key), theirs.get(key), f"{where}/{key}")
        return lines
    if str(theirs).startswith("<lambda"):
        return []  # MLRun cannot write it at all
    return [] if ours == theirs else [f"  {where}: {ours!r}, MLRun {theirs!r}"]


def started(python: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [python, str(HERE / "mlrun_graphs.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=os.environ | {"MLRUN_LOG_LEVEL": "ERROR"},
    )  # fmt: skip


def asked(worker: subprocess.Popen[str], folder: Path) -> dict[str, Any] | None:
    """What MLRun writes; None if the process died of the file."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(json.dumps({"folder": str(folder), "file": "graph.py"}) + "\n")
    worker.stdin.flush()
    line = worker.stdout.readline()
    found: dict[str, Any] | None = json.loads(line) if line else None
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mlrun-python", required=True)
    args = parser.parse_args()
    worker = started(args.mlrun_python)
    counts = {"equal": 0, "different": 0, "refused by both": 0, "refused by one": 0}
    with tempfile.TemporaryDirectory() as temporary:
        for case in sorted(path.parent for path in CORPUS.glob("*/graph.py")):
            folder = Path(temporary, case.name)
            shutil.copytree(case, folder)
            theirs = asked(worker, folder)
            if theirs is None:
                worker, theirs = started(args.mlrun_python), {"refused": "the process died"}
            ours = mine(folder, "graph.py")
            lines = []
            if "refused" in ours or "refused" in theirs:
                both = "refused" in ours and "refused" in theirs
                kind = f"refused by {'both' if both else 'one'}"
                lines = [f"  ours: {ours.get('refused')}", f"  MLRun: {theirs.get('refused')}"]
                lines = [] if both else lines
            else:
                for name in dict.fromkeys([*ours, *theirs]):
                    lines += differences(plain(ours.get(name)), plain(theirs.get(name)), name)
                kind = "different" if lines else "equal"
            counts[kind] += 1
            if lines:
                print("\n".join([case.name, *lines]), flush=True)
    worker.kill()
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return counts["different"] > 0


if __name__ == "__main__":
    sys.exit(main())
