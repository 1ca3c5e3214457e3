"""Requests as Nuclio's processor hands them to a worker, and answers as it hands them on."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from .sources import Message
from .triggers import CronTrigger, StreamTrigger

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: What an event has that has nothing.
_NOTHING: Mapping[str, Any] = {
    "content_type": "",
    "trigger": {},
    "fields": {},
    "headers": {},
    "id": "",
    "method": "",
    "path": "/",
    "size": 0,
    "timestamp": 0,
    "url": "",
    "shard_id": -1,
    "num_shards": 0,
    "type": "",
    "type_version": "",
    "version": "",
    "offset": 0,
    "topic": "",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller of a function gets."""

    status: int
    content_type: str
    headers: Mapping[str, str]
    body: bytes
    #: Does it say that its message is not done?
    no_ack: bool = False


def failure(text: str) -> Answer:
    """An answer of the processor's own making."""
    return Answer(500, "text/plain", {}, text.encode("utf-8", "replace"))


def make_event(
    trigger: str,
    *,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    size: int,
) -> dict[str, Any]:
    """The event's fields but body and id; ValueError if the request is not UTF-8.

    Of arguments and headers that come twice the last one counts (Nuclio 1.14.1).
    """
    path, _, query = target.partition("?")
    named = {canonical(name): value for name, value in headers}
    fields = dict(parse_qsl(query, keep_blank_values=True, errors="surrogateescape"))
    place = normalise(path)
    for text in (method, *fields.keys(), *fields.values(), *named.keys(), *named.values()):
        text.encode()
    return {
        **_NOTHING,
        "content_type": named.get("Content-Type", ""),
        "trigger": {"kind": "http", "name": trigger},
        "fields": fields,
        "headers": named,
        "method": method,
        "path": place,
        "size": size,
        "timestamp": int(time.time()),
    }


def make_stream_event(trigger: StreamTrigger, message: Message, id: str) -> dict[str, Any]:
    """The event's fields but body, as the trigger's kind fills them (spec/nuclio.md 2.4)."""
    event = {
        **_NOTHING,
        "trigger": {"kind": trigger.event_kind, "name": trigger.name},
        "id": id,
        "path": trigger.path(message.stream),
        "topic": trigger.topic(message.stream),
        "size": len(message.body),
        "timestamp": message.timestamp,
    }
    if trigger.has_offsets:
        event |= {"shard_id": message.partition, "offset": message.offset}
    if message.headers and trigger.is_kafka:
        headers = {name: value.decode("latin-1") for name, value in message.headers.items()}
        event |= {"headers": headers, "bytes": True}
    return event


def make_tick(trigger: CronTrigger, id: str) -> dict[str, Any]:
    """The event's fields but body, of a cron trigger."""
    return {
        **_NOTHING,
        "trigger": {"kind": "cron", "name": trigger.name},
        "id": id,
        "path": trigger.path,
        "method": trigger.method,
        "headers": dict(trigger.headers),
        "size": len(trigger.body),
    }


def canonical(name: str) -> str:
    """`x-my-header` as `X-My-Header`; other separators do not count."""
    return "-".join(part.capitalize() for part in name.split("-"))


def normalise(path: str) -> str:
    """The path percent-decoded, without empty, `.` and `..` parts; ValueError if not UTF-8."""
    if "://" in path and not path.startswith("/"):
        path = "/" + path.partition("://")[2].partition("/")[2]
    parts = re.sub("/+", "/", unquote_to_bytes(path).decode()).split("/")
    kept: list[str] = []
    for part in parts:
        if part == "..":
            kept[-1:] = []
        elif part not in (".", ""):
            kept.append(part)
    slash = "/" if kept and parts[-1] in ("", ".", "..") else ""
    return f"/{'/'.join(kept)}{slash}"


def read_answer(header: Mapping[str, Any], body: bytes) -> Answer:
    """A worker's answer, with only what HTTP can carry."""
    status = header["status"]
    if not 200 <= status <= 999:
        return failure(f"the status {status} of the answer is none of HTTP's")
    headers = {
        name: _CONTROL.sub(" ", value)
        for name, value in header["headers"].items()
        if _TOKEN.fullmatch(name)
    }
    content_type = _CONTROL.sub(" ", header["content_type"])
    return Answer(status, content_type, headers, body, header.get("no_ack") is True)
