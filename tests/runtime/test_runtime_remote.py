"""RemoteStep and BatchHttpRequests: serving.md 8.6 and 8.7, rule by rule, both engines.

Texts, statuses and numbers of attempts are those of mlrun 1.12.1, asked the same.
"""

import asyncio
import inspect
import json

import aiohttp
import pytest
from nuclio_stub import Context, Event

from graphc.runtime_min import http_client, in_flight, remote, remote_sync
from graphc.runtime_min.context import GraphContext
from http_service import running

ENGINES = {"async": remote.RemoteStep, "sync": remote_sync.RemoteStep}


class Platform:
    def set_termination_callback(self, callback):
        self.terminate = callback


class Worker:
    """A worker with one step."""

    def __init__(self, engine="async"):
        self.engine = engine
        self.nuclio = Context()
        self.nuclio.platform = Platform()
        self.context = GraphContext(self.nuclio)

    def ask(self, body, url, cls=None, event=None, **arguments):
        """The body after one event."""
        return self.ask_all([body], url, cls, event, **arguments)[0]

    def ask_all(self, bodies, url, cls=None, event=None, **arguments):
        """What each of several events gives, all begun at once where that can be."""
        step = (cls or ENGINES[self.engine])(self.context, "r", url=url, **arguments)
        events = [Event(body, **(event or {})) for body in bodies]
        return [item.body for item in asyncio.run(self._all(step, events))]

    async def _all(self, step, events):
        try:
            if self.engine == "sync":
                return [step.do_event(item) for item in events]
            return await asyncio.gather(*map(step.do_event, events))
        finally:
            await self.end()

    async def end(self):
        if hasattr(self.nuclio.platform, "terminate"):
            await self.nuclio.platform.terminate()


@pytest.fixture
def service():
    with running() as found:
        yield found


@pytest.fixture(params=["async", "sync"])
def worker(request):
    return Worker(request.param)


# -- what is asked


def test_the_url_gets_the_subpath_or_the_path(worker, service):
    ask = worker.ask
    assert ask({}, f"{service.url}/echo/", subpath="/x/y/")["path"] == "/echo/x/y/"
    event = {"path": "/a/b"}
    assert ask({}, f"{service.url}/echo", event=event, subpath="$path")["path"] == "/echo/a/b"
    assert ask({}, f"{service.url}/echo", event={"path": "/"})["path"] == "/echo"


def test_expressions_get_the_body_and_the_endpoint(worker, service):
    found = worker.ask(
        {"name": "ä b", "n": 1},
        f"{service.url}/",
        event={"path": "/p"},
        url_expression=lambda event, endpoint: f"{endpoint}/echo/{event['name']}?q={event['n']}",
        body_expression=lambda event: [event["n"]],
        headers_expression=lambda event: {"X-N": str(event["n"])},
    )
    assert found["path"] == "/echo/%C3%A4%20b?q=1"
    assert found["data"] == "[1]"
    assert found["headers"]["x-n"] == "1"
    assert found["headers"]["mlrun-event-id"] == "e1"
    assert "mlrun-event-path" not in found["headers"]  # the URL is the expression's


@pytest.mark.parametrize("path", ["/", "/a/b"])
def test_id_and_path_travel_as_headers(worker, service, path):
    headers = worker.ask({}, f"{service.url}/echo", event={"path": path})["headers"]
    assert headers["mlrun-event-id"] == "e1"
    assert headers.get("mlrun-event-path") == (None if path == "/" else path)


def test_headers_of_the_graph_and_of_expressions_are_not_written_to(worker, service):
    given, own = {"X-A": "1"}, {"h": {"X-B": "2"}}
    worker.ask({}, f"{service.url}/echo", headers=given)
    found = worker.ask(own, f"{service.url}/echo", headers_expression=lambda event: event["h"])
    assert (given, own) == ({"X-A": "1"}, {"h": {"X-B": "2"}})
    assert json.loads(found["data"]) == own


@pytest.mark.parametrize(
    ("given", "of_event", "expected"),
    [
        ("PUT", "POST", "PUT"),
        (None, "DELETE", "DELETE"),
        (None, "", "POST"),
        ("GET", "POST", "GET"),
    ],
)
def test_methods(worker, service, given, of_event, expected):
    found = worker.ask({"a": 1}, f"{service.url}/echo", event={"method": of_event}, method=given)
    assert found["method"] == expected
    assert found["data"] == ("" if expected == "GET" else '{"a": 1}')


@pytest.mark.parametrize(
    ("body", "data", "kind"),
    [
        ({"a": "é"}, '{"a": "\\u00e9"}', "application/json"),
        ([1], "[1]", "application/json"),
        ("höllo", "höllo", None),
        (b"bytes", "bytes", None),
        (None, "", None),
    ],
)
def test_bodies(worker, service, body, data, kind):
    found = worker.ask(body, f"{service.url}/echo")
    assert found["data"] == data
    assert (found["headers"].get("content-type") == "application/json") == bool(kind)


def test_an_expression_leaves_text_alone(worker, service):
    found = worker.ask("text", f"{service.url}/echo", body_expression=lambda event: event["a"])
    assert found["data"] == "text"


# -- what comes of the answer


def test_paths(worker, service):
    body = {"in": {"x": 1}, "keep": True}
    found = worker.ask(body, f"{service.url}/echo", input_path="in", result_path="out.r")
    assert (found["keep"], found["out"]["r"]["data"]) == (True, '{"x": 1}')


@pytest.mark.parametrize(("engine", "wrapped"), [("async", True), ("sync", False)])
def test_an_empty_body_with_a_result_path(service, engine, wrapped):
    found = Worker(engine).ask({}, f"{service.url}/echo", result_path="r")
    assert ("r" in found) == wrapped


def test_answers_are_json_unless_told(worker, service):
    ask = worker.ask
    with pytest.raises(json.JSONDecodeError, match="Expecting value: line 1 column 1"):
        ask({}, f"{service.url}/text")
    with pytest.raises(json.JSONDecodeError):
        ask({}, f"{service.url}/nothing")
    assert ask({}, f"{service.url}/text", return_json=False) == b"text"
    assert ask({}, f"{service.url}/nothing", return_json=False) == b""
    assert ask({}, f"{service.url}/echo", return_json=False)["path"] == "/echo"
    assert len(ask({}, f"{service.url}/huge")) == 5000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(worker, service, status):
    found = worker.ask({"a": 1}, f"{service.url}/moved/{status}")
    assert (found["method"], found["data"]) == (
        ("POST", '{"a": 1}') if status > 303 else ("GET", "")
    )


# -- what goes wrong


def test_what_may_pass_is_tried_again(worker, service):
    quick = {"retries": 2, "backoff_factor": 0.01}
    for path in ("/echo/busy", "/drop/busy"):
        service.fails(path, 2)
        assert worker.ask({}, service.url + path, **quick)["path"] == path
        assert service.times(path) == 3
    warned = [fields for level, _, fields in worker.nuclio.logger.lines if level == "warn"]
    assert [(fields["step"], fields["retries_left"]) for fields in warned] == [
        ("r", 2),
        ("r", 1),
    ] * 2


@pytest.mark.parametrize(
    ("status", "in_async", "in_sync"), [(500, 3, 3), (503, 3, 3), (501, 3, 1), (404, 1, 1)]
)
def test_statuses_that_are_tried_again(worker, service, status, in_async, in_sync):
    path = f"/status/{status}"
    with pytest.raises((RuntimeError, ValueError)) as caught:
        worker.ask({}, service.url + path, retries=2, backoff_factor=0.01)
    assert service.times(path) == (in_async if worker.engine == "async" else in_sync)
    if worker.engine == "async" and status == 404:
        assert type(caught.value) is ValueError
        assert str(caught.value).startswith("For event ")
        assert ", RemoteStep r got an unexpected response status 404: b'no," in str(caught.value)
    else:
        assert type(caught.value) is RuntimeError
        assert str(caught.value) == f"bad http response {status}: no, é"


def test_six_retries_are_the_default_and_waits_double(worker, service, monkeypatch):
    waits = []

    async def wait(seconds):
        waits.append(seconds)

    monkeypatch.setattr(in_flight.asyncio, "sleep", wait)
    monkeypatch.setattr(remote_sync.time, "sleep", waits.append)
    with pytest.raises(RuntimeError):
        worker.ask({}, f"{service.url}/status/500", backoff_factor=5)
    assert service.times("/status/500") == 7
    # urllib3, which retries for MLRun's synchronous engine, begins without a wait.
    expected = [5, 10, 20, 40, 80, 120] if worker.engine == "async" else [10, 20, 40, 80, 120]
    assert waits[: len(expected)] == expected


@pytest.mark.parametrize("retries", [0, 1])
def test_slow_services(worker, service, retries):
    with pytest.raises(OSError) as caught:  # noqa: PT011
        worker.ask(
            {}, f"{service.url}/sleep/0.5", timeout=0.1, retries=retries, backoff_factor=0.01
        )
    assert service.times("/sleep/0.5") == retries + 1
    name, text = type(caught.value).__name__, str(caught.value)
    if worker.engine == "async":
        assert name == "TimeoutError"
    elif retries:
        assert (name, text) == ("OSError", f"cannot invoke url: {service.url}/sleep/0.5, timed out")
    else:
        start = f"http request to {service.url}/sleep/0.5 timed out in RemoteStep r, "
        assert (name, text) == ("ReadTimeout", start + "timed out")


@pytest.mark.parametrize("retries", [0, 1])
def test_services_that_are_not_there(worker, service, retries):
    with pytest.raises(OSError) as caught:  # noqa: PT011
        worker.ask({}, "http://127.0.0.1:1/x", retries=retries, backoff_factor=0.01)
    text = f"{type(caught.value).__name__}: {caught.value}"
    if worker.engine == "async":
        assert text.startswith("ClientConnectorError: Cannot connect to host 127.0.0.1:1 ")
    else:
        assert text.startswith("OSError: cannot invoke url: http://127.0.0.1:1/x, [Errno 111]")


def test_a_closed_connection(worker, service):
    with pytest.raises((OSError, aiohttp.ClientError)) as caught:
        worker.ask({}, f"{service.url}/close", retries=1, backoff_factor=0.01)
    assert service.times("/close") == 2
    names = {"async": "ServerDisconnectedError", "sync": "OSError"}
    assert type(caught.value).__name__ == names[worker.engine]


def test_failing_expressions_are_not_tried_again(worker, service):
    tried = []
    with pytest.raises(KeyError):
        worker.ask(
            {},
            f"{service.url}/echo",
            body_expression=lambda event: tried.append(event) or event["x"],
        )
    assert tried == [{}]


@pytest.mark.parametrize("url", ["http://", "nowhere", "http://a b/c"])
def test_urls_that_are_none(worker, service, url):
    with pytest.raises((OSError, ValueError)):
        worker.ask({}, "http://x", url_expression=lambda event, endpoint: url, retries=0)


# -- connections, several events


def test_connections_are_kept(worker, service):
    worker.ask_all([{}], f"{service.url}/echo")
    step = ENGINES[worker.engine](worker.context, "r", url=f"{service.url}/echo")
    again = ENGINES[worker.engine](worker.context, "r", url=f"{service.url}/once")
    service.connections.clear()

    async def run():
        for item in (step, step, step, again, again):
            done = item.do_event(Event({}))
            if inspect.isawaitable(done):
                await done
        session = getattr(step._client, "_session", None)
        await worker.end()
        assert session is None or session.closed

    asyncio.run(run())
    assert len(service.connections) == 3


def test_a_connection_that_the_service_left_is_not_used_again(service):
    client = http_client.HttpClient()
    client.request("GET", f"{service.url}/echo", {}, None)
    (idle,) = client._idle.values()
    idle[0].sock.shutdown(2)
    assert client.request("GET", f"{service.url}/echo", {}, None).status == 200
    client.close()


@pytest.mark.parametrize(("limit", "most"), [(None, 8), (1, 1), (3, 3)])
def test_so_many_at_once(service, limit, most):
    found = Worker().ask_all(
        [{"n": n} for n in range(12)],
        service.url,
        url_expression=lambda event, endpoint: f"{endpoint}/sleep/{(event['n'] % 3 + 1) / 40}",
        max_in_flight=limit,
    )
    assert [round(item["slept"] * 40) for item in found] == [n % 3 + 1 for n in range(12)]
    assert most / 2 < service.most <= most


def test_events_leave_in_order_failed_ones_too(service):
    worker, left = Worker(), []
    step = remote.RemoteStep(
        worker.context,
        "r",
        url=service.url,
        url_expression=lambda event, endpoint: endpoint + event["path"],
        retries=0,
    )
    paths = ["/sleep/0.2", "/status/500", "/sleep/0.1", "/echo"]

    async def one(path):
        try:
            await step.do_event(Event({"path": path}))
        except RuntimeError:
            path = "failed"
        left.append(path)

    async def run():
        await asyncio.gather(*map(one, paths))
        assert service.most > 1
        await worker.end()

    asyncio.run(run())
    assert left == ["/sleep/0.2", "failed", "/sleep/0.1", "/echo"]


def test_a_cancelled_event_holds_up_nobody(service):
    worker = Worker()
    step = remote.RemoteStep(worker.context, "r", url=f"{service.url}/sleep/0.1", max_in_flight=1)

    async def run():
        tasks = [asyncio.ensure_future(step.do_event(Event({}))) for _ in range(3)]
        await asyncio.sleep(0.02)
        tasks[0].cancel()
        tasks[1].cancel()
        assert (await tasks[2]).body == {"slept": 0.1}
        await worker.end()

    asyncio.run(run())


# -- BatchHttpRequests


def batch(service, body, **arguments):
    return Worker().ask(body, cls=remote.BatchHttpRequests, **arguments)


def test_a_batch_asks_for_all_elements_at_once(service):
    paths = ["/sleep/0.05", "/sleep/0.01", "/sleep/0.03"]
    found = batch(service, paths, url="", url_expression=lambda event: service.url + event)
    assert [item["slept"] for item in found] == [0.05, 0.01, 0.03]
    assert service.most == 3


def test_what_a_batch_sends(service):
    found = batch(
        service,
        {"in": [{"n": 1}, "text", None]},
        url=f"{service.url}/",
        subpath="/echo",
        body_expression=lambda event: event["n"],
        headers={"X-A": "1"},
        input_path="in",
        result_path="out",
    )
    assert [item["data"] for item in found["out"]] == ["1", "text", ""]
    assert {item["path"] for item in found["out"]} == {"/echo"}
    # JSON for one is JSON for all; the event's id stays here.
    assert {item["headers"]["content-type"] for item in found["out"]} == {"application/json"}
    assert {item["headers"]["x-a"] for item in found["out"]} == {"1"}
    assert not any("mlrun-event-id" in item["headers"] for item in found["out"])


def test_statuses_in_a_batch(service):
    assert batch(service, [1], url=f"{service.url}/status/404", return_json=False) == [
        "no, é".encode()
    ]
    service.fails("/echo/busy", 2)
    found = batch(service, [1, 2], url=f"{service.url}/echo/busy", retries=2, backoff_factor=0)
    assert [item["data"] for item in found] == ["1", "2"]
    with pytest.raises(RuntimeError, match="bad http response 500: no, é"):
        batch(service, [1], url=f"{service.url}/status/500", retries=0, backoff_factor=0)
    assert service.times("/status/500") == 7  # none given means six, even 0


def test_a_batch_of_nothing(service):
    assert batch(service, [], url=service.url) == []
    with pytest.raises(TypeError, match="'NoneType' object is not iterable"):
        batch(service, None, url=service.url)
