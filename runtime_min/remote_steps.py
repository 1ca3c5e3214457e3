"""What classes of the user's own derive from that send requests: RemoteStep (mlrun 1.12).

Flows that await run them by `remote_own`, so that their client is not needed elsewhere.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from . import paths
from .remote_requests import Requests, decoded
from .remote_sync import Client
from .steps import Step


class RemoteStep(Step):
    """Sends each event to a service; the answer becomes the body, or a part of it.

    Subclasses may override `post_init`, `_generate_request` and `_get_data`; besides them
    `do_event` for flows that do not await, `_process_event` for those that do.
    """

    def __init__(
        self,
        url: str | None,
        subpath: str | None = None,
        method: str | None = None,
        headers: dict[str, Any] | None = None,
        url_expression: str | None = None,
        body_expression: str | None = None,
        return_json: bool = True,
        input_path: str | None = None,
        result_path: str | None = None,
        max_in_flight: int | None = None,
        retries: int | None = None,
        backoff_factor: float | None = None,
        timeout: float | None = None,
        headers_expression: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(input_path=input_path, result_path=result_path, **kwargs)
        self.url = url
        self.subpath = subpath
        self.method = method
        self.headers = headers
        self.url_expression = url_expression
        self.body_expression = body_expression
        self.headers_expression = headers_expression
        self.return_json = return_json
        self.max_in_flight = max_in_flight
        self.retries = 6 if retries is None else retries
        self.backoff_factor = backoff_factor
        self.timeout = timeout
        self._endpoint = ""
        self._request_builder = Requests("")
        #: aiohttp's, in flows that await.
        self._client_session: Any = None
        self._session: Client | None = None

    def post_init(self, mode: str | None = "sync", **kwargs: Any) -> None:
        """What is read of the attributes only once, when the worker starts."""
        known = {"context": self.context}
        self._request_builder = Requests(
            endpoint(self.url, self.context),
            self.subpath,
            url_expression=evaluated("event, endpoint", self.url_expression, known),
            body_expression=evaluated("event", self.body_expression, known),
            headers_expression=evaluated("event", self.headers_expression, known),
        )
        self._endpoint = self._request_builder.url

    def select_outlets(self, event: Any) -> Any:
        """The names of the steps that an event with this body goes to; None: all."""
        return None

    def do_event(self, event: Any) -> Any:
        """The event with its new body; flows that await do not call it."""
        body = event.body
        if self._input_path:
            body = paths.get_sync(body, self._input_path)
        method, url, headers, data, options = self._generate_request(event, body)
        if self._session is None:
            self._session = Client(
                self.context,
                self.name,
                self.retries,
                self.backoff_factor or 1,
                self.timeout,
            )
        answer = self._session.send(method, _with(url, options), headers, data)
        if answer.status >= 400:
            raise RuntimeError(f"bad http response {answer.status}: {answer.text}")
        result = self._get_data(answer.body, answer.headers)
        if self._result_path:
            result = paths.put_sync(event.body, self._result_path, result)
        event.body = result
        return event

    async def _process_event(self, event: Any) -> Any:
        """aiohttp's answer, read to its end; raises for a status from 500 on."""
        body = self._get_event_or_body(event)
        method, url, headers, data, options = self._generate_request(event, body)
        answer = await self._client_session.request(
            method, url, headers=headers, data=data, ssl=False, **(options or {})
        )
        await answer.read()
        if answer.status >= 500:
            text = await answer.text()
            raise RuntimeError(f"bad http response {answer.status}: {text}")
        return answer

    def _get_event_or_body(self, event: Any) -> Any:
        return (
            paths.get(event.body, self._input_path) if self._input_path else event.body
        )

    def _generate_request(
        self, event: Any, body: Any
    ) -> tuple[str, str, dict[str, Any], Any, dict[str, Any]]:
        """`(method, url, headers, data, more arguments of the client)`."""
        builder = self._request_builder
        builder.url = self._endpoint
        builder.method = self.method
        builder.headers = self.headers or {}
        return (*builder.request(event, body), {})

    def _get_data(self, data: Any, headers: Any) -> Any:
        """What an answer gives to the flow."""
        return decoded(data, headers.get("content-type", ""), self.return_json)


def endpoint(url: str | None, context: Any) -> str:
    """The address of a service; without a context a URL stays as it is, as in MLRun."""
    if not url or context is None:
        return url or ""
    if "://" not in url:
        raise ValueError(
            f"{url!r} is a function's name; MLRun's service knows its address: give a URL"
        )
    return url.strip("/")


def evaluated(parameters: str, expression: str | None, known: dict[str, Any]) -> Any:
    """The function that an expression is the body of, if there is one."""
    return eval(f"lambda {parameters}: {expression}", known, {}) if expression else None


def _with(url: str, options: dict[str, Any]) -> str:
    """The URL with the parameters among the options, all that this client knows."""
    for name in options.keys() - {"params"}:
        raise TypeError(f"requests of sync flows and routers take no {name!r}")
    if not options.get("params"):
        return url
    query = urlencode(options["params"], doseq=True)
    return f"{url}{'&' if '?' in url else '?'}{query}"
