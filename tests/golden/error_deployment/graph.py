"""Settings that Nuclio, Kubernetes or Docker would not take."""
import os

import mlrun
import nuclio
from mlrun.runtimes import mounts


def function(name):
    made = mlrun.new_function(name, kind="serving")
    made.set_topology("flow").to(name="same", handler="(event)").respond()
    return made


one = function("one")
one.spec.min_replicas = "two"
one.with_limits(mem="1 GB", cpu="lots")
one.set_env("A=B", 1)
one.set_label("team", "search & find")
one.with_preemption_mode("sometimes")
one.with_node_selection(node_selector={"zone": 1}, tolerations={})
one.spec.readiness_timeout = 0.5
one.spec.nuclio_runtime = "python:3.12"
one.set_config("spec.eventTimeout", 30)
one.set_config("spec.maxReplica", 3)
one.set_config("spec.handler", "mine:handler")
one.spec.min_replica = 3
one.spec.workdir = "/x"
one.spec.build.extra = "x"
one.add_trigger("tick", nuclio.CronTrigger(interval="often"))
one.add_trigger("tock", nuclio.CronTrigger(interval="1h").disable())
one.with_http(extra_attributes={"maxRequestBodySize": "8m", "maxrequestbody": 1})

function("two").add_trigger("a", {"kind": "htpp"})
function("three").add_trigger("a", {"kind": "kafka-cluster", "attributes": {"topics": ["x"]}})
function("four").with_http().add_trigger("web", nuclio.HttpTrigger(workers=2))
function("five").with_commands(["true\nUSER root"])
function("five-and-a-half").with_commands(["true\u2028USER root"])
function("five-and-more").with_commands(["true", "\\"])
function("six").with_commands(["cat <<EOF"])
function("seven").spec.volume_mounts = [{"name": "tmp", "mountPath": "/tmp"}]
function("eight").set_config("spec.maxReplicas", 1).spec.min_replicas = 2
function("nine").spec.image = os.environ["IMAGE"]
function("ten").set_config("spec.triggers.a", {"kind": "cron", "attributes": {}})
reader = function("readers")
reader.add_trigger("k", nuclio.KafkaTrigger(["b:9092"], ["t"], explicit_ack_mode="disable", max_workers=0.5, session_timeout="long"))
reader.add_trigger("n", nuclio.KafkaTrigger([], ["t"], partitions=[1]))
reader.add_trigger("r", {"kind": "rabbit-mq", "url": "amqp://r", "numWorkers": 4, "attributes": {"queueName": "q", "topics": ["t"]}})
reader.add_trigger("s", {"kind": "kinesis", "attributes": {"regionName": "r", "streamName": "s", "shards": ["a", "b"]}})
reader.add_v3io_stream_trigger("users/x/stream", name="v", group="a-b")
function("shards").add_trigger("v", {"kind": "v3ioStream", "url": "http://v3io:8081/users/x@g"})
moved = function("moved")
moved.add_v3io_stream_trigger("users/x/stream", shards=3)
moved.spec.max_replicas = 5
function("bad-env").spec.env = [False]
function("worse-env").set_config("spec.env", False)
function("eleven").spec.build.base_image = "python:3\nRUN id"
function("twelve").spec.affinity = object()
function("scaler").disable_default_http_trigger()

rest = function("rest")
rest.add_trigger("k", nuclio.KafkaTrigger(["broker:9092"], ["topic"]))
rest.add_v3io_stream_trigger("users/x/stream", colour="red")
rest.add_v3io_stream_trigger("kafka://b/t")
rest.add_v3io_stream_trigger("stream")
rest.add_trigger("k", nuclio.KafkaTrigger(["b"], ["t"], extra_attributes=[1]))
rest.add_trigger("h", nuclio.HttpTrigger().sasl("me", "secret"))
rest.add_rabbitmq_trigger("ds://profile")
rest.add_rabbitmq_trigger("amqp://[x", queue_name="q")
rest.with_http(workers=-1)
rest.with_http(canary=101, host="x.example.com")
rest.with_http(worker_timeout=60, gateway_timeout=30)
rest.with_http(batching_spec=mlrun.common.schemas.BatchingSpec(enabled=True, batch_size=8))
rest.with_http(async_spec=mlrun.runtimes.nuclio.function.AsyncSpec())
rest.add_trigger("x", "http")
nuclio.CronTrigger()
rest.apply(mlrun.mount_pvc())
rest.apply(mlrun.mount_v3io())
rest.apply(print)
rest.set_envs()
rest.set_envs(file_path="nowhere.env")
rest.with_requirements(3)
rest.spec.env = 3
