"""Streams: what queues and error streams write to.

A stream is written to by a driver (`stream_kafka` and its like), which the package names.
With GRAPHC_STREAMS=dir:<folder> in the environment every stream is a file in that folder,
for tests and development. `dummy://` keeps what it gets in memory.

What is sent goes out at once; `delivery` waits until it has arrived before an event counts
as done.
"""

from __future__ import annotations

import base64
import hashlib
import os
import time
from collections.abc import Iterator
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, Callable, Protocol
from urllib.parse import parse_qs, quote, urlsplit

from .json_text import encoder

#: How many seconds a stream may be down before what is under way fails.
PATIENCE = 60.0

_LONGEST_WAIT = 5.0
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT
#: `json.dumps(value, default=str)`
encoded = encoder(default=str)


class Stream(Protocol):
    """What drivers are: made with a path and options, connected when there is need."""

    def push(
        self, data: str | bytes, key: str | None = None, shard: int | None = None
    ) -> None:
        """Send a message behind those before it, without waiting until it has arrived.

        Raises ValueError if the stream can never take it, and may raise OSError if the
        stream stays down for longer than PATIENCE.
        """

    def flush(self) -> None:
        """Return when all that was pushed has arrived; raises OSError if it cannot.

        Raises ValueError if all has but what the stream can never take.
        """

    def under_way(self) -> bool:
        """Would `flush` wait?"""

    def close(self) -> None:
        """Give up what the stream holds open."""


class Driver(Protocol):
    """The class of a stream."""

    @property
    def schemes(self) -> tuple[str, ...]:
        """What its paths begin with, before `://`; "" are paths without it."""

    # mypy takes classes with any further arguments for such a function.
    def __call__(self, path: str, *args: Any, **options: Any) -> Stream:
        """The stream that a path names; raises ValueError if it names none."""


def attempts(patience: float = PATIENCE) -> Iterator[int]:
    """Counts attempts at something from 1 and waits between them, ever longer.

    It ends when `patience` seconds have passed.
    """
    end = time.monotonic() + patience
    wait, attempt = 0.05, 1
    while True:
        yield attempt
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(wait, left))
        wait = min(2 * wait, _LONGEST_WAIT)
        attempt += 1


def _plain(value: Any) -> Any:
    """What JSON does not know: numpy's numbers and arrays as Python's, the rest as text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


_record = encoder(default=_plain)


class Writer:
    """A stream as a function writes to it.

    What it cannot send fails the event at its end, when all is flushed, and not the step
    that sends: a catcher must not take the event for handled.
    """

    def __init__(self, stream: Stream, needed: bool = True) -> None:
        self._stream = stream
        self._failure: OSError | None = None
        #: Are events done only when what they sent has arrived?
        self.needed = needed

    def push(self, data: Any, key: str | None = None, shard: int | None = None) -> None:
        """Send a text or bytes as they are, other values as JSON."""
        if self._failure is not None:
            return
        if type(data) is not str and not isinstance(data, (str, bytes)):
            data = _record(data)
        try:
            self._stream.push(data, key, shard)
        except OSError as exc:
            self._failure = exc

    def flush(self) -> None:
        """Return when all that was pushed has arrived; raises as the stream does."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        self._stream.flush()

    def under_way(self) -> bool:
        """Would `flush` wait?"""
        return self._failure is None and self._stream.under_way()

    def close(self) -> None:
        self._stream.close()


#: Those of this worker.
writers: list[Writer] = []


def open_writer(
    path: str, *drivers: Driver, needed: bool = True, **options: Any
) -> Writer:
    """As `open_stream`, for this worker's events, or for what they can do without."""
    writer = Writer(open_stream(path, *drivers, **options), needed)
    writers.append(writer)
    return writer


def open_if_possible(
    path: str, logger: Any, *drivers: Driver, needed: bool = True, **options: Any
) -> Writer | None:
    """As `open_writer`; for records that a function can do without, None and a warning."""
    try:
        return open_writer(path, *drivers, needed=needed, **options)
    except ValueError as exc:
        message = f"records are not written: {exc}"
        logger.warn(message)  # noqa: G010 (Nuclio's logger)
        return None


def open_stream(path: str, *drivers: Driver, **options: Any) -> Stream:
    """The stream that a path names; raises ValueError if nothing here writes to it.

    Of several drivers the path decides, which then was not known when they were named.
    """
    swap, _, folder = os.environ.get("GRAPHC_STREAMS", "").partition(":")
    if swap == "dir":
        return FileStream(folder, path)
    scheme = path.partition("://")[0] if "://" in path else ""
    if scheme == "dummy":
        return MemoryStream()
    for driver in drivers:
        if len(drivers) == 1 or scheme in driver.schemes:
            return driver(path, **options)
    known = [f"{name}://" for driver in drivers for name in driver.schemes if name]
    raise ValueError(
        f"nothing here writes to the stream {path!r}"
        + (f", only to {', '.join(known)}" if known else "")
        + ": set GRAPHC_STREAMS=dir:<folder> in the environment, and it becomes a file in "
        "that folder"
    )


class FileStream:
    """A file with one JSON line a message."""

    def __init__(self, folder: str, path: str) -> None:
        name = quote(_name(path), safe="") + ".jsonl"
        self._path = os.fsencode(os.path.join(folder, name))
        self._file = -1

    def push(
        self, data: str | bytes, key: str | None = None, shard: int | None = None
    ) -> None:
        """Append a message."""
        by = "null" if key is None or shard is not None else _quoted(key)
        if isinstance(data, str):
            line = f'{{"data": {_quoted(data)}, "key": {by}}}\n'
        else:
            line = f'{{{_quoted_bytes(data)}, "key": {by}}}\n'
        if self._file < 0:
            self._file = os.open(self._path, _APPEND, 0o644)
        # One write for each line, so that those of several processes do not mix.
        os.write(self._file, line.encode())

    def flush(self) -> None:
        """Nothing is under way."""

    def under_way(self) -> bool:
        return False

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _name(path: str) -> str:
    """The path without scheme and host, or the topic that it names behind them."""
    if "://" not in path:
        return path
    parts = urlsplit(path)
    (topic,) = parse_qs(parts.query).get("topic", [""])[:1]
    return topic or path.partition("://")[2].partition("/")[2]


def _quoted_bytes(data: bytes) -> str:
    try:
        return f'"data": {_quoted(data.decode())}'
    except UnicodeDecodeError:
        return f'"data_b64": {_quoted(base64.b64encode(data).decode())}'


class MemoryStream:
    """A list of messages."""

    def __init__(self) -> None:
        self.messages: list[tuple[str | bytes, str | None]] = []

    def push(
        self, data: str | bytes, key: str | None = None, shard: int | None = None
    ) -> None:
        """Keep a message."""
        self.messages.append((data, key))

    def flush(self) -> None:
        """Nothing is under way."""

    def under_way(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing is open."""


class Queue:
    """A graph's way to a stream: bodies go out as JSON, the event's key with them.

    `sharding` is what takes the place of the event's key: the name of a field of the body,
    or a function of the event; a number is a shard. The options are the driver's.
    """

    def __init__(
        self,
        path: str,
        *drivers: Driver,
        sharding: str | int | Callable[[Any], Any] | None = None,
        **options: Any,
    ) -> None:
        self._writer = open_writer(path, *drivers, **options)
        self._sharding = sharding

    def push(self, event: Any, body: Any) -> None:
        """Send the body alone."""
        data = encoded(body)
        if self._sharding is None and getattr(event, "key", None) is None:
            self._writer.push(data)
        else:
            self._push(data, event, body)

    def push_event(self, event: Any, body: Any) -> None:
        """Send the body in the envelope that carries id and key to the next function."""
        self._push(encoded(envelope(event, body)), event, body)

    def send(self, body: Any) -> Any:
        """As synchronous flows send (mlrun 1.12, `QueueStep.run`): the answer of the flow.

        An empty body is not sent and answers; a list is a message for each element.
        """
        if not body:
            return body
        for message in body if isinstance(body, list) else [body]:
            self._writer.push(message)
        return None

    def send_event(self, event: Any, body: Any) -> Any:
        """As `send`, in the envelope that carries id and key to the next function."""
        if not body:
            return body
        self._writer.push(envelope(event, body))
        return None

    def _push(self, data: str, event: Any, body: Any) -> None:
        key, sharding = getattr(event, "key", None), self._sharding
        if sharding is not None:
            if isinstance(sharding, str):
                found = body.get(sharding)
            elif callable(sharding):
                event.body = body
                found = sharding(event)
            else:
                found = sharding
            if isinstance(found, int):
                shown = None if key is None else _text_of_key(key)
                self._writer.push(data, shown, found)
                return
            key = found
        self._writer.push(data, None if key is None else _text_of_key(key))


def envelope(event: Any, body: Any) -> dict[str, Any]:
    """A body as functions hand it to each other, with what else goes along."""
    wrapped = {"full_event_wrapper": True, "body": body}
    for field in ("key", "id"):
        value = getattr(event, field, None)
        if value is not None:
            wrapped[field] = value
    return wrapped


def _text_of_key(key: Any) -> str:
    """A key as text; of lists the first element and the others' (storey 1.12, its hash)."""
    if not isinstance(key, list):
        return str(key)
    if len(key) < 3:
        return ".".join(map(str, key))
    others = "".join(map(str, key[1:]))
    digest = hashlib.sha1(others.encode(), usedforsecurity=False).hexdigest()
    return f"{key[0]}.{digest}"
