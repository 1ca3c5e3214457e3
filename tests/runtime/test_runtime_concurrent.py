"""ConcurrentExecution and SendToHttp: stream-steps.md 2.12 and 2.13, rule by rule."""

import asyncio
import os
import threading
import time

import aiohttp
import pytest
from nuclio_stub import Context, Event

from graphc.runtime_min import concurrent, in_flight
from graphc.runtime_min.context import GraphContext
from graphc.runtime_min.http_messages import HttpRequest
from graphc.runtime_min.send_to_http import SendToHttp
from http_service import running


class Platform:
    def set_termination_callback(self, callback):
        self.terminate = callback


class Worker:
    """A worker with one step; `left` is the order in which values left it."""

    def __init__(self):
        self.nuclio = Context()
        self.nuclio.platform = Platform()
        self.context = GraphContext(self.nuclio)
        self.left = []

    def run(self, function, values, **arguments):
        """What each of the values gives, all begun at once."""
        step = concurrent.ConcurrentExecution(self.context, "c", function, **arguments)
        return self.all(step.do, values)

    def all(self, do, values):
        async def one(value):
            try:
                result = await do(value)
            except Exception as exc:
                result = exc
            self.left.append(value)
            return result

        async def run():
            found = await asyncio.gather(*map(one, values))
            if hasattr(self.nuclio.platform, "terminate"):
                await self.nuclio.platform.terminate()
            return found

        return asyncio.run(run())


class Counting:
    """A coroutine function that takes as long as it is told, and counts."""

    def __init__(self):
        self.now = self.most = 0

    async def __call__(self, seconds):
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(seconds)
        self.now -= 1
        return seconds


@pytest.mark.parametrize(("limit", "most"), [(None, 8), (1, 1), (3, 3)])
def test_so_many_at_once_and_in_order(limit, most):
    worker, function = Worker(), Counting()
    seconds = [0.01 * (n % 3) for n in range(12)]
    assert worker.run(function, seconds, max_in_flight=limit) == seconds
    assert function.most == most
    assert worker.left == seconds


def slow_square(value):
    time.sleep(0.05)
    return value * value, os.getpid(), threading.get_ident()


@pytest.mark.parametrize("executor", [None, "thread_pool", "process_pool", "dedicated_process"])
def test_where_it_runs(executor):
    found = Worker().run(slow_square, [1, 2, 3], executor=executor, max_in_flight=3)
    assert [square for square, _, _ in found] == [1, 4, 9]
    processes, threads = ({item[place] for item in found} for place in (1, 2))
    assert (os.getpid() in processes) == (executor in (None, "thread_pool"))
    if executor in (None, "thread_pool"):
        assert (threading.get_ident() in threads) == (executor is None)
    if executor == "dedicated_process":
        assert len(processes) == 1


def test_threads_work_side_by_side():
    met = threading.Barrier(4)
    found = Worker().run(lambda value: met.wait(60), range(8), executor="thread_pool")
    assert sorted(found) == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("executor", [None, "thread_pool", "process_pool", "dedicated_process"])
def test_stop_iteration_is_a_failure_as_any_other(executor):
    found = Worker().run(next, [iter(()), iter((1,))], executor=executor)
    assert [*map(repr, found)] == ["RuntimeError('coroutine raised StopIteration')", "1"]


def test_any_coroutine_is_awaited():
    async def later(value):
        return value + 1

    assert Worker().run(lambda value: later(value), [1, 2], executor="thread_pool") == [2, 3]


def test_the_context_comes_second():
    worker = Worker()
    assert worker.run(lambda value, context: context, [1], pass_context=True) == [worker.context]


def test_none_is_a_result():
    assert Worker().run(lambda value: None, [1]) == [None]


def test_retries(monkeypatch):
    waits, calls = [], []

    async def wait(seconds):
        if seconds:
            waits.append(seconds)

    def fail(value):
        calls.append(value)
        raise ValueError(value)

    worker = Worker()
    monkeypatch.setattr(in_flight.asyncio, "sleep", wait)
    (found,) = worker.run(fail, [1], retries=3, backoff_factor=50)
    assert (repr(found), waits, len(calls)) == ("ValueError(1)", [50, 100, 120], 4)
    assert [line[2]["retries_left"] for line in worker.nuclio.logger.lines] == [3, 2, 1, 0]
    calls.clear()
    worker.run(fail, [1])
    assert len(calls) == 1


def test_a_failure_keeps_its_place():
    async def run(seconds):
        await asyncio.sleep(seconds)
        if not seconds:
            raise KeyError(seconds)
        return seconds

    worker = Worker()
    found = worker.run(run, [0.1, 0, 0.05])
    assert (found[0], repr(found[1]), found[2]) == (0.1, "KeyError(0)", 0.05)
    assert worker.left == [0.1, 0, 0.05]


# -- SendToHttp


@pytest.fixture
def service():
    with running() as found:
        yield found


class Sending:
    """A SendToHttp and the worker that it is in."""

    def __init__(self, service, path="/echo", join=lambda body, response: response, **arguments):
        def build(event):
            headers = {"X-Id": event.id}
            return HttpRequest("PUT", service.url + path, f"sent {event.body}", headers)

        self.worker = Worker()
        self.step = SendToHttp(self.worker.context, "s", build, join, **arguments)

    def send(self, body):
        async def do(event):
            event = await self.step.do_event(event)
            return event, self.step.drops()

        (found,) = self.worker.all(do, [Event(body)])
        if isinstance(found, Exception):
            raise found
        return found


def test_what_is_sent_and_joined(service):
    joined = {}

    def join(body, response):
        joined.update(body=body, status=response.status, text=response.body)
        return "joined"

    event, dropped = Sending(service, join=join).send("x")
    assert (event.body, dropped) == ("joined", False)
    assert (joined["body"], joined["status"], type(joined["text"])) == ("x", 200, str)
    (asked,) = service.asked
    assert (asked["method"], asked["data"], asked["headers"]["x-id"]) == ("PUT", b"sent x", "e1")


def test_statuses_are_no_failures(service):
    sending = Sending(service, "/status/500", lambda body, response: response.status, retries=2)
    assert sending.send({})[0].body == 500
    assert service.times("/status/500") == 1


def test_none_drops_the_event(service):
    sending = Sending(service, join=lambda body, response: None)
    assert sending.send({})[1]


def test_result_path_and_full_event(service):
    body = {"a": 1}
    sending = Sending(service, join=lambda body, response: response.status, result_path="s.t")
    assert sending.send(body)[0].body == {"a": 1, "s": {"t": 200}}
    other = Event("other")
    sending = Sending(service, join=lambda body, response: other, full_event=True)
    assert sending.send(body)[0] is other


def test_connections_that_fail_are_tried_again(service):
    service.fails("/drop/1", 2)
    sending = Sending(service, "/drop/1", lambda body, response: response.status)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        sending.send({})
    sending = Sending(service, "/drop/1", lambda body, r: r.status, retries=1, backoff_factor=0.01)
    assert sending.send({})[0].body == 200
