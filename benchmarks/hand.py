"""The tightest Nuclio handlers that were written by hand for the graphs in `graphs/`.

Each gives the answers that MLRun 1.12 gives for its graph: the same rules for content types, the
same operations, the same error branches, 204 for a dropped event. What a person who writes for
one HTTP trigger and these models would leave out is left out: envelopes of queues, the names of
streams in paths, hooks and operations that the models do not have, threads for slow models.
Standard library only, but for the client of services; nothing of graphc: this is the yardstick.
"""

from __future__ import annotations

import asyncio
import json
import os
import traceback
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from time import time_ns
from typing import Any

PREFIX = "/v2/models"
HEALTH = "/v2/health"


class BadEvent(ValueError):
    """The event says that its body is JSON, and it is not."""


# -- what all have in common


def decoded(event: Any) -> Any:
    """The event's body, after the headers that carry an id or a path were looked at."""
    headers = event.headers
    if "Mlrun-Event-Id" in headers:
        event.id = headers["Mlrun-Event-Id"]
    if "Mlrun-Event-Path" in headers:
        event.path = headers["Mlrun-Event-Path"]
    body = event.body
    if isinstance(body, (bytes, str)):
        if not body:
            return None
        kind = event.content_type
        if not kind or kind == "application/json" or kind == "json":
            try:
                return json.loads(body)
            except ValueError as exc:
                if kind:
                    raise BadEvent(f"failed to json decode event, {exc}") from exc
    return body


def answered(context: Any, value: Any) -> Any:
    return context.Response(
        body=json.dumps(value), content_type="application/json", status_code=200
    )


def failed(context: Any, exc: Exception) -> Any:
    trace = "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
    context.logger.error("run error, " + trace)
    text = str(exc) if isinstance(exc, BadEvent) else f"{type(exc).__name__}: {exc}"
    return context.Response(
        body=text,
        content_type="text/plain",
        status_code=getattr(exc, "error_status_code", None) or 400,
    )


def floor(context: Any, event: Any) -> Any:
    """A constant answer: what the event and the response cost whatever the graph."""
    return context.Response(
        body='{"outputs": [3, 6, 9]}', content_type="application/json", status_code=200
    )


# -- sync3, async3: pre -> Scale -> post


class Scale:
    def __init__(self, factor: int) -> None:
        self.factor = factor

    def do(self, body: Any) -> Any:
        return {"x": [value * self.factor for value in body["x"]]}


def pre(body: Any) -> Any:
    return {"x": body["inputs"]}


def post(body: Any) -> Any:
    return {"outputs": body["x"]}


scale = Scale(3)


def flow3(context: Any, event: Any) -> Any:
    try:
        body = pre(decoded(event))
        body = scale.do(body)
        body = post(body)
    except Exception as exc:
        return failed(context, exc)
    return answered(context, body)


# -- async10: parse (catcher) -> Filter -> seven steps -> finish


class Add:
    def __init__(self, amount: int) -> None:
        self.amount = amount

    def do(self, body: Any) -> Any:
        body["x"] += self.amount
        return body


class Catch:
    def do(self, event: Any) -> Any:
        event.body = {"error": type(event.error).__name__, "from": event.origin_state}
        return event


def parse(body: Any) -> Any:
    return {"type": body["type"], "x": body["x"]}


def double(body: Any) -> Any:
    body["x"] *= 2
    return body


def finish(body: Any) -> Any:
    return {"outputs": body["x"]}


add0, add1, add2, add3 = (Add(amount) for amount in range(4))
catcher = Catch()


def caught(context: Any, event: Any, exc: Exception, origin: str) -> Any:
    event.error, event.origin_state = exc, origin
    return answered(context, catcher.do(event).body)


def flow10(context: Any, event: Any) -> Any:
    try:
        body = decoded(event)
        try:
            body = parse(body)
        except Exception as exc:
            return caught(context, event, exc, "parse")
        if body["type"] != "infer":
            return context.Response(body="", status_code=204)
        body = add0.do(body)
        body = double(body)
        body = add1.do(body)
        body = double(body)
        body = add2.do(body)
        body = double(body)
        body = add3.do(body)
        body = finish(body)
    except Exception as exc:
        return failed(context, exc)
    return answered(context, body)


# -- router: two models


class Model:
    def __init__(self, name: str, factor: int) -> None:
        self.name = name
        self.factor = factor

    def predict(self, body: Any) -> Any:
        return [value * self.factor for value in body["inputs"]]


def parsed(event: Any, body: Any) -> Any:
    """The body as a dict; what images and links to data become is not needed here."""
    if not body or isinstance(body, dict):
        return body
    try:
        return json.loads(body)
    except Exception as exc:
        raise ValueError("Unrecognized request format") from exc


def checked(body: Any) -> Any:
    if "inputs" not in body:
        raise Exception('Expected key "inputs" in request body')
    if not isinstance(body["inputs"], list):
        raise Exception('Expected "inputs" to be a list')
    return body


def split(path: str) -> tuple[str, str]:
    """`/v2/models/m1/infer` -> `("m1", "infer")`"""
    if path in ("", "/"):
        return "", ""
    if not path.startswith(PREFIX):
        raise ValueError(f"illegal path prefix {path}, must start with {PREFIX}")
    model, _, operation = path[len(PREFIX) :].strip("/").partition("/")
    if operation.startswith("versions/"):
        _, version, *rest = operation.split("/", 2)
        return f"{model}:{version}", "".join(rest)
    return model, operation


def unknown(model: str, routes: Iterable[str], also: str = "") -> ValueError:
    return ValueError(f"model {model} doesnt exist, available models: {' | '.join(routes)}{also}")


_second = 0
_to_the_second = ""


def timestamp() -> str:
    """Now as MLRun writes it; a third of what isoformat costs."""
    global _second, _to_the_second
    second, micros = divmod(time_ns() // 1000, 1_000_000)
    if second != _second:
        _to_the_second = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M:%S")
        _second = second
    return f"{_to_the_second}.{micros:06d}+00:00"


def infer(context: Any, event: Any, model: Model, operation: str, body: Any) -> Any:
    """MLRun's V2 protocol, for a model that has a `predict` and nothing else."""
    if operation == "infer" or operation == "predict" or (not operation and event.method != "GET"):
        started = timestamp()
        return {
            "id": body.get("id", event.id),
            "model_name": model.name,
            "outputs": model.predict(checked(body)),
            "timestamp": started,
        }
    if not operation:
        return {"name": model.name, "model_endpoint_uid": "", "inputs": [], "outputs": []}
    if operation == "ready" and event.method == "GET":
        text = f"Model {model.name} is ready (event_id = {event.id})"
        return context.Response(status_code=200, body=text.encode())
    if operation == "explain":
        checked(body)
        raise NotImplementedError()
    raise ValueError(f"illegal model operation {operation}, method={event.method}")


models = {"m1": Model("m1", 1), "m2": Model("m2", 3)}


def routed(context: Any, event: Any, body: Any) -> Any:
    if event.method == "GET":
        if event.path == "/" or event.path.startswith(HEALTH):
            return {"name": "ModelRouter", "version": "v2", "extensions": []}
    else:
        body = parsed(event, body)
    name, operation = split(event.path)
    if not name and event.path != "/":
        return {"models": list(models)}
    if isinstance(body, dict):
        name = name or body.get("model", "m1")
        operation = body.get("operation", operation)
    model = models.get(name)
    if model is None:
        raise unknown(name, models)
    return infer(context, event, model, operation, body)


def router(context: Any, event: Any) -> Any:
    try:
        answer = routed(context, event, decoded(event))
    except Exception as exc:
        return failed(context, exc)
    return answer if isinstance(answer, context.Response) else answered(context, answer)


# -- voting: three models, or the one that the path names


class Ensemble:
    """MLRun's vote: the majority if the first predictions were all integers, else the mean."""

    def __init__(self, name: str, routes: dict[str, Model]) -> None:
        self.name = name
        self.routes = routes
        self.majority: bool | None = None

    def run(self, context: Any, event: Any, body: Any) -> Any:
        routes = self.routes
        if event.method == "GET":
            if event.path == "/" or event.path.startswith(HEALTH):
                return {"name": "VotingEnsemble", "version": "v2", "extensions": []}
        else:
            body = parsed(event, body)
        name, operation = split(event.path)
        if not name and event.path != "/":
            return {"models": [*routes, self.name], "weights": None}
        if isinstance(body, dict):
            operation = body.get("operation", operation)
        if name in routes:
            return infer(context, event, routes[name], operation, body)
        if name and name not in ("infer", "predict", "explain", self.name):
            also = f" | {self.name} or an operation alone for ensemble operation"
            raise unknown(name, routes, also)
        if event.method == "GET":
            return {"name": self.name, "model_endpoint_uid": "", "inputs": [], "outputs": []}
        checked(body)
        columns = []
        for model in routes.values():
            try:
                columns.append(model.predict(body))
            except Exception as exc:  # a model that fails does not vote
                context.logger.error(f"route {model.name} failed: {exc!r}")
        return {"id": event.id, "model_name": self.name, "outputs": self.vote(columns)}

    def vote(self, columns: Sequence[Sequence[float]]) -> Sequence[float]:
        if self.majority is None:
            self.majority = all(float(value).is_integer() for row in columns for value in row)
        if not self.majority:
            return [sum(row) / len(row) for row in zip(*columns, strict=True)]
        votes = []
        for column in zip(*columns, strict=True):
            row = sorted(map(int, column))
            # Whatever half of them say stands in the middle, the smaller of two before it.
            vote = row[(len(row) - 1) // 2]
            if row.count(vote) * 2 < len(row):
                vote = max(row, key=row.count)
            votes.append(vote)
        return votes


voters = {"m1": Model("m1", 1), "m2": Model("m2", 3), "m3": Model("m3", 3)}
voting_ensemble = Ensemble("VotingEnsemble", voters)


def voting(context: Any, event: Any) -> Any:
    try:
        answer = voting_ensemble.run(context, event, decoded(event))
    except Exception as exc:
        return failed(context, exc)
    return answer if isinstance(answer, context.Response) else answered(context, answer)


# -- seed: loads (catcher) -> filter -> pre-process -> ensemble -> final


class PreProcess:
    def __init__(self, some_arg: str) -> None:
        self.some_arg = some_arg

    def do(self, body: Any) -> Any:
        return {"inputs": body["inputs"], "pre": self.some_arg}


class PostProcess:
    def do(self, body: Any) -> Any:
        return {"final": body["outputs"], "by": body["model_name"]}


pre_process = PreProcess("abc")
seed_ensemble = Ensemble("ensemble", {"m1": Model("m1", 1), "m2": Model("m2", 3)})
final = PostProcess()


def seed(context: Any, event: Any) -> Any:
    try:
        body = decoded(event)
        try:
            body = json.loads(body)
        except Exception as exc:
            return caught(context, event, exc, "loads")
        if body["type"] != "infer":
            return context.Response(body="", status_code=204)
        body = pre_process.do(body)
        body = seed_ensemble.run(context, event, body)
        body = final.do(body)
    except Exception as exc:
        return failed(context, exc)
    return answered(context, body)


# -- fanout: tidy -> (longest, letters, signed) -> merge -> combine


class Longest:
    def __init__(self, least: int) -> None:
        self.least = least

    def do(self, body: Any) -> Any:
        return {"longest": max(self.least, *map(len, body["text"].split()))}


def tidy(body: Any) -> Any:
    return {"text": body["text"].strip(), "by": body["by"]}


def letters(body: Any) -> Any:
    return {"letters": sum(map(str.isalpha, body["text"]))}


def signed(body: Any) -> Any:
    body["text"] += f" -- {body['by']}"
    return body


def combine(parts: Any) -> Any:
    return {key: value for part in parts for key, value in part.items()}


longest = Longest(2)


def fanout(context: Any, event: Any) -> Any:
    try:
        body = tidy(decoded(event))
        body = combine([longest.do(body), letters(body), signed(body)])
    except Exception as exc:
        return failed(context, exc)
    return answered(context, body)


# -- copies: start -> (total, largest, signed) -> merge -> combine


class Total:
    def __init__(self, rate: int) -> None:
        self.rate = rate

    def do(self, body: Any) -> Any:
        body["amounts"].append(sum(body["amounts"]))
        return {"total": body["amounts"][-1] * self.rate}


def largest(body: Any) -> Any:
    body["amounts"].sort()
    return {"largest": body["amounts"].pop()}


def upper(body: Any) -> Any:
    body["by"] = body["by"].upper()
    return body


total = Total(2)


def copies(context: Any, event: Any) -> Any:
    try:
        body = decoded(event)
        # What a person knows of the steps: nothing but this list is changed where it is.
        second = {**body, "amounts": body["amounts"].copy()}
        third = {**body, "amounts": body["amounts"].copy()}
        body = combine([total.do(body), largest(second), upper(third)])
    except Exception as exc:
        return failed(context, exc)
    return answered(context, body)


# -- parallel: three routes, their answers merged into the request


class Power:
    def __init__(self, name: str, power: int) -> None:
        self.name = name
        self.power = power

    def do(self, body: Any) -> Any:
        return {self.name: sum(value**self.power for value in body["values"])}


def extremes(body: Any) -> Any:
    return {"low": min(body["values"]), "high": max(body["values"])}


statistics = {
    "total": Power("total", 1).do,
    "squares": Power("squares", 2).do,
    "range": extremes,
}


def parallel_run(context: Any, event: Any, body: Any) -> Any:
    path = event.path
    if event.method == "GET":
        if path == "/" or path.startswith(HEALTH):
            return {"name": "ParallelRun", "version": "v2", "extensions": []}
    else:
        body = parsed(event, body)
    if path not in ("", "/") and not path.startswith(PREFIX):
        raise ValueError(f"illegal path prefix {path}, must start with {PREFIX}")
    answers = []
    for name, route in statistics.items():
        try:
            answers.append(route(body))
        except Exception as exc:  # a route that fails is left out
            context.logger.error(f"route {name} failed: {exc!r}")
    for answer in answers:
        body.update(answer)
    return body


def parallel(context: Any, event: Any) -> Any:
    try:
        body = parallel_run(context, event, decoded(event))
    except Exception as exc:
        return failed(context, exc)
    return answered(context, body)


# -- flatmap: orders -> price -> stream


class Price:
    def __init__(self, rate: int) -> None:
        self.rate = rate

    def do(self, order: Any) -> Any:
        order["price"] = order["amount"] * self.rate
        return order


quoted = json.encoder.encode_basestring_ascii
encoded = json.JSONEncoder(default=str).encode


class Stream:
    """A file with one JSON line a message, opened when the first one comes."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.file = -1

    def push(self, event: Any, body: Any) -> None:
        if self.file < 0:
            folder = os.environ["GRAPHC_STREAMS"].removeprefix("dir:")
            path = os.path.join(folder, self.path)
            self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        key = getattr(event, "key", None)
        shown = "null" if key is None else quoted(str(key))
        os.write(self.file, f'{{"data": {quoted(encoded(body))}, "key": {shown}}}\n'.encode())


def orders(body: Any) -> Any:
    return [{"customer": body["customer"], **order} for order in body["orders"]]


price = Price(3)
out = Stream("orders.jsonl")


def flatmap(context: Any, event: Any) -> Any:
    try:
        broken = None
        for order in orders(decoded(event)):
            try:
                out.push(event, price.do(order))
            except Exception as exc:  # the other orders go their way
                broken = broken or exc
        if broken is not None:
            raise broken
    except BadEvent as exc:
        return failed(context, exc)
    except Exception as exc:
        failed(context, exc)  # logged; no step responds, so nobody is told
    return answered(context, {"id": event.id})


# -- record: tidy -> measured, and tidy -> recorded -> stream


def tidy_text(body: Any) -> Any:
    return {"text": body["text"].strip()}


def measured(body: Any) -> Any:
    return {"length": len(body["text"])}


def recorded(body: Any) -> Any:
    return {"seen": body["text"].lower()}


log = Stream("log.jsonl")


def record(context: Any, event: Any) -> Any:
    try:
        body = tidy_text(decoded(event))
        try:
            answer = measured(body)
        finally:
            try:
                log.push(event, recorded(body))
            except Exception as exc:
                failed(context, exc)  # logged; the answer is the other branch's
    except Exception as exc:
        return failed(context, exc)
    return answered(context, answer)


# -- choice: by-size -> (large | small) -> labelled


class BySize:
    def do(self, body: Any) -> Any:
        return {"size": body["width"] * body["height"]}


def large(body: Any) -> Any:
    return {"large": body["size"]}


def small(body: Any) -> Any:
    return {"small": body["size"]}


def labelled(body: Any) -> Any:
    return {"labels": list(body)}


by_size = BySize()


def choice(context: Any, event: Any) -> Any:
    try:
        body = by_size.do(decoded(event))
        body = large(body) if body["size"] > 100 else small(body)
        body = labelled(body)
    except Exception as exc:
        return failed(context, exc)
    return answered(context, body)


# -- events: four steps and a function that get the event


class Stamp:
    def __init__(self, field: str) -> None:
        self.field = field

    def do(self, event: Any) -> Any:
        event.body[self.field] = event.path
        return event


def by_id(event: Any) -> Any:
    event.body["by"] = event.id
    return event


first, second, third, fourth = map(Stamp, ("first", "second", "third", "fourth"))


def events(context: Any, event: Any) -> Any:
    try:
        event.body = decoded(event)
        event = first.do(event)
        event = second.do(event)
        event = third.do(event)
        event = fourth.do(event)
        body = by_id(event).body
    except Exception as exc:
        return failed(context, exc)
    return answered(context, body)


# -- paths: total, scale and words, each with a part of the body and a place for its result


class ScaleValue:
    def __init__(self, factor: int) -> None:
        self.factor = factor

    def do(self, value: Any) -> Any:
        return value * self.factor


def sum_of(values: Any) -> Any:
    return sum(values)


def words(text: Any) -> Any:
    return len(text.split())


scale_value = ScaleValue(3)


def paths(context: Any, event: Any) -> Any:
    try:
        body = decoded(event)
        data = body.get("data")
        result = sum_of(data and data.get("values"))
        stats = body.setdefault("stats", {})
        stats["total"] = result
        stats["scaled"] = scale_value.do(result)
        body["words"] = words(body.get("text"))
    except Exception as exc:
        return failed(context, exc)
    return answered(context, body)


# -- remote: pre -> RemoteStep -> post


class Service:
    """A client of the service that the graph asks, with the retries that the graph has."""

    def __init__(self) -> None:
        self.session: Any = None

    async def ask(self, context: Any, event: Any, body: Any) -> Any:
        session = self.session
        if session is None:
            import aiohttp

            session = self.session = aiohttp.ClientSession()
            context.platform.set_termination_callback(self.close)
        headers = {"MLRUN-EVENT-ID": event.id, "Content-Type": "application/json"}
        if event.path != "/":
            headers["MLRUN-EVENT-PATH"] = event.path
        data = json.dumps(body)
        url = os.environ["SERVICE_URL"]
        wait = 1
        while True:
            try:
                async with session.post(url, headers=headers, data=data, ssl=False) as reply:
                    answer = await reply.read()
                    status = reply.status
                    if status >= 500:
                        raise RuntimeError(f"bad http response {status}: {await reply.text()}")
                break
            except Exception as exc:
                context.logger.warn(f"ask failed, {exc!r}")
                if wait == 64:
                    raise
                await asyncio.sleep(wait)
                wait *= 2
        if status >= 400:
            raise ValueError(
                f"For event {event}, RemoteStep ask got an unexpected response "
                f"status {status}: {answer!r}"
            )
        return json.loads(answer)

    async def close(self) -> None:
        session, self.session = self.session, None
        await session.close()


service = Service()


async def remote(context: Any, event: Any) -> Any:
    try:
        body = decoded(event)
        body = {"ask": {"inputs": body["inputs"]}}
        body["answer"] = await service.ask(context, event, body["ask"])
        body = {"outputs": body["answer"]["outputs"]}
    except Exception as exc:
        return failed(context, exc)
    return answered(context, body)


HANDLERS: dict[str, Callable[[Any, Any], Any]] = {
    "sync3": flow3,
    "async3": flow3,
    "async10": flow10,
    "router": router,
    "voting": voting,
    "seed": seed,
    "fanout": fanout,
    "copies": copies,
    "parallel": parallel,
    "flatmap": flatmap,
    "record": record,
    "choice": choice,
    "events": events,
    "paths": paths,
    "remote": remote,
}
