"""Routers of every form, run: the answers are those of mlrun 1.12.1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graphc.pipeline import build
from running import answers

HEAD = """
import mlrun
from mlrun.serving import ModelRouter, RouterStep, TaskStep

class Model(mlrun.serving.V2ModelServer):
    def load(self):
        self.k = self.get_param("k", 1)
    def predict(self, body):
        return [self.k * value for value in body["inputs"]]

class Plain:
    def __init__(self, context, name, routes, limit=2):
        self.name, self.routes, self.limit = name, routes, limit
    def pick(self, body):
        return {"picked": sorted(self.routes), "of": body["n"]}
    def do(self, body):
        return {"name": self.name, "over": body["n"] > self.limit, "routes": list(self.routes)}

class Chooses(Plain):
    def do_event(self, event):
        if event.body["n"] > self.limit:
            return {"refused": event.body["n"]}
        event.path = "infer"
        return self.routes["m"].run(event)

class Hooks(ModelRouter):
    def preprocess(self, event):
        event.body = event.body["wrapped"]
        return event
    def parse_event(self, event):
        return {**super().parse_event(event), "parsed": True}
    def postprocess(self, event):
        event.body = {"post": event.body}
        return event
    def pick(self, body):
        return [self.name, body]
    def _resolve_route(self, body, urlpath):
        name = "m" if urlpath.endswith("special") else "n"
        return name, self.routes[name], "infer"

class Echo:
    def do(self, body):
        return body
    def keys(self, body):
        return sorted(body)

def told(body, context):
    return {"told": context.get_param("p")}

fn = mlrun.new_function("f", kind="serving")
fn.spec.parameters = {"p": 5}
"""

PLAIN = """
graph = fn.set_topology("router", "Plain", limit=1)
graph.add_route("m", class_name="Model")
"""

PLAIN_PATHS = """
graph = fn.set_topology("router", RouterStep("Plain", input_path="in", result_path="out"))
graph.add_route("m", class_name="Model")
"""

CHOOSES = """
graph = fn.set_topology("router", "Chooses", limit=1)
graph.add_route("m", class_name="Model", k=3)
"""

HOOKS = """
graph = fn.set_topology("router", "Hooks")
graph.add_route("m", class_name="Model", k=3)
graph.add_route("n", class_name="Echo")
"""

ROUTES = """
graph = fn.set_topology("router")
inner = graph.add_route("plain", RouterStep("Plain", {"limit": 9}))
inner.add_route("x", class_name="Model")
graph.add_route("keys", class_name="Echo", handler="keys")
graph.add_route("path", TaskStep("Echo", input_path="a.b", result_path="c"))
graph.add_route("event", TaskStep(handler="told", name="t"))
"""

OFFERED = """
class Takes:
    def __init__(self, name, full_event=None, result_path="z", *rest, context="c"):
        self.taken = [name, full_event, result_path, context]
    def do(self, body):
        return self.taken

graph = fn.set_topology("flow", engine="sync")
graph.to("Takes", "t")
"""

TOLD = """
class Model2(Model):
    def post_init(self, mode="sync", **kwargs):
        self.kwargs = kwargs
        super().post_init(mode, **kwargs)
    def predict(self, body):
        return [self.kwargs["endpoint_type"], self.kwargs["creation_strategy"]]

class Router2(ModelRouter):
    def __init__(self, graph_step=None, **kwargs):
        super().__init__(**kwargs)
        self.step = graph_step
    def post_init(self, mode="sync", endpoint_type=None, **kwargs):
        self.endpoint_type = endpoint_type
    def postprocess(self, event):
        step = self.step
        told = [step.name, step.kind, step.class_name, step.class_args, self.endpoint_type]
        event.body = event.body["outputs"] + told
        return event

graph = fn.set_topology("flow", engine="sync")
graph.to("*Router2", "r", url_prefix="/v2/models").add_route("m", class_name="Model2")
"""

IN_A_FLOW = """
graph = fn.set_topology("flow", engine="async")
router = graph.to("*Plain", "r", limit=1, input_path="in", result_path="out")
router.add_route("m", class_name="Model")
router.to(name="last", handler='(event["out"])').respond()
"""


HANDLERS = """
graph = fn.set_topology("flow", engine="ENGINE")
one = graph.to("*Hooks", "one", handler="pick", input_path="in", result_path="out")
one.add_route("m", class_name="Model")
two = one.to(RouterStep("Plain", handler="pick", routes={"x": TaskStep("Model")}), "two",
             input_path="in", result_path="two")
"""

HANDLER_OF_A_ROUTE = """
graph = fn.set_topology("router")
route = graph.add_route("inner", RouterStep("Plain", handler="pick"))
route.add_route("y", class_name="Model")
"""


@pytest.mark.parametrize(
    ("graph", "path", "body", "expected"),
    [
        (PLAIN, "/any", {"n": 3}, {"name": "Plain", "over": True, "routes": ["m"]}),
        (
            PLAIN_PATHS,
            "/",
            {"in": {"n": 1}},
            {"in": {"n": 1}, "out": {"name": "Plain", "over": False, "routes": ["m"]}},
        ),
        (CHOOSES, "/", {"n": 5, "inputs": [1]}, {"refused": 5}),
        (CHOOSES, "/", {"n": 0, "inputs": [1]}, {"outputs": [3]}),
        (HOOKS, "/v2/models/special", {"wrapped": {"inputs": [2]}}, {"post": {"outputs": [6]}}),
        (HOOKS, "/", {"wrapped": '{"a": 1}'}, {"post": {"a": 1, "parsed": True}}),
        (
            ROUTES,
            "/v2/models/plain",
            {"n": 3},
            {"name": "plain", "over": False, "routes": ["x"]},
        ),
        (ROUTES, "/v2/models/keys", {"b": 1, "a": 2}, ["a", "b"]),
        (ROUTES, "/v2/models/path/x", {"a": {"b": 1}}, {"a": {"b": 1}, "c": 1}),
        (ROUTES, "/v2/models/event", {"a": 1}, {"told": 5}),
        (
            TOLD,
            "/v2/models/m",
            {"inputs": [1]},
            [1, "skip", "r", "router", "Router2", {"url_prefix": "/v2/models"}, 2],
        ),
        (OFFERED, "/", {}, ["t", None, None, "c"]),
        (
            HANDLERS.replace("ENGINE", "sync"),
            "/",
            {"in": {"n": 3}},
            {"in": {"n": 3}, "out": ["one", {"n": 3}], "two": {"picked": ["x"], "of": 3}},
        ),
        (HANDLER_OF_A_ROUTE, "/v2/models/inner", {"n": 1}, {"picked": ["y"], "of": 1}),
        (
            HANDLERS.replace("ENGINE", "async") + "two.respond()",
            "/",
            {"in": {"n": 3}},
            {"in": {"n": 3}, "out": ["one", {"n": 3}], "two": {"picked": ["x"], "of": 3}},
        ),
        (IN_A_FLOW, "/", {"in": {"n": 3}}, {"name": "r", "over": True, "routes": ["m"]}),
    ],
)
def test_answers(graph: str, path: str, body: Any, expected: Any, tmp_path: Path) -> None:
    file = tmp_path / "graph.py"
    file.write_text(HEAD + graph)
    made = build(file)
    assert not made.failed, made.diagnostics
    [told] = answers(made.files, "f", [{"path": path, "body": body}], tmp_path)
    answer = json.loads(told.body) if told.content_type == "application/json" else told.body
    for volatile in ("id", "model_name", "timestamp"):
        for part in (answer, answer.get("post") if isinstance(answer, dict) else None):
            if isinstance(part, dict):
                part.pop(volatile, None)
    assert answer == expected
