"""Triggers: nuclio-jupyter's classes as graph files use them, and `fn.with_http`.

The structures are those of nuclio-jupyter 0.13.2 and mlrun 1.12.1 (serving.md 10.3).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

from ..diagnostics import GraphError, Span
from ..frontend.values import HostFunction, HostModule, HostObject
from . import stream_triggers
from .mistakes import VALUE_ERROR
from .plain import plain

if TYPE_CHECKING:
    from .session import Session

_CANARY = "nginx.ingress.kubernetes.io/canary"
_PROXY = "nginx.ingress.kubernetes.io/proxy-{}-timeout"
#: Modules that trigger classes of nuclio-jupyter's and mlrun's are imported from.
MODULES = frozenset(("nuclio", "nuclio.triggers", "mlrun.runtimes.nuclio.triggers"))


class Trigger(HostObject):
    """A trigger object; `struct` is what it stands for, which its methods change."""

    description = "a trigger"
    api: ClassVar[frozenset[str]] = frozenset(("disable", "workers", "ingress", "sasl", "to_dict"))

    def __init__(self, session: Session, struct: dict[str, Any]) -> None:
        self._session = session
        self.struct = struct

    def disable(self, disabled: Any = True) -> Trigger:
        self.struct["disabled"] = bool(disabled)
        return self

    def workers(self, workers: Any = 4) -> Trigger:
        where = self._session.argument_span("workers", 0)
        self.struct["maxWorkers"] = number(self._session, workers, "workers", where)
        return self

    def ingress(
        self, host: Any, paths: Any = None, canary: Any = None, name: Any = "0", secret: Any = None
    ) -> Trigger:
        session = self._session
        if self.struct["kind"] != "http":
            raise GraphError("only HTTP triggers have an ingress", code="GC011")
        name = session.text(name, "the ingress' name", session.argument_span("name", 3))
        _ingress(session, self.struct, name, host, paths, canary, secret)
        return self

    def sasl(self, user: Any = "", password: Any = "") -> Trigger:
        if self.struct["kind"] != "kafka-cluster":
            raise GraphError("only Kafka triggers have sasl()", code="GC011")
        self.struct["attributes"]["sasl"] = {"enable": True, "user": user, "password": password}
        return self

    def to_dict(self) -> dict[str, Any]:
        return self.struct


def module(session: Session, dotted: str) -> HostModule:
    """`nuclio`, as far as it makes triggers."""

    def make_http(
        workers: Any = 8,
        port: Any = 0,
        host: Any = None,
        paths: Any = None,
        canary: Any = None,
        secret: Any = None,
        annotations: Any = None,
        extra_attributes: Any = None,
    ) -> Trigger:
        return Trigger(
            session,
            http_trigger(
                session, workers, port, host, paths, canary, secret, annotations, extra_attributes
            ),
        )

    def make_cron(
        interval: Any = "",
        schedule: Any = "",
        body: Any = "",
        headers: Any = None,
        extra_attributes: Any = None,
    ) -> Trigger:
        attributes: dict[str, Any] = {}
        if interval:
            attributes["interval"] = interval
        elif schedule:
            attributes["schedule"] = schedule
        else:
            raise GraphError(
                "a cron trigger has neither interval nor schedule",
                help='for example interval="10m", or schedule="0 4 * * *"',
            )
        if body or headers:
            attributes["event"] = {"body": body, "headers": headers or {}}
        attributes |= _mapping(session, extra_attributes, "extra_attributes")
        return Trigger(session, {"kind": "cron", "attributes": attributes})

    makers: dict[str, Callable[..., Any]] = {
        "HttpTrigger": make_http,
        "CronTrigger": make_cron,
        "KafkaTrigger": _stream(session, stream_triggers.kafka),
        "V3IOStreamTrigger": _stream(session, stream_triggers.v3io),
        "RabbitMQTrigger": _stream(session, stream_triggers.rabbitmq),
    }
    return HostModule(
        dotted,
        {
            name: HostFunction(f"nuclio.{name}", maker, idle=lambda *args: True)
            for name, maker in makers.items()
        },
    )


def _stream(session: Session, structure: Callable[..., dict[str, Any]]) -> Callable[..., Trigger]:
    """The class of a trigger that reads a stream, from what makes its structure."""

    @wraps(structure)
    def make(*args: Any, **kwargs: Any) -> Trigger:
        return Trigger(session, stream_structure(session, structure, *args, **kwargs))

    return make


def stream_structure(
    session: Session, structure: Callable[..., dict[str, Any]], *args: Any, **kwargs: Any
) -> dict[str, Any]:
    """The structure of a trigger that reads a stream; raises GraphError for what makes none."""
    if "extra_attributes" in kwargs:
        where = session.argument_span("extra_attributes")
        given = kwargs["extra_attributes"]
        if not isinstance(given or {}, dict):
            raise session.wrong_value(given, "extra_attributes must be a dict", where)
    try:
        return structure(*args, **kwargs)
    except TypeError as exc:
        # Of keywords that `add_v3io_stream_trigger` hands on.
        raise GraphError(f"the trigger {str(exc).partition(' ')[2]}") from exc
    except ValueError as exc:
        raise GraphError(f"the trigger's stream: {exc}") from exc


def structure(session: Session, spec: Any, where: Span) -> dict[str, Any]:
    """What `fn.add_trigger` is given, as the mapping that it stands for."""
    match spec:
        case Trigger():
            return spec.struct
        case dict():
            return spec
    raise session.wrong_value(spec, "a trigger must be a trigger object or a dict", where)


def http_trigger(
    session: Session,
    workers: Any,
    port: Any = 0,
    host: Any = None,
    paths: Any = None,
    canary: Any = None,
    secret: Any = None,
    annotations: Any = None,
    extra_attributes: Any = None,
) -> dict[str, Any]:
    """The structure of an HTTP trigger; the arguments are those of `nuclio.HttpTrigger`."""
    span = session.argument_span
    struct: dict[str, Any] = {
        "kind": "http",
        "maxWorkers": number(session, workers, "workers", span("workers", 0)),
        "attributes": {},
        "annotations": _mapping(session, annotations, "annotations"),
    }
    if port:
        struct["attributes"]["port"] = number(session, port, "port", span("port", 1))
    if host:
        _ingress(session, struct, "0", host, paths, canary, secret)
    struct["attributes"] |= _mapping(session, extra_attributes, "extra_attributes")
    return struct


def set_timeouts(
    session: Session, struct: dict[str, Any], worker_timeout: Any, gateway_timeout: Any
) -> None:
    """`worker_timeout` and `gateway_timeout` of `with_http`, in seconds."""
    span = session.argument_span
    waits = 0
    if worker_timeout:
        where, most = span("worker_timeout", 6), 2**31 // 1000
        waits = number(session, worker_timeout, "worker_timeout", where, most)
        struct["workerAvailabilityTimeoutMilliseconds"] = waits * 1000
        gateway_timeout = gateway_timeout or waits + 60
    if gateway_timeout:
        where = span("gateway_timeout", 7)
        answers = number(session, gateway_timeout, "gateway_timeout", where)
        if waits >= answers:
            raise GraphError(
                "gateway_timeout must be greater than worker_timeout",
                span=where,
                raises=VALUE_ERROR,
            )
        for part in ("connect", "read", "send"):
            struct["annotations"][_PROXY.format(part)] = str(answers)


def _ingress(
    session: Session,
    struct: dict[str, Any],
    name: str,
    host: Any,
    paths: Any,
    canary: Any,
    secret: Any,
) -> None:
    span = session.argument_span
    if paths and not isinstance(paths, list):
        raise session.wrong_value(paths, 'paths must be a list, such as ["/x"]', span("paths", 3))
    ingress: dict[str, Any] = {"host": host, "paths": paths or ["/"]}
    if secret is not None:
        ingress["secretName"] = secret
    struct["attributes"].setdefault("ingresses", {})[name] = ingress
    if canary is not None:
        share = number(session, canary, "canary", span("canary", 4), 100)
        struct["annotations"] |= {_CANARY: "true", f"{_CANARY}-weight": str(share)}


def _mapping(session: Session, value: Any, what: str) -> dict[str, Any]:
    """A copy of an optional mapping."""
    where = session.argument_span(what)
    if not value:
        return {}
    if not isinstance(value, dict):
        raise session.wrong_value(value, f"{what} must be a dict", where)
    made: dict[str, Any] = plain(session, value, where, what)
    return made


def number(session: Session, value: Any, what: str, where: Span, most: int = 2**31 - 1) -> int:
    """A whole number from 0 to `most`, also as a text, as `int()` takes it."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 12:
        value = int(value)
    if type(value) is int and 0 <= value <= most:
        return value
    if type(value) is int:
        limit = f"from 0 to {most}" if most < 2**31 - 1 else "0 or greater"
        raise GraphError(f"{what} must be {limit}, not {value}", span=where)
    raise session.wrong_value(value, f"{what} must be a whole number", where)
