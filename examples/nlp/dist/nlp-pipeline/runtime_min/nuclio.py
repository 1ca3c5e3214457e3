"""Events in, responses out: what surrounds a graph when Nuclio runs it.

`decode` and `unwrap` make an event what the first step sees, `response` and `failure`
make what the caller sees. The rules are those of mlrun 1.12 (`serving/server.py`).
"""

from __future__ import annotations

import json
from copy import copy
from typing import Any

from .json_text import encoder

#: What a flow returns when a step dropped the event. MLRun leaves such a caller without
#: an answer until Nuclio gives up; here it gets 204, No Content.
DROPPED = object()

_ON_EVENT = object()

_STREAM_TRIGGERS = frozenset(
    ["kafka", "kafka-cluster", "rabbit-mq", "rabbitMq", "v3ioStream", "v3io-stream"]
)
#: Of RemoteStep, as mlrun 1.12 spells them, as Nuclio's HTTP trigger writes every name,
#: and as HTTP/2 does. Other triggers leave names as they are, in any case.
_EVENT_HEADERS = frozenset(
    spelled
    for name in ("MLRUN-EVENT-ID", "MLRUN-EVENT-PATH")
    for spelled in (name, name.title(), name.lower())
)
_JSON_TYPES = frozenset(["", "json", "application/json"])
_encoded = encoder()
_LONGEST_ERROR = 32_000


class BadEvent(ValueError):
    """The event says that its body is JSON, and it is not."""


def decode(event: Any, default_content_type: str = "") -> None:
    """Settle the event's path, id, content type and body; raises BadEvent."""
    kind = event.trigger.kind
    if kind in _STREAM_TRIGGERS:
        # Nuclio puts the name of the stream into the path.
        event.stream_path = getattr(event, "topic", None) or event.path
        event.path = "/"
    headers = event.headers
    if headers and (kind != "http" or not _EVENT_HEADERS.isdisjoint(headers)):
        _apply_headers(event, headers)

    content_type = event.content_type or default_content_type
    event.content_type = content_type
    body = event.body
    if isinstance(body, dict):  # as most are by now: Nuclio decodes JSON
        return
    if isinstance(body, (str, bytes)):
        if body == b"" and kind == "http":
            event.body = None  # as Nuclio hands over either for a request without body
        elif content_type in _JSON_TYPES:
            try:
                event.body = json.loads(body)
            except ValueError as exc:
                if content_type:
                    raise BadEvent(f"failed to json decode event, {exc}") from exc


def _apply_headers(event: Any, headers: dict[str, Any]) -> None:
    """Take id and path from the headers with which RemoteStep hands them on.

    Without regard to case, as Nuclio's HTTP trigger writes `Mlrun-Event-Id`; mlrun 1.12
    knows the capitals only. Kafka's values are bytes, those of NATS lists.
    """
    for name, value in headers.items():
        field = {"mlrun-event-id": "id", "mlrun-event-path": "path"}.get(name.lower())
        if isinstance(value, (list, tuple)) and value:
            value = value[0]
        if isinstance(value, bytes):
            value = value.decode()
        if field and value:
            setattr(event, field, value)


def unwrap(event: Any) -> Any:
    """The event's body, taken out of the envelope in which queues carry it.

    The envelope restores the id and the key of the event that was sent.
    """
    body = event.body
    if isinstance(body, dict) and body.get("full_event_wrapper"):
        for field in ("id", "key"):
            if body.get(field) is not None:
                setattr(event, field, body[field])
        event.body = body = body.get("body")
    return body


def unwrap_event(event: Any) -> Any:
    """As `unwrap`, for steps that get the event: with what storey 1.12 gives events."""
    body = unwrap(event)
    if not hasattr(event, "key"):
        event.key = None
    if not hasattr(event, "processing_time"):
        event.processing_time = event.timestamp
    return body


def body_of(result: Any) -> Any:
    """The body, if the last step of a sync flow returned an event; else the result.

    A Response has a body, too, but is an answer as it is.
    """
    if hasattr(result, "body") and not hasattr(result, "status_code"):
        return result.body
    return result


def event_of(result: Any) -> Any:
    """What an event step of an async flow returned; raises AttributeError if it has no body.

    As storey 1.12, which looks at the body before the next step does: the failure is that
    of the step that returned it.
    """
    _ = result.body
    return result


def response(context: Any, body: Any) -> Any:
    """The answer for what a graph returned; raises TypeError if JSON cannot hold it.

    An exception that is returned counts as raised, as in storey's `AwaitableResult`.
    """
    if isinstance(body, (dict, list)):
        # By place, headers first: by name it takes half as long again.
        return context.Response(None, _encoded(body), "application/json", 200)
    if isinstance(body, (str, bytes)):
        return context.Response(body=body, content_type="text/plain", status_code=200)
    if isinstance(body, context.Response):
        return body
    if body is DROPPED:
        return context.Response(body="", status_code=204)
    if isinstance(body, Exception):
        return failure(context, body)
    if body:
        return context.Response(None, _encoded(body), "application/json", 200)
    # None, 0 and False are text, as in mlrun.
    return context.Response(body=str(body), content_type="text/plain", status_code=200)


def failure(
    context: Any,
    exc: BaseException,
    causes: bool = False,
    verbose: bool = False,
    event: Any = None,
    at: Any = None,
) -> Any:
    """The answer for an exception that no step handled; it is logged, too.

    `causes` adds the messages of the exceptions it came from, `verbose` the traceback; with
    `event` the log has its body, which mlrun logs of verbose functions; `at` is an event of
    whose place in its stream the log is told.
    """
    log_failure(context, exc, at)
    text = str(exc) if isinstance(exc, BadEvent) else error_text(exc, causes)
    if verbose and not isinstance(exc, BadEvent):
        text = f"{text}\n{_traceback(exc)}"
    if event is not None:
        context.logger.error(f"got error from _handler state:\n{event.body}\n{text}")
    return context.Response(
        body=text,
        content_type="text/plain",
        status_code=getattr(exc, "error_status_code", None) or 400,
    )


def record(
    context: Any,
    event: Any,
    exc: BaseException,
    source: str,
    body: Any = _ON_EVENT,
    causes: bool = False,
    **args: Any,
) -> None:
    """Write a step's failure, with the body it got, to the context's error stream."""
    if body is not _ON_EVENT:
        event = copy(event)
        event.body = body
    text = f"{message(exc) if causes else exc}\n{_traceback(exc)}"
    context.push_error(event, text, source=source, **args)


def log_failure(context: Any, exc: BaseException, at: Any = None) -> None:
    """Log an exception with its traceback, and where its event is in a stream."""
    context.logger.error(f"run error{place_of(at)}, {_traceback(exc)}")


def place_of(event: Any) -> str:
    """` at orders[0]@7` of an event of a stream that has offsets, else nothing.

    The event's id would not do, as Nuclio gives many events the same.
    """
    if getattr(event, "shard_id", -1) < 0:
        return ""
    stream = getattr(event, "topic", None) or event.stream_path
    return f" at {stream}[{event.shard_id}]@{event.offset}"


def error_text(exc: BaseException, causes: bool) -> str:
    """`<class>: <message>`, followed by the messages of the causes if wanted."""
    return f"{type(exc).__name__}: {message(exc, causes)}"


def message(exc: BaseException, causes: bool = True) -> str:
    """An exception's message and those of its causes; the middle of a long one goes."""
    messages = [str(exc) or repr(exc)]
    cause = exc.__cause__ if causes else None
    while cause is not None and len(messages) < 100:
        messages.append(str(cause) or repr(cause))
        cause = cause.__cause__
    text = ", caused by: ".join(messages)
    if len(text) > _LONGEST_ERROR:
        half = _LONGEST_ERROR // 2
        text = f"{text[:half]}...truncated...{text[-half:]}"
    return text


def _traceback(exc: BaseException) -> str:
    from .tracebacks import told  # when it is needed: most workers never do

    return told(exc)
