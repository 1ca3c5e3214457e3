"""Readings from meters: each result goes to a stream of another kind."""

import os

import mlrun
from mlrun.serving import QueueStep


def shard_of(event):
    return event.body["meter"] % 4


fn = mlrun.new_function("meters", kind="serving")
fn.spec.error_stream = "v3io:///projects/meters/errors"
graph = fn.set_topology("flow", engine="async")
graph.to(name="scale", handler="({**event, 'kwh': event['wh'] / 1000})").respond()

graph.add_step(
    "$queue",
    "archive",
    path=None,
    after="scale",
    batch_size=8,
)
# What is set afterwards counts.
archive = graph["archive"]
archive.path = "projects/meters/archive"
archive.shards = 4
archive.retention_in_hours = 12 * archive.shards
archive.options["batch_size"] = 100
archive.options.update(sharding_func=shard_of)
graph.add_step(
    "$queue",
    "billing",
    path="kafka://broker:9092/billing",
    after="scale",
    sharding_func="meter",
    kafka_producer_options={"compression_type": "lz4"},
)
graph.add_step(
    "$queue",
    "alerts",
    path=f"nats://{os.environ['NATS_SERVER']}/meters.alerts",
    after="scale",
)
orders = QueueStep("orders")
graph.add_step(orders, after="scale")
orders.path = "amqp://rabbit:5672/meters/orders.new?vhost=shop"
graph.add_step(
    "$queue",
    "display",
    path="mqtts://broker/meters/display",
    after="scale",
    columns=["meter", "used=kwh", "request=$id"],
)

hook = mlrun.new_function("hook", kind="serving")
chain = hook.set_topology("flow", engine="sync")
chain.to(name="double", handler="(event * 2)").to(
    "$queue", "out", path="https://hooks.example/meters", columns="ignored"
)
