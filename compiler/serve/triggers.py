"""The triggers of a `function.yaml`: what Nuclio would start for a function, as plain data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..ir import ACKNOWLEDGED

#: Nuclio's own defaults.
BODY_LIMIT = 4 * 1024 * 1024
WORKER_TIMEOUT = 10.0
TERMINATION_TIMEOUT = 10.0
SESSION_TIMEOUT = 10.0

_MOST_WORKERS = 64
#: The kinds as events carry them (spec/nuclio.md 2.4), by the kinds as they are configured.
_EVENT_KINDS = {
    "kafka-cluster": "kafka-cluster",
    "kafka": "kafka-cluster",
    "v3ioStream": "v3io-stream",
    "nats": "nats",
    "rabbit-mq": "rabbitMq",
    "rabbitMq": "rabbitMq",
    "mqtt": "mqtt",
}
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Trigger:
    """What all triggers have."""

    name: str
    kind: str
    workers: int


@dataclass(frozen=True, slots=True)
class HttpTrigger(Trigger):
    """Requests of clients."""

    #: Seconds that a request waits for a free worker.
    worker_timeout: float = WORKER_TIMEOUT
    body_limit: int = BODY_LIMIT


@dataclass(frozen=True, slots=True)
class StreamTrigger(Trigger):
    """Messages of streams, each to one reader of a group."""

    #: The kind as the events have it.
    event_kind: str
    #: As a writer names them: topics, or container and path.
    streams: tuple[str, ...]
    group: str
    from_start: bool
    #: Is a partition always served by the same worker?
    static: bool
    #: Is a message done when its handler has returned, whatever it returned?
    implicit_ack: bool
    explicit_ack: bool
    #: Seconds that the drain and termination callbacks have.
    termination_timeout: float
    #: Those of Kafka, as configured.
    brokers: tuple[str, ...] = ()
    #: What else the trigger says about its broker.
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_kafka(self) -> bool:
        return self.event_kind == "kafka-cluster"

    @property
    def has_offsets(self) -> bool:
        """Do its events say where in the stream they are?"""
        return self.event_kind in ("kafka-cluster", "v3io-stream")

    def topic(self, stream: str) -> str:
        """The topic that events of a stream have (spec/nuclio.md 2.4)."""
        if self.event_kind == "v3io-stream":
            return stream.partition("/")[2]
        return stream if self.event_kind in ("kafka-cluster", "mqtt") else ""

    def path(self, stream: str) -> str:
        """The path that they have."""
        return "/" if self.event_kind == "v3io-stream" else stream


@dataclass(frozen=True, slots=True)
class CronTrigger(Trigger):
    """A tick every so many seconds."""

    seconds: float
    body: bytes = b""
    path: str = "/"
    method: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Triggers:
    """A function's."""

    http: HttpTrigger | None
    streams: tuple[StreamTrigger, ...] = ()
    ticks: tuple[CronTrigger, ...] = ()
    #: What does not run here, in sentences.
    remarks: tuple[str, ...] = ()


def read_triggers(spec: Mapping[str, Any], function: str) -> Triggers:
    """The triggers of a `spec`; `function` names the reader of streams that name no group."""
    listed = _mapping(spec, "triggers")
    http: HttpTrigger | None = None
    streams, ticks, remarks = [], [], []
    for name, value in listed.items():
        name, found = str(name), value if isinstance(value, dict) else {}
        kind = found.get("kind")
        made: Trigger | None = None
        if kind == "http":
            # Nuclio refuses a second one.
            http = http or _http(name, found)
            continue
        if isinstance(kind, str) and kind in _EVENT_KINDS:
            made = _stream(name, kind, found, function)
        elif kind == "cron":
            made = _cron(name, found)
        if isinstance(made, StreamTrigger):
            streams.append(made)
        elif isinstance(made, CronTrigger):
            ticks.append(made)
        else:
            remarks.append(f"trigger {name} ({kind}) does not run here")
    if http is None and spec.get("disableDefaultHTTPTrigger") is not True:
        # Nuclio adds it under this name.
        http = _http("default-http", {})
    return Triggers(http, tuple(streams), tuple(ticks), tuple(remarks))


def seconds(value: object, default: float) -> float:
    """A duration as Go writes it (`1m30s`, `100ms`), or the default."""
    if isinstance(value, str):
        parts = _DURATION.findall(value)
        if parts and "".join(number + unit for number, unit in parts) == value:
            return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return default


def _http(name: str, trigger: dict[str, Any]) -> HttpTrigger:
    wait = _number(trigger, "workerAvailabilityTimeoutMilliseconds", int(WORKER_TIMEOUT * 1000))
    limit = _number(_mapping(trigger, "attributes"), "maxRequestBodySize", BODY_LIMIT, 1)
    return HttpTrigger(name, "http", _workers(trigger), wait / 1000, limit)


def _stream(name: str, kind: str, trigger: dict[str, Any], function: str) -> StreamTrigger | None:
    attributes = _mapping(trigger, "attributes")
    streams = tuple(dict.fromkeys(_streams(kind, trigger, attributes)))
    if not streams:
        return None
    mode = trigger.get("explicitAckMode") if kind in ACKNOWLEDGED else None
    start = attributes.get("initialOffset", attributes.get("seekTo", "latest"))
    return StreamTrigger(
        name=name,
        kind=kind,
        workers=_workers(trigger),
        event_kind=_EVENT_KINDS[kind],
        streams=streams,
        group=str(attributes.get("consumerGroup") or attributes.get("queueName") or function),
        from_start=kind not in ACKNOWLEDGED or str(start).lower() == "earliest",
        static=attributes.get("workerAllocationMode") == "static",
        implicit_ack=mode != "explicitOnly",
        explicit_ack=mode in ("enable", "explicitOnly"),
        termination_timeout=seconds(trigger.get("workerTerminationTimeout"), TERMINATION_TIMEOUT),
        brokers=tuple(_texts(attributes.get("brokers")) or _texts([trigger.get("url")])),
        attributes=attributes,
    )


def _streams(kind: str, trigger: dict[str, Any], attributes: dict[str, Any]) -> Iterator[str]:
    """The streams that a trigger reads, by the names under which they are written."""
    if kind == "v3ioStream":
        container, path = attributes.get("containerName"), attributes.get("streamPath")
        if container and path:
            yield f"{container}/{str(path).strip('/')}"
        else:
            # http://host:8081/<container>/<path>@<group>
            place = str(trigger.get("url") or "").partition("://")[2].partition("/")[2]
            yield from filter(None, [place.partition("@")[0].strip("/")])
    elif kind in ("rabbit-mq", "rabbitMq"):
        yield from _texts([attributes.get("queueName")]) or _texts(attributes.get("topics"))
    elif kind == "nats":
        yield from _texts([attributes.get("topic")])
    elif kind == "mqtt":
        listed = attributes.get("subscriptions")
        for each in listed if isinstance(listed, list) else []:
            yield from _texts([each.get("topic")] if isinstance(each, dict) else [])
    else:
        yield from _texts(attributes.get("topics"))


def _cron(name: str, trigger: dict[str, Any]) -> CronTrigger | None:
    attributes = _mapping(trigger, "attributes")
    interval = attributes.get("interval")
    if not interval:
        schedule = str(attributes.get("schedule") or "")
        interval = schedule.removeprefix("@every ") if schedule.startswith("@every ") else None
    period = seconds(interval, 0.0)
    if period <= 0:
        return None  # A schedule of a calendar's.
    event = _mapping(attributes, "event")
    return CronTrigger(
        name,
        "cron",
        _workers(trigger),
        period,
        str(event.get("body") or "").encode("utf-8", "replace"),
        str(event.get("path") or "/"),
        str(event.get("method") or ""),
        {str(key): str(value) for key, value in _mapping(event, "headers").items()},
    )


def _mapping(value: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _texts(value: object) -> list[str]:
    return (
        [each for each in value if isinstance(each, str) and each]
        if isinstance(value, list)
        else []
    )


def _workers(trigger: dict[str, Any]) -> int:
    return min(_number(trigger, "numWorkers", 1, least=1), _MOST_WORKERS)


def _number(values: dict[str, Any], key: str, default: int, least: int = 0) -> int:
    found = values.get(key)
    if isinstance(found, bool) or not isinstance(found, int) or found < least:
        return default
    return found
