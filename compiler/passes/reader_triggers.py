"""The structure of the trigger that reads a queue's stream, by the scheme of its path."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from .. import ir
from ..builder import stream_triggers
from ..builder.stream_triggers import Struct
from ..diagnostics import GraphError
from ..stream_drivers import V3IO, kafka_place

#: Arguments of MLRun's triggers that streams of other kinds have, too.
_COMMON = {
    "max_workers": "maxWorkers",
    "num_workers": "numWorkers",
    "worker_termination_timeout": "workerTerminationTimeout",
}


def structure(read: ir.Reads) -> Struct | None:
    """The trigger, with `${NAME}` for what is open; None if Nuclio has none for the stream.

    Raises GraphError for arguments that it does not have.
    """
    path = _text(read.path)
    arguments = {key: _value(value) for key, value in read.trigger_args.items()}
    options = {key: _value(value) for key, value in read.options}
    extra = arguments.get("extra_attributes")
    if not isinstance(extra or {}, dict):
        raise GraphError("extra_attributes must be a dict")
    try:
        return _structure(path, read, arguments, options)
    except TypeError as exc:
        said = str(exc).partition(" ")[2]
        raise GraphError(f"the trigger of queue {read.queue!r} {said}") from exc
    except ValueError as exc:
        raise GraphError(f"the stream of queue {read.queue!r}: {exc}") from exc


def _structure(
    path: str, read: ir.Reads, arguments: dict[str, Any], options: dict[str, Any]
) -> Struct | None:
    url = urlsplit(path)
    brokers = options.get("kafka_brokers") or options.get("brokers")
    if url.scheme == "kafka" or brokers:
        topic, found = kafka_place(path, brokers)
        if not topic:
            raise ValueError(f"{path!r} names no topic")
        return stream_triggers.kafka(found, [topic], consumer_group=read.group, **arguments)
    if url.scheme == "nats":
        subject = unquote(url.path.strip("/"))
        servers = ",".join(
            f"nats://{_credentials(url.netloc)}{host}"
            for host in url.netloc.rpartition("@")[2].split(",")
        )
        attributes = {"topic": subject, "queueName": read.group}
        return _other("nats", servers, attributes, arguments)
    if url.scheme in ("amqp", "amqps"):
        return _rabbitmq(path, arguments)
    if url.scheme in ("mqtt", "mqtts"):
        is_tls = url.scheme == "mqtts"
        host = url.netloc.rpartition("@")[2]
        host = host if ":" in host else f"{host}:{8883 if is_tls else 1883}"
        messages = {"topic": unquote(url.path.strip("/")), "qos": 1}
        server = f"ssl://{host}" if is_tls else host
        struct = _other("mqtt", server, {"subscriptions": [messages]}, arguments)
        _, user, password = stream_triggers.without_credentials(path)
        return struct | ({"username": user, "password": password} if user else {})
    if url.scheme in V3IO and not path.startswith("${"):
        group = read.group.replace("-", "_")  # V3IO has no hyphens in names
        return stream_triggers.v3io_stream(path, group=group, **_v3io(arguments))
    return None


def _v3io(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments of mlrun's `add_v3io_stream_trigger` that are none of the trigger's class."""
    rest = dict(arguments)
    window = rest.pop("ack_window_size", None)
    if window:
        rest["extra_attributes"] = {**(rest.get("extra_attributes") or {}), "ackWindowSize": window}
    return rest


def _rabbitmq(path: str, arguments: dict[str, Any]) -> Struct:
    """Of `amqp://host/queue` that queue; of `amqp://host/exchange/key` one of the function's."""
    url = urlsplit(path)
    exchange, slash, key = url.path.strip("/").partition("/")
    attributes: Struct
    if slash:
        attributes = {
            "exchangeName": unquote(exchange),
            "topics": [unquote(key)],
            "durableExchange": True,
            "durableQueue": True,
        }
    else:
        attributes = {"exchangeName": "", "queueName": unquote(exchange)}
    host = parse_qs(url.query).get("vhost", ["/"])[0]
    server = f"{url.scheme}://{url.netloc}" + (f"/{quote(host, safe='')}" if host != "/" else "")
    bare, user, password = stream_triggers.without_credentials(server)
    struct = _other("rabbit-mq", bare, attributes, arguments)
    return struct | ({"username": user, "password": password} if user else {})


def _other(kind: str, url: str, attributes: Struct, arguments: dict[str, Any]) -> Struct:
    """A trigger that MLRun has no class for."""
    unknown = arguments.keys() - _COMMON.keys() - {"extra_attributes"}
    if unknown:
        raise TypeError(f"it got an unexpected keyword argument {min(unknown)!r}")
    given = {key: arguments[name] for name, key in _COMMON.items() if name in arguments}
    return {
        "kind": kind,
        "url": url,
        **given,
        "attributes": {**attributes, **(arguments.get("extra_attributes") or {})},
    }


def _credentials(netloc: str) -> str:
    """The user of a server's address; the password stands for one that is filled in."""
    credentials, at, _ = netloc.rpartition("@")
    user, colon, _ = credentials.partition(":")
    return f"{user}{':${NATS_PASSWORD}' if colon else ''}@" if at else ""


def _text(path: Any) -> str:
    found = _value(path)
    if not isinstance(found, str):
        raise GraphError("the stream's path must be a text")
    return found


def _value(value: Any) -> Any:
    """A value of the graph's as plain data: `${NAME}` for what is known where it is deployed."""
    match value:
        case ir.EnvLookup(default=str(default)):
            return default
        case ir.EnvLookup(name=name):
            return f"${{{name}}}"
        case ir.OpenText(parts=parts):
            return "".join(map(_value, parts))
        case list() | tuple():
            return [_value(item) for item in value]
        case dict():
            return {key: _value(item) for key, item in value.items()}
        case str() | int() | float() | None:
            return value
    raise GraphError(f"a trigger cannot hold a value of this kind ({type(value).__name__.lower()})")
