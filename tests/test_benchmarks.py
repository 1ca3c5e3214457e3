"""The benchmarks still run, and both sides still give the same answers; no figure is judged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from servers.kafka import Kafka

ROOT = Path(__file__).parent.parent
RUN = ROOT / "benchmarks" / "run.py"
CASES = sorted(path.parent.name for path in ROOT.glob("benchmarks/graphs/*/graph.py"))


@pytest.mark.parametrize("graph", CASES)
def test_calls(graph: str) -> None:
    done = subprocess.run(
        [sys.executable, RUN, "calls", "--graph", graph, "--rounds", "1", "--calls", "5"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "generated / hand" in done.stdout


def test_streams(broker: Kafka) -> None:
    """With a broker of its own; `broker` is asked for as it says what is missing."""
    counts = ["--stream-rounds", "1", "--requests", "5", "--messages", "300"]
    done = subprocess.run(
        [sys.executable, RUN, "streams", *counts],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "generated / hand" in done.stdout
