"""Streams as files of JSON lines, tailed: the other end of runtime_min's file streams.

A stream is `<name>.jsonl` and has one partition, 0; offsets are the numbers of lines. A group's
position is in `<name>.<group>.offset` beside it, which is locked while somebody reads: of several
consumers of a group one reads, the others wait.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, unquote

from .process import Log
from .sources import Claims, Message, Partition

#: Seconds between looks at a file that had nothing new.
_PAUSE = 0.02


def stream_file(folder: Path, stream: str) -> Path:
    """The file that a stream is; the same as runtime_min's."""
    return folder / f"{quote(stream, safe='')}.jsonl"


def read_all(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The streams of a folder by their names, and the data of each of their messages."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            body = _body(line)
            if body is not None:
                yield unquote(path.stem), body


class FileSource:
    """Some streams of a folder, for one group."""

    def __init__(self, folder: Path, streams: Sequence[str], group: str, log: Log) -> None:
        self._tails = [_Tail(folder, stream, group, log) for stream in streams]
        self._claims: Claims | None = None

    async def open(self, claims: Claims) -> None:
        self._claims = claims

    @property
    def is_at_end(self) -> bool:
        """Has everything been read that is there?"""
        return all(tail.is_at_end for tail in self._tails)

    async def read(self, most: int) -> Sequence[Message]:
        messages: list[Message] = []
        for tail in self._tails:
            if not tail.is_locked:
                if not tail.lock():
                    continue
                assert self._claims is not None
                self._claims.claimed([tail.partition])
            messages += tail.read(most - len(messages))
        if not messages:
            await asyncio.sleep(_PAUSE)
        return messages

    async def hold(self, partitions: Sequence[Partition], held: bool) -> None:
        for tail in self._tails:
            if tail.partition in partitions:
                tail.is_held = held

    async def rewind(self, positions: Mapping[Partition, int]) -> None:
        for tail in self._tails:
            if tail.partition in positions:
                tail.rewind(positions[tail.partition])

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        for tail in self._tails:
            if tail.is_locked and tail.partition in positions:
                tail.commit(positions[tail.partition])

    async def close(self) -> None:
        if self._claims is not None:
            await self.commit(await self._claims.release([tail.partition for tail in self._tails]))
        for tail in self._tails:
            tail.close()


class _Tail:
    """One file, read from where its group is."""

    def __init__(self, folder: Path, stream: str, group: str, log: Log) -> None:
        self.stream = stream
        self.partition: Partition = (stream, 0)
        self.is_held = False
        self._path = stream_file(folder, stream)
        self._place = folder / f"{quote(stream, safe='')}.{quote(group, safe='')}.offset"
        self._log = log
        self._said = False
        self._lock = -1
        #: The next line and where it begins.
        self._line = self._byte = 0
        #: Where the lines from `_first` on begin, as far as they are not committed.
        self._first = 0
        self._begins: list[int] = []

    @property
    def is_locked(self) -> bool:
        return self._lock >= 0

    @property
    def is_at_end(self) -> bool:
        try:
            return self._path.stat().st_size <= self._byte
        except OSError:
            return True

    def lock(self) -> bool:
        """Become the group's reader, if there is none, and take up its position."""
        lock = os.open(self._place, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            if not self._said:
                self._log(f"{self.stream} is read by another process of the group: waiting")
                self._said = True
            return False
        self._lock, self._said = lock, False
        try:
            line, byte = json.loads(os.pread(lock, 1000, 0) or b"[0, 0]")
        except (ValueError, TypeError):
            line, byte = 0, 0
        self._line, self._byte = int(line), int(byte)
        self._first, self._begins = self._line, []
        return True

    def read(self, most: int) -> list[Message]:
        if self.is_held or most <= 0:
            return []
        try:
            with open(self._path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size < self._byte:
                    self._log(f"{self.stream} has become shorter: reading it from its start")
                    self._line = self._byte = self._first = 0
                    self._begins = []
                file.seek(self._byte)
                moment = int(time.time())
                found: list[Message] = []
                while len(found) < most and (line := file.readline()).endswith(b"\n"):
                    body = _body(line)
                    if body is None:
                        self._log(f"{self.stream}@{self._line} is no message: passed over")
                    else:
                        found.append(Message(self.stream, 0, self._line, body, moment))
                    self._begins.append(self._byte)
                    self._line += 1
                    self._byte += len(line)
                return found
        except FileNotFoundError:
            return []

    def rewind(self, line: int) -> None:
        if self._first <= line < self._line:
            self._byte = self._begins[line - self._first]
            self._line = line
            del self._begins[line - self._first :]

    def commit(self, line: int) -> None:
        done = line - self._first
        if not 0 < done <= len(self._begins):
            return
        byte = self._begins[done] if done < len(self._begins) else self._byte
        # Never shorter than before: a reader that is killed in between leaves JSON behind.
        os.pwrite(self._lock, json.dumps([line, byte]).encode().ljust(64), 0)
        self._first = line
        del self._begins[:done]

    def close(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _body(line: bytes) -> bytes | None:
    try:
        record = json.loads(line)
        if "data_b64" in record:
            return base64.b64decode(record["data_b64"])
        data = record["data"]
        return data.encode() if isinstance(data, str) else None
    except (ValueError, TypeError, LookupError):
        return None
