"""The workers of one trigger: started, handed out for one event, replaced when lost."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from ..diagnostics import GraphError
from .process import Launch, OnAck, Worker, WorkerLost, describe_status

#: A worker that is lost again and again is restarted ever more slowly.
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 10.0
#: Seconds after which a worker is not one of those.
_WELL = 1.0


class Pool:
    """Workers that take turns: whichever is free takes the next event.

    `on_ack` is told of what they acknowledge, `on_lost` of each that is lost, before another one
    takes its place. The first of them has the number `first`.
    """

    def __init__(
        self,
        launch: Launch,
        count: int,
        *,
        first: int = 0,
        on_ack: OnAck | None = None,
    ) -> None:
        self.count = count
        self.on_lost: Callable[[], None] | None = None
        self._launch = launch
        self._numbers = range(first, first + count)
        self._on_ack = on_ack
        self._idle: deque[Worker] = deque()
        #: Those who wait for a worker, in the order in which they came.
        self._waiting: deque[asyncio.Future[Worker]] = deque()
        self._workers: dict[int, Worker] = {}
        self._keepers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start all workers; if one fails, the caller closes those that are running."""
        await all_started(self._start(number) for number in self._numbers)
        self._keepers = [asyncio.create_task(self._keep(number)) for number in self._numbers]

    @asynccontextmanager
    async def take(self, wait: float | None = None) -> AsyncIterator[Worker | None]:
        """A worker that is free, for one event; None if there is none in so many seconds."""
        worker = await self._free_worker(wait)
        if worker is None:
            yield None
            return
        try:
            yield worker
        except WorkerLost:
            await worker.kill()
            raise
        finally:
            # Whoever was waited for in vain is busy, not free.
            if worker.is_alive and not worker.is_asked:
                self._give(worker)

    async def drain(self, seconds: float) -> None:
        """Run the drain callback of each worker."""
        living = [worker for worker in self._workers.values() if worker.is_alive]
        await asyncio.gather(*(worker.drain(seconds) for worker in living))

    async def close(self, seconds: float) -> None:
        """End all workers, each after its termination callback."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(
            *(
                worker.kill() if worker.is_asked else worker.stop(seconds)
                for worker in self._workers.values()
            )
        )

    def kill(self) -> None:
        """End all workers at once."""
        for worker in self._workers.values():
            worker.kill_now()

    async def _start(self, number: int) -> None:
        worker = await Worker.start(self._launch, number, self._on_ack)
        self._workers[number] = worker
        self._give(worker)

    def _give(self, worker: Worker) -> None:
        """Hand over a worker to whoever has waited longest."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(worker)
                return
        self._idle.append(worker)

    async def _free_worker(self, wait: float | None) -> Worker | None:
        clock = asyncio.get_running_loop().time
        deadline = None if wait is None else clock() + wait
        while True:
            if self._idle:
                worker = self._idle.popleft()
            else:
                left = None if deadline is None else deadline - clock()
                if left is not None and left <= 0:
                    return None
                waiting: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
                self._waiting.append(waiting)
                try:
                    worker = await asyncio.wait_for(waiting, left)
                except TimeoutError:
                    return None
                except asyncio.CancelledError:
                    if waiting.done() and not waiting.cancelled():
                        self._give(waiting.result())
                    raise
            # One that died while nobody asked is replaced by its keeper.
            if worker.is_alive:
                return worker

    async def _keep(self, number: int) -> None:
        """Replace a worker whenever it is lost."""
        name, delay = self._launch.name(number), _FIRST_DELAY
        log, clock = self._launch.log, asyncio.get_running_loop().time
        while True:
            since = clock()
            lost = self._workers[number]
            status = await lost.process.wait()
            if not lost.is_given_up:
                log(f"{name}: the worker ended ({describe_status(status)}). {_meaning(status)}")
            # With all that it said before it ended.
            await lost.kill()
            if self.on_lost is not None:
                self.on_lost()
            if clock() - since > _WELL:
                delay = _FIRST_DELAY
            while True:
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LONGEST_DELAY)
                try:
                    await self._start(number)
                except GraphError as error:
                    log(f"{name}: {error.message}")
                else:
                    break


async def all_started(starting: Iterable[Awaitable[None]]) -> None:
    """Wait for all, then raise what one of them raised: one still at it could not be ended."""
    for outcome in await asyncio.gather(*starting, return_exceptions=True):
        if outcome is not None:
            raise outcome


def _meaning(status: int) -> str:
    if status == 0:
        return (
            "In Nuclio it would never be restarted, and every later request to it would fail: "
            "a package must not exit with status 0. Restarting it here"
        )
    return "In Nuclio the container would restart. Restarting it here"
