"""Messages a second through two functions and a real Kafka broker, beside the same by hand.

The graph and the handlers by hand are in hand_streams/. The broker is that of the tests.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import ROOT, build_command, environment
from benchmarks.report import Table, ratio, spread

_SOURCE = ROOT / "benchmarks" / "hand_streams"


def table(rounds: int, requests: int, messages: int) -> Table:
    """Both functions, generated and by hand, in turn; what came out is compared first."""
    os.environ.setdefault("GRAPHC_SERVERS", "required")
    sys.path.insert(0, str(ROOT / "tests"))
    from servers.kafka import kafka

    with tempfile.TemporaryDirectory(prefix="graphc-streams-") as temporary:
        folder = Path(temporary)
        with kafka(folder / "kafka") as broker:
            packages = _packages(folder, broker.address)
            broker.create("todo", "done")
            counts = {"parent": requests, "enrich": messages}
            _fill(packages["parent", "generated"], broker.address, messages)
            _compare(broker, packages)
            took: dict[tuple[str, str], list[tuple[float, float]]] = {}
            for _ in range(rounds):
                for (side, maker), package in packages.items():
                    figures = _run(side, package, broker.address, counts[side])
                    took.setdefault((side, maker), []).append(figures)
    rows = []
    for side, what in (("parent", "parent: requests"), ("enrich", "child: messages")):
        count = counts[side]
        rates = {
            maker: [count / seconds for seconds, _ in took[side, maker]]
            for maker in ("hand", "generated")
        }
        cpu = {
            maker: statistics.median(cpu for _, cpu in took[side, maker]) / count * 1e6
            for maker in ("hand", "generated")
        }
        pairs = zip(rates["generated"], rates["hand"], strict=True)
        rows.append(
            (
                what,
                spread(rates["hand"], 0),
                spread(rates["generated"], 0),
                f"**{ratio(statistics.median(ours / hand for ours, hand in pairs))}**",
                f"{cpu['hand']:.0f}",
                f"{cpu['generated']:.0f}",
            )
        )
    return Table(
        "streams",
        "A second, through Kafka",
        ("", "hand", "generated", "generated / hand", "CPU µs hand", "CPU µs generated"),
        tuple(rows),
        "Goal: 0.9 times `hand`. Without Nuclio, whose processor hands over some 2,000 messages "
        "a second whatever the handler. Each request waits for the broker; the child reads "
        "envelopes, sends two results for each, and confirms and acknowledges each 100.",
    )


def _packages(folder: Path, address: str) -> dict[tuple[str, str], Path]:
    shutil.copytree(_SOURCE, folder / "hand")
    for file in (folder / "hand").rglob("*.py"):
        file.write_text(file.read_text().replace("BROKER", address))
    graph = folder / "hand" / "graph.py"
    subprocess.run(build_command(graph, folder / "dist"), env=environment(), check=True)
    places = {"hand": folder / "hand", "generated": folder / "dist"}
    return {
        (side, maker): place / side
        for side in ("parent", "enrich")
        for maker, place in places.items()
    }


def _fill(package: Path, address: str, count: int) -> None:
    """Messages of the parent's: as many as the child reads, and the first, which connects."""
    sys.path.insert(0, str(ROOT / "tests"))
    _run("parent", package, address, 1)
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": address, "linger.ms": 5})
    for number in range(count):
        body = {"n": number, "seen": True}
        message = {"full_event_wrapper": True, "body": body, "id": "id"}
        producer.produce("todo", json.dumps(message))
        producer.poll(0)
    producer.flush()


def _compare(broker: object, packages: dict[tuple[str, str], Path]) -> None:
    """Both children make the same of the same messages, both parents of the same requests."""
    address = broker.address  # type: ignore[attr-defined]
    seen = []
    for maker in ("hand", "generated"):
        before = {topic: broker.count(topic) for topic in ("todo", "done")}  # type: ignore[attr-defined]
        _run("enrich", packages["enrich", maker], address, 50)
        _run("parent", packages["parent", maker], address, 5)
        values = [
            [json.loads(found.value()) for found in broker.read(topic)[before[topic] :]]  # type: ignore[attr-defined]
            for topic in ("todo", "done")
        ]
        seen.append([values[0], values[1][:100]])
    if seen[0] != seen[1]:
        raise SystemExit(f"not the same: {seen[0]} and {seen[1]}")


def _run(side: str, package: Path, address: str, count: int) -> tuple[float, float]:
    worker = ROOT / "benchmarks" / "stream_worker.py"
    done = subprocess.run(
        [sys.executable, str(worker), side, str(package), address, str(count)],
        env=environment(GRAPHC_STREAMS=""),
        check=True,
        stdout=subprocess.PIPE,
    )
    seconds, cpu = json.loads(done.stdout)
    return seconds, cpu
