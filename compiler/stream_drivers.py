"""Which driver of runtime_min writes to a stream: the scheme of its path decides.

A path that is left open at build may turn out to be any of MLRun's own kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import ir


@dataclass(frozen=True, slots=True)
class Driver:
    """A class of runtime_min that writes to streams."""

    module: str
    name: str
    #: What its paths begin with, before `://`; "" are paths without it.
    schemes: tuple[str, ...]
    #: The library that it imports, if any, and the version that it was tried with.
    client: str = ""
    version: str = ""
    #: Does MLRun 1.12 write to such streams, too?
    usual: bool = True


DRIVERS = (
    Driver("stream_kafka", "KafkaStream", ("kafka",), "confluent_kafka", "==2.16.1"),
    Driver("stream_v3io", "V3ioStream", ("v3io", "v3ios", "")),
    Driver("stream_http", "HttpStream", ("http", "https")),
    Driver("stream_nats", "NatsStream", ("nats",), "nats", "==2.16.0", usual=False),
    Driver("stream_rabbitmq", "RabbitmqStream", ("amqp", "amqps"), "pika", "==1.4.4", usual=False),
    Driver("stream_mqtt", "MqttStream", ("mqtt", "mqtts"), "paho", "==2.2.0", usual=False),
)


def drivers(path: Any, options: Mapping[str, Any] | None = None) -> tuple[Driver, ...]:
    """Those that may be needed for a path, of a queue with these options; none for `dummy://`."""
    if options and "brokers" in options:
        return tuple(driver for driver in DRIVERS if "kafka" in driver.schemes)
    start = path
    if isinstance(path, ir.OpenText):
        start = path.parts[0]
    if not isinstance(start, str) or (start is not path and "://" not in start):
        return tuple(driver for driver in DRIVERS if driver.usual)
    scheme = scheme_of(start)
    return tuple(driver for driver in DRIVERS if scheme in driver.schemes)


def scheme_of(path: str) -> str:
    """`kafka` of `kafka://broker/topic`; "" of a path without one."""
    scheme, separator, _ = path.partition("://")
    return scheme if separator else ""
