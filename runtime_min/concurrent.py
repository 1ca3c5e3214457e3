"""storey's ConcurrentExecution: a function for several events at once (storey 1.12)."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, Callable

from .in_flight import DEFAULT_LIMIT, InFlight, retried


class ConcurrentExecution:
    """Calls a function with each body (or event); results leave in order.

    `executor` is "thread_pool", "process_pool", "dedicated_process", or None for a function
    that awaits, or that is quick: it is called on the event loop.
    """

    def __init__(
        self,
        context: Any,
        name: str,
        function: Callable[..., Any],
        *,
        executor: str | None = None,
        pass_context: bool = False,
        max_in_flight: int | None = None,
        retries: int | None = None,
        backoff_factor: float | None = None,
    ) -> None:
        self._context = context
        self._name = name
        self._function = function
        self._more = (context,) if pass_context else ()
        self._retries = retries or 0
        self._backoff_factor = backoff_factor or 1
        self._workers = max_in_flight or DEFAULT_LIMIT
        self._in_flight = InFlight(max_in_flight)
        self._executor: Executor | None = None
        self._make_executor = _EXECUTORS[executor]

    async def do(self, value: Any) -> Any:
        """What the function makes of a body, or of an event."""
        return await self._in_flight.run(self._retried, value)

    async def _retried(self, value: Any) -> Any:
        async def attempt() -> Any:
            return await self._call(value)

        return await retried(
            attempt,
            retries=self._retries,
            backoff_factor=self._backoff_factor,
            on=(Exception,),
            failed=self._failed,
        )

    async def _call(self, value: Any) -> Any:
        if self._make_executor is None:
            result = self._function(value, *self._more)
        else:
            if self._executor is None:
                self._executor = self._make_executor(self._workers)
                self._context.at_termination(self._executor.shutdown)
            result = await asyncio.get_running_loop().run_in_executor(
                self._executor, _called, self._function, value, *self._more
            )
        return await result if asyncio.iscoroutine(result) else result

    def _failed(self, exc: BaseException, left: int) -> None:
        self._context.logger.warn_with(
            "step failed", step=self._name, retries_left=left, error=repr(exc)
        )


def _called(function: Callable[..., Any], *args: Any) -> Any:
    try:
        return function(*args)
    except StopIteration as exc:
        # No future of asyncio takes it: the event would wait for ever, as it does in storey.
        raise RuntimeError("coroutine raised StopIteration") from exc


_EXECUTORS: dict[str | None, Callable[[int], Executor] | None] = {
    None: None,
    "thread_pool": ThreadPoolExecutor,
    "process_pool": ProcessPoolExecutor,
    "dedicated_process": lambda _: ProcessPoolExecutor(1),
}
