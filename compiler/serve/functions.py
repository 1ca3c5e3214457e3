"""One function as a container of its own: the workers of its triggers."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Iterable
from typing import Any

from .events import Answer, failure, make_tick
from .packages import Package
from .pool import Pool, all_started
from .process import Launch, Log, WorkerLost
from .reader import StreamReader
from .streams import Streams
from .triggers import CronTrigger, HttpTrigger

#: Seconds that workers have to end which read no stream.
TERMINATION = 5.0
#: Seconds that a tick waits for a free worker.
_TICK_WAIT = 10.0
#: Seconds between looks at whether streams are read to their ends.
_LOOK = 0.02


class Function:
    """A package with its workers; lives in a running loop."""

    def __init__(
        self,
        package: Package,
        streams: Streams,
        *,
        python: str,
        workers: int | None,
        log: Log,
        quiet: bool,
    ) -> None:
        self.package = package
        self._log = log
        self._quiet = quiet

        def launch(trigger: Any) -> Launch:
            return Launch(package, trigger, python, log, streams.environment, streams.broker_url)

        triggers = package.triggers
        self.http: Pool | None = None
        if isinstance(triggers.http, HttpTrigger):
            self.http = Pool(launch(triggers.http), workers or triggers.http.workers)
        remarks = list(package.remarks)
        self.readers = []
        for trigger in triggers.streams:
            source = streams.source(trigger, lambda text: log(f"{package.name}: {text}"))
            if source is None:
                remarks.append(f"trigger {trigger.name} ({trigger.kind}) does not run here")
            else:
                count = workers or trigger.workers
                self.readers.append(StreamReader(launch(trigger), trigger, source, count, quiet))
        self._ticks: list[tuple[CronTrigger, Pool]] = [
            (tick, Pool(launch(tick), tick.workers)) for tick in triggers.ticks
        ]
        self._pools = [*filter(None, [self.http]), *(pool for _, pool in self._ticks)]
        self._tasks: list[asyncio.Task[None]] = []
        #: What of the package's configuration is not done here, in sentences.
        self.remarks = tuple(remarks)

    @property
    def workers(self) -> int:
        """How many processes answer requests."""
        return self.http.count if self.http else 0

    async def start(self) -> None:
        """Start all workers and read streams; if one fails, the caller closes this."""
        pools = (pool.start() for pool in self._pools)
        await all_started([*pools, *(reader.start() for reader in self.readers)])
        self._tasks = [asyncio.create_task(self._tick(*each)) for each in self._ticks]

    async def handle(self, event: dict[str, Any], body: bytes, about: str) -> Answer:
        """The answer to one request, by the first worker that is free."""
        trigger = self.package.triggers.http
        assert self.http is not None
        assert trigger is not None
        try:
            async with self.http.take(trigger.worker_timeout) as worker:
                if worker is None:
                    self._log(f"{self.package.name}: {about} no worker is free")
                    return Answer(503, "", {}, b"")
                answer = await worker.handle({**event, "id": worker.event_id}, body, about)
        except WorkerLost:
            self._log(f"{self.package.name}: {about} the worker ended before it answered")
            return failure("the worker ended before it answered")
        return answer or Answer(503, "", {}, b"")

    async def close(self, grace: float) -> None:
        """End all workers, each after its termination callback, and leave all streams."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(
            *(pool.close(TERMINATION) for pool in self._pools),
            *(reader.close(grace) for reader in self.readers),
        )

    def kill(self) -> None:
        """End all workers at once."""
        for pool in self._pools:
            pool.kill()
        for reader in self.readers:
            reader.kill()

    async def _tick(self, tick: CronTrigger, pool: Pool) -> None:
        """Ticks that come while one is handled are one (Nuclio 1.14.1)."""
        name, clock = f"{self.package.name}: {tick.name}", asyncio.get_running_loop().time
        event, due = make_tick(tick, str(uuid.uuid4())), clock()
        while True:
            due = max(due + tick.seconds, clock())
            await asyncio.sleep(due - clock())
            began = time.perf_counter()
            try:
                async with pool.take(_TICK_WAIT) as worker:
                    answer = None
                    if worker is not None:
                        answer = await worker.handle(event, tick.body, tick.name)
            except WorkerLost:
                self._log(f"{name} the worker ended before it was done")
                continue
            if answer is None:
                self._log(f"{name} no worker is free, the tick is dropped")
            elif not self._quiet or answer.status >= 400:
                took = (time.perf_counter() - began) * 1000
                self._log(f"{name} {answer.status} {took:.1f} ms")


async def settle(functions: Iterable[Function], seconds: float) -> bool:
    """Wait until all streams are read to their ends and nothing is in progress of them.

    False if that takes more than so many seconds. A broker's topics count as read.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    readers = [reader for function in functions for reader in function.readers]
    while not all(reader.is_resting for reader in readers):
        if clock() >= deadline:
            return False
        await asyncio.sleep(_LOOK)
    return True
