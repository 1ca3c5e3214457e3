"""storey's SendToHttp: a request that one function makes, an answer that another joins.

The client is aiohttp, storey's own.
"""

from __future__ import annotations

from typing import Any, Callable

import aiohttp

from . import paths
from .http_messages import HttpRequest, HttpResponse
from .in_flight import InFlight, retried


class SendToHttp:
    """Asks a service about each event; statuses of its answers are for the user to judge."""

    def __init__(
        self,
        context: Any,
        name: str,
        request_builder: Callable[[Any], HttpRequest],
        join_from_response: Callable[[Any, HttpResponse], Any],
        *,
        full_event: bool = False,
        result_path: str | None = None,
        max_in_flight: int | None = None,
        retries: int | None = None,
        backoff_factor: float | None = None,
    ) -> None:
        self._logger = context.logger
        self._name = name
        self._build = request_builder
        self._join = join_from_response
        self._full_event = full_event
        self._result_path = result_path
        self._retries = retries or 0
        self._backoff_factor = backoff_factor or 1
        self._in_flight = InFlight(max_in_flight)
        self._session: aiohttp.ClientSession | None = None
        self._dropped = False
        context.at_termination(self._close)

    async def do_event(self, event: Any) -> Any:
        """The event with what the answer was joined to; `drops` says if that is nothing."""
        joined = await self._in_flight.run(self._ask, event)
        self._dropped = joined is None
        if joined is None:
            return event
        if self._full_event:
            return joined
        if self._result_path:
            joined = paths.put(event.body, self._result_path, joined)
        event.body = joined
        return event

    def drops(self) -> bool:
        """Was the event that has just left dropped?"""
        return self._dropped

    async def _ask(self, event: Any) -> Any:
        session = self._session or self._open()

        async def attempt() -> HttpResponse:
            request = self._build(event)
            async with session.request(
                request.method, request.url, headers=request.headers, data=request.body
            ) as answer:
                return HttpResponse(answer.status, await answer.text())

        response = await retried(
            attempt,
            retries=self._retries,
            backoff_factor=self._backoff_factor,
            on=(Exception,),
            failed=self._failed,
        )
        return self._join(event.body, response)

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession()
        return self._session

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session:
            await session.close()

    def _failed(self, exc: BaseException, left: int) -> None:
        self._logger.warn_with(
            "request failed", step=self._name, retries_left=left, error=repr(exc)
        )
