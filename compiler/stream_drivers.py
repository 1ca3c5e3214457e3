"""Which driver of runtime_min writes to a stream: the scheme of its path decides.

A path that is left open at build may turn out to be any of MLRun's own kinds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

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


#: Paths without a scheme are those of V3IO.
V3IO = ("v3io", "v3ios", "")
#: What V3IO_ACCESS_KEY is.
V3IO_KEY = "the key that V3IO asks for"
#: The password by which Nuclio's triggers take V3IO_ACCESS_KEY from the environment.
GENERATED = "$generate"

DRIVERS = (
    Driver("stream_kafka", "KafkaStream", ("kafka",), "confluent_kafka", "==2.16.1"),
    Driver("stream_v3io", "V3ioStream", V3IO),
    Driver("stream_http", "HttpStream", ("http", "https")),
    Driver("stream_nats", "NatsStream", ("nats",), "nats", "==2.16.0", usual=False),
    Driver("stream_rabbitmq", "RabbitmqStream", ("amqp", "amqps"), "pika", "==1.4.4", usual=False),
    Driver("stream_mqtt", "MqttStream", ("mqtt", "mqtts"), "paho", "==2.2.0", usual=False),
)

#: What paths may begin with.
SCHEMES = tuple(f"{name}://" for driver in DRIVERS for name in driver.schemes if name)

#: Paths of which MLRun knows nothing: what they have to look like, and in words.
_FORMS = {
    "nats": (r"[^/?#]+/[^/?#*>\s][^?#*>\s]*", "nats://host:4222/subject"),
    "amqp": (r"[^/?#]+/[^/?#]+(/[^?#]+)?(\?vhost=.+)?", "amqp://host:5672/exchange/routing-key"),
    "mqtt": (r"[^/?#]+/[^?#+]+", "mqtt://host:1883/topic"),
    "http": (r"[^/?#]+.*", "http://host/path"),
}


def problem_of(path: str) -> str | None:
    """What is wrong with a path, as far as its form goes."""
    scheme, _, rest = path.partition("://")
    pattern, form = _FORMS.get(scheme.removesuffix("s"), _FORMS.get(scheme, ("", "")))
    if not pattern or re.fullmatch(pattern, rest):
        return None
    return f"{path!r} names no stream: such a path looks like {form}"


def drivers(path: Any, options: Mapping[str, Any] | None = None) -> tuple[Driver, ...]:
    """Those that may be needed for a path, of a queue with these options; none for `dummy://`."""
    scheme = known_scheme(path)
    if options and not options.keys().isdisjoint(("brokers", "settings")):
        scheme = "kafka"  # nothing else has these
    if scheme is None:
        return tuple(driver for driver in DRIVERS if driver.usual)
    return tuple(driver for driver in DRIVERS if scheme in driver.schemes)


def variables(path: Any, options: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The variables of the environment that the driver of a path reads, and what they are."""
    used = drivers(path, options)
    if [driver.schemes for driver in used] != [V3IO]:
        return {}
    found = {"V3IO_ACCESS_KEY": V3IO_KEY}
    start = str(path.parts[0] if isinstance(path, ir.OpenText) else path)
    if "://" not in start or start.partition("://")[2].startswith("/"):
        found["V3IO_API"] = "the address of V3IO, for example http://v3io-webapi:8081"
    return found


def known_scheme(path: Any) -> str | None:
    """The scheme of a path, "" if it has none; None if the path is left open at build."""
    if isinstance(path, ir.OpenText):
        start = path.parts[0]
        return scheme_of(start) if isinstance(start, str) and "://" in start else None
    return scheme_of(path) if isinstance(path, str) else None


def scheme_of(path: str) -> str:
    """`kafka` of `kafka://broker/topic`; "" of a path without one."""
    scheme, separator, _ = path.partition("://")
    return scheme if separator else ""


def kafka_place(path: str, brokers: Any = None) -> tuple[str, list[str]]:
    """The topic, which may be "", and the brokers (mlrun 1.12.1, `parse_kafka_url`).

    `brokers` are those that stand beside the path: a list, or a text with commas.
    """
    url = urlsplit(path)
    more = brokers.split(",") if isinstance(brokers, str) else brokers or ()
    topic = parse_qs(url.query).get("topic", [url.path.lstrip("/")])[0]
    return topic, [*filter(None, url.netloc.split(",")), *more]
