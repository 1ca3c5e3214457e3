"""MLRun's side of `corpus.py`: what mlrun writes of the functions of graph files.

A line of JSON in, `{"folder": ..., "file": ...}`, and one out: `{name: graph}` or
`{"refused": <exception>}`. Files are run, with the simulator and the deployment left out.
"""

from __future__ import annotations

import json
import os
import sys
import types
from typing import Any
from unittest.mock import MagicMock

import mlrun  # type: ignore[import-not-found]
from mlrun.runtimes import ServingRuntime  # type: ignore[import-not-found]

for _name in ("to_mock_server", "deploy", "invoke", "plot"):
    setattr(ServingRuntime, _name, lambda *args, **kw: MagicMock())
mlrun.deploy_function = lambda *args, **kw: None


def graphs(folder: str, file: str) -> dict[str, Any]:
    os.chdir(folder)
    sys.path.insert(0, folder)
    before = set(sys.modules)
    module = types.ModuleType("__main__")
    module.__file__ = file
    try:
        with open(file, encoding="utf-8") as text:
            exec(compile(text.read(), file, "exec"), module.__dict__)
    except BaseException as exc:
        return {"refused": f"{type(exc).__name__}: {exc}"[:200]}
    finally:
        sys.path.remove(folder)
        for name in set(sys.modules) - before:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(folder):
                del sys.modules[name]
    found = {}
    for value in module.__dict__.values():
        if isinstance(value, ServingRuntime) and value.spec.graph:
            graph = value.to_dict()["spec"]["graph"]
            found[value.metadata.name] = json.loads(json.dumps(graph, default=str))
    return found


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        task = json.loads(line)
        print(json.dumps(graphs(task["folder"], task["file"])), file=answers, flush=True)
