"""storey's HttpRequest and HttpResponse, for the user's functions of a SendToHttp."""

from __future__ import annotations

from typing import Any


class HttpRequest:
    """A request that is to be sent."""

    def __init__(
        self, method: str, url: str, body: Any, headers: dict[str, Any] | None = None
    ) -> None:
        self.method = method
        self.url = url
        self.body = body
        self.headers = {} if headers is None else headers


class HttpResponse:
    """A status and the text that came with it."""

    def __init__(self, status: int, body: str) -> None:
        self.status = status
        self.body = body
