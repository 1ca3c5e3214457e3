"""Packages in Nuclio's own processor, over a real Kafka broker, where a processor is named.

See `servers/nuclio.py` for how to name one; without it these tests are skipped. Figures are
printed: run with -s.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from graphc.pipeline import Options, build
from nlp_documents import document, entities, is_poison
from servers import post_until_taken, wait_until
from servers.kafka import NUCLIOS, Kafka, kafka
from servers.nuclio import Processor, needs_processor, processor

SEED = int(os.environ.get("GRAPHC_SEED", "5"))

EXAMPLE = Path(__file__).parents[1] / "examples" / "nlp"
GRAPH = """
import mlrun

fn = mlrun.new_function("shop", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="tag", handler="tag").to(
    "$queue",
    "orders",
    path="kafka://{address}/{topic}-orders",
    trigger_args={{"worker_termination_timeout": "2s"}},
).to(name="double", handler="double", function="enrich").to(
    name="pair", handler="pair", function="enrich"
).to("storey.Flatten", "each", function="enrich").to(
    "$queue", "results", path="kafka://{address}/{topic}-results"
)
child = fn.add_child_function("enrich", "child.py", "mlrun/mlrun")
child.spec.error_stream = "kafka://{address}/{topic}-errors"


def tag(body):
    return {{**body, "tagged": True}}
"""
CHILD = """
def double(body):
    if body.get("bad"):
        raise ValueError("poison")
    return {**body, "twice": 2 * body["number"]}


def pair(body):
    return [{**body, "part": part} for part in (0, 1)]
"""


@pytest.fixture(scope="module")
def old_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker of the newest version that Nuclio 1.14 can commit to."""
    needs_processor()
    with kafka(tmp_path_factory.mktemp("kafka"), NUCLIOS) as running:
        yield running


@dataclass
class Shop:
    """The two packages of a graph, and the topics between and behind them."""

    broker: Kafka
    topic: str
    dist: Path
    folder: Path

    def processor(self, function: str, replica: int = 0) -> Processor:
        return Processor(self.dist / function, self.folder / f"{function[0]}{replica}")

    def order(self, count: int, partition: int = -1, **more: Any) -> None:
        """Puts events behind the parent's own way, as it does."""
        self.broker.send(
            f"{self.topic}-orders",
            *(
                json.dumps(
                    {
                        "full_event_wrapper": True,
                        "body": {"number": number, "tagged": True}
                        | {key: value(number) for key, value in more.items()},
                        "id": str(number),
                    }
                )
                for number in range(count)
            ),
            partition=partition,
        )

    def results(self, count: int | None = None, patience: float = 120) -> list[Any]:
        return self.broker.read(f"{self.topic}-results", count, patience)

    def handled(self) -> int:
        """How many events have their results in the topic, those that came twice twice."""
        from confluent_kafka import TopicPartition
        from confluent_kafka.admin import OffsetSpec

        place = TopicPartition(f"{self.topic}-results", 0)
        (found,) = self.broker.admin().list_offsets({place: OffsetSpec.latest()}).values()
        offset: int = found.result(30).offset
        return offset // 2

    def committed(self, partition: int = 0) -> int:
        group, topic = "enrich-consumer-group", f"{self.topic}-orders"
        return max(0, self.broker.committed(group, topic, partition))


@pytest.fixture
def shop(old_broker: Kafka, tmp_path: Path, request: pytest.FixtureRequest) -> Shop:
    topic = request.node.name.removeprefix("test_").replace("_", "-")
    old_broker.create(f"{topic}-orders", partitions=2 if topic.startswith("second") else 1)
    old_broker.create(f"{topic}-results", f"{topic}-errors")
    source = tmp_path / "src"
    source.mkdir()
    (source / "graph.py").write_text(GRAPH.format(address=old_broker.address, topic=topic))
    (source / "child.py").write_text(CHILD)
    return Shop(old_broker, topic, _packages(source / "graph.py", tmp_path / "dist"), tmp_path)


def _packages(graph: Path, dist: Path) -> Path:
    made = build(graph, Options())
    assert not made.failed, made.diagnostics
    for path, data in made.files.items():
        file = dist / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return dist


def expected(count: int) -> Counter[tuple[int, int, int]]:
    return Counter((number, 2 * number, part) for number in range(count) for part in (0, 1))


def shown(messages: list[Any]) -> Counter[tuple[int, int, int]]:
    bodies = [json.loads(message.value()) for message in messages]
    return Counter((body["number"], body["twice"], body["part"]) for body in bodies)


def rate(messages: list[Any], results: int = 2) -> float:
    """Events a second, from the first result to the last by the broker's clock."""
    times = [message.timestamp()[1] for message in messages]
    return len(messages) / results / max(0.001, (max(times) - min(times)) / 1000)


def test_http(shop: Shop) -> None:
    with_parent = shop.processor("shop")
    with_parent.start()
    try:
        status, answer = with_parent.request(b'{"number": 1}')
        assert (status, json.loads(answer).keys()) == (200, {"id"})
        (message,) = shop.broker.read(f"{shop.topic}-orders", 1)
        sent = json.loads(message.value())
        assert (sent["full_event_wrapper"], sent["body"]) == (True, {"number": 1, "tagged": True})
        assert with_parent.request(b'{"number":')[0] == 400
    finally:
        with_parent.kill()


def test_ten_thousand_events(shop: Shop) -> None:
    """All that callers were told is taken comes out of the child, once, and right."""
    count = 10_000
    with (
        processor(shop.dist / "shop", shop.folder / "s") as parent,
        processor(shop.dist / "enrich", shop.folder / "e"),
        ExitStack() as ending,
    ):
        connection = http.client.HTTPConnection("127.0.0.1", parent.port, timeout=30)
        ending.callback(connection.close)
        started = time.monotonic()
        for number in range(count):
            connection.request(
                "POST", "/", json.dumps({"number": number}), {"Content-Type": "application/json"}
            )
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()
        seconds = time.monotonic() - started
        found = shop.results(2 * count)
        assert shown(found) == expected(count)
        wait_until(lambda: shop.committed() == count)
    print(f"\nparent, one caller: {count / seconds:.0f} events/s")


def test_throughput_of_the_child(shop: Shop) -> None:
    """Events that wait in the topic when the child starts."""
    count = 10_000
    shop.order(count)
    with processor(shop.dist / "enrich", shop.folder / "e"):
        found = shop.results(2 * count)
        assert shown(found) == expected(count)
        wait_until(lambda: shop.committed() == count)
    print(f"\nchild: {rate(found):.0f} events/s")


def test_kill_of_the_child(shop: Shop) -> None:
    """Nothing is lost; what was handled since the last commit comes again."""
    count = 40_000
    chance = random.Random(SEED)
    shop.order(count)
    child = shop.processor("enrich")
    try:
        for kill in range(20):
            enough = shop.handled() + chance.randint(100, 4_000)
            child.start()
            wait_until(lambda enough=enough: shop.handled() > enough)
            child.kill()
            print(f"\nkill {kill + 1}: {shop.handled()} handled, {shop.committed()} committed")
        child.start()
        wait_until(lambda: shop.committed() == count, 90)
        found = shown(shop.results())
        assert found.keys() == expected(count).keys()
        print(f"duplicates: {(found.total() - 2 * count) / 2:.0f} of {count} events")
    finally:
        child.kill()


def test_broker_that_is_killed_and_one_that_is_away(shop: Shop) -> None:
    """Callers are told what was not taken; what was taken comes out, as does what had waited."""
    count = 8_000
    with (
        processor(shop.dist / "shop", shop.folder / "s") as parent,
        processor(shop.dist / "enrich", shop.folder / "e") as child,
        ThreadPoolExecutor(1) as threads,
    ):
        sending = threads.submit(
            post_until_taken,
            f"127.0.0.1:{parent.port}",
            ({"number": number} for number in range(count)),
        )
        for away in (0, 10):
            enough = shop.handled() + count // 4
            wait_until(lambda enough=enough: shop.handled() > enough)
            shop.broker.kill()
            time.sleep(away)
            shop.broker.start()
        refused = sending.result()
        wait_until(lambda: shop.committed() == count, 180)
        assert parent.running
        assert child.running
    found = shown(shop.results())
    assert found.keys() == expected(count).keys()
    twice = (found.total() - 2 * count) / 2
    print(f"\n{refused} requests repeated, duplicates: {twice:.0f} of {count} events")


def test_stop_of_the_child(shop: Shop) -> None:
    """After SIGTERM nothing is lost and nothing comes twice."""
    count = 20_000
    shop.order(count)
    child = shop.processor("enrich")
    try:
        for stop in range(2):
            enough = shop.handled() + 3_000
            child.start()
            wait_until(lambda enough=enough: shop.handled() > enough)
            seconds = child.stop()
            handled, committed = shop.handled(), shop.committed()
            print(f"\nstop {stop + 1}: {seconds:.1f} s, {handled} handled, {committed} committed")
            assert committed == handled
        child.start()
        wait_until(lambda: shop.committed() == count, 90)
        assert shown(shop.results()) == expected(count)
    finally:
        child.kill()


def test_second_replica(shop: Shop) -> None:
    """Partitions change hands while events are under way: nothing is lost."""
    count = 30_000
    for partition in (0, 1):
        shop.order(count, partition)
    first, second = shop.processor("enrich"), shop.processor("enrich", 1)
    try:
        first.start()
        wait_until(lambda: shop.handled() > 3_000)
        second.start()
        wait_until(lambda: shop.committed(0) + shop.committed(1) == 2 * count, 180)
        found = shown(shop.results())
        assert found.keys() == expected(count).keys()
        assert all(times >= 2 for times in found.values())
        print(f"\nduplicates: {(found.total() - 4 * count) / 2:.0f} of {2 * count} events")
    finally:
        first.kill()
        second.kill()


def test_poison(shop: Shop) -> None:
    """What fails goes to the error stream, and holds nothing up."""
    count = 2_000
    shop.order(count, bad=lambda number: number % 100 == 7)
    with processor(shop.dist / "enrich", shop.folder / "e"):
        good = 2 * (count - count // 100)
        found = shop.results(good)
        wait_until(lambda: shop.committed() == count)
    wanted = {key: 1 for key in expected(count) if key[0] % 100 != 7}
    assert shown(found) == wanted
    errors = [json.loads(message.value()) for message in shop.broker.read(f"{shop.topic}-errors")]
    assert len(errors) == count // 100
    assert {error["event"]["body"]["number"] % 100 for error in errors} == {7}
    assert all(error["source"] == "double" and "poison" in error["message"] for error in errors)


def test_the_example(old_broker: Kafka, tmp_path: Path) -> None:
    """Ten thousand documents through examples/nlp, with 20 kills -9 of the child at work."""
    chance, count = random.Random(SEED), 10_000
    source = tmp_path / "nlp"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("dist"))
    graph = (source / "graph.py").read_text()
    (source / "graph.py").write_text(graph.replace("kafka:9092", old_broker.address))
    old_broker.create("paragraphs", "entities", "failed")
    dist = _packages(source / "graph.py", tmp_path / "dist")
    child = Processor(dist / "enrich", tmp_path / "e")
    try:
        with (
            processor(dist / "nlp-pipeline", tmp_path / "s") as parent,
            ThreadPoolExecutor(1) as threads,
        ):
            documents = ({"url": document(number)} for number in range(count))
            sending = threads.submit(post_until_taken, f"127.0.0.1:{parent.port}", documents)
            for _ in range(20):
                enough = old_broker.count("entities") + chance.randint(100, 1500)
                child.start()
                wait_until(lambda enough=enough: old_broker.count("entities") > enough)
                child.kill()
            child.start()
            assert sending.result() == 0
            group = "enrich-consumer-group"
            wait_until(lambda: old_broker.committed(group, "paragraphs") == count, 180)
    finally:
        child.kill()
    found = Counter(
        (one["url"], one["id"], one["mentions"], one.get("born"))
        for one in (json.loads(message.value()) for message in old_broker.read("entities"))
    )
    good = [number for number in range(count) if not is_poison(number)]
    assert set(found) == {entity for number in good for entity in entities(number)}
    failed = Counter(
        json.loads(message.value())["event"]["body"]["url"] for message in old_broker.read("failed")
    )
    assert set(failed) == {document(number) for number in range(count) if is_poison(number)}
    print(
        f"\n{found.total() - len(found)} of {len(found)} results and "
        f"{failed.total() - len(failed)} of {len(failed)} failures came again"
    )
