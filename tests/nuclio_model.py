"""A strict reader of function.yaml and Dockerfile, written from the description of Nuclio 1.14.

Nuclio itself ignores keys it does not know and finds much of the rest out when it starts a
function; here all of that is an AssertionError. It shares nothing with the compiler.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

Rule = Callable[[Any], None]

DURATION = re.compile(r"(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+")
QUANTITY = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?\d+)?")
LABEL = r"(?=.{1,63}\Z)[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
LABEL_KEY = re.compile(rf"(?:[a-z0-9][a-z0-9.-]{{0,251}}[a-z0-9]/|[a-z0-9]/)?{LABEL}")
IMAGE = re.compile(r"[a-z0-9][\w.-]*(:\d+)?(/[\w.-]+)*(:[\w.-]{1,128})?(@sha256:[0-9a-f]+)?")
#: Plain words that some version of YAML takes for another type.
NOT_WORDS = re.compile(
    r"(?i)(y|n|yes|no|on|off|true|false|null|~|[-+]?\.(inf|nan)|"
    r"[-+]?\.?\d[\d_]*(\.[\d_]*)?(e[-+]?\d+)?|0[xob]\w+|[-+]?\d+(:\d+)+(\.\d*)?|\d{4}-\d+-\d+.*)"
)


def check_text(text: str) -> dict[str, Any]:
    """Checks one document and its spelling; gives the document."""
    for token in yaml.scan(text):
        assert not isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken), token
        plain = isinstance(token, yaml.ScalarToken) and token.plain
        if plain and isinstance(yaml.safe_load(token.value), str):
            assert not NOT_WORDS.fullmatch(token.value), f"ambiguous: {token.value}"
    config: dict[str, Any] = yaml.safe_load(text)
    check(config)
    return config


def check(config: Any) -> None:
    """Raises AssertionError for a configuration that Nuclio would refuse, ignore or fail on."""
    record(config, "apiVersion kind metadata spec", apiVersion=only("nuclio.io/v1"),
           kind=only("NuclioFunction"), metadata=_metadata, spec=_spec)  # fmt: skip
    assert "image" not in config["spec"], "it is built"


def check_resource(resource: Any) -> None:
    """As `check`, for a resource that is applied as it is: nothing is built or filled in."""

    def spec(found: Any) -> None:
        assert "build" not in found, "nothing builds it"
        like(IMAGE)(found["image"])
        _spec({**found, "build": {"baseImage": found["image"]}})

    def metadata(found: Any) -> None:
        _metadata(found)
        assert found["labels"]["nuclio.io/project-name"]

    record(resource, "apiVersion kind metadata spec status", apiVersion=only("nuclio.io/v1beta1"),
           kind=only("NuclioFunction"), metadata=metadata, spec=spec,
           # The controller acts on no other state.
           status=lambda found: record(
               found, "state", state=only("waitingForResourceConfiguration")))  # fmt: skip


# -- rules


def record(value: Any, required: str = "", /, **keys: Rule) -> None:
    assert isinstance(value, dict), value
    assert set(value) <= set(keys), f"unknown keys: {sorted(set(value) - set(keys))}"
    assert set(required.split()) <= set(value), f"{required.split()} in {value}"
    for key, item in value.items():
        try:
            keys[key](item)
        except AssertionError as exc:
            raise AssertionError(f"{key}: {exc}") from None


def text(value: Any) -> None:
    assert isinstance(value, str), value


def full(value: Any) -> None:
    assert isinstance(value, str), value
    assert value, "empty"


def flag(value: Any) -> None:
    assert isinstance(value, bool), value


def whole(least: int = 0, most: int = 2**31 - 1) -> Rule:
    def rule(value: Any) -> None:
        assert type(value) is int, value
        assert least <= value <= most, value

    return rule


def only(*values: str) -> Rule:
    def rule(value: Any) -> None:
        assert value in values, value

    return rule


def like(regex: re.Pattern[str] | str) -> Rule:
    def rule(value: Any) -> None:
        assert isinstance(value, str), value
        assert re.fullmatch(regex, value), value

    return rule


def each(rule: Rule) -> Rule:
    def of_list(value: Any) -> None:
        assert isinstance(value, list), value
        for item in value:
            rule(item)

    return of_list


def some(rule: Rule) -> Rule:
    """A list that is not empty."""

    def of_list(value: Any) -> None:
        assert value, value
        each(rule)(value)

    return of_list


def table(key: Rule, item: Rule) -> Rule:
    def rule(value: Any) -> None:
        assert isinstance(value, dict), value
        for one, other in value.items():
            key(one)
            item(other)

    return rule


def mapping(value: Any) -> None:
    assert isinstance(value, dict), value


duration = like(DURATION)
label_value = like(rf"({LABEL})?")


def quantity(value: Any) -> None:
    assert type(value) in (int, float) or QUANTITY.fullmatch(value), value


# -- the function


def _metadata(value: Any) -> None:
    record(value, "name",
           name=like(r"(?=.{1,56}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?"), namespace=full,
           labels=table(like(LABEL_KEY), label_value),
           annotations=table(like(LABEL_KEY), text))  # fmt: skip
    assert value["name"] not in ("dashboard", "controller", "dlx", "scaler")


def _spec(value: Any) -> None:
    amounts = table(like(LABEL_KEY), quantity)
    record(
        value,
        "runtime handler build",
        description=text,
        image=full,
        runtime=only("python:3.9", "python:3.10", "python:3.11"),
        handler=like(r"[A-Za-z_]\w*:[A-Za-z_]\w*"),
        env=each(_env),
        envFrom=each(mapping),
        imagePullSecrets=full,
        imagePullPolicy=only("Always", "IfNotPresent", "Never"),
        minReplicas=whole(),
        maxReplicas=whole(1),
        targetCPU=whole(1),
        resources=lambda found: record(found, limits=amounts, requests=amounts),
        volumes=each(_volume),
        triggers=mapping,
        build=_build,
        loggerSinks=each(
            lambda sink: record(sink, level=only("debug", "info", "warn", "error"), sink=full)
        ),
        readinessTimeoutSeconds=whole(1),
        waitReadinessTimeoutBeforeFailure=flag,
        eventTimeout=duration,
        disableDefaultHTTPTrigger=flag,
        securityContext=mapping,
        serviceAccount=full,
        serviceType=only("ClusterIP", "NodePort"),
        nodeName=full,
        nodeSelector=table(like(LABEL_KEY), label_value),
        affinity=mapping,
        tolerations=each(mapping),
        priorityClassName=full,
        preemptionPolicy=only("Never", "PreemptLowerPriority"),
        preemptionMode=only("allow", "constrain", "prevent", "none"),
        deploymentStrategy=mapping,
        sidecars=each(mapping),
        initContainers=each(mapping),
        scaleToZero=mapping,
        autoScaleMetrics=each(mapping),
        customScalingMetricSpecs=each(mapping),
        platform=mapping,
        devices=each(mapping),
        hostIPC=flag,
        runRegistry=full,
        runtimeAttributes=mapping,
        disableSensitiveFieldsMasking=flag,
    )
    least, most = value.get("minReplicas", 1), value.get("maxReplicas", 1)
    assert least <= most
    names = [entry["name"] for entry in value.get("env", ())]
    assert len(names) == len(set(names)), names
    paths = [entry["volumeMount"]["mountPath"] for entry in value.get("volumes", ())]
    assert len(paths) == len(set(paths)), paths
    kinds = []
    for name, trigger in value.get("triggers", {}).items():
        _trigger(name, trigger)
        kinds.append(trigger["kind"])
    assert kinds.count("http") <= 1, kinds
    # Each shard has its replica.
    assert "v3ioStream" not in kinds or least == most, (least, most)
    # Packages spell out what Nuclio would add.
    assert "http" in kinds or value.get("disableDefaultHTTPTrigger"), kinds
    assert least > 0 or "http" in kinds


def _key_of(value: Any) -> None:
    record(value, "name key", name=full, key=full, optional=flag)


def _source(value: Any) -> None:
    record(value, secretKeyRef=_key_of, configMapKeyRef=_key_of, resourceFieldRef=mapping,
           fieldRef=lambda of: record(of, "fieldPath", apiVersion=full, fieldPath=full),
    )  # fmt: skip
    assert len(value) == 1, value


def _env(value: Any) -> None:
    record(value, "name", name=like(r"[-._a-zA-Z][-._a-zA-Z0-9]*"), value=text, valueFrom=_source)
    assert not {"value", "valueFrom"} <= set(value), value


def _volume(value: Any) -> None:
    record(value, "volume volumeMount", volume=mapping, volumeMount=lambda mount: record(
        mount, "name mountPath", name=full, mountPath=full, subPath=text, subPathExpr=text,
        readOnly=flag, mountPropagation=full, recursiveReadOnly=full))  # fmt: skip
    assert value["volume"]["name"] == value["volumeMount"]["name"], value
    assert len(value["volume"]) == 2, value


def _build(value: Any) -> None:
    record(value, "baseImage", baseImage=like(IMAGE), commands=each(full), onbuildImage=full,
           registry=full, baseImageRegistry=full, noBaseImagesPull=flag, noCache=flag,
           noCleanup=flag, offline=flag, args=table(full, text), flags=each(full),
           buildTimeoutSeconds=whole(), builderServiceAccount=full)  # fmt: skip
    commands = value.get("commands", [])
    for command in commands:
        assert not re.search(r"[\0-\x08\x0a-\x1f\x7f\x85\u2028\u2029]|<<|\\\Z", command), command
        assert command == command.strip(), command
    if any("requirements.txt" in command for command in commands[-1:]):
        # The file is there only once the package is copied.
        assert "@nuclio.postCopy" in commands[:-1], commands
    assert commands.count("@nuclio.postCopy") <= 1, commands


def _secret(value: Any) -> None:
    """No package has a password: one of the environment's, or a name that is filled in."""
    like(r"\$generate|\$\{[A-Z_][A-Z0-9_]*\}|\$ref:.+|/[^\s]+")(value)


def _event(value: Any) -> None:
    record(value, body=text, path=text, method=text, headers=table(full, text))


def _ingress(value: Any) -> None:
    record(value, host=full, hostTemplate=full, paths=each(full), pathType=full, secretName=full)


def _subscriptions(**keys: Rule) -> Rule:
    return each(lambda item: record(item, "topic", topic=full, **keys))


#: The attributes of each kind, and those that it does not start without.
_ATTRIBUTES: dict[str, tuple[str, dict[str, Rule]]] = {
    "http": ("", {
        "port": whole(0, 65535), "serviceType": only("ClusterIP", "NodePort"),
        "ingresses": table(full, _ingress), "maxRequestBodySize": whole(1),
        "readBufferSize": whole(1), "reduceMemoryUsage": flag, "disablePortPublishing": flag,
        "cors": mapping,
    }),
    "cron": ("", {
        "interval": duration, "event": _event, "jobBackoffLimit": whole(),
        "schedule": like(r"@\w+( \S+)?|\S+( \S+){4,5}"),
        "concurrencyPolicy": only("Allow", "Forbid", "Replace"),
    }),
    # Without initialOffset Nuclio takes the latest, so what came before the function is lost.
    "kafka-cluster": ("topics consumerGroup brokers initialOffset workerAllocationMode", {
        "topics": some(full), "consumerGroup": full, "brokers": some(like(r"[^\s,/]+")),
        "initialOffset": only("earliest", "latest"), "workerAllocationMode": only("static"),
        "balanceStrategy": only("range", "roundrobin", "sticky"), "version": full,
        "sasl": lambda of: record(of, enable=flag, handshake=flag, user=text, password=_secret,
                                  mechanism=text, oauth=mapping),
        "tls": lambda of: record(of, enable=flag, insecureSkipVerify=flag, minimumVersion=full),
        "caCert": text, "accessKey": _secret, "accessCertificate": text, "secretPath": full,
        **dict.fromkeys(
            """sessionTimeout heartbeatInterval maxProcessingTime rebalanceTimeout maxWaitTime
            rebalanceRetryBackoff retryBackoff maxWaitHandlerDuringRebalance""".split(), duration),
        **dict.fromkeys(
            """rebalanceRetryMax fetchMin fetchDefault fetchMax channelBufferSize ackWindowSize
            logLevel""".split(), whole()),
    }),
    "v3ioStream": ("consumerGroup seekTo workerAllocationMode", {
        "containerName": like(r"[^/]+"), "streamPath": like(r"[^/].*"),
        "consumerGroup": like(r"(?!_)\w{1,256}"), "seekTo": only("earliest", "latest"),
        "workerAllocationMode": only("static"), "partitions": each(whole()),
        **dict.fromkeys(
            """sessionTimeout heartbeatInterval sequenceNumberCommitInterval
            sequenceNumberShardWaitInterval""".split(), duration),
        **dict.fromkeys(
            """readBatchSize numTransportWorkers recordBatchSizeChan ackWindowSize logLevel
            pollingIntervalMs""".split(), whole()),
    }),
    "kinesis": ("regionName streamName shards", {
        "accessKeyID": text, "secretAccessKey": _secret, "regionName": full, "streamName": full,
        "shards": some(full), "iteratorType": only("LATEST", "TRIM_HORIZON"),
        "pollingPeriod": duration,
    }),
    "nats": ("topic", {"topic": full, "queueName": full}),
    "rabbit-mq": ("", {
        "exchangeName": text, "queueName": full, "topics": some(full), "prefetchCount": whole(),
        "reconnectDuration": duration, "reconnectInterval": duration, "durableExchange": flag,
        "durableQueue": flag,
    }),
    "mqtt": ("subscriptions", {
        "subscriptions": _subscriptions(qos=whole(0, 2)), "clientID": full,
        "protocolVersion": whole(3, 5),
    }),
    "pubsub": ("subscriptions projectID", {
        "subscriptions": _subscriptions(
            idPrefix=text, shared=flag, ackDeadline=duration, skipCreate=flag,
            maxNumWorkers=whole(1), synchronous=flag),
        "projectID": full, "ackDeadline": duration, "noCredentials": flag,
        "credentials": lambda of: record(of, contents=_secret),
    }),
    "eventhub": ("namespace eventHubName partitions", {
        "sharedAccessKeyName": text, "sharedAccessKeyValue": _secret, "namespace": full,
        "eventHubName": full, "consumerGroup": full, "partitions": some(whole()),
    }),
    "kickstart": ("", {"event": _event}),
}  # fmt: skip
_ATTRIBUTES["kafka"] = _ATTRIBUTES["kafka-cluster"]
_ATTRIBUTES["rabbitMq"] = _ATTRIBUTES["rabbit-mq"]
_ATTRIBUTES["iotCoreMqtt"] = (
    "subscriptions projectID regionName registryID deviceID",
    {**_ATTRIBUTES["mqtt"][1], "jwtRefreshInterval": duration, "projectID": full,
     "regionName": full, "registryID": full, "deviceID": full,
     "privateKey": lambda of: record(of, contents=_secret)},
)  # fmt: skip
_LOGIN = r"([^:/@\s]+(:\$\{\w+\})?@)?"
_SERVER = rf"(nats|tls)://{_LOGIN}[^/@,\s]+"
#: What the triggers' addresses look like.
_URLS = {
    "http": like(r":\d+"),
    "v3ioStream": like(r"https?://[^/\s]+(/[^\s@]+@\w+)?"),
    "nats": like(rf"{_SERVER}(,{_SERVER})*"),
    **dict.fromkeys(("rabbit-mq", "rabbitMq"), like(rf"amqps?://{_LOGIN}[^@\s]+")),
    "mqtt": like(r"((tcp|ssl)://)?[^/@\s]+:(\d+|\$\{\w+\})"),
    "kafka-cluster": full,
}
_ADDRESSED = ("v3ioStream", "nats", "rabbit-mq", "rabbitMq", "mqtt")


def _trigger(name: str, value: Any) -> None:
    assert isinstance(value, dict), value
    kind = value.get("kind")
    assert kind in _ATTRIBUTES, f"Nuclio has no such trigger: {kind}"
    required, attributes = _ATTRIBUTES[kind]
    streams = kind in ("kafka-cluster", "kafka", "v3ioStream")
    # The handler acknowledges, which needs a worker for each partition.
    acknowledged: dict[str, Rule] = {
        "explicitAckMode": only("explicitOnly"), "waitExplicitAckDuringRebalanceTimeout": duration
    }  # fmt: skip
    record(
        value, "name kind numWorkers"
        + " url" * (kind in _ADDRESSED) + " attributes" * bool(required)
        + " explicitAckMode workerTerminationTimeout" * streams,
        name=only(name), kind=full, numWorkers=whole(1, 100_000),
        workerAvailabilityTimeoutMilliseconds=whole(), workerAllocatorName=full,
        workerTerminationTimeout=duration, url=_URLS.get(kind, full), username=text,
        password=_secret, secret=_secret, annotations=table(like(LABEL_KEY), text),
        attributes=lambda found: record(found, required, **attributes),
        **(acknowledged if streams else {}), **{"class": full},
    )  # fmt: skip
    found = value.get("attributes", {})
    assert kind != "cron" or {"interval", "schedule"} & set(found), value
    if kind in ("rabbit-mq", "rabbitMq"):
        assert len({"queueName", "topics"} & set(found)) == 1, value
        assert value["numWorkers"] == 1, "it is always one"
    if kind == "v3ioStream":
        assert ("containerName" in found) == ("streamPath" in found) != ("@" in value["url"])
    if kind == "kinesis":
        assert value["numWorkers"] >= len(found["shards"]), "a worker reads one shard"


# -- the image


def check_dockerfile(dockerfile: str, config: dict[str, Any]) -> None:
    """The Dockerfile builds what function.yaml's build section describes, in the same order."""
    lines = [line for line in dockerfile.split("\n") if line and not line.startswith("#")]
    words = [line.partition(" ")[0] for line in lines]
    assert set(words) <= {"ARG", "FROM", "COPY", "RUN", "HEALTHCHECK", "CMD"}, words
    assert words.count("FROM") == 3
    assert words.count("CMD") == 1
    assert lines[-1].startswith("CMD ")
    build = config["spec"]["build"]
    start = lines.index(f"FROM {build['baseImage']}")
    assert "FROM" not in words[start + 1 :]
    commands = build.get("commands", [])
    marker = commands.index("@nuclio.postCopy") if "@nuclio.postCopy" in commands else len(commands)
    own = [line[4:] for line in lines[start:] if line.startswith("RUN ")]
    places = [own.index(command) for command in commands if command != "@nuclio.postCopy"]
    assert places == sorted(places), own
    copied = next(
        place for place, line in enumerate(lines[start:], start) if line.startswith("COPY --from")
    )
    for command in commands[:marker]:
        assert lines.index(f"RUN {command}") < copied, command
    python = config["spec"]["runtime"].partition(":")[2]
    assert any(f"/py{python}-whl " in line for line in lines)
