"""Model tracking: a record of each request that a model answers (mlrun 1.12).

`tracked` makes a class whose models write records. Unlike MLRun, which edits requests
and answers in place, records are made of copies.
"""

from __future__ import annotations

import random
import traceback
from datetime import datetime, timezone
from typing import Any, TypeVar, cast

from . import paths
from .models import V2ModelServer

Tracked = TypeVar("Tracked")


class OutputStream:
    """`context.stream.output_stream`: a stream that takes lists of records."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def push(self, data: Any, partition_key: str | None = None) -> None:
        for record in data if isinstance(data, list) else [data]:
            self._stream.push(record, partition_key)


def output(stream: Any) -> OutputStream | None:
    """The stream for records; None if there is none."""
    return None if stream is None else OutputStream(stream)


def tracked(cls: type[Tracked]) -> type[Tracked]:
    """The model class, writing records. Its own methods come first, as they were."""
    bases = (_Tracked,) if issubclass(_Tracked, cls) else (cls, _Tracked)
    made: Any = type(cls.__name__, bases, {"__module__": cls.__module__})
    return cast("type[Tracked]", made)


class Log:
    """Writes the records of one model or ensemble."""

    def __init__(self, model: Any, context: Any) -> None:
        self._model = model
        self._context = context
        self._share = float(context.get_param("sampling_percentage", 100))

    def push(
        self, started: datetime, request: Any, response: Any, op: str | None, key: Any
    ) -> None:
        """A record of an answered request, or of the inputs picked from it."""
        inputs = request["inputs"]
        if any(not isinstance(row, list) for row in inputs):
            inputs = [inputs]
        elapsed = datetime.now(timezone.utc) - started
        if self._share != 100:
            picked = [
                index
                for index in range(len(inputs))
                if random.random() < self._share / 100
            ]
            if not picked:
                return
            inputs = [inputs[index] for index in picked]
            response = _picked(response, picked)
        record = self._base(started, {**request, "inputs": inputs}, op)
        record["resp"] = response
        record["microsec"] = elapsed.microseconds
        if getattr(self._model, "metrics", None):
            record["metrics"] = self._model.metrics
        record["effective_sample_count"] = len(inputs)
        self._write(record, key)

    def push_failure(
        self, started: datetime, request: Any, exc: Exception, op: str, key: Any
    ) -> None:
        """A record of a request that the model failed on."""
        record = self._base(started, request, op)
        text = str(exc)
        if self._context.verbose:
            text = f"{text}\n{traceback.format_exc()}"
        record["error"] = text
        self._write(record, key)

    def _base(self, started: datetime, request: Any, op: str | None) -> dict[str, Any]:
        model, stream = self._model, self._context.stream
        record = {
            "class": type(model).__name__,
            "worker": self._context.worker_id,
            "model": model.name,
            "host": stream.hostname,
            "function_uri": stream.function_uri,
            "endpoint_id": model.model_endpoint_uid,
            "sampling_percentage": self._share,
        }
        if getattr(model, "labels", None):
            record["labels"] = model.labels
        return {**record, "request": request, "op": op, "when": _text(started)}

    def _write(self, record: dict[str, Any], key: Any) -> None:
        try:
            self._context.stream.output_stream.push([record], partition_key=key)
        except Exception as exc:  # noqa: BLE001
            # The caller gets the model's answer, whatever becomes of the record.
            self._context.logger.error(f"a tracking record is lost: {exc!r}")


def log_of(model: Any) -> Log | None:
    """The log of a model; None without an endpoint to write for, or a stream."""
    if not model.model_endpoint_uid or model.context.stream.output_stream is None:
        return None
    return Log(model, model.context)


def key_of(model: Any) -> Any:
    """The partition of a model's records."""
    return model.model_endpoint_uid if model.shard_by_endpoint is not False else None


class _Tracked(V2ModelServer):
    """V2ModelServer's protocol with records; `tracked` puts it behind a model's class."""

    def do_event(self, event: Any, *args: Any, **kwargs: Any) -> Any:
        body = original = event.body
        if self._input_path:
            body = paths.get_sync(original, self._input_path)
        named = body if body and isinstance(body, dict) else {}
        op = event.path.strip("/") or named.get("operation")
        op = op or ("infer" if event.method != "GET" else "")
        log = log_of(self)
        known = ("infer", "predict", "infer_dict", "predict_dict", "explain")
        if log is None or op not in known:
            return super().do_event(event, *args, **kwargs)

        started = datetime.now(timezone.utc)
        key = key_of(self)
        event_id = named.get("id", event.id)
        request = self._request(event, body, op)
        try:
            outputs = (
                self.explain(request) if op == "explain" else self.predict(request)
            )
        except Exception as exc:
            request["id"] = event_id
            log.push_failure(started, request, exc, op, key)
            raise
        answer: Any = {"id": event_id, "model_name": self.name, "outputs": outputs}
        if op != "explain":
            answer["model_name"] = self.name.split(":")[0]
            answer["timestamp"] = _text(started)
        answer["model_endpoint_uid"] = self.model_endpoint_uid
        answer = self.postprocess(answer)
        logged = self.logged_results(request, answer, op)
        if logged[0] is None and logged[1] is None:
            log.push(started, request, answer, op, key)
        else:
            chosen = {"id": event_id, "inputs": logged[0] or []}
            log.push(started, chosen, {"outputs": logged[1] or []}, op, key)
        if self._result_path:
            answer = paths.put_sync(original, self._result_path, answer)
        event.body = answer
        return event


def _picked(response: Any, picked: list[int]) -> Any:
    """The response with those of its outputs whose inputs were picked."""
    outputs = response.get("outputs") if isinstance(response, dict) else None
    if not isinstance(outputs, list):
        return response
    return {**response, "outputs": [outputs[i] for i in picked if i < len(outputs)]}


def _text(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="microseconds")
