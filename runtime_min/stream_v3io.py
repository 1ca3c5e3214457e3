"""Streams of V3IO, written over its HTTP interface (CreateStream, PutRecords)."""

from __future__ import annotations

import base64
import json
import os
from typing import Any
from urllib.parse import quote, urlsplit

from .http_client import Answer, HttpClient
from .stream_sender import Denied, Message, Refused, Sender, raise_for_status
from .streams import PATIENCE

_TIMEOUT = 30.0
#: PutRecords takes no more records than that.
_MOST_RECORDS = 1000


class V3ioStream(Sender):
    """`v3io://host/container/path`, `v3ios://...` (TLS), `container/path`.

    Without a host it is that of V3IO_API; the access key is V3IO_ACCESS_KEY. The stream is
    created if need be, with `shards` and `retention_in_hours`. A message goes to its shard,
    or that of its key, modulo the number of shards; others where the server puts them
    (storey 1.12, StreamTarget, takes a random one).
    """

    schemes = ("v3io", "v3ios", "")

    def __init__(
        self,
        path: str,
        shards: int | None = None,
        retention_in_hours: int | None = None,
        batch_size: int = 8,
        create: bool = True,
        patience: float = PATIENCE,
        **_: Any,
    ) -> None:
        super().__init__(
            f"the stream {path!r}", min(max(1, batch_size), _MOST_RECORDS), patience
        )
        self._url = _url(path)
        self._shards = shards or 1
        self._hours = retention_in_hours or 24
        self._create = create
        self._client = HttpClient(_TIMEOUT)
        if create:
            # Whoever reads the stream may start before the first message is sent.
            self.open()

    def _connect(self) -> None:
        """Make sure that the stream is there, and how many shards it has."""
        if self._create:
            wanted = {"ShardCount": self._shards, "RetentionPeriodHours": self._hours}
            answer = self._ask("POST", "CreateStream", wanted)
            there = answer.status == 409 or (
                answer.status == 400 and "ResourceInUse" in answer.text
            )
            if not there:
                _expect(answer)
                return
        answer = self._ask("PUT", "DescribeStream")
        _expect(answer)
        self._shards = int(json.loads(answer.body)["ShardCount"])

    def _send(self, messages: list[Message]) -> None:
        records = [self._record(message) for message in messages]
        answer = self._ask("POST", "PutRecords", {"Records": records})
        if answer.status == 404 and self._create:
            raise OSError("the stream is gone")  # the next attempt creates it
        raise_for_status(answer.status, answer.text)
        reply = json.loads(answer.body)
        if not reply["FailedRecordCount"]:
            messages.clear()
            return
        results = reply["Records"]
        failed = [
            message
            for message, result in zip(messages, results)
            if result.get("ErrorCode")
        ]
        messages[:] = failed or messages
        reasons = [
            result["ErrorMessage"] for result in results if "ErrorMessage" in result
        ]
        raise OSError("; ".join(dict.fromkeys(reasons)) or "records were not taken")

    def _record(self, message: Message) -> dict[str, Any]:
        record: dict[str, Any] = {"Data": base64.b64encode(message.data).decode()}
        if message.shard is not None:
            record["ShardId"] = message.shard % self._shards
        elif message.key is not None:
            record["ShardId"] = xxh32(message.key.encode()) % self._shards
        return record

    def _disconnect(self) -> None:
        self._client.close()

    def _ask(
        self, method: str, function: str, body: dict[str, Any] | None = None
    ) -> Answer:
        headers = {"X-v3io-function": function}
        key = os.environ.get("V3IO_ACCESS_KEY")
        if key:
            headers["X-v3io-session-key"] = key
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body)
        return self._client.request(method, self._url, headers, data)


def _expect(answer: Answer) -> None:
    """Raises unless it is what was asked for; no message is to blame."""
    try:
        raise_for_status(answer.status, answer.text)
    except Refused as exc:
        raise Denied(*exc.args) from None


def _url(path: str) -> str:
    """Where the stream is; raises ValueError."""
    parts = urlsplit(path) if "://" in path else None
    place = (parts.path if parts else path).strip("/")
    container, _, name = place.partition("/")
    if not container or not name:
        raise ValueError(f"{path!r} names no stream: container/path is wanted")
    if parts and parts.netloc:
        server = f"{'https' if parts.scheme == 'v3ios' else 'http'}://{parts.netloc}"
    else:
        server = os.environ.get("V3IO_API", "").rstrip("/")
        if not server:
            raise ValueError(
                f"V3IO_API is not set: it says where the stream {path!r} is"
            )
        if "://" not in server:
            server = f"http://{server}"
    return f"{server}/{quote(place)}/"


_MASK = 0xFFFFFFFF
_PRIMES = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1)


def xxh32(data: bytes) -> int:
    """The hash of the same name, by which storey chooses the shard of a key."""
    prime1, prime2, prime3, prime4, prime5 = _PRIMES
    at, size = 0, len(data)
    if size >= 16:
        lanes = [(prime1 + prime2) & _MASK, prime2, 0, -prime1 & _MASK]
        while at <= size - 16:
            for lane in range(4):
                word = int.from_bytes(data[at : at + 4], "little")
                lanes[lane] = _rotated(lanes[lane] + word * prime2, 13) * prime1 & _MASK
                at += 4
        turns = (1, 7, 12, 18)
        value = sum(_rotated(lane, turn) for lane, turn in zip(lanes, turns))
    else:
        value = prime5
    value += size
    while at <= size - 4:
        word = int.from_bytes(data[at : at + 4], "little")
        value = _rotated(value + word * prime3, 17) * prime4
        at += 4
    for byte in data[at:]:
        value = _rotated(value + byte * prime5, 11) * prime1
    value &= _MASK
    value = (value ^ value >> 15) * prime2 & _MASK
    value = (value ^ value >> 13) * prime3 & _MASK
    return value ^ value >> 16


def _rotated(value: int, bits: int) -> int:
    value &= _MASK
    return (value << bits | value >> 32 - bits) & _MASK
