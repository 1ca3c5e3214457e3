"""Sources of mlrun's feature store, as serving graphs use them: `source.add_nuclio_trigger(fn)`.

As mlrun 1.12.1 `datastore/sources.py`: a source gives the function a trigger.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from ..diagnostics import GraphError
from ..frontend.values import HostFunction, HostModule, HostObject
from . import stream_triggers
from .mistakes import not_yet
from .setting_calls import SettingCalls
from .triggers import stream_structure

if TYPE_CHECKING:
    from .session import Session

#: Where the classes can be imported from.
MODULES = frozenset(("mlrun.datastore", "mlrun.datastore.sources"))
#: Attributes of a Kafka source that are arguments of the trigger.
_OF_TRIGGER = frozenset(
    """max_workers partitions explicit_ack_mode worker_allocation_mode session_timeout
    heartbeat_interval fetch_default worker_termination_timeout""".split()
)


class _Source(HostObject):
    """A source, which remembers what it is made with."""

    description = "a source"
    api: ClassVar[frozenset[str]] = frozenset(("add_nuclio_trigger",))

    def __init__(self, session: Session, given: dict[str, Any]) -> None:
        self._session = session
        self._given = given

    def add_nuclio_trigger(self, function: Any) -> Any:
        settings = getattr(function, "settings", None)
        if settings is None:
            where = self._session.argument_span("function", 0)
            raise GraphError("a trigger is added to a function", span=where)
        if str(self._given.get("path") or "").startswith("ds://"):
            raise not_yet("data store profiles (ds://)")
        self._add(SettingCalls(settings))
        return function

    def _add(self, calls: SettingCalls) -> None:
        raise NotImplementedError


class _Kafka(_Source):
    description = "a Kafka source"

    def _add(self, calls: SettingCalls) -> None:
        given = dict(self._given)
        brokers, topics = (
            [given[name]] if isinstance(given[name], str) else given[name]
            for name in ("brokers", "topics")
        )
        attributes = given["attributes"] or {}
        if not isinstance(attributes, dict):
            raise self._session.wrong_value(
                attributes, "attributes must be a dict", self._session.span
            )
        arguments = {key: item for key, item in attributes.items() if key in _OF_TRIGGER}
        extra = {key: item for key, item in attributes.items() if key not in _OF_TRIGGER}
        if given["sasl_user"] and given["sasl_pass"]:
            extra["sasl"] = {
                "enable": True,
                "user": given["sasl_user"],
                "password": given["sasl_pass"],
                "mechanism": extra.pop("sasl_mechanism", "PLAIN"),
                "handshake": extra.pop("sasl_handshake", True),
            }
        if given["tls_enable"]:
            extra["tls"] = {"enable": True}
        if given["partitions"] is not None:
            arguments["partitions"] = given["partitions"]
        struct = stream_structure(
            self._session,
            stream_triggers.kafka,
            brokers=brokers,
            topics=topics,
            consumer_group=given["group"],
            initial_offset=given["initial_offset"],
            extra_attributes=extra,
            **arguments,
        )
        calls.add_trigger("kafka", struct)


class _Stream(_Source):
    description = "a stream source"

    def _add(self, calls: SettingCalls) -> None:
        names = ("name", "group", "seek_to", "shards", "extra_attributes")
        arguments = {name: self._given[name] for name in names}
        calls.add_v3io_stream_trigger(self._given["path"], **arguments)


class _Http(_Source):
    description = "an HTTP source"

    def _add(self, calls: SettingCalls) -> None:
        arguments = (self._given["attributes"] or {}).get("trigger_args")
        if arguments:
            calls.with_http(**arguments)


def module(session: Session, dotted: str) -> HostModule:
    """The module, as far as it makes such sources."""

    def kafka(
        brokers: Any = None,
        topics: Any = None,
        group: Any = "serving",
        initial_offset: Any = "earliest",
        partitions: Any = None,
        sasl_user: Any = None,
        sasl_pass: Any = None,
        tls_enable: Any = None,
        attributes: Any = None,
        **given: Any,
    ) -> _Source:
        return _Kafka(
            session,
            {
                "brokers": brokers,
                "topics": topics,
                "group": group,
                "initial_offset": initial_offset,
                "partitions": partitions,
                "sasl_user": sasl_user,
                "sasl_pass": sasl_pass,
                "tls_enable": tls_enable,
                "attributes": attributes,
                **given,
            },
        )

    def stream(
        name: Any = "stream",
        group: Any = "serving",
        seek_to: Any = "earliest",
        shards: Any = 1,
        retention_in_hours: Any = 24,
        extra_attributes: Any = None,
        path: Any = "",
        **given: Any,
    ) -> _Source:
        return _Stream(
            session,
            {
                "name": name,
                "group": group,
                "seek_to": seek_to,
                "shards": shards,
                "extra_attributes": extra_attributes,
                "path": path,
                **given,
            },
        )

    def http(name: Any = None, path: Any = None, attributes: Any = None, **given: Any) -> _Source:
        return _Http(session, {"name": name, "path": path, "attributes": attributes, **given})

    makers: dict[str, Callable[..., Any]] = {
        "KafkaSource": kafka,
        "StreamSource": stream,
        "HttpSource": http,
    }
    return HostModule(
        dotted,
        {
            name: HostFunction(f"{dotted}.{name}", maker, idle=lambda *args: True)
            for name, maker in makers.items()
        },
    )
