"""examples/nlp, two functions and a real Kafka broker between them, under `graphc serve`: nothing
is lost.

What is sent is known, so is what has to come out. At least once: what comes twice is counted, and
printed beside the seed (`pytest -s`).
"""

from __future__ import annotations

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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import yaml

from nlp_documents import Entity, document, entities, is_poison
from servers import post_until_taken, wait_until
from servers.kafka import Kafka, kafka

SEED = int(os.environ.get("GRAPHC_SEED", "5"))

EXAMPLE = Path(__file__).parents[1] / "examples" / "nlp" / "dist"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with kafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def broker(running: Kafka) -> Iterator[Kafka]:
    """The broker, without the example's topics."""
    yield running
    running.delete("paragraphs", "entities", "failed")


class Pipeline:
    """The example's packages, as they are but for the child's group, which misses a member after
    `patience` seconds."""

    def __init__(self, folder: Path, broker: Kafka, partitions: int = 1, patience: int = 2) -> None:
        self.broker = broker
        self.dist = folder / "dist"
        self.partitions = partitions
        self.group = f"group-{time.monotonic_ns()}"
        self.logs: list[str] = []
        shutil.copytree(EXAMPLE, self.dist)
        path = self.dist / "enrich" / "function.yaml"
        config = yaml.safe_load(path.read_text())
        # One worker, which reads.
        config["spec"]["disableDefaultHTTPTrigger"] = True
        trigger = config["spec"]["triggers"]["kafka"]
        config["spec"]["triggers"] = {"kafka": trigger}
        trigger["workerTerminationTimeout"] = "5s"
        trigger["attributes"] |= {
            "consumerGroup": self.group,
            "sessionTimeout": f"{patience}s",
            "heartbeatInterval": "500ms",
        }
        path.write_text(yaml.safe_dump(config))
        broker.create("paragraphs", partitions=partitions)

    @contextmanager
    def serve(self, *functions: str, workers: int = 1, quiet: bool = True) -> Iterator[Serving]:
        """Run these functions in a process of their own until the block ends."""
        with Serving(self, functions, workers, quiet) as serving:
            yield serving

    def results(self) -> list[Entity]:
        """What came out, in the order of the stream."""
        found = (json.loads(message.value()) for message in self.broker.read("entities"))
        return [(one["url"], one["id"], one["mentions"], one.get("born")) for one in found]

    def failed(self) -> list[str]:
        """The documents in the error stream."""
        records = [json.loads(message.value()) for message in self.broker.read("failed")]
        for record in records:
            assert record["function_uri"] == "/nlp-pipeline-enrich"
            assert record["source"] == "ApplyNLP"
            assert record["message"].startswith("[E088] Text of length")
        return [record["event"]["body"]["url"] for record in records]

    def done(self) -> int:
        """How many documents are committed."""
        return sum(self.committed(number) for number in range(self.partitions))

    def committed(self, partition: int) -> int:
        return max(0, self.broker.committed(self.group, "paragraphs", partition))

    def wait_until_done(self, count: int, patience: float = 90) -> None:
        try:
            wait_until(lambda: self.done() >= count, patience, 0.3)
        except BaseException:
            print(f"{self.done()} of {count} are committed", *self.logs[-40:], sep="\n")
            raise

    def check(self, count: int, what: str, most_twice: int | None = None) -> None:
        """All results are there, and no others; poison is in the error stream."""
        results, failed = Counter(self.results()), Counter(self.failed())
        good = [number for number in range(count) if not is_poison(number)]
        assert set(results) == {entity for number in good for entity in entities(number)}
        assert set(failed) == {document(number) for number in range(count) if is_poison(number)}
        twice = sum(results.values()) - len(results)
        again = sum(failed.values()) - len(failed)
        print(
            f"{what}: {count} documents, {twice} of {len(results)} results and {again} of "
            f"{len(failed)} failures came again"
        )
        if most_twice is not None:
            assert twice + again <= most_twice


class Serving:
    """`graphc serve` for some of the functions."""

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
        self.logs: list[str] = []
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
                self.logs.append(line.rstrip())
                self.pipeline.logs.append(line.rstrip())
                if found := re.match(r"([\w-]+): (http://\S+|answers no requests)", line):
                    missing.discard(found[1])
                    if found[2].startswith("http"):
                        self.url = found[2]
                if not missing:
                    started.set()
        started.set()

    def partitions(self, what: str) -> list[int]:
        """Those of which it has told this, in turn."""
        told = (re.search(rf"paragraphs\[(\d+)\] {what}", line) for line in self.logs)
        return [int(found[1]) for found in told if found]

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

    def post(self, count: int, clients: int = 8, begin: int = 0) -> int:
        """Send documents to the parent until each has been taken; how many attempts failed."""
        address = self.url.removeprefix("http://")
        shares = [
            ({"url": document(number)} for number in range(begin + first, count, clients))
            for first in range(clients)
        ]
        with ThreadPoolExecutor(clients) as threads:
            return sum(threads.map(partial(post_until_taken, address), shares))


def test_a_child_that_is_killed(tmp_path: Path, broker: Kafka) -> None:
    """Ten thousand documents, with a kill -9 of the child, its worker or all of it, 20 times."""
    chance, count = random.Random(SEED), 10_000
    pipeline = Pipeline(tmp_path, broker, partitions=2)
    with (
        pipeline.serve("nlp-pipeline", workers=2) as parent,
        pipeline.serve("enrich") as child,
        ThreadPoolExecutor(1) as threads,
    ):
        sending = threads.submit(parent.post, count)
        for kill in range(20):
            # While it is at work, not while it starts.
            more = broker.count("entities") + chance.randint(100, 1400)
            wait_until(lambda more=more: broker.count("entities") >= more, 60, 0.05)
            if kill % 5 == 4:
                child.kill()
                child.start()
            else:
                child.kill_worker()
        assert sending.result() == 0
        pipeline.wait_until_done(count)
    pipeline.check(count, f"20 kills (seed {SEED})")


def test_the_way_of_documents_without_trouble(tmp_path: Path, broker: Kafka) -> None:
    pipeline, count = Pipeline(tmp_path, broker, patience=10), 500
    with pipeline.serve("nlp-pipeline", "enrich") as both:
        assert both.post(count, clients=1) == 0
        assert both.stop() == 0
    # What is left is read by whoever comes next, and nothing twice.
    with pipeline.serve("enrich") as child:
        pipeline.wait_until_done(count)
        assert child.stop() == 0
    pipeline.check(count, "no trouble", most_twice=0)
    # In the order of the partition.
    places = {document(number): number for number in range(count)}
    shown = [places[url] for url, *_ in pipeline.results()]
    assert shown == sorted(shown)
    # What failed is told with function, event and step.
    told = [line for line in pipeline.logs if "Traceback" in line]
    assert len(told) == count // 100
    for line in told:
        assert re.search(r"enrich/kafka/0 paragraphs\[0\]@\d*99 ApplyNLP \[error\]", line), line


def test_a_broker_that_is_killed_and_one_that_is_away(tmp_path: Path, broker: Kafka) -> None:
    pipeline, count = Pipeline(tmp_path, broker), 2_000
    with pipeline.serve("nlp-pipeline", workers=2) as parent, pipeline.serve("enrich"):
        with ThreadPoolExecutor(1) as threads:
            sending = threads.submit(parent.post, count)
            for away in (0, 10):
                time.sleep(1.5)
                broker.kill()
                time.sleep(away)
                broker.start()
            failed = sending.result()
        pipeline.wait_until_done(count)
        broker.kill()
        time.sleep(1.5)
        began = time.monotonic()
    # Ctrl-C ends both, though nobody can be asked to let them go.
    assert time.monotonic() - began < 45
    broker.start()
    pipeline.check(count, f"broker down twice ({failed} requests repeated)")


def test_a_second_replica_comes_and_goes(tmp_path: Path, broker: Kafka) -> None:
    pipeline, count = Pipeline(tmp_path, broker, partitions=4, patience=10), 4_000
    with (
        pipeline.serve("nlp-pipeline", workers=2) as parent,
        pipeline.serve("enrich", quiet=False) as first,
        ThreadPoolExecutor(1) as threads,
    ):
        sending = threads.submit(parent.post, count // 2)
        wait_until(lambda: pipeline.done() > 500)
        with pipeline.serve("enrich", quiet=False) as second:
            wait_until(lambda: len(second.partitions("is read")) == 2)
            share = second.partitions("is read")
            assert sending.result() == 0
            before = [pipeline.committed(number) for number in share]
            sending = threads.submit(parent.post, count, begin=count // 2)
            # It goes in the middle of its work.
            wait_until(lambda: [pipeline.committed(number) for number in share] != before)
            assert second.stop() == 0
        assert sending.result() == 0
        pipeline.wait_until_done(count)
    pipeline.check(count, "rebalance", most_twice=0)
    # The first gave up all when the second came, and the second its share when it went.
    assert {*first.partitions("is given up")} == {0, 1, 2, 3}
    assert sorted(second.partitions("is given up")) == sorted(share)
    assert second.partitions("is given up, all done before")
