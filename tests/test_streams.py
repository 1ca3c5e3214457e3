"""Packages write to real servers: what a graph says of its queues reaches the streams."""

import json

import pytest
import xxhash

import http_service
import v3io_service
from graphc.pipeline import build
from running import answers
from servers.mosquitto import Mosquitto, Subscriber
from servers.nats import Nats

GRAPH = """
import os

import mlrun


def shard_of(event):
    return event.body["meter"] + 1


fn = mlrun.new_function("meters", kind="serving")
fn.spec.error_stream = "v3io:///meters/errors"
graph = fn.set_topology("flow", engine="async")
graph.to(name="scale", handler="({**event, 'kwh': 1000 / event['wh']})")
graph.add_step("$queue", "by-code", path="meters/by-code", after="scale", shards=3,
               sharding_func=shard_of)
graph.add_step("$queue", "by-field", path="meters/by-field", after="scale", shards=3,
               sharding_func="place")
graph.add_step("$queue", "fixed", path="meters/fixed", after="scale", shards=3, sharding_func=4)
graph.add_step("$queue", "alerts", path=f"nats://{os.environ['NATS_SERVER']}/meters.alerts",
               after="scale", sharding_func="place", full_event=True)
graph.add_step("$queue", "display", path="mqtt://MQTT/meters/display", after="scale")

hook = mlrun.new_function("hook", kind="serving")
chain = hook.set_topology("flow", engine="sync")
chain.to(name="double", handler="(event * 2)").to("$queue", "out", path="URL/meters")
"""
BODIES = [{"meter": number, "place": f"p{number}", "wh": number} for number in range(10)]


@pytest.fixture
def v3io(monkeypatch):
    with v3io_service.running() as service:
        monkeypatch.setenv("V3IO_API", service.address)
        yield service


def test_queues_of_a_flow(v3io, tmp_path, monkeypatch):
    broker, server = Mosquitto(tmp_path / "mqtt"), Nats(tmp_path / "nats")
    try:
        broker.start()
        server.start()
        monkeypatch.setenv("NATS_SERVER", server.address)
        server.add_stream("ALERTS", "meters.*")
        display = Subscriber(broker, "meters/display")
        made = package(tmp_path, GRAPH.replace("MQTT", broker.address))
        requests = [{"body": body} for body in BODIES]
        told = answers(made.files, "meters", requests, tmp_path)
        assert [answer.status for answer in told] == [200] * 10
        sent = [{**body, "kwh": 1000 / body["wh"]} for body in BODIES[1:]]
        alerts = server.messages("ALERTS")
        shown = [json.loads(data) for data in display.messages]
        display.close()
    finally:
        server.close()
        broker.close()
    assert shown == sent
    # Each was there before its request was answered, so in order, whatever the shard.
    assert [json.loads(data)["body"] for data, _ in alerts] == sent
    assert json.loads(alerts[0][0]).keys() == {"full_event_wrapper", "body", "id"}
    assert [headers["key"] for _, headers in alerts] == [body["place"] for body in sent]
    by_code = [[body for body in sent if (body["meter"] + 1) % 3 == shard] for shard in range(3)]
    assert records(v3io, "by-code") == by_code
    hashes = [xxhash.xxh32(body["place"].encode()).intdigest() % 3 for body in sent]
    assert records(v3io, "by-field") == [
        [body for body, hashed in zip(sent, hashes, strict=True) if hashed == shard]
        for shard in range(3)
    ]
    assert records(v3io, "fixed") == [[], sent, []]
    ((failure,),) = records(v3io, "errors")
    assert failure["source"] == "scale"
    assert "division by zero" in failure["message"]


def test_a_stream_that_refuses(v3io, tmp_path, monkeypatch):
    """The caller is told, and the next request starts afresh."""
    with http_service.running() as service:
        made = package(tmp_path, GRAPH.replace("URL", f"{service.url}/status/422"))
        told = answers(made.files, "hook", [{"body": 1}, {"body": [2]}], tmp_path)
    assert [answer.status for answer in told] == [503, 503]
    assert b"refuses a message: status 422" in told[0].body
    assert [asked["data"] for asked in service.asked] == [b"2", b"2", b"2"]
    assert {asked["method"] for asked in service.asked} == {"POST"}


def package(folder, text):
    file = folder / "graph.py"
    file.write_text(text)
    made = build(file)
    assert not made.diagnostics
    return made


def records(service, name):
    return [[json.loads(text) for text in shard] for shard in service.streams[f"/meters/{name}/"]]
