"""What RemoteStep asks for an event, and what it makes of the answer (mlrun 1.12).

No client is in here: `remote` sends requests where a flow awaits, `remote_sync` elsewhere.
"""

from __future__ import annotations

import json
from typing import Any, Callable

from .json_text import encoder

_json_text = encoder()
#: Of an answer: everything that does not say JSON stays bytes, unless JSON is demanded.
_JSON = "application/json"

Expression = Callable[[Any], Any]


class Requests:
    """Makes requests of events; expressions get the body.

    What is public may change from one event to the next.
    """

    def __init__(
        self,
        url: str,
        subpath: str | None = None,
        method: str | None = None,
        headers: dict[str, Any] | None = None,
        url_expression: Callable[[Any, str], str] | None = None,
        body_expression: Expression | None = None,
        headers_expression: Expression | None = None,
        return_json: bool = True,
    ) -> None:
        self.url = url
        self._url_expression = url_expression
        self._body_expression = body_expression
        self._headers_expression = headers_expression
        self.method = method
        self.headers = headers or {}
        self._return_json = return_json
        self._adds_path = False
        #: What `url_expression` gets: without the subpath.
        self._endpoint = self.url
        if subpath and not headers_expression:  # an oddity of mlrun 1.12
            self._adds_path = subpath == "$path"
            if not self._adds_path:
                self.url = f"{self.url}/{subpath.lstrip('/')}"

    def request(self, event: Any, body: Any) -> tuple[str, str, dict[str, Any], Any]:
        """`(method, url, headers, data)` for an event and the body, or a part of it."""
        method = self.method or event.method or "POST"
        if self._headers_expression:
            headers = dict(self._headers_expression(body))
        else:
            headers = dict(self.headers)
        if self._url_expression:
            url = self._url_expression(body, self._endpoint)
        else:
            url = self.url
            path = event.path.lstrip("/")
            if self._adds_path:
                url = f"{url}/{path}"
            if path:
                headers["MLRUN-EVENT-PATH"] = event.path
        if event.id:
            headers["MLRUN-EVENT-ID"] = event.id
        data, is_json = encoded(method, body, self._body_expression)
        if is_json:
            headers["Content-Type"] = _JSON
        return method, url, headers, data

    def result(self, data: bytes, content_type: str) -> Any:
        """What an answer gives to the flow."""
        return decoded(data, content_type, self._return_json)


def encoded(method: str, body: Any, expression: Expression | None) -> tuple[Any, bool]:
    """`(data, is it JSON made here?)`: text and bytes are sent as they are."""
    if method == "GET" or body is None:
        return None, False
    if isinstance(body, (str, bytes)):
        return body, False
    return _json_text(expression(body) if expression else body), True


def decoded(data: Any, content_type: str, return_json: bool) -> Any:
    """The value of an answer; raises JSONDecodeError where JSON is due and there is none."""
    is_due = return_json or content_type.lower() == _JSON
    return json.loads(data) if is_due and isinstance(data, (str, bytes)) else data
