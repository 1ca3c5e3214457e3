"""The reader of a trigger over a source that does what brokers do now and then."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from graphc.serve import Streams
from graphc.serve.packages import read_package
from graphc.serve.process import Launch
from graphc.serve.reader import StreamReader
from graphc.serve.sources import Claims, Message, Partition

from .conftest import MakePackage
from .test_streams import child, has_all

COUNT = 30
PARTITION = ("numbers", 0)


class Scripted:
    """Numbers as messages of one partition."""

    is_at_end = True

    def __init__(self, refusals: int = 0) -> None:
        self.claims: Claims | None = None
        self.next = self.committed = 0
        #: How often it cannot go back.
        self.refusals = refusals

    async def open(self, claims: Claims) -> None:
        self.claims = claims
        claims.claimed([PARTITION])

    async def read(self, most: int) -> Sequence[Message]:
        await asyncio.sleep(0.01)
        first, self.next = self.next, min(self.next + 5, COUNT)
        return [
            Message(*PARTITION, number, str(number).encode(), 0)
            for number in range(first, self.next)
        ]

    async def hold(self, partitions: Sequence[Partition], held: bool) -> None:
        raise AssertionError("there is too little to be held")

    async def rewind(self, positions: Mapping[Partition, int]) -> None:
        if not positions:
            return
        if self.refusals:
            self.refusals -= 1
            raise OSError("not now")
        self.next = positions[PARTITION]

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        assert positions[PARTITION] > self.committed
        self.committed = positions[PARTITION]

    async def close(self) -> None:
        assert self.claims
        if positions := await self.claims.release([PARTITION]):
            await self.commit(positions)


def reader(folder: Path, source: Scripted, streams: Path, lines: list[str]) -> StreamReader:
    package = read_package(folder)
    (trigger,) = package.triggers.streams
    environment = Streams(streams).environment
    launch = Launch(package, trigger, sys.executable, lines.append, environment)
    return StreamReader(launch, trigger, source, 1, quiet=True)


async def until(done: object, lines: list[str]) -> None:
    assert callable(done)
    async with asyncio.timeout(30):
        while not done():
            assert len(lines) < 100, lines
            await asyncio.sleep(0.02)


def test_going_back_is_tried_until_it_is_done(make_package: MakePackage, tmp_path: Path) -> None:
    folder = child(make_package, "number == 17 and once('crash'): os._exit(1)\n    if False")
    streams, lines, source = tmp_path / "streams", list[str](), Scripted(refusals=2)

    async def run() -> None:
        reads = reader(folder, source, streams, lines)
        await reads.start()
        await until(lambda: has_all(streams, COUNT), lines)
        await reads.close(5)

    asyncio.run(run())
    assert source.committed == COUNT
    assert sum("going back failed: not now" in line for line in lines) == 2


def test_an_event_that_does_not_end_does_not_keep_its_worker(
    make_package: MakePackage, tmp_path: Path
) -> None:
    """The partition is given up meanwhile, and comes back."""
    hangs = "number == 17 and once('begun'): __import__('time').sleep(600)\n    if False"
    folder = child(make_package, hangs, workerTerminationTimeout="300ms")
    streams, lines, source = tmp_path / "streams", list[str](), Scripted()

    async def run() -> None:
        reads = reader(folder, source, streams, lines)
        await reads.start()
        await until((folder / "begun").exists, lines)
        positions = await reads.release([PARTITION])
        if positions:
            await source.commit(positions)
        source.next = source.committed
        reads.claimed([PARTITION])
        await until(lambda: has_all(streams, COUNT), lines)
        await reads.close(5)

    asyncio.run(run())
    assert source.committed == COUNT
    assert "child: numbers[0] has an event that does not end: its worker is started again" in lines
