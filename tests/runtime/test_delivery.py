"""When events are done: what is confirmed before what, and what is acknowledged, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from graphc.runtime_min import delivery
from graphc.runtime_min.streams import Queue, Writer, writers


class Ended(BaseException):
    """The worker has ended; nothing of it may go on."""


class Stream:
    """A stream that confirms on `flush`, unless it is down, or refuses."""

    schemes = ("test",)

    def __init__(self, path: str = "") -> None:
        self.sent: list[Any] = []
        self.arrived: list[Any] = []
        self.down = self.refuses = self.slow = False
        self.closed = False

    def push(self, data: Any, key: str | None = None, shard: int | None = None) -> None:
        if self.down:
            raise OSError("push: down")
        self.sent.append(data)

    def flush(self) -> None:
        if self.down:
            raise OSError("flush: down")
        self.arrived += self.sent
        self.sent = []
        if self.refuses:
            raise ValueError("refused")

    def under_way(self) -> bool:
        return self.slow and bool(self.sent)

    def close(self) -> None:
        self.closed = True


class SlowStream(Stream):
    """A stream that no timer may wait for."""

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self.loop = loop

    def flush(self) -> None:
        assert not (self.loop.waits_for_nobody and self.under_way())
        super().flush()


class Sent:
    """A task that is done."""

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        callback(self)


class Loop:
    """An event loop whose clock the test turns."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Any] = []
        #: Is it between events, where nothing may wait?
        self.waits_for_nobody = False

    def call_later(self, seconds: float, call: Callable[[], None]) -> Any:
        timer = SimpleNamespace(at=self.now + seconds, call=call)
        timer.cancel = lambda: self.timers.remove(timer) if timer in self.timers else None
        self.timers.append(timer)
        return timer

    def create_task(self, task: Any) -> Any:
        with pytest.raises(StopIteration):
            task.send(None)
        return Sent()

    def turn(self, seconds: float) -> None:
        self.now += seconds
        self.waits_for_nobody = True
        for timer in [timer for timer in self.timers if timer.at <= self.now]:
            self.timers.remove(timer)
            timer.call()
        self.waits_for_nobody = False


class Platform:
    """Nuclio's, as far as it hears of acknowledgements."""

    def __init__(self) -> None:
        self.acknowledged: list[tuple[str, int, int]] = []
        self.drain: Any = None
        self.terminate: Any = None

    async def explicit_ack(self, position: Any) -> None:
        message = position.compile_explicit_ack_message()
        assert message["kind"] == "streamMessageAck"
        self.acknowledged.append(tuple(message["attributes"].values()))

    def set_drain_callback(self, callback: Any) -> None:
        self.drain = callback

    def set_termination_callback(self, callback: Any) -> None:
        self.terminate = callback


class Response:
    def __init__(self, body: Any, content_type: str = "", status_code: int = 200) -> None:
        self.body, self.status_code = body, status_code


def make_context(kind: str) -> Any:
    errors: list[str] = []
    return SimpleNamespace(
        platform=Platform(),
        logger=SimpleNamespace(error=errors.append, errors=errors),
        trigger=SimpleNamespace(kind=kind, name=kind),
        Response=Response,
    )


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No streams of other tests, and a worker that ends by an exception."""
    monkeypatch.setattr(delivery.os, "_exit", ended)
    before = writers[:]
    writers.clear()
    yield
    writers[:] = before


def ended(status: int) -> None:
    assert status == 1
    raise Ended


class Worker(RuleBasedStateMachine):
    """A worker with a stream of three partitions: nothing is acknowledged too early or too late."""

    def __init__(self) -> None:
        super().__init__()
        writers.clear()
        self.loop = Loop()
        self.streams = [SlowStream(self.loop), SlowStream(self.loop)]
        writers.extend(map(Writer, self.streams))
        self.context = make_context("kafka-cluster")
        self.strides = delivery.Strides(self.context, self.loop)
        self.next = [0, 0, 0]
        #: Of each partition, what an event sent, by its offset; None while it is in progress.
        self.events: list[dict[int, Any]] = [{}, {}, {}]
        self.since = 0.0
        self.ended = False

    @precondition(lambda self: not self.ended)
    @rule(partition=st.integers(0, 2), count=st.integers(1, 130), between=st.floats(0, 0.3))
    def events_are_handled(self, partition: int, count: int, between: float) -> None:
        for _ in range(count):
            offset = self.next[partition]
            self.next[partition] += 1
            sent = f"{partition}:{offset}"
            writers[offset % 2].push(sent)
            if between > 0.2:
                self.passes(between)  # the handler awaits, so that a timer may come first
                if self.ended:
                    return
            event = SimpleNamespace(topic="t", shard_id=partition, offset=offset)
            self.events[partition][offset] = sent
            if self.unacknowledged() == 1:
                self.since = self.loop.now
            self.lives(lambda event=event: self.strides.done(event, None))
            if self.ended:
                return

    @precondition(lambda self: not self.ended)
    @rule(seconds=st.floats(0, 2))
    def passes(self, seconds: float) -> None:
        self.lives(lambda: self.loop.turn(seconds))

    @precondition(lambda self: not self.ended)
    @rule()
    def partitions_are_taken_away(self) -> None:
        self.lives(lambda: asyncio.run(self.strides.confirm()))
        assert self.ended or self.unacknowledged() == 0

    @rule(which=st.integers(0, 1), down=st.booleans(), refuses=st.booleans(), slow=st.booleans())
    def a_stream_changes(self, which: int, down: bool, refuses: bool, slow: bool) -> None:
        stream = self.streams[which]
        stream.down, stream.refuses, stream.slow = down, refuses, slow
        # A timer looks again soon; there may have been reason to wait until now.
        self.since = self.loop.now

    @precondition(lambda self: not self.ended)
    @invariant()
    def in_time(self) -> None:
        assert self.unacknowledged() < delivery.STRIDE
        if self.unacknowledged() and not any(stream.under_way() for stream in self.streams):
            assert self.loop.now - self.since < 1.0

    @invariant()
    def not_too_early(self) -> None:
        arrived = {data for stream in self.streams for data in stream.arrived}
        for partition, upto in self.acknowledged().items():
            # All before it, and nothing that is still in progress.
            assert set(range(upto + 1)) <= self.events[partition].keys()
            assert {self.events[partition][offset] for offset in range(upto + 1)} <= arrived

    def acknowledged(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for topic, partition, offset in self.context.platform.acknowledged:
            assert topic == "t"
            assert offset > found.get(partition, -1)
            found[partition] = offset
        return found

    def unacknowledged(self) -> int:
        done = sum(map(len, self.events))
        return done - sum(offset + 1 for offset in self.acknowledged().values())

    def lives(self, call: Callable[[], Any]) -> None:
        before = len(self.context.platform.acknowledged)
        try:
            call()
        except Ended:
            self.ended = True
            assert any(stream.down for stream in self.streams) or self.context.logger.errors
            assert len(self.context.platform.acknowledged) == before
            *refusals, error = self.context.logger.errors
            assert all(refusal.endswith(": refused") for refusal in refusals)
            assert error.endswith(": down")


def test_strides() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Worker, settings=settings(max_examples=100, stateful_step_count=25, deadline=None)
    )


def test_events_of_one_stride_are_acknowledged_together() -> None:
    context, stream = make_context("kafka-cluster"), Stream()
    writers.append(Writer(stream))
    loop = Loop()
    strides = delivery.Strides(context, loop)
    for offset in range(250):
        writers[0].push(offset)
        event = SimpleNamespace(topic="t", shard_id=offset % 2, offset=offset)
        assert strides.done(event, "response") == "response"
    assert context.platform.acknowledged == [
        ("t", 0, 98), ("t", 1, 99), ("t", 0, 198), ("t", 1, 199)
    ]  # fmt: skip
    assert len(stream.sent) == 50
    loop.turn(0.99)
    assert len(stream.sent) == 50
    loop.turn(0.01)
    assert context.platform.acknowledged[4:] == [("t", 0, 248), ("t", 1, 249)]
    assert not loop.timers


def test_between_events_nothing_waits() -> None:
    context, loop = make_context("kafka-cluster"), Loop()
    stream = SlowStream(loop)
    stream.slow = True
    writers.append(Writer(stream))
    strides = delivery.Strides(context, loop)
    writers[0].push("x")
    strides.done(SimpleNamespace(topic="t", shard_id=0, offset=7), None)
    loop.turn(1.0)
    loop.turn(30.0)
    assert context.platform.acknowledged == []
    stream.slow = False
    loop.turn(0.1)
    assert context.platform.acknowledged == [("t", 0, 7)]
    assert not loop.timers


def test_a_refused_message_holds_nobody_up() -> None:
    context, stream = make_context("kafka-cluster"), Stream()
    writers.append(Writer(stream))
    stream.refuses = True
    strides = delivery.Strides(context, Loop())
    writers[0].push("x")
    strides.done(SimpleNamespace(topic="t", shard_id=3, offset=7), None)
    asyncio.run(strides.confirm())
    assert context.platform.acknowledged == [("t", 3, 7)]
    assert context.logger.errors == ["not sent by one of 1 events up to t[3]@7: refused"]


def test_a_stream_that_is_down_fails_no_step() -> None:
    queue = Queue("test://", Stream)
    stream = queue._writer._stream
    stream.down = True
    queue.push(SimpleNamespace(), {})  # no catcher is to see this
    done = delivery.start(make_context("http"))
    assert done(None, Response("fine")).status_code == 503
    stream.down = False
    queue.push(SimpleNamespace(), {})
    assert done(None, Response("fine")).body == "fine"
    assert stream.arrived == ["{}"]


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("http", 503), ("cron", 503), ("nats", 503), ("pubsub", Ended)],
)
def test_requests_wait_for_their_streams(kind: str, outcome: Any) -> None:
    context, stream = make_context(kind), Stream()
    writers.append(Writer(stream))
    done = delivery.start(context)
    writers[0].push("a")
    fine = Response("fine")
    assert done(None, fine) is fine
    assert stream.arrived == ["a"]
    stream.down = True
    if outcome is Ended:
        with pytest.raises(Ended):
            done(None, fine)
    else:
        answer = done(None, fine)
        assert (answer.status_code, answer.body) == (outcome, "flush: down")
        failed = Response("failed", status_code=400)
        assert done(None, failed) is failed
    stream.down, stream.refuses = False, True
    answer = done(None, fine)
    assert (answer.status_code, answer.body) == (503, "refused")


def test_records_that_events_can_do_without() -> None:
    context, stream = make_context("http"), Stream()
    writers.append(Writer(stream, needed=False))
    done = delivery.start(context)
    stream.down = True
    assert done(None, "fine") == "fine"
    stream.down = False
    writers[0].push("a")
    context.platform.terminate()
    assert stream.arrived == ["a"]
    assert stream.closed


def test_drain_and_termination() -> None:
    context, stream = make_context("v3ioStream"), Stream()
    writers.append(Writer(stream))

    async def life() -> None:
        done = delivery.start(context)
        writers[0].push("a")
        done(SimpleNamespace(topic="", stream_path="c/s", shard_id=1, offset=5), None)
        await context.platform.drain()
        assert context.platform.acknowledged == [("c/s", 1, 5)]
        writers[0].push("b")
        done(SimpleNamespace(stream_path="c/s", shard_id=1, offset=6), None)
        await context.platform.terminate()
        assert context.platform.acknowledged[1:] == [("c/s", 1, 6)]

    asyncio.run(life())
    assert stream.arrived == ["a", "b"]
    assert stream.closed


def test_acknowledgements_that_fail_are_told() -> None:
    context = make_context("kafka-cluster")

    async def refuse(position: Any) -> None:
        raise BrokenPipeError("gone")

    context.platform.explicit_ack = refuse

    async def life() -> None:
        done = delivery.start(context)
        done(SimpleNamespace(topic="t", shard_id=0, offset=0), None)
        await context.platform.drain()

    asyncio.run(life())
    assert context.logger.errors == ["not acknowledged: BrokenPipeError('gone')"]
