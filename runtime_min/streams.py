"""Streams: what queues and error streams write to.

With GRAPHC_STREAMS=dir:<folder> in the environment every stream is a file in that folder,
for tests and development. `dummy://` keeps what it gets in memory.
"""

from __future__ import annotations

import json
import os
from typing import Any, Callable
from urllib.parse import quote

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT
_quoted = json.encoder.encode_basestring_ascii
#: `json.dumps(value, default=str)`, made once.
_encoded = json.JSONEncoder(default=str).encode


def open_stream(path: str) -> FileStream | MemoryStream:
    """The stream that a path names; raises ValueError if nothing here can write to it."""
    swap, _, folder = os.environ.get("GRAPHC_STREAMS", "").partition(":")
    if swap == "dir":
        return FileStream(folder, path)
    if path.startswith("dummy://"):
        return MemoryStream()
    raise ValueError(
        f"nothing here writes to the stream {path!r} yet: set GRAPHC_STREAMS=dir:<folder> "
        "in the environment, and it becomes a file in that folder"
    )


def open_if_possible(path: str, logger: Any) -> FileStream | MemoryStream | None:
    """As `open_stream`; for records that a function can do without, None and a warning."""
    try:
        return open_stream(path)
    except ValueError as exc:
        message = f"records are not written: {exc}"
        logger.warn(message)  # noqa: G010 (Nuclio's logger)
        return None


class FileStream:
    """A file with one JSON line a message."""

    def __init__(self, folder: str, path: str) -> None:
        if "://" in path:
            path = path.partition("://")[2].partition("/")[2]
        name = quote(path, safe="") + ".jsonl"
        self._path = os.fsencode(os.path.join(folder, name))

    def push(self, data: Any, key: str | None = None) -> None:
        """Append a message: a text or bytes as they are, other values as JSON."""
        text = data if type(data) is str else as_text(data)
        shown = "null" if key is None else _quoted(key)
        line = f'{{"data": {_quoted(text)}, "key": {shown}}}\n'
        # One write for each line, so that those of several processes do not mix.
        file = os.open(self._path, _APPEND, 0o644)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)


class MemoryStream:
    """A list of messages."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str | None]] = []

    def push(self, data: Any, key: str | None = None) -> None:
        """Keep a message."""
        self.messages.append((as_text(data), key))


class Queue:
    """A graph's way to a stream: bodies go out as JSON, the event's key with them.

    `sharding` is what takes the place of the event's key: the name of a field of the body,
    or a function of the event (a number is a shard, which a stream as a file has none of).
    """

    def __init__(
        self, path: str, sharding: str | int | Callable[[Any], Any] | None = None
    ) -> None:
        self._stream = open_stream(path)
        self._sharding = sharding

    def push(self, event: Any, body: Any) -> None:
        """Send the body alone."""
        self._stream.push(_encoded(body), self._key(event, body))

    def push_event(self, event: Any, body: Any) -> None:
        """Send the body in the envelope that carries id and key to the next function."""
        envelope = _encoded(_envelope(event, body))
        self._stream.push(envelope, self._key(event, body))

    def send(self, body: Any) -> Any:
        """As synchronous flows send (mlrun 1.12, `QueueStep.run`): the answer of the flow.

        An empty body is not sent and answers; a list is a message for each element.
        """
        if not body:
            return body
        for message in body if isinstance(body, list) else [body]:
            self._stream.push(message)
        return None

    def send_event(self, event: Any, body: Any) -> Any:
        """As `send`, in the envelope that carries id and key to the next function."""
        if not body:
            return body
        self._stream.push(_envelope(event, body))
        return None

    def _key(self, event: Any, body: Any) -> str | None:
        sharding = self._sharding
        if sharding is None:
            key = getattr(event, "key", None)
        elif isinstance(sharding, str):
            key = body[sharding]
        elif callable(sharding):
            event.body = body
            key = sharding(event)
        else:
            key = sharding
        if isinstance(key, int) and sharding is not None:
            return None  # a shard
        return None if key is None else _text_of_key(key)


def _envelope(event: Any, body: Any) -> dict[str, Any]:
    envelope = {"full_event_wrapper": True, "body": body}
    for field in ("key", "id"):
        value = getattr(event, field, None)
        if value is not None:
            envelope[field] = value
    return envelope


def as_text(data: Any) -> str:
    """A message's data: a text or UTF-8 as it is, other values as JSON."""
    if isinstance(data, str):
        return data
    if isinstance(data, bytes):
        return data.decode()
    return json.dumps(data, default=_plain)


def _plain(value: Any) -> Any:
    """What JSON does not know: numpy's numbers and arrays as Python's, the rest as text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _text_of_key(key: Any) -> str:
    """A key as text; storey joins lists by dots."""
    if isinstance(key, (list, tuple)):
        return ".".join(str(part) for part in key)
    return str(key)
