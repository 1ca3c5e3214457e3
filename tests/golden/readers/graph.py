"""One child for each kind of stream, and one that reads several."""
import os

import mlrun


def step(body):
    return body


fn = mlrun.new_function("plant", kind="serving")
graph = fn.set_topology("flow", engine="async")
first = graph.to(name="first", handler="step")


def child(name, *queues):
    for number, (queue, options) in enumerate(queues):
        first.to("$queue", queue, **options).to(name=f"{name}-{number}", handler="step", function=name)
    return fn.add_child_function(name, "graph.py", "mlrun/mlrun")


kafka = child(
    "kafka",
    (
        "orders",
        {
            "path": "kafka://kafka-0:9092,kafka-1:9092?topic=orders",
            "group": "buyers",
            "trigger_args": {
                "max_workers": 3,
                "session_timeout": "20s",
                "worker_termination_timeout": "2s",
                "initial_offset": "latest",
                "extra_attributes": {"balanceStrategy": "sticky"},
            },
        },
    ),
)
kafka.set_env("LEVEL", "info")
kafka.with_limits(mem="1Gi")
kafka.with_http()
kafka.spec.max_replicas = 2
kafka.add_trigger("tick", {"kind": "cron", "attributes": {"interval": "1h"}})

child(
    "several",
    ("left", {"path": "left", "kafka_brokers": "kafka-0:9092,kafka-1:9092"}),
    ("right side", {"path": "kafka://kafka-0:9092/right"}),
    ("users/v3io", {"path": "v3io:///users/plant/events", "shards": 3}),
)
v3io = child("v3io", ("v", {"path": "users/plant/v", "shards": 2, "trigger_args": {"ack_window_size": 5, "polling_interval_ms": 100}}))
v3io.set_env_from_secret("V3IO_ACCESS_KEY", "v3io", "access-key")
child("nats", ("n", {"path": "nats://shop:hunter2@nats-0:4222,nats-1:4222/plant.events", "trigger_args": {"max_workers": 4}}))
child("rabbit", ("r", {"path": "amqp://shop:hunter2@rabbit:5672/plant/events?vhost=shop"}), ("work", {"path": "amqp://rabbit/work"}))
child("mqtt", ("m", {"path": f"mqtt://{os.environ['MQTT_HOST']}/plant/events"}))
child("open", ("o", {"path": f"kafka://{os.environ['KAFKA']}/open", "kafka_brokers": os.getenv("MORE", "kafka-9:9092")}))
# Nuclio's events of both have the topic plant/v; that of the third is the whole path of a fourth.
child(
    "alike",
    ("one", {"path": "users/plant/v"}),
    ("other", {"path": "projects/plant/v"}),
    ("inner", {"path": "bigdata/left/right"}),
    ("outer", {"path": "left/right"}),
)
