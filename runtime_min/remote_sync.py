"""RemoteStep where nothing awaits: in routers and synchronous flows (mlrun 1.12).

Statuses, retries and texts are not those of flows that await; spec/serving.md 8.6 has both.
"""

from __future__ import annotations

import socket
import time
import weakref
from http.client import HTTPException
from typing import Any

from . import paths
from .http_client import Answer, HttpClient
from .nuclio import message
from .remote_requests import Requests

_RETRIED = frozenset((500, 502, 503, 504))
_LONGEST_WAIT = 120


class ReadTimeout(OSError):
    """The service took too long, and there was one attempt only."""


class Client:
    """Sends a step's requests; its connections are closed when the worker ends."""

    def __init__(
        self,
        context: Any,
        name: str,
        retries: int,
        backoff_factor: float,
        timeout: float | None,
    ) -> None:
        self._logger = context and context.logger
        self._name = name
        self._retries = retries
        self._backoff_factor = backoff_factor
        self._client = HttpClient(timeout)
        if context:
            context.at_termination(self._client.close)
        else:  # a class of the user's that keeps none
            weakref.finalize(self, self._client.close)

    def send(self, method: str, url: str, headers: dict[str, Any], data: Any) -> Answer:
        """The answer, the last one where a status was retried; raises OSError."""
        for number in range(self._retries + 1):
            if number:
                self._wait(number)
            left = self._retries - number
            try:
                answer = self._client.request(method, url, headers, data)
            except (OSError, HTTPException) as exc:
                self._failed(repr(exc), left)
                if not left:
                    raise self._failure(url, exc) from None
                continue
            if answer.status not in _RETRIED or not left:
                return answer
            self._failed(f"status {answer.status}", left)
        raise AssertionError("the last attempt returns or raises")

    def _wait(self, number: int) -> None:
        """The first retry comes at once, as urllib3 has it."""
        if number > 1:
            time.sleep(min(_LONGEST_WAIT, self._backoff_factor * 2 ** (number - 1)))

    def _failed(self, why: str, left: int) -> None:
        if self._logger:
            self._logger.warn_with(
                "request failed", step=self._name, retries_left=left, error=why
            )

    def _failure(self, url: str, exc: Exception) -> OSError:
        if isinstance(exc, socket.timeout) and not self._retries:
            return ReadTimeout(
                f"http request to {url} timed out in RemoteStep {self._name}, "
                f"{message(exc)}"
            )
        return OSError(f"cannot invoke url: {url}, {message(exc)}")


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
        retries: int | None = None,
        backoff_factor: float | None = None,
        timeout: float | None = None,
        **request: Any,
    ) -> None:
        self.name = name
        self._input_path = input_path
        self._result_path = result_path
        self._requests = Requests((url or "").strip("/"), **request)
        self._client = Client(
            context,
            name,
            6 if retries is None else retries,
            backoff_factor or 1,
            timeout,
        )

    def do_event(self, event: Any) -> Any:
        """The event with its new body."""
        body = event.body
        if self._input_path:
            body = paths.get_sync(body, self._input_path)
        answer = self._client.send(*self._requests.request(event, body))
        if answer.status >= 400:
            raise RuntimeError(f"bad http response {answer.status}: {answer.text}")
        result = self._requests.result(answer.body, answer.content_type)
        if self._result_path:
            result = paths.put_sync(event.body, self._result_path, result)
        event.body = result
        return event

    run = do_event
