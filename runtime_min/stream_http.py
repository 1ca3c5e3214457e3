"""Streams that are URLs: each message is the body of a POST (mlrun 1.12, HTTPOutputStream)."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit

from .http_client import HttpClient
from .stream_sender import Message, Sender, address, login, raise_for_status
from .streams import PATIENCE

_TIMEOUT = 30.0


class HttpStream(Sender):
    """`http://host/path`, `https://host/path`; any status below 400 confirms a message.

    Other than in MLRun, connections that break and statuses from 500 are tried again.
    """

    schemes = ("http", "https")

    def __init__(self, path: str, patience: float = PATIENCE, **_: Any) -> None:
        url = urlsplit(path)
        if not url.hostname:
            raise ValueError(f"{path!r} names no host")
        super().__init__(address(url) + url.path, 1, patience)
        self._url = path
        self._headers = {}
        user, password = login(url, "HTTP_STREAM")
        if user is not None:
            token = base64.b64encode(f"{user}:{password or ''}".encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"
        self._client = HttpClient(_TIMEOUT)

    def _send(self, messages: list[Message]) -> None:
        data = messages[0].data
        answer = self._client.request("POST", self._url, self._headers, data)
        raise_for_status(answer.status, answer.text)
        messages.clear()

    def _disconnect(self) -> None:
        self._client.close()
