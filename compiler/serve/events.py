"""Requests as Nuclio's processor hands them to a worker, and answers as it hands them on."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from .packages import Package

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller of a function gets."""

    status: int
    content_type: str
    headers: Mapping[str, str]
    body: bytes


def failure(text: str) -> Answer:
    """An answer of the processor's own making."""
    return Answer(500, "text/plain", {}, text.encode("utf-8", "replace"))


def make_event(
    package: Package,
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
        "content_type": named.get("Content-Type", ""),
        "trigger": {"kind": "http", "name": package.trigger_name},
        "fields": fields,
        "headers": named,
        "id": "",
        "method": method,
        "path": place,
        "size": size,
        "timestamp": int(time.time()),
        "url": "",
        "shard_id": -1,
        "num_shards": 0,
        "type": "",
        "type_version": "",
        "version": "",
        "offset": 0,
        "topic": "",
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
    return Answer(status, _CONTROL.sub(" ", header["content_type"]), headers, body)
