"""The same events through MLRun's deployed path, in one process with generated and hand-written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.calls import paired, rounds_of
from benchmarks.cases import CASES
from benchmarks.processes import ROOT
from benchmarks.report import Table, ratio, spread


@contextmanager
def service() -> Iterator[str]:
    """The URL of what plays the MLRun service."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "benchmarks" / "mlrun_api.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(10)


def table(packages: dict[str, Path], rounds: int, calls: int, python: str) -> Table:
    rows = []
    with service() as url:
        for graph, package in packages.items():
            found = rounds_of(graph, package, rounds, calls, python, url)
            mlrun, generated, hand = (found[name] for name in ("mlrun", "generated", "hand"))
            saved = [
                (slow - ours) / (slow - best)
                for slow, ours, best in zip(mlrun, generated, hand, strict=True)
            ]
            rows.append(
                (
                    CASES[graph].title,
                    *(spread(side) for side in (hand, generated, mlrun)),
                    f"**{paired(mlrun, generated):.1f}**",
                    f"{paired(mlrun, hand):.1f}",
                    ratio(paired(hand, generated)),
                    ratio(sorted(saved)[len(saved) // 2]),
                )
            )
    return Table(
        "mlrun",
        "Microseconds per event, with MLRun 1.12 as deployed",
        (
            *("graph", "hand", "generated", "MLRun", "MLRun / generated", "MLRun / hand"),
            *("share of that ratio", "share of the time saved"),
        ),
        tuple(rows),
        f"Medians of {rounds} rounds of {calls} events each (10th to 90th percentile of rounds).",
    )
