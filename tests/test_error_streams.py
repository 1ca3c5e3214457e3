"""What packages write to error streams, and when (serving.md 7.5; mlrun 1.12's records)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graphc.pipeline import build
from running import answers

ASYNC = """
import mlrun

class Check:
    def __init__(self, context, name=None):
        self.context = context
    def do_event(self, event):
        if event.body.get("told"):
            self.context.push_error(event, "told", source="me", x=1)
        event.body = {"x": event.body["x"]}
        return event

def halve(body):
    return {"y": 10 / body["x"]}

def rescue(event):
    raise RuntimeError("not rescued") if event.body["y"] > 5 else ValueError()

fn = mlrun.new_function("f", kind="serving", project="p")
fn.spec.error_stream = "errors/stream"
graph = fn.set_topology("flow", engine="async")
graph.to("Check", "check").to(name="halve", handler="halve").to(
    name="last", handler='(event["z"])'
)RESPOND.error_handler("rescue", handler="rescue", full_event=True)
"""

SYNC = """
import mlrun

def inner(body):
    raise KeyError("age")

def middle(body):
    try:
        return inner(body) if body["x"] == 1 else body["y"]
    except KeyError as exc:
        raise ValueError("no") from exc

fn = mlrun.new_function("f", kind="serving", project="p")
fn.spec.error_stream = "errors/stream"
graph = fn.set_topology("flow", engine="sync")
graph.to(name="first", handler='(event["a"])').to(name="middle", handler="middle")CATCH
graph.error_handler("all", handler='({"all": 1})')
"""

ROUTER = """
import mlrun

class Model(mlrun.serving.V2ModelServer):
    def load(self):
        pass
    def predict(self, body):
        raise ValueError("bad")

fn = mlrun.new_function("f", kind="serving")
fn.spec.error_stream = "errors/stream"
fn.set_topology("router")
fn.add_model("m", class_name="Model")
"""


def records(graph: str, bodies: list[Any], tmp_path: Path, monkeypatch: Any, **event: Any) -> Any:
    """`[(source, event's body, first line of the message, args)]`, and the answers."""
    file = tmp_path / "graph.py"
    file.write_text(graph)
    made = build(file)
    assert not made.failed, made.diagnostics
    monkeypatch.setenv("GRAPHC_STREAMS", f"dir:{tmp_path}")
    requests = [{"body": body, **event} for body in bodies]
    told = answers(made.files, "f", requests, tmp_path)
    found = tmp_path / "errors%2Fstream.jsonl"
    lines = found.read_text().splitlines() if found.exists() else []
    written = [json.loads(json.loads(line)["data"]) for line in lines]
    for record in written:
        assert set(record) == set("function_uri worker host source event message args".split())
        assert record["event"]["id"].startswith("id-")
    short = [
        (
            record["source"],
            record["event"]["body"],
            record["message"].partition("\n"),
            record["args"],
        )
        for record in written
    ]
    return [
        (s, body, (head, "Traceback" in rest), args) for s, body, (head, _, rest), args in short
    ], told


def test_async_flows_record_what_no_step_takes(tmp_path, monkeypatch):
    graph = ASYNC.replace("RESPOND", ".respond()")
    found, told = records(
        graph, [{"x": 1, "told": True}, {"x": 4}, {"x": 0}, {}], tmp_path, monkeypatch
    )
    assert found == [
        ("me", {"x": 1, "told": True}, ("told", False), {"x": 1}),
        ("last", {"y": 10.0}, ("not rescued", True), {}),
        # The event as it came to `halve`: that and what follows it have copies.
        ("_handler", {"x": 1}, ("RuntimeError: not rescued", False), {}),
        ("last", {"y": 2.5}, ("", True), {}),
        ("_handler", {"x": 4}, ("ValueError: ValueError()", False), {}),
        ("halve", {"x": 0}, ("division by zero", True), {}),
        ("_handler", {"x": 0}, ("ZeroDivisionError: division by zero", False), {}),
        ("check", {}, ("'x'", True), {}),
        ("_handler", {}, ("KeyError: 'x'", False), {}),
    ]
    assert [answer.status for answer in told] == [400] * 4


def test_without_a_responder_there_is_one_record(tmp_path, monkeypatch):
    graph = ASYNC.replace("RESPOND", "")
    found, told = records(graph, [{"x": 0}, b"{"], tmp_path, monkeypatch)
    assert [record[0] for record in found] == ["halve", "_handler"]
    assert [answer.status for answer in told] == [200, 400]


def test_what_an_event_step_returns_must_be_an_event(tmp_path, monkeypatch):
    lost = ASYNC.replace("        return event\n", "        return None\n")
    found, told = records(lost.replace("RESPOND", ".respond()"), [{"x": 1}], tmp_path, monkeypatch)
    message = "'NoneType' object has no attribute 'body'"
    assert found == [
        ("check", {"x": 1}, (message, True), {}),
        ("_handler", {"x": 1}, (f"AttributeError: {message}", False), {}),
    ]
    caught = lost.replace('"check")', '"check").error_handler("c", handler="(event)")')
    found, told = records(
        caught.replace("RESPOND", ".respond()"), [{"x": 1}], tmp_path, monkeypatch
    )
    assert told[0].body == b'{"x": 1}'


QUEUE = """
import mlrun

def shard(body):
    return 1 / body["x"]

fn = mlrun.new_function("f", kind="serving", project="p")
fn.spec.error_stream = "errors/stream"
graph = fn.set_topology("flow", engine="async")
graph.to(name="first", handler="(event)")
graph.add_step("$queue", "out", path="some/out", sharding_func=shard, after="first")
graph.add_step(name="other", handler="(event)", after="first").respond()
graph.error_handler("all", handler='(event["all"])')
"""


def test_a_queue_whose_catcher_fails_is_the_source(tmp_path, monkeypatch):
    found, _ = records(QUEUE, [{"x": 0}], tmp_path, monkeypatch)
    assert [record[0] for record in found] == ["out", "_handler"]


@pytest.mark.parametrize(
    ("catch", "expected"),
    [
        (
            "",
            [
                ("", {"b": 1}, ("'a'", True), {"failed_step": "first"}),
                ("", {"x": 1}, ("no, caused by: 'age'", True), {"failed_step": "middle"}),
            ],
        ),
        (
            '.error_handler("own", handler=\'(event["own"])\')',
            [
                ("", {"b": 1}, ("'a'", True), {"failed_step": "first"}),
                ("middle", {"x": 1}, ("no, caused by: 'age'", True), {}),
                ("", {"x": 1}, ("'own'", True), {"failed_step": "middle"}),
            ],
        ),
    ],
)
def test_sync_flows_record_what_a_step_takes(catch, expected, tmp_path, monkeypatch):
    bodies = [{"b": 1}, {"a": {"x": 1}}]
    found, told = records(SYNC.replace("CATCH", catch), bodies, tmp_path, monkeypatch)
    assert found == expected
    assert [answer.body for answer in told] == [b'{"all": 1}'] * 2


def test_sync_flows_record_what_callers_are_told_with_what_the_failed_step_got(
    tmp_path, monkeypatch
):
    graph = SYNC.replace("CATCH", "").replace("graph.error_handler(", "# ")
    found, _ = records(graph, [{"b": 1}, {"a": {"x": 1}}], tmp_path, monkeypatch)
    assert [(source, body) for source, body, *_ in found] == [
        ("_handler", {"b": 1}),
        ("_handler", {"x": 1}),
    ]


def test_routers_record_what_callers_are_told(tmp_path, monkeypatch):
    path = "/v2/models/m/infer"
    found, told = records(ROUTER, [{"inputs": [1]}], tmp_path, monkeypatch, path=path)
    body = {"inputs": [1], "id": "id-0"}
    assert found == [("_handler", body, ("ValueError: bad", False), {})]
    assert told[0].body == b"ValueError: bad"


def test_a_stream_without_a_server_does_not_keep_a_package_from_starting(tmp_path, monkeypatch):
    monkeypatch.delenv("V3IO_API", raising=False)
    file = tmp_path / "graph.py"
    file.write_text(ROUTER)
    made = build(file)
    assert not made.diagnostics
    told = answers(made.files, "f", [{"path": "/v2/models/m/infer", "body": {}}], tmp_path)
    assert told[0].status == 400
