"""The base class of models: MLRun's V2 protocol (`mlrun/serving/v2_serving.py`, 1.12)."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import lru_cache
from threading import Thread
from time import monotonic, sleep, time_ns
from typing import Any, TypeVar

from . import paths
from .errors import MLRunInvalidArgumentError
from .model_files import find_model

Started = TypeVar("Started")

#: Seconds that a message of a stream waits for its model, as in mlrun 1.12.
_LONGEST_WAIT = 250
_BETWEEN_LOOKS = 1


def start(made: Started, mode: str | None = None, **told: Any) -> Started:
    """Call `post_init` of a model, router or step, as MLRun does once it is made.

    The mode is the function's load mode; classes that ask for more are `told` it.
    """
    starting: Any = made
    starting.post_init(mode, **told)
    return made


class V2ModelServer:
    """A model: subclasses write `load` and `predict`, and any of the hooks below.

    A request is `{"inputs": [...], "id": ..., "operation": ...}`, all but the inputs
    optional. The operation is the event's path, else the body's, else "infer". Any
    method `op_xx(event)` is an operation of its own.
    """

    def __init__(
        self,
        context: Any = None,
        name: Any = None,
        model_path: str | None = None,
        model: Any = None,
        protocol: str | None = None,
        input_path: str | None = None,
        result_path: str | None = None,
        shard_by_endpoint: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self.context = context
        self.name = name
        self.model_path = model_path
        self.model: Any = model or None
        self.protocol = protocol or "v2"
        self.ready = bool(model)
        self.error: Any = ""
        self.model_spec: Any = None
        self.metrics: dict[str, Any] = {}
        self.labels: dict[str, Any] = {}
        self.model_endpoint_uid = kwargs.get("model_endpoint_uid")
        self.output_schema = kwargs.get("outputs") or []
        self.shard_by_endpoint = shard_by_endpoint
        self._params = kwargs
        self._found_model = False
        self._input_path = input_path
        self._result_path = result_path

    def post_init(self, mode: str | None = "sync", **kwargs: Any) -> None:
        """Load the model, with the mode "async" in a thread while others are answered.

        A path that `load` did not look at is looked at now, so a wrong one stops the
        start, as with mlrun 1.12 on Nuclio, which looks again in any case, and then
        fails for folders without a pickle.
        """
        if not self.ready and mode == "async":
            Thread(target=self._load_aside, daemon=True).start()
            self.context.logger.info(f"started async model loading for {self.name}")
            return
        if not self.ready:
            self._load()
        if not self._found_model:
            self.get_model()
        if self.model_spec and not self.output_schema:
            self.output_schema = [feature.name for feature in self.model_spec.outputs]

    def _load(self) -> None:
        try:
            self.load()
        except Exception as exc:
            self.error = exc
            raise RuntimeError(f"failed to load model {self.name}") from exc
        self.ready = True
        self.context.logger.info(f"model {self.name} was loaded")

    def _load_aside(self) -> None:
        try:
            self._load()
        except RuntimeError as exc:
            # Callers are told that the model is not ready.
            self.context.logger.error(f"{exc}: {exc.__cause__!r}")

    # -- what subclasses use

    def get_param(self, key: str, default: Any = None) -> Any:
        """An argument of the route, else a parameter of the function."""
        if key in self._params:
            return self._params[key]
        return self.context.get_param(key, default)

    def get_model(self, suffix: str = "") -> tuple[Any, Any]:
        """`(local file, extra items)` of `model_path`; also sets `model_spec`."""
        if not self.model_path:
            return None, None
        file, self.model_spec, extra = find_model(self.model_path, suffix)
        self._found_model = True
        if self.model_spec:
            self._params.update(self.model_spec.parameters)
        return file, extra

    def set_metric(self, name: str, value: Any) -> None:
        """Keep a value for monitoring."""
        self.metrics[name] = value

    # -- what subclasses write

    def load(self) -> None:
        if not self.model:
            raise ValueError("please specify a load method or a model object")

    def preprocess(self, request: Any, operation: str) -> Any:
        return request

    def validate(self, request: Any, operation: str) -> Any:
        if self.protocol == "v2":
            validate_inputs(request)
        return request

    def predict(self, request: Any) -> Any:
        raise NotImplementedError()

    def explain(self, request: Any) -> Any:
        raise NotImplementedError()

    def postprocess(self, response: Any) -> Any:
        return response

    def logged_results(
        self, request: Any, response: Any, op: str
    ) -> tuple[list[Any] | None, list[Any] | None]:
        """What monitoring gets for inputs and outputs; (None, None) is all of them."""
        return None, None

    # -- the protocol

    def do_event(self, event: Any, *args: Any, **kwargs: Any) -> Any:
        """Carry out the event's operation; the answer becomes the event's body."""
        started = _utc_now()
        body = original = event.body
        if self._input_path:
            body = paths.get_sync(original, self._input_path)
        event_id = event.id
        operation = event.path.strip("/")
        if body and isinstance(body, dict):
            event_id = body.get("id", event_id)
            operation = operation or body.get("operation")
        if not operation and event.method != "GET":
            operation = "infer"

        if operation in ("infer", "predict", "infer_dict", "predict_dict"):
            request = self._request(event, body, operation)
            try:
                outputs = self.predict(request)
            except Exception:
                request["id"] = event_id
                raise
            answer: Any = {
                "id": event_id,
                "model_name": self.name.split(":")[0],
                "outputs": outputs,
                "timestamp": started,
            }
            if self.model_endpoint_uid:
                answer["model_endpoint_uid"] = self.model_endpoint_uid
            answer = self.postprocess(answer)
        elif operation == "ready" and event.method == "GET":
            event.terminated = True
            event.body = self._readiness(event_id)
            return event
        elif not operation:
            event.terminated = True
            answer = self._metadata()
        elif operation == "explain":
            request = self._request(event, body, operation)
            try:
                outputs = self.explain(request)
            except Exception:
                request["id"] = event_id
                raise
            answer = {"id": event_id, "model_name": self.name, "outputs": outputs}
            if self.model_endpoint_uid:
                answer["model_endpoint_uid"] = self.model_endpoint_uid
            answer = self.postprocess(answer)
        elif hasattr(self, "op_" + operation):
            answer = getattr(self, "op_" + operation)(event)
        else:
            raise ValueError(
                f"illegal model operation {operation}, method={event.method}"
            )
        if self._result_path:
            answer = paths.put_sync(original, self._result_path, answer)
        event.body = answer
        return event

    def _request(self, event: Any, body: Any, operation: str) -> Any:
        """The body as `predict` and `explain` get it."""
        if not self.ready:
            self._wait_until_ready(event)
        if operation.endswith("_dict"):
            body["inputs"] = self._columns(body)
        return self.validate(self.preprocess(body, operation), operation)

    def _wait_until_ready(self, event: Any) -> None:
        """Messages of streams wait for the model, callers are told; raises RuntimeError."""
        if event.trigger.kind in ("http", ""):
            raise RuntimeError(f"model {self.name} is not ready yet")
        self.context.logger.info(f"waiting for model {self.name} to load")
        deadline = monotonic() + _LONGEST_WAIT
        while monotonic() < deadline:
            sleep(_BETWEEN_LOOKS)
            if self.ready:
                return
        raise RuntimeError(f"model {self.name} is not ready {self.error}")

    def _columns(self, body: Any) -> list[Any]:
        """Inputs given by name, in the order of the model's specification."""
        if not self.model_spec or not self.model_spec.inputs:
            raise MLRunInvalidArgumentError(
                "In order to use predict_dict or infer_dict operation you have to "
                "provide `model_path` to the model server and to load it by `load()` "
                "function"
            )
        names = [feature.name for feature in self.model_spec.inputs]
        inputs = body.get("inputs")
        try:
            if isinstance(inputs, dict):
                return [inputs[name] for name in names]
            if isinstance(inputs, list) and all(isinstance(x, dict) for x in inputs):
                return [[row[name] for name in names] for row in inputs]
        except KeyError:
            raise MLRunInvalidArgumentError(
                f"Input dictionary don't contain all the necessary input keys : {names}"
            ) from None
        raise MLRunInvalidArgumentError(
            "When using predict_dict or infer_dict operation the inputs must be "
            "of type `list[dict]` or `dict`"
        )

    def _readiness(self, event_id: str) -> Any:
        if not self.ready:
            return self.context.Response(status_code=408, body=b"model not ready")
        text = f"Model {self.name} is ready (event_id = {event_id})"
        return self.context.Response(status_code=200, body=text.encode())

    def _metadata(self) -> dict[str, Any]:
        spec = self.model_spec
        return {
            "name": self.name.split(":")[0],
            "model_endpoint_uid": self.model_endpoint_uid or "",
            "inputs": spec.inputs.to_dict() if spec else [],
            "outputs": spec.outputs.to_dict() if spec else [],
        }


def validate_inputs(request: Any) -> None:
    """Refuse a request without a list of inputs.

    With a plain Exception: callers see the name of the class.
    """
    if "inputs" not in request:
        raise Exception('Expected key "inputs" in request body')  # noqa: TRY002
    if not isinstance(request["inputs"], list):
        raise Exception('Expected "inputs" to be a list')  # noqa: TRY002, TRY004


def _utc_now() -> str:
    """Now, like `2026-01-31 08:22:04.071761+00:00`, several times faster than isoformat."""
    seconds, micros = divmod(time_ns() // 1000, 1_000_000)
    return f"{_to_the_second(seconds)}.{micros:06d}+00:00"


@lru_cache(maxsize=1)
def _to_the_second(seconds: int) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S")
