"""What classes of the user's own derive from that send a request for each element (mlrun 1.12)."""

from __future__ import annotations

import asyncio
from typing import Any

from . import paths
from .in_flight import retried
from .remote import PASSING
from .remote_requests import decoded, encoded
from .remote_steps import endpoint, evaluated
from .steps import Step


class BatchHttpRequests(Step):
    """Sends a request for each element of a list, all at once; a list of the answers.

    Subclasses may override `post_init`, `_process_event`, `_submit` and `_get_data`.
    """

    def __init__(
        self,
        url: str | None = None,
        subpath: str | None = None,
        method: str | None = None,
        headers: dict[str, Any] | None = None,
        url_expression: str | None = None,
        body_expression: str | None = None,
        return_json: bool = True,
        input_path: str | None = None,
        result_path: str | None = None,
        retries: int | None = None,
        backoff_factor: float | None = None,
        timeout: float | None = None,
        max_in_flight: int | None = None,
        **kwargs: Any,
    ) -> None:
        if url and url_expression:
            raise ValueError("cannot set both url and url_expression")
        super().__init__(input_path=input_path, result_path=result_path, **kwargs)
        self.url = url
        self.subpath = subpath
        self.method = method
        self.headers = headers
        self.url_expression = url_expression
        self.body_expression = body_expression
        self.return_json = return_json
        self.max_in_flight = max_in_flight
        self.retries = retries
        self.backoff_factor = backoff_factor
        self.timeout = timeout
        self._endpoint = ""
        self._url_function_handler: Any = None
        self._body_function_handler: Any = None
        self._client_session: Any = None

    def post_init(self, mode: str | None = "sync", **kwargs: Any) -> None:
        """What is read of the attributes only once, when the worker starts."""
        self._endpoint = endpoint(self.url, self.context)
        self._url_function_handler = evaluated("event", self.url_expression, {})
        self._body_function_handler = evaluated("event", self.body_expression, {})
        if self.subpath and not self.url_expression:
            self._endpoint = f"{self._endpoint}/{self.subpath.lstrip('/')}"

    def select_outlets(self, event: Any) -> Any:
        """The names of the steps that an event with this body goes to; None: all."""
        return None

    async def _process_event(self, event: Any) -> list[tuple[Any, Any]]:
        """`(body, headers)` of each answer, in the order of the elements."""
        method = self.method or event.method or "POST"
        urls, contents = [], []
        for element in self._get_event_or_body(event):
            urls.append(
                self._url_function_handler(element)
                if self._url_function_handler
                else self._endpoint
            )
            contents.append(encoded(method, element, self._body_function_handler))
        headers = dict(self.headers or {})
        if any(is_json for _, is_json in contents):
            headers["Content-Type"] = "application/json"
        return await asyncio.gather(
            *(
                self._submit_with_retries(method, url, headers, data)
                for url, (data, _) in zip(urls, contents)
            )
        )

    async def _submit_with_retries(
        self, method: str, url: str, headers: dict[str, Any], body: Any
    ) -> tuple[Any, Any]:
        own = type(self)._submit is not BatchHttpRequests._submit

        def failed(exc: BaseException, left: int) -> None:
            if self.logger:
                self.logger.warn_with(
                    "request failed", step=self.name, retries_left=left, error=repr(exc)
                )

        return await retried(
            lambda: self._submit(method, url, headers, body),
            retries=self.retries or 6,
            backoff_factor=1 if self.backoff_factor is None else self.backoff_factor,
            on=(Exception,) if own else PASSING,
            failed=failed,
        )

    async def _submit(
        self, method: str, url: str, headers: dict[str, Any], body: Any
    ) -> tuple[Any, Any]:
        """One attempt; raises for a status from 500 on."""
        async with self._client_session.request(
            method, url, headers=headers, data=body, ssl=False
        ) as answer:
            if answer.status >= 500:
                text = await answer.text()
                raise RuntimeError(f"bad http response {answer.status}: {text}")
            return await answer.read(), answer.headers

    def _get_event_or_body(self, event: Any) -> Any:
        return (
            paths.get(event.body, self._input_path) if self._input_path else event.body
        )

    def _get_data(self, data: Any, headers: Any) -> Any:
        """What one answer gives."""
        return decoded(data, headers.get("content-type", ""), self.return_json)
