"""Nuclio's side of an event, as far as the runtime looks at it."""

import types


class Response:
    def __init__(self, headers=None, body=None, content_type=None, status_code=200):
        self.headers = headers or {}
        self.body = body
        self.content_type = content_type or "text/plain"
        self.status_code = status_code


class Logger:
    def __init__(self):
        self.lines = []

    def error(self, message, *args):
        self.lines.append(("error", message))

    def warn(self, message, *args):
        self.lines.append(("warn", message))

    def warn_with(self, message, **fields):
        self.lines.append(("warn", message, fields))

    def info(self, message, *args):
        self.lines.append(("info", message))


class Context:
    """Nuclio's context."""

    def __init__(self):
        self.logger = Logger()
        self.Response = Response
        self.platform = None
        self.worker_id = "0"
        self.trigger = types.SimpleNamespace(kind="http", name="default-http")

    def errors(self):
        return [line[1] for line in self.logger.lines if line[0] == "error"]


class Event:
    def __init__(
        self,
        body=None,
        path="/",
        method="POST",
        content_type="",
        headers=None,
        kind="http",
        event_id="e1",
        topic=None,
    ):
        self.body = body
        self.path = path
        self.method = method
        self.content_type = content_type
        self.headers = headers
        self.trigger = types.SimpleNamespace(kind=kind, name=kind)
        self.id = event_id
        self.topic = topic
