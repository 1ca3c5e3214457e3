"""Two functions and a real Kafka broker between them, under `graphc serve`: nothing is lost.

What is sent is known, so is what has to come out. At least once: what comes twice is counted, and
printed beside the seed (`pytest -s`).
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from confluent_kafka import KafkaException

from servers import wait_until
from servers.kafka import Kafka, kafka

SEED = int(os.environ.get("GRAPHC_SEED", "5"))

GRAPH = """
import mlrun


class Parse:
    def do(self, event):
        return {"number": event["number"], "parsed": True}


class Check:
    def do(self, event):
        if event["number"] % 100 == 99:
            raise ValueError(f"poison {event['number']}")
        return event


class Split:
    def do(self, event):
        return [{"number": event["number"], "part": part} for part in ("a", "b")]


fn = mlrun.code_to_function("pipeline", kind="serving", image="mlrun/mlrun")
graph = fn.set_topology("flow", engine="async")
(
    graph.to("Parse", name="parse")
    .to("$queue", "numbers", path="kafka://broker:9092/PREFIX.numbers", group="PREFIX")
    .to("Check", name="check", function="child")
    .to("Split", name="split", function="child")
    .to("storey.Flatten", name="flatten", function="child")
    .to("$queue", "results", path="kafka://broker:9092/PREFIX.results", function="child")
)
child = fn.add_child_function("child", "graph.py", "mlrun/mlrun")
child.spec.error_stream = "kafka://broker:9092/PREFIX.errors"
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with kafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


class Pipeline:
    """Packages of two functions, on topics of their own."""

    def __init__(
        self, dist: Path, child: str, topics: list[str], group: str, broker: Kafka, partitions: int
    ) -> None:
        self.broker = broker
        self.dist = dist
        self.topics = topics
        self.group = group
        self.partitions = partitions
        self._edit(child, _of_child)
        broker.create(*topics, partitions=partitions)
        self.logs: list[str] = []

    def _edit(self, function: str, change: Callable[[dict[str, Any]], None]) -> None:
        path = self.dist / function / "function.yaml"
        config = yaml.safe_load(path.read_text())
        change(config["spec"])
        path.write_text(yaml.safe_dump(config))

    @contextmanager
    def serve(self, *functions: str, workers: int = 1, quiet: bool = True) -> Iterator[Serving]:
        """Run these functions in a process of their own until the block ends."""
        with Serving(self, functions, workers, quiet) as serving:
            yield serving

    def fill(self, numbers: Iterable[int]) -> None:
        """Send what the parent would, to each partition in turn."""
        for partition in range(self.partitions):
            messages = [
                json.dumps(
                    {
                        "full_event_wrapper": True,
                        "body": {"number": number, "parsed": True},
                        "id": str(number),
                    }
                )
                for number in numbers
                if number % self.partitions == partition
            ]
            self.broker.send(self.topics[0], *messages, partition=partition)

    def results(self) -> Counter[tuple[int, str]]:
        return Counter(
            (value["number"], value["part"])
            for message in self.broker.read(self.topics[1])
            for value in [json.loads(message.value())]
        )

    def errors(self) -> Counter[int]:
        return Counter(
            int(number)
            for message in self.broker.read(self.topics[2])
            for number in re.findall(r"ValueError: poison (\d+)", message.value().decode())
        )

    def done(self) -> int:
        """How many messages of the first topic are committed."""
        try:
            return sum(
                max(0, self.broker.committed(self.group, self.topics[0], number))
                for number in range(self.partitions)
            )
        except KafkaException:
            return 0  # A new broker has no coordinator at first.

    def wait_until_done(self, count: int, patience: float = 90) -> None:
        try:
            wait_until(lambda: self.done() >= count, patience, 0.3)
        except BaseException:
            print(f"{self.done()} of {count} are committed", *self.logs[-40:], sep="\n")
            raise

    def check(self, numbers: Iterable[int], what: str, most_twice: int | None = None) -> None:
        """All results are there, and no others; poison is in the error stream."""
        numbers = set(numbers)
        good = {number for number in numbers if number % 100 != 99}
        results, errors = self.results(), self.errors()
        assert set(results) == {(number, part) for number in good for part in "ab"}
        assert set(errors) == numbers - good
        twice = sum(results.values()) - len(results)
        print(f"{what}: {len(numbers)} events, {twice} of {len(results)} results came again")
        if most_twice is not None:
            assert twice <= most_twice


def _of_child(spec: dict[str, Any]) -> None:
    # One worker, which reads; and a group that misses a dead member soon.
    spec["disableDefaultHTTPTrigger"] = True
    spec["triggers"] = {
        name: trigger for name, trigger in spec["triggers"].items() if trigger["kind"] != "http"
    }
    for trigger in spec["triggers"].values():
        trigger["workerTerminationTimeout"] = "5s"
        trigger["attributes"] |= {
            "initialOffset": "earliest",
            "sessionTimeout": "2s",
            "heartbeatInterval": "500ms",
        }


def build(folder: Path, broker: Kafka, partitions: int = 1) -> Pipeline:
    """The packages of GRAPH."""
    prefix = f"t{time.monotonic_ns()}"
    (folder / "graph.py").write_text(GRAPH.replace("PREFIX", prefix))
    command = [sys.executable, "-m", "graphc", "build", str(folder / "graph.py")]
    subprocess.run([*command, "-o", str(folder / "dist"), "--quiet"], check=True)
    topics = [f"{prefix}.{name}" for name in ("numbers", "results", "errors")]
    return Pipeline(folder / "dist", "child", topics, prefix, broker, partitions)


class Serving:
    """`graphc serve` for some functions of a pipeline."""

    def __init__(
        self, pipeline: Pipeline, functions: tuple[str, ...], workers: int, quiet: bool
    ) -> None:
        self.pipeline = pipeline
        self._command = [sys.executable, "-m", "graphc", "serve", str(pipeline.dist)]
        self._command += ["--quiet"] * quiet
        self._command += ["--port", "0", "--workers", str(workers)]
        self._command += ["--broker", f"kafka://{pipeline.broker.address}"]
        self._command += [word for name in functions for word in ("--function", name)]
        self._functions = functions
        self.url = ""
        self.start()

    def start(self) -> None:
        """Returns when the functions run."""
        self.process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        started = threading.Event()
        threading.Thread(target=self._listen, args=(started,), daemon=True).start()
        assert started.wait(60)
        assert self.process.poll() is None, self.pipeline.logs[-20:]

    def _listen(self, started: threading.Event) -> None:
        assert self.process.stderr
        missing = set(self._functions)
        with self.process.stderr as lines:
            for line in lines:
                self.pipeline.logs.append(line.rstrip())
                if found := re.match(r"([\w-]+): (http://\S+|answers no requests)", line):
                    missing.discard(found[1])
                    if found[2].startswith("http"):
                        self.url = found[2]
                if not missing:
                    started.set()
        started.set()

    def workers(self) -> list[int]:
        """The processes that it has started."""
        pid = self.process.pid
        return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    def kill_worker(self) -> None:
        for pid in self.workers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def __enter__(self) -> Serving:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None and self.stop() != 0:
            raise AssertionError(self.pipeline.logs[-20:])

    def post(self, bodies: Iterable[Mapping[str, Any]], clients: int = 8) -> int:
        """Send events to the parent until each has been taken; how many attempts failed."""
        host, port = self.url.removeprefix("http://").split(":")
        left = iter(list(bodies))
        lock = threading.Lock()

        def send() -> int:
            failed, connection = 0, http.client.HTTPConnection(host, int(port), timeout=90)
            while True:
                with lock:
                    body = next(left, None)
                if body is None:
                    connection.close()
                    return failed
                while True:
                    try:
                        connection.request("POST", "/", json.dumps(body))
                        answer = connection.getresponse()
                        answer.read()
                        if answer.status == 200:
                            break
                    except (OSError, http.client.HTTPException):
                        connection.close()
                    failed += 1
                    time.sleep(0.2)

        with ThreadPoolExecutor(clients) as threads:
            return sum(threads.map(lambda _: send(), range(clients)))


def numbered(numbers: Iterable[int]) -> list[dict[str, Any]]:
    return [{"number": number} for number in numbers]


PEOPLE = {
    "ada-lovelace": ("Ada Lovelace", 1815),
    "charles-babbage": ("Charles Babbage", 1791),
    "grace-hopper": ("Grace Hopper", 1906),
}


def test_the_example(tmp_path: Path, broker: Kafka) -> None:
    """Ten thousand documents through examples/nlp, with 20 kills -9 of the child's worker."""
    chance = random.Random(SEED)
    dist = tmp_path / "dist"
    shutil.copytree(Path(__file__).parents[1] / "examples" / "nlp" / "dist", dist)
    topics, group = ["paragraphs", "entities"], "enrich-consumer-group"
    pipeline = Pipeline(dist, "enrich", topics, group, broker, partitions=2)
    documents, expected = [], set()
    for number in range(10_000):
        there = [who for place, who in enumerate(PEOPLE) if number >> place & 1]
        text = f"{number} visitors in London.\n\n" + "\n\n".join(PEOPLE[who][0] for who in there)
        url = "data:text/plain," + quote(text)
        documents.append({"url": url})
        expected.add((url, "london", 1, None))
        expected |= {(url, who, 1, PEOPLE[who][1]) for who in there}
        if number >= 1000:  # Four digits are a date, to the example.
            expected.add((url, str(number), 1, None))
    with (
        pipeline.serve("nlp-pipeline", workers=2) as parent,
        pipeline.serve("enrich") as child,
        ThreadPoolExecutor(1) as threads,
    ):
        sending = threads.submit(parent.post, documents)
        for _ in range(20):
            # While it is at work, not while it starts.
            more = broker.count("entities") + chance.randint(100, 1500)
            wait_until(lambda more=more: broker.count("entities") >= more, 60, 0.05)
            child.kill_worker()
        assert sending.result() == 0
        pipeline.wait_until_done(len(documents))
    results = Counter(
        (value["url"], value["id"], value["mentions"], value.get("born"))
        for message in broker.read("entities")
        for value in [json.loads(message.value())]
    )
    assert set(results) == expected
    twice = sum(results.values()) - len(results)
    print(f"the example: 10000 documents, {twice} of {len(results)} results came again")


def test_ten_thousand_events(tmp_path: Path, broker: Kafka) -> None:
    """With a kill -9 of the child, its worker or all of it, at 20 moments."""
    chance = random.Random(SEED)
    pipeline, numbers = build(tmp_path, broker, partitions=3), range(10_000)
    with pipeline.serve("pipeline", workers=2) as parent, pipeline.serve("child") as child:
        with ThreadPoolExecutor(1) as threads:
            sending = threads.submit(parent.post, numbered(numbers))
            for kill in range(20):
                time.sleep(chance.uniform(0.1, 1.2))
                if kill % 5 == 4:
                    child.kill()
                    child.start()
                else:
                    child.kill_worker()
            assert sending.result() == 0
        pipeline.wait_until_done(len(numbers))
    pipeline.check(numbers, f"20 kills (seed {SEED})")


def test_the_way_of_events_without_trouble(tmp_path: Path, broker: Kafka) -> None:
    pipeline, numbers = build(tmp_path, broker), range(2_000)
    with pipeline.serve("pipeline", "child") as both:
        assert both.post(numbered(numbers), clients=1) == 0
        assert both.stop() == 0
    # What is left is read by whoever comes next, and nothing twice.
    with pipeline.serve("child") as child:
        pipeline.wait_until_done(len(numbers))
        assert child.stop() == 0
    pipeline.check(numbers, "no trouble", most_twice=0)
    shown = [json.loads(message.value()) for message in broker.read(pipeline.topics[1])]
    # In the order of the partition.
    assert [value["number"] for value in shown] == sorted(value["number"] for value in shown)
    # What failed is told with function, event and step.
    told = [line for line in pipeline.logs if "Traceback" in line]
    place = rf"child/kafka/0 {re.escape(pipeline.topics[0])}\[0\]@\d*99 check \[error\]"
    assert len(told) == 20
    assert all(re.search(place, line) for line in told), told


def test_a_broker_that_is_killed_and_one_that_is_away(tmp_path: Path, broker: Kafka) -> None:
    pipeline, numbers = build(tmp_path, broker), range(3_000)
    with pipeline.serve("pipeline", workers=2) as parent, pipeline.serve("child"):
        with ThreadPoolExecutor(1) as threads:
            sending = threads.submit(parent.post, numbered(numbers))
            for away in (0, 10):
                time.sleep(1.5)
                broker.kill()
                time.sleep(away)
                broker.start()
            failed = sending.result()
        pipeline.wait_until_done(len(numbers))
        broker.kill()
        time.sleep(1.5)
        began = time.monotonic()
    # Ctrl-C ends both, though nobody can be asked to let them go.
    assert time.monotonic() - began < 45
    broker.start()
    pipeline.check(numbers, f"broker down twice ({failed} requests repeated)")


def test_a_second_replica_comes_and_goes(tmp_path: Path, broker: Kafka) -> None:
    pipeline, numbers = build(tmp_path, broker, partitions=4), range(8_000)
    pipeline.fill(numbers)
    with pipeline.serve("child", quiet=False):
        wait_until(lambda: pipeline.done() > 1_000, 60)
        with pipeline.serve("child", quiet=False) as second:
            joined = [line for line in pipeline.logs if "is read" in line]
            wait_until(lambda: [line for line in pipeline.logs if "is read" in line] != joined, 60)
            time.sleep(0.5)
            assert second.stop() == 0
        pipeline.wait_until_done(len(numbers))
    pipeline.check(numbers, "rebalance", most_twice=0)
    # Both have read: the first gave up all when the second came, the second its share.
    assert sum("is given up, all done before" in line for line in pipeline.logs) >= 4 + 2
