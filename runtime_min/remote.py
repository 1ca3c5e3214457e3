"""RemoteStep and BatchHttpRequests, for flows that await (mlrun 1.12, `serving/remote.py`).

The client is aiohttp, as in MLRun: callers see the names of its failures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from copy import copy
from typing import Any, Callable, TypeVar

import aiohttp

from . import paths
from .in_flight import InFlight, retried
from .remote_requests import Expression, Requests, decoded, encoded

_Result = TypeVar("_Result")

#: What another attempt may mend; for a URL that is none there is only one.
PASSING = (
    RuntimeError,
    OSError,
    asyncio.TimeoutError,
    aiohttp.ClientConnectionError,
    aiohttp.ClientPayloadError,
    aiohttp.ClientResponseError,
)


class Client:
    """A step's session, made on the loop that runs it, closed when the worker ends."""

    def __init__(
        self,
        context: Any,
        name: str,
        retries: int,
        backoff_factor: float,
        timeout: float | None,
    ) -> None:
        self._logger = context.logger
        self._name = name
        self._retries = retries
        self._backoff_factor = backoff_factor
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None
        context.at_termination(self._close)

    @property
    def session(self) -> aiohttp.ClientSession:
        """Made when it is first asked for, by code that runs on the loop."""
        if self._session is None:
            self._session = (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(self._timeout))
                if self._timeout
                else aiohttp.ClientSession()  # 5 minutes
            )
        return self._session

    async def send(
        self, method: str, url: str, headers: dict[str, Any], data: Any
    ) -> tuple[int, bytes, str]:
        """The answer's status, body and content type; raises for a status from 500 on.

        Certificates are not checked, as in mlrun 1.12.
        """

        async def attempt() -> tuple[int, bytes, str]:
            async with self.session.request(
                method, url, headers=headers, data=data, ssl=False
            ) as answer:
                body = await answer.read()
                if answer.status >= 500:
                    text = await answer.text()
                    raise RuntimeError(f"bad http response {answer.status}: {text}")
                return answer.status, body, answer.headers.get("Content-Type", "")

        return await self.retried(attempt)

    async def retried(
        self,
        attempt: Callable[[], Awaitable[_Result]],
        on: tuple[type[BaseException], ...] = PASSING,
    ) -> _Result:
        """What an attempt gives, after as many others as the step may make."""
        return await retried(
            attempt,
            retries=self._retries,
            backoff_factor=self._backoff_factor,
            on=on,
            failed=self._failed,
        )

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session:
            await session.close()

    def _failed(self, exc: BaseException, left: int) -> None:
        self._logger.warn_with(
            "request failed", step=self._name, retries_left=left, error=repr(exc)
        )


def with_result(event: Any, result_path: str | None, result: Any) -> Any:
    """A copy of the event with the result, as in MLRun: who has the event keeps its body."""
    twin = copy(event)
    twin.body = paths.put(event.body, result_path, result) if result_path else result
    return twin


class RemoteStep:
    """Sends each event to a service; the answer becomes the body, or a part of it."""

    def __init__(
        self,
        context: Any,
        name: str,
        *,
        url: str | None = None,
        input_path: str | None = None,
        result_path: str | None = None,
        max_in_flight: int | None = None,
        retries: int | None = None,
        backoff_factor: float | None = None,
        timeout: float | None = None,
        **request: Any,
    ) -> None:
        self.name = name
        self._input_path = input_path
        self._result_path = result_path
        self._requests = Requests((url or "").strip("/"), **request)
        self._in_flight = InFlight(max_in_flight)
        self._client = Client(
            context,
            name,
            6 if retries is None else retries,
            backoff_factor or 1,
            timeout,
        )

    async def do_event(self, event: Any) -> Any:
        """The event with its new body; events leave in the order in which they came."""
        result = await self._in_flight.run(self._ask, event)
        return with_result(event, self._result_path, result)

    async def _ask(self, event: Any) -> Any:
        body = event.body
        if self._input_path:
            body = paths.get(body, self._input_path)
        status, data, kind = await self._client.send(
            *self._requests.request(event, body)
        )
        if status >= 400:
            raise ValueError(
                f"For event {event}, RemoteStep {self.name} got an unexpected response "
                f"status {status}: {data!r}"
            )
        return self._requests.result(data, kind)


class BatchHttpRequests:
    """Sends a request for each element of a list, all at once; a list of the answers."""

    def __init__(
        self,
        context: Any,
        name: str,
        *,
        url: str = "",
        subpath: str | None = None,
        method: str | None = None,
        headers: dict[str, Any] | None = None,
        url_expression: Callable[[Any], str] | None = None,
        body_expression: Expression | None = None,
        return_json: bool = True,
        input_path: str | None = None,
        result_path: str | None = None,
        max_in_flight: int | None = None,
        retries: int | None = None,
        backoff_factor: float | None = None,
        timeout: float | None = None,
    ) -> None:
        self._url = url.strip("/") if url else ""
        if subpath and not url_expression:
            self._url = f"{self._url}/{subpath.lstrip('/')}"
        self._method = method
        self._headers = headers or {}
        self._url_expression = url_expression
        self._body_expression = body_expression
        self._return_json = return_json
        self._input_path = input_path
        self._result_path = result_path
        self._in_flight = InFlight(max_in_flight)
        # 0 retries are 6, but a backoff_factor of 0 is none: mlrun 1.12, again.
        self._client = Client(
            context,
            name,
            retries or 6,
            1 if backoff_factor is None else backoff_factor,
            timeout,
        )

    async def do_event(self, event: Any) -> Any:
        """The event with the answers as its body, in the order of the elements."""
        result = await self._in_flight.run(self._ask_all, event)
        return with_result(event, self._result_path, result)

    async def _ask_all(self, event: Any) -> list[Any]:
        body = event.body
        if self._input_path:
            body = paths.get(body, self._input_path)
        method = self._method or event.method or "POST"
        urls, contents = [], []
        for element in body:
            urls.append(
                self._url_expression(element) if self._url_expression else self._url
            )
            contents.append(encoded(method, element, self._body_expression))
        headers = dict(self._headers)
        if any(is_json for _, is_json in contents):
            headers["Content-Type"] = "application/json"
        answers = await asyncio.gather(
            *(
                self._client.send(method, url, headers, data)
                for url, (data, _) in zip(urls, contents)
            )
        )
        return [decoded(data, kind, self._return_json) for _, data, kind in answers]
