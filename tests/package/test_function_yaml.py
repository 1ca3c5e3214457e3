"""function.yaml and Dockerfile under a strict model of Nuclio: golden ones and random ones."""

from __future__ import annotations

import copy
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from golden_cases import EXAMPLES, GOLDEN, findings
from graphc.package.yaml_text import scalar
from graphc.pipeline import Build, Options, build
from nuclio_model import NOT_WORDS, check, check_dockerfile, check_text

PACKAGES = sorted(
    path.parent for root in (GOLDEN, EXAMPLES) for path in root.glob("*/dist/*/function.yaml")
)
FULL = yaml.safe_load((GOLDEN / "settings/dist/settings/function.yaml").read_text("utf-8"))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_what_packages_say_is_what_nuclio_takes(package: Path) -> None:
    config = check_text((package / "function.yaml").read_text("utf-8"))
    check_dockerfile((package / "Dockerfile").read_text("utf-8"), config)


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(config: dict[str, Any]) -> None:
        *way, last = path.split("/")
        at: Any = config
        for key in way:
            at = at[int(key) if key.isdigit() and isinstance(at, list) else key]
        at[last] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        put("metadata/name", "Not_A_Name"),
        put("metadata/name", "x" * 57),
        put("metadata/labels/a b", "x"),
        put("metadata/annotations/revision", 7),
        put("spec/minreplicas", 1),
        put("spec/minReplicas", 4),
        put("spec/maxReplicas", "3"),
        put("spec/runtime", "python:3.12"),
        put("spec/handler", "handler.handler"),
        put("spec/env/0/value", 2),
        put("spec/env/0/name", "NAME"),
        put("spec/env/0/valueFrom", {"secretKeyRef": {"name": "a", "key": "b"}}),
        put("spec/resources/limits/memory", "1 GB"),
        put("spec/eventTimeout", 30),
        put("spec/triggers/http/name", "other"),
        put("spec/triggers/http/kind", "htpp"),
        put("spec/triggers/http/maxWorkers", 4),
        put("spec/triggers/http/numWorkers", True),
        put("spec/triggers/http/attributes/maxRequestBodySize", "8m"),
        put("spec/triggers/http/attributes/ingresses/0", ["host"]),
        put("spec/triggers/often/kind", "http"),
        put("spec/triggers/often/attributes", {}),
        put("spec/triggers/often/attributes/interval", "often"),
        put("spec/triggers", {}),
        put("spec/tolerations", {}),
        put("spec/build/baseImage", "python:3\nRUN id"),
        put("spec/build/commands", ["pip install -r requirements.txt"]),
        put("spec/build/commands", ["a\nb"]),
    ],
)
def test_the_model_is_strict(change: Callable[[dict[str, Any]], None]) -> None:
    config = copy.deepcopy(FULL)
    check(config)
    change(config)
    with pytest.raises(AssertionError):
        check(config)


STREAMS = {
    name: yaml.safe_load((GOLDEN / f"stream_triggers/dist/{name}/function.yaml").read_text("utf-8"))
    for name in ("kafka-reader", "v3io-reader", "rabbit-reader", "others")
}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("kafka-reader", put("orders/explicitAckMode", "enable")),
        ("kafka-reader", put("orders/attributes/workerAllocationMode", "pool")),
        ("kafka-reader", put("orders/attributes/worker_allocation_mode", "static")),
        ("kafka-reader", put("orders/attributes/brokers", [])),
        ("kafka-reader", put("orders/attributes/brokers", "kafka-0:9092")),
        ("kafka-reader", put("orders/attributes/topics", ["orders", 1])),
        ("kafka-reader", put("orders/attributes/initialOffset", "first")),
        ("kafka-reader", put("orders/attributes/fetchDefault", "1048576")),
        ("kafka-reader", put("orders/attributes/sasl/password", "hunter2")),
        ("kafka-reader", put("orders/maxWorkers", 2)),
        ("kafka-reader", put("orders/workerTerminationTimeout", 10)),
        ("v3io-reader", put("stream/password", "hunter2")),
        ("v3io-reader", put("stream/url", "v3io-webapi")),
        ("v3io-reader", put("stream/attributes/consumerGroup", "a-b")),
        ("v3io-reader", put("stream/attributes/streamPath", "/shop")),
        ("rabbit-reader", put("rabbitmq/url", "amqp://shop:hunter2@rabbit:5672/")),
        ("rabbit-reader", put("rabbitmq/attributes/topics", ["a"])),
        ("rabbit-reader", put("rabbitmq/numWorkers", 2)),
        ("others", put("nats/explicitAckMode", "explicitOnly")),
        ("others", put("nats/attributes/topic", "")),
        ("others", put("mqtt/attributes/subscriptions/0/qos", 3)),
        ("others", put("kinesis/numWorkers", 1)),
        ("others", put("kinesis/attributes/secretAccessKey", "hunter2")),
        ("others", put("hub/attributes/partitions", ["0"])),
    ],
)
def test_the_model_is_strict_with_streams(
    name: str, change: Callable[[dict[str, Any]], None]
) -> None:
    config = copy.deepcopy(STREAMS[name])
    check(config)
    change(config["spec"]["triggers"])
    with pytest.raises(AssertionError):
        check(config)


@given(
    st.one_of(st.text(max_size=20), st.sampled_from("y No 1e3 0x1F 1:30 1Gi 90s ~ = - ? :".split()))
)
def test_texts_are_read_as_texts(text: str) -> None:
    line = scalar(text)
    assert "\n" not in line
    assert yaml.safe_load(f"a: {line}\n") == {"a": text}
    assert yaml.safe_load(f"{line}: a\n") == {text: "a"}
    if not line.startswith('"'):
        assert not NOT_WORDS.fullmatch(line)


# -- random settings

NASTY = [
    "a: b", "# c", "x\ny", "\0", "\u2028", "&a", "*a", "!!str", "{{ 1 }}", "$(id)", "null", "yes",
    "1e3", "", " ", "'", '"', "\\", "é", "@nuclio.postCopy", "<<EOF", "a\\", "x" * 70, "\ud800",
]  # fmt: skip
words = st.sampled_from(["a", "web", "app.example.com/x", "A_1", "value"])
texts = st.one_of(words, st.sampled_from(NASTY), st.text(max_size=6))
amounts = st.one_of(st.sampled_from(["500m", "1Gi", "2", "1G", "1 GB", "-1"]), st.integers(-1, 9))
numbers = st.one_of(st.integers(-1, 10), st.just(0.5), st.just("3"), st.none(), st.booleans())
durations = st.sampled_from(["30s", "1h30m", "0.5s", "soon", "30", ""])
things = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(texts, inner, max_size=2)),
    max_leaves=4,
)
names = st.one_of(st.just("web"), texts)
keys = st.sampled_from(
    """spec.minReplicas spec.maxReplicas spec.replicas spec.eventTimeout spec.loggerSinks spec.env
    spec.triggers spec.triggers.web spec.triggers.http.numWorkers spec.build.commands spec.build
    spec.build.baseImage spec.build.noCache spec.volumes spec.resources spec.resources.limits.cpu
    metadata metadata.labels metadata.name spec spec.handler spec.HANDLER spec.platform spec.nothing
    spec.runtime spec.affinity a . spec..x x.y""".split()
)


def call(name: str, /, *args: Any, **kwargs: Any) -> st.SearchStrategy[str]:
    """The call of a method with arguments of these strategies, some of them left out."""

    def spell(drawn: tuple[list[Any], dict[str, Any]]) -> str:
        shown = [repr(value) for value in drawn[0]]
        shown += [f"{key}={value!r}" for key, value in drawn[1].items()]
        return f"{name}({', '.join(shown)})"

    named = st.fixed_dictionaries({}, optional=kwargs)
    return st.tuples(st.tuples(*args).map(list), named).map(spell)


def statement(name: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return value.map(lambda drawn: f"{name} = {drawn!r}")


named_thing = st.fixed_dictionaries({"name": names, "value": things})
mount = st.fixed_dictionaries({"name": names, "mountPath": texts}, optional={"subPath": texts})
env = st.dictionaries(texts, st.one_of(texts, numbers), min_size=1, max_size=3)
cron = call("nuclio.CronTrigger", durations, schedule=st.sampled_from(["0 4 * * *", "often", ""]),
            body=texts, headers=env, extra_attributes=things)  # fmt: skip
http = call("nuclio.HttpTrigger", workers=numbers, port=numbers, host=texts, canary=numbers)
secrets = st.one_of(texts, st.just("hunter2"))
kafka = call("nuclio.KafkaTrigger", st.lists(st.sampled_from(["b:9092", "c", ""]), max_size=2),
             st.lists(names, max_size=2), consumer_group=names, max_workers=numbers,
             explicit_ack_mode=st.sampled_from([None, "explicitOnly", "enable", "x"]),
             initial_offset=st.sampled_from(["earliest", "latest", "x"]),
             session_timeout=durations, extra_attributes=things)  # fmt: skip
v3io = call("V3IOStreamTrigger", path=names, container=names, consumer_group=names,
            access_key=secrets, max_workers=numbers, seek_to=names)  # fmt: skip
rabbit = call("RabbitMQTrigger", st.sampled_from(["amqp://u:p@r:5672/v", "amqp://r", "r", ""]),
              names, queue_name=names, topics=st.lists(names, max_size=2), password=secrets,
              num_workers=numbers)  # fmt: skip
nats = st.fixed_dictionaries({"topic": texts}, optional={"queueName": texts})
mqtt = st.fixed_dictionaries(
    {"subscriptions": st.lists(st.fixed_dictionaries({"topic": texts}, optional={"qos": numbers}))}
)
other = st.tuples(
    st.sampled_from(["nats", "mqtt", "kafka", "rabbitMq", "pubsub", "eventhub", "kickstart"]),
    st.one_of(nats, mqtt, things),
    st.sampled_from(["nats://n:4222", "amqp://r:5672", "m:1883", "m", ""]),
).map(lambda drawn: dict(zip(("kind", "attributes", "url"), drawn, strict=True)))
trigger = st.one_of(
    kafka, v3io, rabbit, kafka.map("{}.sasl('me', 'hunter2')".format), other.map(repr),
    cron, http, cron.map("{}.disable()".format), http.map("{}.workers(3)".format),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["http", "cron", "htpp", "kafka-cluster"])},
        optional={"maxWorkers": numbers, "attributes": things, "annotations": env, "name": texts,
                  "workerTerminationTimeout": durations},
    ).map(repr),
)  # fmt: skip
statements = st.one_of(
    call("fn.set_env", texts, st.one_of(texts, numbers)),
    call("fn.set_env", texts, value_from=things),
    call("fn.set_envs", env),
    call("fn.set_env_from_secret", texts, texts, texts),
    call("fn.with_limits", mem=amounts, cpu=amounts, gpus=numbers, gpu_type=texts,
         patch=st.booleans()),
    call("fn.with_requests", mem=amounts, cpu=amounts, patch=st.booleans()),
    call("fn.with_commands", st.lists(texts, max_size=3)),
    call("fn.with_requirements", st.lists(texts, max_size=2)),
    call("fn.with_http", workers=numbers, port=numbers, host=texts,
         paths=st.lists(texts, max_size=2), canary=numbers, secret=texts, worker_timeout=numbers,
         gateway_timeout=numbers, trigger_name=names, annotations=env, extra_attributes=things),
    st.tuples(names, trigger).map(lambda drawn: f"fn.add_trigger({drawn[0]!r}, {drawn[1]})"),
    call("fn.add_v3io_stream_trigger", st.sampled_from(["users/x", "v3io://h/users/x", "x", ""]),
         name=names, group=names, shards=numbers, ack_window_size=numbers, access_key=secrets),
    call("fn.add_rabbitmq_trigger", st.just("amqp://u:hunter2@r"), names, names, queue_name=names),
    call("fn.set_config", keys, things),
    call("fn.set_config", st.just("spec.triggers.web.numWorkers"), numbers),
    call("fn.with_annotations", env),
    call("fn.set_label", texts, texts),
    call("fn.with_node_selection", node_name=texts, node_selector=env,
         affinity=things, tolerations=things),
    call("fn.with_preemption_mode", st.sampled_from(["allow", "sometimes", 3])),
    call("fn.with_sidecar", names, texts, numbers, texts),
    call("fn.apply(mounts.mount_pvc", texts, names, texts).map("{})".format),
    call("fn.apply(mounts.mount_secret", texts, texts, names).map("{})".format),
    call("fn.apply(mounts.mount_s3", secret_name=texts, prefix=texts).map("{})".format),
    call("fn.apply(mounts.set_env_vars_from_secret", texts, texts, texts).map("{})".format),
    call("fn.apply(mlrun.mount_v3io", names, texts, secret=texts, user=texts).map("{})".format),
    call("fn.spec.with_volumes", st.one_of(things, st.just({"name": "web", "emptyDir": {}}))),
    call("fn.spec.with_volume_mounts", st.one_of(things, mount)),
    statement("fn.spec.min_replicas", numbers),
    statement("fn.spec.max_replicas", numbers),
    statement("fn.spec.replicas", numbers),
    statement("fn.spec.readiness_timeout", numbers),
    statement("fn.spec.nuclio_runtime", st.sampled_from(["python:3.9", "golang", 3])),
    statement("fn.spec.disable_default_http_trigger", numbers),
    statement("fn.spec.image", texts),
    statement("fn.spec.description", things),
    statement("fn.spec.service_account", texts),
    statement("fn.spec.resources", things),
    statement("fn.spec.env", st.one_of(things, st.lists(named_thing, max_size=2))),
    statement("fn.spec.volumes", things),
    statement("fn.spec.base_spec", things),
    statement("fn.spec.build.commands", things),
    statement("fn.spec.build.base_image", st.sampled_from(["python:3.11", "a b", ""])),
    statement("fn.spec.build.requirements", things),
    statement("fn.metadata.labels", things),
    statement("fn.metadata.annotations", env),
)  # fmt: skip

HEAD = """
import mlrun, nuclio
from mlrun.runtimes import mounts
from mlrun.runtimes.nuclio.triggers import RabbitMQTrigger
from nuclio.triggers import V3IOStreamTrigger

fn = mlrun.new_function("random", kind="serving")
"""
TAIL = """
fn.set_topology("flow").to(name="same", handler="(event)").respond()
"""


def made(lines: list[str]) -> Build:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.py"
        text = HEAD + "\n".join(lines).replace("nan", "0.0").replace("inf", "0.0") + TAIL
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        return build(file, Options())


@settings(
    max_examples=int(os.environ.get("GRAPHC_EXAMPLES", "150")),
    deadline=None,
    derandomize=not os.environ.get("GRAPHC_RANDOM"),
)
@given(st.lists(statements, min_size=1, max_size=5))
def test_random_settings(lines: list[str]) -> None:
    """Whatever a file says ends in findings, or in a package that Nuclio takes."""
    built = made(lines)
    said = findings(built)
    if built.failed:
        assert not built.files
        return
    text = built.files["random/function.yaml"].decode()
    if "is nothing that Nuclio" not in said:
        config = check_text(text)
        check_dockerfile(built.files["random/Dockerfile"].decode(), config)
    if "password" in text:
        assert "hunter2" not in text
    json.dumps(yaml.safe_load(text))
    assert built.files == made(lines).files
