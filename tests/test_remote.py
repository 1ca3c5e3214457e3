"""Packages whose steps call services: generated code against a service that misbehaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graphc.pipeline import build
from http_service import running
from running import Answer, answers, loaded, make_context, make_event, terminate

HEAD = """
import mlrun
import storey
from mlrun.serving.remote import BatchHttpRequests, RemoteStep

URL = {url!r}
fn = mlrun.new_function("f", kind="serving")
"""


@pytest.fixture
def service() -> Iterator[Any]:
    with running() as found:
        yield found


class Package:
    """The package of a graph that asks the service."""

    def __init__(self, service: Any, folder: Path, graph: str) -> None:
        self.folder = folder
        (folder / "graph.py").write_text(HEAD.format(url=service.url) + graph, encoding="utf-8")
        made = build(folder / "graph.py")
        assert not made.failed, [found.message for found in made.diagnostics]
        self.files = made.files

    def ask(self, *bodies: Any, **request: Any) -> list[Answer]:
        requests = [{"body": body, **request} for body in bodies]
        return answers(self.files, "f", requests, self.folder)

    def ask_at_once(self, *bodies: Any) -> list[Any]:
        """Events that overlap in one worker, as those of Nuclio's asynchronous mode."""

        async def run() -> list[Any]:
            context = make_context()
            module.init_context(context)
            events = [make_event({"body": body}, index) for index, body in enumerate(bodies)]
            found = await asyncio.gather(*(module.handler(context, event) for event in events))
            await terminate(context)
            return list(found)

        with loaded(self.files, "f", self.folder) as module:
            return asyncio.run(run())


def shown(answer: Answer) -> tuple[int, Any]:
    text = answer.body.decode()
    return answer.status, json.loads(text) if answer.content_type == "application/json" else text


def test_catchers_in_both_engines(service: Any, tmp_path: Path) -> None:
    graph = """
graph = fn.set_topology("flow", engine={engine!r})
graph.to("$remote", "ask", url=URL, subpath="$path", retries=0).error_handler(
    name="catch", handler="catch", full_event=True)
{end}

def catch(event):
    error = event.error if isinstance(event.error, dict) else str(event.error)
    event.body = {{"error": error, "from": event.origin_state, "had": event.body}}
    return event
"""
    for engine, end, error in (
        ("async", 'graph["ask"].respond()', "bad http response 500: no, é"),
        ("sync", "", {"ask": "bad http response 500: no, é"}),
    ):
        folder = tmp_path / engine
        folder.mkdir()
        package = Package(service, folder, graph.format(engine=engine, end=end))
        (failed,) = package.ask({"a": 1}, path="/status/500")
        assert shown(failed) == (200, {"error": error, "from": "ask", "had": {"a": 1}})
        (fine,) = package.ask({"a": 1}, path="/echo")
        assert shown(fine)[1]["data"] == '{"a": 1}'


def test_failures_that_nobody_catches(service: Any, tmp_path: Path) -> None:
    package = Package(
        service,
        tmp_path,
        'fn.set_topology("flow").to("$remote", "r", url=URL, subpath="$path", retries=0).respond()',
    )
    (missing,) = package.ask({}, path="/status/404")
    assert missing.status == 400
    assert missing.body.startswith(b"ValueError: For event ")
    assert missing.body.endswith(
        b"RemoteStep r got an unexpected response status 404: b'no, \\xc3\\xa9'"
    )
    (broken,) = package.ask({}, path="/status/502")
    assert shown(broken) == (400, "RuntimeError: bad http response 502: no, é")
    (text,) = package.ask({}, path="/text")
    assert shown(text) == (400, "JSONDecodeError: Expecting value: line 1 column 1 (char 0)")


def test_models_elsewhere(service: Any, tmp_path: Path) -> None:
    package = Package(
        service,
        tmp_path,
        """
fn.set_topology("router")
fn.add_model("far", model_url=URL + "/echo", subpath="$path", method="POST")
fn.add_model("gone", model_url=URL + "/status/404")
""",
    )
    (far,) = package.ask({"inputs": [1]}, path="/v2/models/far/infer")
    found = shown(far)[1]
    assert (found["path"], json.loads(found["data"])) == ("/echo/infer", {"inputs": [1]})
    assert found["headers"]["mlrun-event-path"] == "infer"
    (gone,) = package.ask({"inputs": [1]}, path="/v2/models/gone/infer")
    assert shown(gone) == (400, "RuntimeError: bad http response 404: no, é")


def test_votes_without_those_that_fail(service: Any, tmp_path: Path) -> None:
    package = Package(
        service,
        tmp_path,
        """
class Near(mlrun.serving.V2ModelServer):
    def load(self):
        pass

    def predict(self, request):
        return [3]

fn.set_topology("router", "mlrun.serving.VotingEnsemble", vote_type="regression")
fn.add_model("near", class_name="Near", model_path="")
fn.add_model("gone", model_url=URL + "/status/500", retries=0)
""",
    )
    (vote,) = package.ask({"inputs": [1]}, path="/v2/models/infer")
    assert shown(vote)[1]["outputs"] == [1.5]  # half the weight, as MLRun has it


def test_elements_of_a_list_go_at_once_and_in_order(
    service: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPHC_STREAMS", f"dir:{tmp_path}")
    package = Package(
        service,
        tmp_path,
        """
graph = fn.set_topology("flow", engine="async")
graph.to("storey.FlatMap", "each", _fn="(event)").to(
    "$remote", "wait", url=URL, url_expression="endpoint + '/sleep/' + event", method="POST",
    max_in_flight=4,
).to(name="slept", handler="(event['slept'])").to("$queue", "q", path="dummy://waits")
""",
    )
    seconds = ["0.2", "0.1", "0.15", "0.05", "0.1", "0.01"]
    package.ask(seconds)
    lines = next(tmp_path.glob("*.jsonl")).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["data"] for line in lines] == [str(float(text)) for text in seconds]
    assert 1 < service.most <= 4


def test_requests_that_overlap_in_a_worker(service: Any, tmp_path: Path) -> None:
    package = Package(
        service,
        tmp_path,
        """
fn.set_topology("flow").to(
    "$remote", "wait", url=URL, url_expression="endpoint + '/sleep/' + event[0]", max_in_flight=2,
).respond()
""",
    )
    found = package.ask_at_once(["0.05"], ["0.01"], ["0.02"], ["0.03"])
    assert [json.loads(answer.body)["slept"] for answer in found] == [0.05, 0.01, 0.02, 0.03]
    assert service.most == 2


def test_branches_ask_at_the_same_time(service: Any, tmp_path: Path) -> None:
    package = Package(
        service,
        tmp_path,
        """
graph = fn.set_topology("flow", engine="async")
graph.to(name="start", handler="(event)")
for name in ("a", "b", "c"):
    graph.add_step("$remote", name, after="start", url=URL + "/sleep/0.1", method="POST")
graph.add_step("mlrun.serving.merger.Merge", name="join", after=["a", "b", "c"]).respond()
""",
    )
    (answer,) = package.ask({})
    assert shown(answer) == (200, [{"slept": 0.1}] * 3)
    assert service.most == 3


def test_what_fails_before_it_asks_lets_others_answer(service: Any, tmp_path: Path) -> None:
    """As in MLRun, where the failure is told by another task than the one that sends."""
    package = Package(
        service,
        tmp_path,
        """
graph = fn.set_topology("flow", engine="async")
graph.to(name="start", handler="(event)")
graph.add_step("$remote", "ask", after="start", url=URL, body_expression="event['no']", retries=0)
graph.add_step(name="other", handler="('answered')", after="start").respond()
""",
    )
    (answer,) = package.ask({})
    assert shown(answer) == (200, "answered")


def test_a_batch_in_a_flow(service: Any, tmp_path: Path) -> None:
    package = Package(
        service,
        tmp_path,
        """
fn.set_topology("flow").to(
    BatchHttpRequests(name="b", url=URL, subpath="echo", method="POST", input_path="in",
                      result_path="out")
).to(name="data", handler="([item['data'] for item in event['out']])").respond()
""",
    )
    (answer,) = package.ask({"in": [1, "two", {"three": 3}]})
    assert shown(answer) == (200, ["1", "two", '{"three": 3}'])


def test_a_dropped_answer_of_send_to_http(service: Any, tmp_path: Path) -> None:
    package = Package(
        service,
        tmp_path,
        """
def ask(event):
    return storey.HttpRequest("GET", f"{URL}/status/{event.body['status']}", None)

def join(body, response):
    return response.status if response.status < 400 else None

fn.set_topology("flow").to(
    "storey.SendToHttp", "s", _request_builder="ask", _join_from_response="join"
).respond()
""",
    )
    found = package.ask({"status": 200}, {"status": 404})
    assert [answer.status for answer in found] == [200, 204]
    assert found[0].body == b"200"


def test_functions_by_name(service: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANKING_URL", f"{service.url}/echo")
    package = Package(
        service, tmp_path, 'fn.set_topology("flow").to("$remote", "r", url="ranking").respond()'
    )
    (answer,) = package.ask({"a": 1})
    assert shown(answer)[1]["path"] == "/echo"
    assert b"Needs RANKING_URL in the environment" in package.files["f/function.yaml"]


def test_processes_and_threads(service: Any, tmp_path: Path) -> None:
    package = Package(
        service,
        tmp_path,
        """
import os
import threading

def where(body):
    main = threading.current_thread() is threading.main_thread()
    return {**body, "pid": os.getpid(), "main": main}

graph = fn.set_topology("flow")
graph.to("storey.ConcurrentExecution", "t", _event_processor="where",
         concurrency_mechanism="threading").to(
    storey.ConcurrentExecution(name="m", event_processor=lambda body: {"thread": body})).to(
    "storey.ConcurrentExecution", "p", _event_processor="where",
    concurrency_mechanism="dedicated_process").respond()
""",
    )
    (answer,) = package.ask_at_once({"a": 1})
    found = json.loads(answer.body)
    assert found["thread"]["main"] is False
    assert found["thread"]["pid"] != found["pid"]


SCORING = """
class Scoring(RemoteStep):
    def __init__(self, tenant, **kwargs):
        super().__init__(URL + "/echo/", headers={"X-Tenant": tenant}, method="PUT", **kwargs)

    def post_init(self, mode="sync", **kwargs):
        self.subpath = "v1"
        super().post_init(mode=mode, **kwargs)
        self.headers["X-Late"] = "yes"

    def _generate_request(self, event, body):
        method, url, headers, data, options = super()._generate_request(event, body)
        return method, f"{url}/{body['model']}", headers, data, {"params": {"n": [1, 2]}}

    def _get_data(self, data, headers):
        found = super()._get_data(data, headers)
        own = {name: found["headers"].get(name) for name in ("x-tenant", "x-late")}
        return [found["method"], found["path"], found["data"], own, headers["Content-TYPE"]]
"""
SCORED = [
    "PUT",
    "/echo/v1/m?n=1&n=2",
    '{"model": "m"}',
    {"x-tenant": "north", "x-late": "yes"},
    "application/json",
]


def test_a_class_of_its_own_asks_alike_in_both_engines_and_in_routers(
    service: Any, tmp_path: Path
) -> None:
    """As mlrun 1.12.1 answers; so are the answers of the tests below."""
    for engine, end in (("async", ".respond()"), ("sync", "")):
        (tmp_path / engine).mkdir()
        graph = f"""{SCORING}
fn.set_topology("flow", engine={engine!r}).to(
    "Scoring", "s", tenant="north", result_path="score"){end}
"""
        (answer,) = Package(service, tmp_path / engine, graph).ask({"model": "m"})
        assert shown(answer) == (200, {"model": "m", "score": SCORED})
    graph = f"""{SCORING}
fn.set_topology("router").add_route("r", class_name="Scoring", tenant="north")
"""
    package = Package(service, tmp_path, graph)
    (answer,) = package.ask({"model": "m"}, path="/v2/models/r/infer")
    assert shown(answer) == (200, SCORED)


PROCESSING = """
class Asking(RemoteStep):
    tries = 0

    async def _process_event(self, event):
        event.body = {"wrapped": event.body}
        response = await super()._process_event(event)
        self.tries += 1
        if self.tries < 2:
            raise KeyError("once more")  # which MLRun tries again, the event as it is now
        assert (await response.json())["path"] == "/echo"
        return response
"""
OWN_CLIENT = """
class Asking(RemoteStep):
    async def _process_event(self, event):
        data = str(self._get_event_or_body(event))
        return await self._client_session.post(self._endpoint + "/own", data=data)
"""
WITHOUT_CONTEXT = """
class Asking(RemoteStep):
    def __init__(self, url):
        super().__init__(url + "/", retries=0)
"""
BEFORE_AND_BEHIND = """
class Asking(RemoteStep):
    def do_event(self, event):
        event.body = [event.body]
        event = super().do_event(event)
        event.body = {"data": event.body["data"], "path": "before and behind"}
        return event
"""
LISTED = """
class Asking(BatchHttpRequests):
    async def _process_event(self, event):
        event.body = [*event.body, "more"]
        answers = await super()._process_event(event)
        return answers[1:]

    async def _submit(self, method, url, headers, body):
        return await super()._submit("PUT", f"{url}/own", headers, body)

    def _get_data(self, data, headers):
        found = super()._get_data(data, headers)
        return [found["method"], found["path"], found["data"]]
"""
FAILING = """
class Asking(BatchHttpRequests):
    async def _submit(self, method, url, headers, body):
        raise KeyError(body)
"""


@pytest.mark.parametrize(
    ("code", "engine", "body", "expected"),
    [
        (PROCESSING, "async", 1, ("/echo", '{"wrapped": {"wrapped": 1}}')),
        (OWN_CLIENT, "async", 1, ("/echo/own", "1")),
        (WITHOUT_CONTEXT, "async", 1, ("/echo/", "1")),
        (WITHOUT_CONTEXT, "sync", 1, ("/echo/", "1")),
        (BEFORE_AND_BEHIND, "sync", 1, ("before and behind", "[1]")),
        (BEFORE_AND_BEHIND, "async", 1, ("/echo", "1")),
        (LISTED, "async", [1, [2]], [["PUT", "/echo/own", "[2]"], ["PUT", "/echo/own", "more"]]),
        (FAILING, "async", [1], "KeyError: '1'"),
    ],
)
def test_classes_of_their_own(
    service: Any, tmp_path: Path, code: str, engine: str, body: Any, expected: Any
) -> None:
    arguments = {} if code is WITHOUT_CONTEXT else {"retries": 1, "backoff_factor": 0.01}
    given = "".join(f", {key}={value}" for key, value in arguments.items())
    graph = f"""{code}
fn.set_topology("flow", engine={engine!r}).to("Asking", "a", url=URL + "/echo"{given})
"""
    graph = graph.rstrip() + (".respond()\n" if engine == "async" else "\n")
    (answer,) = Package(service, tmp_path, graph).ask(body)
    status, found = shown(answer)
    assert status == (400 if isinstance(expected, str) else 200)
    if isinstance(expected, tuple):
        found = (found["path"], found["data"])
    assert found == expected


def test_a_class_of_its_own_chooses_what_follows(service: Any, tmp_path: Path) -> None:
    package = Package(
        service,
        tmp_path,
        """
import json

class Asking(RemoteStep):
    def select_outlets(self, body):
        return json.loads(body["data"])

graph = fn.set_topology("flow")
asking = graph.to("Asking", "ask", url=URL + "/echo")
asking.to(name="left", handler="('went left')").respond()
graph.add_step(name="right", handler="right", after="ask")

def right(body):
    raise ValueError("went right")
""",
    )
    left, right = package.ask(["left"], ["right"])
    assert shown(left) == (200, "went left")
    assert shown(right) == (400, "ValueError: went right")


def test_a_class_of_its_own_names_what_only_mlruns_service_knows(
    service: Any, tmp_path: Path
) -> None:
    graph = """
class Asking(RemoteStep):
    def __init__(self, **kwargs):
        super().__init__("some-function", **kwargs)

fn.set_topology("flow").to("Asking", "ask").respond()
"""
    with pytest.raises(ValueError, match="'some-function' is a function's name"):
        Package(service, tmp_path, graph).ask({})
