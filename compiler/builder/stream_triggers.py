"""The structures of triggers that read streams, as MLRun's classes make them.

Arguments and defaults are those of nuclio-jupyter 0.13.2 (`KafkaTrigger`, `V3IOStreamTrigger`) and
mlrun 1.12.1 (`RabbitMQTrigger`); values are taken as they come, and checked where the settings are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from ..stream_drivers import GENERATED

Struct = dict[str, Any]
WEB_API = "http://v3io-webapi:8081"


def kafka(
    brokers: Any,
    topics: Any,
    partitions: Any = None,
    consumer_group: Any = "kafka",
    initial_offset: Any = "earliest",
    explicit_ack_mode: Any = None,
    extra_attributes: Any = None,
    session_timeout: Any = "10s",
    heartbeat_interval: Any = "3s",
    worker_allocation_mode: Any = "pool",
    fetch_default: Any = 1048576,
    max_workers: Any = 1,
    worker_termination_timeout: Any = "10s",
) -> Struct:
    """A `kafka-cluster` trigger."""
    attributes = {
        "topics": topics,
        "brokers": brokers,
        "consumerGroup": consumer_group,
        "initialOffset": initial_offset,
        "sessionTimeout": session_timeout,
        "heartbeatInterval": heartbeat_interval,
        "workerAllocationMode": worker_allocation_mode,
        "fetchDefault": fetch_default,
    }
    if partitions:
        attributes["partitions"] = partitions
    struct: Struct = {
        "kind": "kafka-cluster",
        "maxWorkers": max_workers,
        "workerTerminationTimeout": worker_termination_timeout,
    }
    return _acknowledged(struct, attributes, explicit_ack_mode, extra_attributes)


def v3io(
    url: Any = None,
    seek_to: Any = "latest",
    partitions: Any = None,
    polling_interval_ms: Any = 500,
    read_batch_size: Any = 64,
    max_workers: Any = 1,
    access_key: Any = None,
    session_timeout: Any = "10s",
    name: Any = None,
    container: Any = None,
    path: Any = None,
    worker_allocation_mode: Any = "pool",
    webapi: Any = WEB_API,
    consumer_group: Any = "default",
    sequence_num_commit_interval: Any = "1s",
    heartbeat_interval: Any = "3s",
    explicit_ack_mode: Any = None,
    extra_attributes: Any = None,
    worker_termination_timeout: Any = "10s",
) -> Struct:
    """A `v3ioStream` trigger; a given access key stands in the structure as it is."""
    struct: Struct = {"kind": "v3ioStream", "url": webapi}
    attributes: Struct = {}
    if url and not container and not path:
        struct["url"] = url
    else:
        struct["workerTerminationTimeout"] = worker_termination_timeout
        attributes = {
            "containerName": container,
            "streamPath": path,
            "consumerGroup": consumer_group,
            "sequenceNumberCommitInterval": sequence_num_commit_interval,
            "workerAllocationMode": worker_allocation_mode,
            "sessionTimeout": session_timeout,
            "heartbeatInterval": heartbeat_interval,
        }
    if max_workers:
        struct["maxWorkers"] = max_workers
    others = {
        "seekTo": seek_to,
        "readBatchSize": read_batch_size,
        "partitions": partitions,
        "pollingIntervalMs": polling_interval_ms,
    }
    attributes |= {key: value for key, value in others.items() if value}
    struct["password"] = access_key or GENERATED
    return _acknowledged(struct, attributes, explicit_ack_mode, extra_attributes)


def v3io_stream(
    path: str, group: Any = "serving", seek_to: Any = "earliest", **more: Any
) -> Struct:
    """The `v3ioStream` trigger of mlrun's `add_v3io_stream_trigger`; raises ValueError."""
    endpoint = None
    if "://" in path:
        parts = urlsplit(path)
        endpoint = parts.netloc and f"http{'s' * parts.scheme.endswith('s')}://{parts.netloc}"
        if endpoint and parts.scheme.lower() not in ("v3io", "v3ios"):
            raise ValueError(f"a V3IO stream's path begins with v3io:// or v3ios://, not {path!r}")
        path = parts.path
    container, _, inner = path.removeprefix("/").partition("/")
    if not container or not inner:
        raise ValueError(f"a V3IO stream's path is <container>/<path>, not {path!r}")
    return v3io(
        container=container,
        path=inner,
        consumer_group=group,
        seek_to=seek_to,
        webapi=endpoint or WEB_API,
        read_batch_size=256,
        **more,
    )


def rabbitmq(
    url: Any,
    exchange_name: Any = None,
    queue_name: Any = None,
    topics: Any = None,
    username: Any = None,
    password: Any = None,
    prefetch_count: Any = None,
    durable_exchange: Any = None,
    durable_queue: Any = None,
    on_error: Any = None,
    requeue_on_error: Any = None,
    reconnect_duration: Any = None,
    reconnect_interval: Any = None,
    num_workers: Any = None,
    worker_termination_timeout: Any = None,
) -> Struct:
    """A `rabbit-mq` trigger; credentials in the URL are moved out of it."""
    if isinstance(url, str):
        url, user, secret = without_credentials(url)
        username = user if username is None else username
        password = secret if password is None else password
    attributes = {
        "exchangeName": exchange_name,
        "queueName": queue_name,
        "topics": topics,
        "reconnectDuration": reconnect_duration,
        "reconnectInterval": reconnect_interval,
        "prefetchCount": prefetch_count,
        "durableExchange": durable_exchange,
        "durableQueue": durable_queue,
        "onError": on_error,
        "requeueOnError": requeue_on_error,
    }
    struct = {
        "kind": "rabbit-mq",
        "url": url,
        "username": username,
        "password": password,
        "numWorkers": num_workers,
        "workerTerminationTimeout": worker_termination_timeout,
    }
    return {**_given(struct), "attributes": _given(attributes)}


def without_credentials(url: str) -> tuple[str, str | None, str | None]:
    """A URL, and the user and the password that it names."""
    parts = urlsplit(url)
    credentials, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None, None
    user, _, password = credentials.partition(":")
    bare = parts._replace(netloc=host).geturl()
    return bare, unquote(user) or None, unquote(password) or None


def _acknowledged(struct: Struct, attributes: Struct, mode: Any, more: Any) -> Struct:
    """With an explicit mode each partition has its worker (nuclio.md 2.6)."""
    extra = dict(more) if isinstance(more, Mapping) else {}
    if mode:
        struct["explicitAckMode"] = mode
        extra.setdefault("workerAllocationMode", "static")
    return {**struct, "attributes": {**attributes, **extra}}


def _given(values: Struct) -> Struct:
    return {key: value for key, value in values.items() if value is not None}
