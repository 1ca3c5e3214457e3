"""Readings from meters: each result goes to a stream of another kind."""

import os

import mlrun


def shard_of(event):
    return event.body["meter"] % 4


fn = mlrun.new_function("meters", kind="serving")
fn.spec.error_stream = "v3io:///projects/meters/errors"
graph = fn.set_topology("flow", engine="async")
graph.to(name="scale", handler="({**event, 'kwh': event['wh'] / 1000})").respond()

graph.add_step(
    "$queue",
    "archive",
    path="projects/meters/archive",
    after="scale",
    shards=4,
    retention_in_hours=48,
    batch_size=100,
    sharding_func=shard_of,
)
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
graph.add_step(
    "$queue",
    "orders",
    path="amqp://rabbit:5672/meters/orders.new?vhost=shop",
    after="scale",
)
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
