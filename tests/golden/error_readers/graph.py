"""Streams that nothing of Nuclio's reads, and arguments that no trigger takes."""
import os

import mlrun


def step(body):
    return body


fn = mlrun.new_function("plant", kind="serving")
graph = fn.set_topology("flow", engine="async")
first = graph.to(name="first", handler="step")


def child(name, path, **options):
    first.to("$queue", f"q-{name}", path=path, **options).to(name=f"s-{name}", handler="step", function=name)
    return fn.add_child_function(name, "graph.py", "mlrun/mlrun")


child("memory", "dummy://")
child("open", os.environ["STREAM"])
child("keyword", "kafka://b:9092/t", trigger_args={"colour": "red"})
child("topics", "kafka://b:9092/t", trigger_args={"topics": ["t"]})
child("extra", "kafka://b:9092/t", trigger_args={"extra_attributes": [1]})
child("mode", "kafka://b:9092/t", trigger_args={"explicit_ack_mode": "disable"})
child("allocation", "kafka://b:9092/t", trigger_args={"heartbeat_interval": 3, "fetch_default": "1m"})
child("no-topic", "kafka://b:9092")
child("no-brokers", "kafka:///t")
child("no-path", "users")
child("shards", "users/x/y", shards="two")
child("group", "users/x/y", group="a b")
child("nats", "nats://n:4222/a", trigger_args={"session_timeout": "1s"})
taken = child("taken", "kafka://b:9092/t")
taken.add_trigger("kafka", {"kind": "cron", "attributes": {"interval": "1h"}})
fixed = child("fixed", "users/x/z", shards=2)
fixed.spec.replicas = 3
