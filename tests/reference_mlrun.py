"""A stand-in for `mlrun` that graph files of the tests run with: see `reference`.

Models and routers say what serving.md 5 and 6 say, in as few words as the random graphs need; the
graph API does nothing, as what a graph file builds is known from the IR.
"""

from __future__ import annotations

import builtins
import copy
import json
import urllib.error
import urllib.parse
import urllib.request
from collections import namedtuple
from types import ModuleType, SimpleNamespace
from typing import Any


class Event(SimpleNamespace):
    """An event: attributes that travel with a request."""


class Response:
    """An answer that a step made itself."""

    def __init__(
        self, headers: Any = None, body: Any = None, content_type: str = "text/plain",
        status_code: int = 200,
    ) -> None:  # fmt: skip
        self.body, self.content_type, self.status_code = body, content_type, status_code
        self.headers = headers or {}

    def __repr__(self) -> str:  # as nuclio-sdk's, which streams show
        return (
            f"Response(headers={self.headers!r}, body={self.body!r}, "
            f"status_code={self.status_code!r}, content_type={self.content_type!r}, event_id=None)"
        )


class Context:
    """What steps see of the function (serving.md 9)."""

    Response = Response
    project = ""

    def __init__(self, function: Any, push_error: Any) -> None:
        self.push_error = push_error
        self._parameters = dict(function.serving.parameters)
        self._secrets: dict[str, Any] = {}
        for secrets in function.serving.secrets:
            self._secrets |= secrets.source

    def get_param(self, key: str, default: Any = None) -> Any:
        return self._parameters.get(key, default)

    def get_secret(self, key: str) -> Any:
        return self._secrets.get(key)


# -- storey (stream-steps.md 1.4, 2)

Partitioned = namedtuple("Partitioned", ["left", "right"])


class Choice:
    def __init__(self, **kw: Any) -> None:
        pass


class ChoiceByField(Choice):
    def __init__(self, field_name: Any, **kw: Any) -> None:
        self.field_name = field_name

    def select_outlets(self, event: Any) -> Any:
        name = self.field_name
        if name not in event:
            raise MLRunRuntimeError(
                f"Field '{name}' is not contained in the event keys {list(event.keys())}."
            )
        outlet = event[name]
        if outlet is None:
            raise MLRunInvalidArgumentError(f"Field '{name}' exists but its value is None.")
        if not isinstance(outlet, (str, list, tuple)):
            raise MLRunInvalidArgumentTypeError(
                f"Field '{name}' must be a string or list of strings "
                f"but is instead of type '{type(outlet).__name__}'."
            )
        if not outlet and not isinstance(outlet, str):
            kind = type(outlet).__name__
            raise MLRunRuntimeError(f"The value of the key '{name}' cannot be an empty {kind}.")
        return [outlet] if isinstance(outlet, str) else outlet


class MLRunRuntimeError(Exception):
    status = 500


class MLRunInvalidArgumentError(Exception):
    pass


class MLRunInvalidArgumentTypeError(Exception):
    pass


class MapClass:
    def __init__(self, **kw: Any) -> None:
        self._filter = False

    def filter(self) -> None:
        self._filter = True

    def dropped(self) -> bool:
        dropped, self._filter = self._filter, False
        return dropped


# -- models and routers (serving.md 5, 6)


class V2ModelServer:
    def __init__(self, context: Any = None, name: str = "", model_path: Any = None, **kw: Any):
        self.context, self.name, self.params = context, name, kw

    def post_init(self) -> None:
        self.load()

    def load(self) -> None:
        raise ValueError("please specify a load method or a model object")

    def get_param(self, key: str, default: Any = None) -> Any:
        return self.params.get(key, default)

    def preprocess(self, request: Any, operation: str) -> Any:
        return request

    def validate(self, request: Any, operation: str) -> Any:
        return check_inputs(request)

    def predict(self, request: Any) -> Any:
        raise NotImplementedError

    explain = predict

    def postprocess(self, response: Any) -> Any:
        return response

    def do_event(self, event: Any) -> Any:
        body, operation = event.body, event.path.strip("/")
        named = body if isinstance(body, dict) else {}
        operation = (
            operation or named.get("operation") or ("" if event.method == "GET" else "infer")
        )
        answer: Any = {"id": named.get("id", event.id), "model_name": self.name.split(":")[0]}
        if operation in ("infer", "predict", "explain"):
            request = self.validate(self.preprocess(body, operation), operation)
            try:
                if operation == "explain":
                    answer |= {"model_name": self.name, "outputs": self.explain(request)}
                else:
                    answer |= {"outputs": self.predict(request), "timestamp": "now"}
            except Exception:
                request["id"] = answer["id"]
                raise
            event.body = self.postprocess(answer)
        elif operation == "ready" and event.method == "GET":
            event.terminated = True
            event.body = Response(
                body=f"Model {self.name} is ready (event_id = {answer['id']})".encode()
            )
        elif not operation:
            event.terminated = True
            event.body = metadata(self.name.split(":")[0])
        elif hasattr(self, f"op_{operation}"):
            event.body = getattr(self, f"op_{operation}")(event)
        else:
            raise ValueError(f"illegal model operation {operation}, method={event.method}")
        return event


def check_inputs(request: Any) -> Any:
    if "inputs" not in request:
        raise Exception('Expected key "inputs" in request body')
    if not isinstance(request["inputs"], list):
        raise Exception('Expected "inputs" to be a list')
    return request


def metadata(name: str) -> dict[str, Any]:
    return {"name": name, "model_endpoint_uid": "", "inputs": [], "outputs": []}


class ModelRouter:
    def __init__(
        self, context: Any = None, name: Any = None, routes: Any = None, url_prefix: str = "",
        **kw: Any,
    ):  # fmt: skip
        self.context, self.name, self.routes = context, name, routes
        self.prefix = url_prefix or "/v2/models"

    def preprocess(self, event: Any) -> Any:
        return event

    postprocess = preprocess

    def do_event(self, event: Any) -> Any:
        event = self.preprocess(event)
        if event.body and event.method != "GET" and not isinstance(event.body, dict):
            try:
                parsed = json.loads(event.body)
                event.body = {} if "data_url" in parsed else parsed
            except Exception as exc:
                raise ValueError("Unrecognized request format") from exc
        if event.method == "GET" and (event.path == "/" or event.path.startswith("/v2/health")):
            event.terminated = True
            event.body = {"name": type(self).__name__, "version": "v2", "extensions": []}
            return event
        if event.path not in ("", "/") and not event.path.startswith(self.prefix):
            raise ValueError(f"illegal path prefix {event.path}, must start with {self.prefix}")
        if event.terminated:  # by a router before this one
            return event
        return self.handle(event)

    def split(self, event: Any) -> tuple[str, str | None]:
        """`(model, operation)` that the path names; of `/` the operation is None."""
        if event.path in ("", "/"):
            return "", None
        model, *rest = event.path[len(self.prefix) :].strip("/").split("/")
        if len(rest) > 1 and rest[0] == "versions":
            model, rest = f"{model}:{rest[1]}", rest[2:]
        return model, "/".join(rest)

    def handle(self, event: Any) -> Any:
        model, operation = self.split(event)
        if not model and operation is not None:
            event.terminated, event.body = True, {"models": list(self.routes)}
            return self.postprocess(event)
        if isinstance(event.body, dict):
            model = model or event.body.get("model", next(iter(self.routes)))
            operation = event.body.get("operation", operation)
        if model not in self.routes:
            known = " | ".join(self.routes)
            raise ValueError(f"model {model} doesnt exist, available models: {known}")
        event.path = "infer" if operation is None else operation
        event.body = self.routes[model].run(event).body
        return self.postprocess(event)


class VotingEnsemble(ModelRouter):
    def __init__(self, *args: Any, vote_type: Any = None, weights: Any = None, **kw: Any):
        super().__init__(*args, **kw)
        self.vote_type, self.given = vote_type, weights

    def handle(self, event: Any) -> Any:
        model, operation = self.split(event)
        if not model and operation is not None:
            event.terminated, event.path = True, ""
            listed = self.given
            if listed is not None and 1 - sum(listed.values()) <= 1e-5:
                listed = dict.fromkeys(self.routes, 0) | listed  # as mlrun 1.12 fills it up
            event.body = {"models": [*self.routes, self.name], "weights": listed}
            return event
        if model in ("infer", "predict", "explain") and not operation:
            model, operation = self.name, model
        elif isinstance(event.body, dict):
            model, operation = model or self.name, event.body.get("operation", operation)
        if model != self.name and model not in self.routes:
            known = " | ".join([*self.routes, self.name])
            raise ValueError(
                f"model {model} doesnt exist, available models: {known} "
                "or an operation alone for ensemble operation"
            )
        event.path = "infer" if operation is None else operation
        if event.method != "GET":
            check_inputs(event.body)
        if model in self.routes:
            event.body = self.postprocess(self.routes[model].run(event)).body
            return event
        answer = copy.copy(event)
        if event.method == "GET":
            if event.path:
                raise AttributeError(f"{self.name} has no operation {event.path} for GET")
            answer.body = metadata(self.name)
        else:
            answer.body = {"id": event.id, "model_name": self.name, "outputs": self.vote(event)}
        event.body = self.postprocess(answer).body
        return event

    def vote(self, event: Any) -> Any:
        bodies, weights = [], []
        for name, route in self.routes.items():
            try:
                bodies.append(route.run(copy.copy(event)).body)
                weights.append(1 / len(self.routes) if not self.given else self.given.get(name, 0))
            except Exception:
                continue  # those that fail do not vote (Q25)
        columns = [body["outputs"] for body in bodies]
        if self.vote_type is None:
            whole = all(float(value).is_integer() for column in columns for value in column)
            self.vote_type = "classification" if whole else "regression"
        if not columns and self.vote_type == "regression":
            return 0.0
        if not any(columns) and self.vote_type == "classification":
            raise ValueError("zero-size array to reduction operation maximum which has no identity")
        votes = []
        if self.vote_type != "classification":
            for row in zip(*columns, strict=True):
                votes.append(sum(w * v for w, v in zip(weights, row, strict=True)))
            # One array holds numbers of one type.
            return votes if {*map(type, votes)} <= {int} else [*map(float, votes)]
        top = max((int(value) for column in columns for value in column), default=0)
        for row in zip(*columns, strict=True):
            if top < 0:
                raise ValueError("attempt to get argmax of an empty sequence")
            count = dict.fromkeys(range(top + 1), 0.0)
            for weight, value in zip(weights, row, strict=True):
                if int(value) >= 0:
                    count[int(value)] += weight
            votes.append(max(count, key=lambda kind: (count[kind], -kind)))
        numbers = [*weights, *(value for column in columns for value in column)]
        if self.vote_type != "classification" and any(isinstance(n, float) for n in numbers):
            return [float(vote) for vote in votes]
        return votes


class ParallelRun(ModelRouter):
    def __init__(
        self, *args: Any, extend_event: Any = None, executor_type: str = "thread", **kw: Any
    ):
        super().__init__(*args, **kw)
        self.extend_event, self.strict = extend_event, executor_type == "array"

    def merger(self, body: Any, results: Any) -> Any:
        for result in results.values():
            body.update(result)
        return body

    def handle(self, event: Any) -> Any:
        results = {}
        for name, route in self.routes.items():
            try:
                results[name] = route.run(copy.copy(event)).body
            except Exception:
                if self.strict:
                    raise
        answer = copy.copy(event)
        if not self.extend_event:
            answer.body = {}
        self.merger(answer.body, results)  # which is to change it, whatever it returns
        event.body = self.postprocess(answer).body
        return event


# -- requests to services (serving.md 8.6, 8.7)


class RemoteStep:
    """Expressions are texts; nothing is tried again."""

    def __init__(
        self, url: Any = None, subpath: Any = None, method: Any = None, headers: Any = None,
        url_expression: Any = None, body_expression: Any = None, return_json: bool = True,
        headers_expression: Any = None, context: Any = None, name: str = "", **kw: Any,
    ) -> None:  # fmt: skip
        self.url, self.subpath, self.method, self.headers = url, subpath, method, headers
        self.url_expression, self.body_expression = url_expression, body_expression
        self.headers_expression, self.return_json = headers_expression, return_json
        self.context, self.name = context, name

    def _generate_request(self, event: Any, body: Any) -> Any:
        known = {"event": body, "endpoint": self.url.strip("/"), "context": self.context}
        method, url = self.method or event.method or "POST", known["endpoint"]
        headers = dict(self.headers or {})
        if self.headers_expression:
            headers = dict(eval(self.headers_expression, known))
        elif self.subpath:
            url += "/" + (event.path if self.subpath == "$path" else self.subpath).lstrip("/")
        if self.url_expression:
            url = eval(self.url_expression, known)
        return method, url, headers, self._data(method, body, known), {}

    def _data(self, method: str, body: Any, known: Any) -> Any:
        if method == "GET" or body is None or isinstance(body, (str, bytes)):
            return None if method == "GET" else body
        return json.dumps(eval(self.body_expression, known) if self.body_expression else body)

    def _get_data(self, data: bytes, headers: Any) -> Any:
        is_json = self.return_json or headers.get("Content-Type") == "application/json"
        return json.loads(data) if is_json else data

    def requests(self, event: Any, body: Any) -> list[Any]:
        """What is asked for a body."""
        return [self._generate_request(event, body)[:4]]

    def result(self, answers: list[tuple[int, bytes, str]], bad: Any) -> Any:
        """What the answers give; `bad` makes an exception of a status."""
        ((status, answer, kind),) = answers
        if status >= 400:
            raise bad(status, answer)
        return self._get_data(answer, {"Content-Type": kind})


class BatchHttpRequests(RemoteStep):
    def requests(self, event: Any, body: Any) -> list[Any]:
        method = self.method or event.method or "POST"
        url = "/".join(filter(None, [(self.url or "").strip("/"), self.subpath]))
        found = []
        for element in body:
            known = {"event": element}
            asked = eval(self.url_expression, known) if self.url_expression else url
            found.append((method, asked, {}, self._data(method, element, known)))
        return found

    def result(self, answers: list[tuple[int, bytes, str]], bad: Any) -> Any:
        for status, answer, _ in answers:
            if status >= 500:
                raise bad(status, answer)
        return [self._get_data(answer, {"Content-Type": kind}) for _, answer, kind in answers]


def exchange(method: str, url: str, headers: Any, data: Any) -> tuple[int, bytes, str]:
    """The status, body and content type of an answer."""
    sent = data.encode() if isinstance(data, str) else data
    quoted = urllib.parse.quote(url, safe="!#$%&'()*+,/:;=?@[]~")
    request = urllib.request.Request(quoted, sent, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read(), answer.headers.get("Content-Type") or ""
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read(), ""


# -- graph files


class Anything:
    """Stands for the graph API: what a graph file builds is known from the IR."""

    def __getattr__(self, name: str) -> Any:
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self

    __getitem__ = __getattr__


def run_file(text: str) -> dict[str, Any]:
    """The names of a graph file, run with the `mlrun` of this module."""
    kinds = (V2ModelServer, ModelRouter, VotingEnsemble, ParallelRun, RemoteStep, BatchHttpRequests)
    module, storey = ModuleType("mlrun"), ModuleType("storey")
    module.serving = SimpleNamespace(  # type: ignore[attr-defined]
        **{kind.__name__: kind for kind in kinds}, states=Anything()
    )
    module.new_function = Anything()  # type: ignore[attr-defined]
    storey.Choice, storey.MapClass = Choice, MapClass  # type: ignore[attr-defined]

    def find(
        name: str, scope: Any = None, local: Any = None, wanted: Any = (), level: int = 0
    ) -> Any:
        if name.partition(".")[0] == "mlrun":
            return module.serving if wanted else module
        if name == "storey":
            return storey
        return builtins.__import__(name, scope, local, wanted, level)

    namespace = {"__builtins__": {**vars(builtins), "__import__": find}, "__name__": "graph"}
    exec(compile(text, "graph.py", "exec"), namespace)
    return namespace


LIBRARY: dict[str, Any] = {
    "mlrun.serving.V2ModelServer": V2ModelServer,
    "mlrun.serving.ModelRouter": ModelRouter,
    "mlrun.serving.VotingEnsemble": VotingEnsemble,
    "mlrun.serving.routers.ParallelRun": ParallelRun,
    "mlrun.serving.steps.ChoiceByField": ChoiceByField,
    "mlrun.serving.remote.RemoteStep": RemoteStep,
    "mlrun.serving.remote.BatchHttpRequests": BatchHttpRequests,
}
