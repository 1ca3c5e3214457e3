"""The reader of one stream trigger: messages go to workers, and what is done is committed.

As Nuclio's processor does it (spec/nuclio.md 2.5 and 2.6). Messages of a partition are handled one
after another. A message is done when its handler has answered, or when the package acknowledges it
or a later one, as the trigger says; what is done is committed once a second, before a partition is
given up, and at the end. When a worker is lost, its partitions go on behind what was done.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from ..codegen.text import one_line
from .events import make_stream_event
from .pool import Pool, all_started
from .process import Launch, Worker, WorkerLost
from .sources import Message, Partition, Source
from .triggers import StreamTrigger

_COMMIT_PERIOD = 1.0
_MOST_READ = 500
#: Of a partition with so many messages waiting no more are read, until there are only so many.
_FULL = 2000
_LOW = 1000
#: Seconds before what could not be handed over is tried again.
_RETRY = 1.0


class StreamReader:
    """Reads a source for the workers of one function's trigger."""

    def __init__(
        self, launch: Launch, trigger: StreamTrigger, source: Source, workers: int, quiet: bool
    ) -> None:
        self.trigger = trigger
        self._package = launch.package
        self._log = launch.log
        self._quiet = quiet
        self._source = source
        # A worker of its own for each share of the partitions, or all for all.
        sizes = [1] * workers if trigger.static else [workers]
        self._pools = [
            Pool(launch, size, first=first, on_ack=self._acknowledged)
            for first, size in enumerate(sizes)
        ]
        for pool in self._pools:
            pool.on_lost = lambda pool=pool: self._lost_worker(pool)
        self._lanes: dict[Partition, _Lane] = {}
        self._streams = {trigger.topic(stream): stream for stream in trigger.streams}
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None

    # -- from start to end ------------------------------------------------------------------

    async def start(self) -> None:
        """Start the workers, then read; if one fails, the caller closes this."""
        await all_started(pool.start() for pool in self._pools)
        await self._source.open(self)
        self._loop = asyncio.create_task(self._run())

    async def close(self, grace: float) -> None:
        """Finish the events in progress, end the workers, commit what is done, leave the group."""
        self._stopping = True
        if self._loop is not None:
            # It may be waiting for a broker that is away.
            await asyncio.wait({self._loop}, timeout=grace or _RETRY)
            self._loop.cancel()
        await self._finish(self._lanes.values(), grace)
        await asyncio.gather(
            *(pool.close(self.trigger.termination_timeout) for pool in self._pools)
        )
        await self._source.close()

    def kill(self) -> None:
        """End all workers at once."""
        for pool in self._pools:
            pool.kill()

    @property
    def is_resting(self) -> bool:
        """Is all done that can be read, as far as that can be told?"""
        return self._source.is_at_end and not any(
            lane.is_busy or lane.is_stale or lane.waiting for lane in self._lanes.values()
        )

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        last = clock()
        while not self._stopping:
            try:
                await self._rewind()
                await self._hold()
                for message in await self._source.read(_MOST_READ):
                    lane = self._lanes.get((message.stream, message.partition))
                    if lane is not None:
                        lane.add(message)
                if clock() - last >= _COMMIT_PERIOD:
                    last = clock()
                    await self._commit()
            except Exception as error:
                # Whatever it was, those who wait for their messages need the next attempt.
                self._say(f"reading failed: {error!r}")
                await asyncio.sleep(_RETRY)

    async def _commit(self) -> None:
        positions = _uncommitted(self._lanes.values())
        if not positions:
            return
        try:
            await self._source.commit(positions)
        except OSError as error:
            self._say(f"what was done is not committed yet: {error}")
            return
        for partition, position in positions.items():
            if lane := self._lanes.get(partition):
                lane.committed = position

    async def _hold(self) -> None:
        full = [lane for lane in self._lanes.values() if len(lane.waiting) >= _FULL]
        low = [lane for lane in self._lanes.values() if lane.is_held and len(lane.waiting) <= _LOW]
        for lanes, held in ((full, True), (low, False)):
            if changed := [lane for lane in lanes if lane.is_held != held]:
                for lane in changed:
                    lane.is_held = held
                await self._source.hold([lane.partition for lane in changed], held)

    async def _rewind(self) -> None:
        """Have what a lost worker had not done read again."""
        stale = [lane for lane in self._lanes.values() if lane.is_stale and not lane.is_busy]
        if not stale:
            return
        positions = {
            lane.partition: lane.position
            for lane in stale
            if lane.position is not None and lane.position < lane.read
        }
        try:
            await self._source.rewind(positions)
        except OSError as error:
            # Till then nothing of these goes on: what lies between would be lost.
            self._say(f"going back failed: {error}")
            await asyncio.sleep(_RETRY)
            return
        for lane in stale:
            lane.waiting.clear()
            if lane.partition in positions:
                self._say(f"{lane.name} goes on at {lane.position}")
            lane.read = positions.get(lane.partition, lane.read)
            lane.is_stale = False
            lane.news.set()

    # -- partitions -------------------------------------------------------------------------

    def claimed(self, partitions: Sequence[Partition]) -> None:
        for partition in partitions:
            pool = self._pools[partition[1] % len(self._pools)]
            lane = self._lanes[partition] = _Lane(partition, pool)
            begin = self._package.graph.begin(partition[0])
            lane.begin = f"{begin} " if begin else ""
            lane.task = asyncio.create_task(self._serve(lane))
            self._tell(f"{lane.name} is read")

    async def release(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        lanes = [self._lanes[each] for each in partitions if each in self._lanes]
        timeout = self.trigger.termination_timeout
        for lane in await self._finish(lanes, timeout):
            # As in Nuclio, where the next event would wait for it, too.
            self._say(f"{lane.name} has an event that does not end: its worker is started again")
            if lane.worker is not None:
                lane.worker.give_up()
        if lanes and not self._stopping:
            await asyncio.gather(*(pool.drain(timeout) for pool in {lane.pool for lane in lanes}))
        for lane in lanes:
            del self._lanes[lane.partition]
            done = "" if lane.marked is None else f", all done before {lane.marked}"
            self._tell(f"{lane.name} is given up{done}")
        return _uncommitted(lanes)

    def lost(self, partitions: Sequence[Partition]) -> None:
        for partition in partitions:
            if lane := self._lanes.pop(partition, None):
                lane.close()
                self._say(f"{lane.name} is lost to another reader")

    async def _finish(self, lanes: Iterable[_Lane], timeout: float) -> list[_Lane]:
        """Let the events in progress end, and begin no more; those whose events do not end."""
        tasks = {}
        for lane in lanes:
            lane.close()
            if lane.task is not None:
                tasks[lane.task] = lane
        if not tasks:
            return []
        _, late = await asyncio.wait(tasks, timeout=timeout)
        for task in late:
            task.cancel()
        return [tasks[task] for task in late]

    # -- events -----------------------------------------------------------------------------

    async def _serve(self, lane: _Lane) -> None:
        """Hand over a partition's messages, one after another."""
        while not lane.is_closed:
            await lane.news.wait()
            lane.news.clear()
            while lane.is_ready:
                try:
                    async with lane.pool.take() as worker:
                        # Meanwhile it may have been told to go back.
                        if worker is None or not lane.is_ready:
                            continue
                        lane.worker = worker
                        message = lane.waiting.popleft()
                        began = time.perf_counter()
                        event = make_stream_event(self.trigger, message, lane.id)
                        about = f"{lane.name}@{message.offset}"
                        answer = await worker.handle(event, message.body, about)
                except WorkerLost:
                    lane.is_stale = True
                    self._say(f"{about} the worker ended before it was done")
                    continue
                finally:
                    lane.worker = None
                if answer is None:
                    # Somebody has told the worker to terminate.
                    lane.is_stale = True
                    await asyncio.sleep(_RETRY)
                    continue
                if self.trigger.implicit_ack and not answer.no_ack:
                    lane.mark(message.offset + 1)
                took = (time.perf_counter() - began) * 1000
                say = self._tell if answer.status < 400 else self._say
                say(f"{about} {lane.begin}{answer.status} {took:.1f} ms")

    def _acknowledged(self, topic: str, partition: int, offset: int) -> None:
        if not self.trigger.explicit_ack:
            return
        # Where there is one stream, Nuclio takes other names of it, too.
        one = next(iter(self._streams.values())) if len(self._streams) == 1 else ""
        # Those of partitions that are somebody else's by now are passed over.
        if lane := self._lanes.get((self._streams.get(topic, one), partition)):
            lane.mark(offset + 1)

    def _lost_worker(self, pool: Pool) -> None:
        if self.trigger.explicit_ack:
            for lane in self._lanes.values():
                if lane.pool is pool:
                    lane.is_stale = True

    def _tell(self, text: str) -> None:
        """What goes as it should."""
        if not self._quiet:
            self._say(text)

    def _say(self, text: str) -> None:
        self._log(f"{self._package.name}: {text}")


class _Lane:
    """One partition while it is ours."""

    def __init__(self, partition: Partition, pool: Pool) -> None:
        self.partition = partition
        self.pool = pool
        self.name = f"{one_line(partition[0])}[{partition[1]}]"
        #: The steps that get its messages, as lines of the log have them.
        self.begin = ""
        #: Nuclio's events have one for each claim: it is no key.
        self.id = str(uuid.uuid4())
        self.task: asyncio.Task[None] | None = None
        self.waiting: deque[Message] = deque()
        self.news = asyncio.Event()
        #: Who has its event in progress.
        self.worker: Worker | None = None
        self.is_stale = self.is_held = self.is_closed = False
        #: Offsets: the first that was read, the next to read, the first that is not done.
        self.first: int | None = None
        self.read = 0
        self.marked: int | None = None
        self.committed: int | None = None

    @property
    def is_busy(self) -> bool:
        return self.worker is not None

    @property
    def is_ready(self) -> bool:
        return bool(self.waiting) and not self.is_stale and not self.is_closed

    @property
    def position(self) -> int | None:
        """Where somebody else would have to go on."""
        return self.first if self.marked is None else self.marked

    def add(self, message: Message) -> None:
        if self.first is None:
            self.first = message.offset
        self.read = message.offset + 1
        self.waiting.append(message)
        self.news.set()

    def mark(self, position: int) -> None:
        if self.marked is None or position > self.marked:
            self.marked = position

    def close(self) -> None:
        """Begin with no further event; one in progress goes on."""
        self.is_closed = True
        if self.task is not None and not self.is_busy:
            self.task.cancel()


def _uncommitted(lanes: Iterable[_Lane]) -> dict[Partition, int]:
    """What is done and not committed."""
    return {
        lane.partition: lane.marked
        for lane in lanes
        if lane.marked is not None and lane.marked != lane.committed
    }
