"""Two functions and a real Kafka broker: nothing is lost, whatever is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from graphc.pipeline import build
from servers import wait_until
from servers.kafka import Kafka, kafka

GRAPH = """
import mlrun

def check(event):
    if event["n"] % 100 == 99:
        raise ValueError("n is " + str(event["n"]))
    return event

def split(event):
    return [{"n": event["n"], "part": "a"}, {"n": event["n"], "part": "b"}]

OPTIONS = {"delivery_timeout_ms": TIME}
fn = mlrun.new_function("sender", kind="serving", project="p")
graph = fn.set_topology("flow", engine="async")
graph.to(name="numbers", handler="(list(range(event['from'], event['to'])))").to(
    "storey.Flatten", "each"
).to(name="message", handler="({'n': event})").to(
    "$queue", "in", path="kafka://BROKER/in", group="readers", kafka_producer_options=OPTIONS
).to(name="check", handler="check", function="reader").to(
    name="split", handler="split", function="reader"
).to("storey.Flatten", "flat", function="reader").to(
    "$queue", "out", path="kafka://BROKER/out", kafka_producer_options=OPTIONS
)
reader = fn.add_child_function("reader", "graph.py", "python:3.11")
ERRORS
"""
ERRORS = 'reader.spec.error_stream = fn.spec.error_stream = "kafka://BROKER/errors"'


def dist(folder: Path, broker: Kafka, patience: float = 60, errors: str = ERRORS) -> Path:
    """Both packages; they wait so many seconds for a stream."""
    text = GRAPH.replace("ERRORS", errors).replace("BROKER", broker.address)
    source = folder / "graph.py"
    source.write_text(text.replace("TIME", str(int(patience * 1000))), encoding="utf-8")
    made = build(source)
    assert not made.failed, [found.message for found in made.diagnostics]
    for path, data in made.files.items():
        target = folder / "dist" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return folder / "dist"


class Functions:
    """`graphc serve` of functions of a dist."""

    def __init__(self, dist: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "graphc", "serve", str(dist), "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--broker", "configured", "--quiet", *arguments],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def said(self, text: str) -> Callable[[], bool]:
        return lambda: any(text in line for line in self.lines)

    def post(self, **body: int) -> int:
        """The status that the first function answers with."""
        wait_until(self.said("http://"), 30)
        (url,) = re.findall(r"http://\S+", "".join(self.lines))[:1]
        request = urllib.request.Request(
            url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(30) == 0, self.lines[-20:]

    def kill(self) -> None:
        """All of it, workers included."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self._reading.join()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.lines += iter(self.process.stderr.readline, "")


@contextmanager
def functions(dist: Path, *arguments: str) -> Iterator[Functions]:
    running = Functions(dist, *arguments)
    try:
        yield running
    finally:
        running.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Kafka]:
    """A broker that tests may stop."""
    with kafka(tmp_path / "kafka") as running:
        yield running


def results(broker: Kafka) -> Counter[tuple[int, str]]:
    """What is in the topic `out`, and how often."""
    found = (json.loads(message.value()) for message in broker.read("out"))
    return Counter((result["n"], result["part"]) for result in found)


def wanted(count: int) -> set[tuple[int, str]]:
    return {(n, part) for n in range(count) if n % 100 != 99 for part in "ab"}


def read_up_to(broker: Kafka, count: int, partitions: int = 1) -> Callable[[], bool]:
    """Has the group committed so many messages?"""
    places = range(partitions)
    return lambda: sum(max(broker.committed("readers", "in", n), 0) for n in places) >= count


def failed(broker: Kafka) -> list[int]:
    records = [json.loads(message.value()) for message in broker.read("errors")]
    assert {record["source"] for record in records} <= {"check"}
    return sorted(record["event"]["body"]["n"] for record in records)


def test_kills_lose_nothing(tmp_path: Path, broker: Kafka) -> None:
    """All of it is killed, the broker is killed, and is away for 10 seconds."""
    made = dist(tmp_path, broker)
    broker.create("in", "out", "errors")
    with functions(made) as running:
        assert running.post(**{"from": 0, "to": 20_000}) == 200
        # The answer says that the messages are there.
        assert len(broker.read("in")) == 20_000
        wait_until(lambda: broker.count("out") > 4000, 60)
        running.kill()
    before = results(broker)
    committed = max(broker.committed("readers", "in"), 0)
    # What comes again is what was done in the last stride, and since the last commit.
    again = [
        message.timestamp()[1]
        for message in broker.read("out")
        if json.loads(message.value())["n"] >= committed
    ]
    assert again[-1] - again[0] < 4000, f"milliseconds; {len(again)} results"
    with functions(made) as running:
        wait_until(lambda: broker.count("out") > sum(before.values()) + 500, 60)
        broker.kill()
        broker.start()
        assert running.post(**{"from": 20_000, "to": 22_000}) == 200
        broker.stop()
        time.sleep(10)
        broker.start()
        wait_until(read_up_to(broker, 22_000), 90, pause=0.5)
        running.stop()
    found = results(broker)
    assert found.keys() == wanted(22_000)
    twice = sum(found.values()) - len(found)
    print(f"{twice} results twice; {len(again)} were sent and not committed at the kill")
    assert set(failed(broker)) == {n for n in range(22_000) if n % 100 == 99}


def test_a_stream_that_stays_down_ends_the_worker(tmp_path: Path, broker: Kafka) -> None:
    """Nothing is acknowledged that did not arrive; another worker gets it again."""
    # Without an error stream, which would be waited for a minute.
    made = dist(tmp_path, broker, patience=2, errors="")
    broker.create("in", "out", "errors")
    with functions(made) as running:
        assert running.post(**{"from": 0, "to": 20_000}) == 200
        wait_until(lambda: broker.count("out") > 500, 60)
        broker.kill()
        wait_until(running.said("the worker ends, and its events come again"), 30)
        wait_until(running.said("(status 1)"), 30)
        # Those who wait for an answer are told.
        assert running.post(**{"from": 20_000, "to": 20_001}) == 503
        broker.start()
        committed = broker.committed("readers", "in")
        assert {(n, part) for n, part in wanted(max(committed, 0))} <= results(broker).keys()
        wait_until(read_up_to(broker, 20_000), 90, pause=0.5)
        running.stop()
    assert wanted(20_000) <= results(broker).keys() <= wanted(20_001)


def test_partitions_that_change_hands(tmp_path: Path, broker: Kafka) -> None:
    """They are drained before they go, workers before they end: all of it comes once."""
    made = dist(tmp_path, broker)
    broker.create("in", partitions=4)
    broker.create("out", "errors")
    with functions(made) as first:
        assert first.post(**{"from": 0, "to": 10_000}) == 200
        wait_until(lambda: broker.count("out") > 1000, 60)
        with functions(made, "--function", "reader") as second:
            wait_until(read_up_to(broker, 10_000, 4), 90, pause=0.5)
            second.stop()
        first.stop()
    assert results(broker) == Counter(wanted(10_000))
    assert failed(broker) == [n for n in range(10_000) if n % 100 == 99]


def test_failures_without_an_error_stream(tmp_path: Path, broker: Kafka) -> None:
    """They are logged with their places, and done."""
    made = dist(tmp_path, broker, errors="")
    broker.create("in", "out")
    with functions(made) as running:
        assert running.post(**{"from": 0, "to": 200}) == 200
        wait_until(read_up_to(broker, 200), 60, pause=0.3)
        running.stop()
    assert results(broker) == Counter(wanted(200))
    for place in ("in[0]@99", "in[0]@199"):
        assert running.said(f"run error at {place}, Traceback")(), running.lines
