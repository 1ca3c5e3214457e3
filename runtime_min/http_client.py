"""A small HTTP client for code that does not await: kept connections, redirects.

It does what requests does in MLRun's place, but for proxies of the environment, which
MLRun's flows that await do not use either. Threads may share one.
"""

from __future__ import annotations

import http.client
import select
import socket
import ssl
from email.message import Message
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MOST_REDIRECTS = 30
#: What may stand in a URL as it is; `%` as well, so that nothing is quoted twice.
_SAFE = "!#$%&'()*+,/:;=?@[]~"


class Answer:
    """The answer to a request."""

    def __init__(self, status: int, headers: Message, body: bytes) -> None:
        self.status = status
        #: By name, of which the case does not matter.
        self.headers = headers
        self.content_type: str = headers.get("Content-Type") or ""
        self.body = body

    @property
    def text(self) -> str:
        """The body, in the character set of its content type."""
        _, _, charset = self.content_type.partition("charset=")
        try:
            return self.body.decode(charset.strip("\"' ;") or "utf-8", "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")


class HttpClient:
    """Sends requests; `timeout` is that of connecting and of each wait for data."""

    def __init__(self, timeout: float | None = None) -> None:
        self._timeout = timeout
        self._idle: dict[tuple[str, str], list[http.client.HTTPConnection]] = {}

    def request(
        self, method: str, url: str, headers: dict[str, Any], data: str | bytes | None
    ) -> Answer:
        """The answer, whatever its status; raises OSError or HTTPException without one."""
        fields: dict[str, Any] = {"User-Agent": "Python-http.client", "Accept": "*/*"}
        fields.update(headers)
        body = data.encode() if isinstance(data, str) else data
        for _ in range(_MOST_REDIRECTS):
            answer, target = self._exchange(method, url, fields, body)
            if target is None:
                return answer
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                fields.pop("Authorization", None)
            if answer.status in (302, 303) or (answer.status, method) == (301, "POST"):
                method, body = "GET", None
                fields.pop("Content-Type", None)
            url = target
        raise OSError(f"Exceeded {_MOST_REDIRECTS} redirects.")

    def close(self) -> None:
        """Close the connections that are kept."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def _exchange(
        self, method: str, url: str, headers: dict[str, Any], body: bytes | None
    ) -> tuple[Answer, str | None]:
        """One answer, and where it sends us."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise OSError(f"Invalid URL {url!r}")
        path = quote(parts.path or "/", _SAFE)
        if parts.query:
            path = f"{path}?{quote(parts.query, _SAFE)}"
        idle = self._idle.setdefault((parts.scheme, parts.netloc), [])
        connection = _alive(idle) or self._connect(parts)
        try:
            connection.request(method, path, body, _encoded(headers))
            reply = connection.getresponse()
            answer = Answer(reply.status, reply.headers, reply.read())
        except BaseException:
            connection.close()
            raise
        if not reply.will_close:
            idle.append(connection)
        location = reply.getheader("Location")
        if reply.status in _REDIRECTS and location:
            return answer, urljoin(url, location)
        return answer, None

    def _connect(self, parts: SplitResult) -> http.client.HTTPConnection:
        host, port = parts.hostname or "", parts.port
        connection = (
            http.client.HTTPConnection(host, port, timeout=self._timeout)
            if parts.scheme == "http"
            else http.client.HTTPSConnection(
                host, port, timeout=self._timeout, context=self._tls
            )
        )
        try:
            connection.connect()
        except socket.timeout:
            # Not to be taken for a wait for the answer.
            raise ConnectionError(f"connecting to {parts.netloc} timed out") from None
        return connection

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()


def _alive(idle: list[http.client.HTTPConnection]) -> http.client.HTTPConnection | None:
    """A connection that was kept and that the other side has kept, too."""
    while idle:
        connection = idle.pop()
        waiting = select.poll()
        waiting.register(connection.sock, select.POLLIN)
        if not waiting.poll(0):
            return connection
        connection.close()  # an end, or words that nobody asked for
    return None


def _encoded(headers: dict[str, Any]) -> dict[str, Any]:
    """Headers in UTF-8, as aiohttp sends them; http.client knows Latin-1 only."""
    return {
        name: value.encode() if isinstance(value, str) else value
        for name, value in headers.items()
    }
