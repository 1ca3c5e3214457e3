"""Microseconds of an event, generated against hand-written, round by round in one process."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.processes import ROOT, environment
from benchmarks.report import Table, ratio, spread

#: The medians of one competitor's rounds, in order.
Rounds = list[float]


def rounds_of(
    graph: str,
    package: Path,
    rounds: int,
    calls: int,
    python: str = sys.executable,
    mlrun_api: str = "",
) -> dict[str, Rounds]:
    """Microseconds by competitor; with MLRun among them if there is an API for it."""
    command = [python, "-m", "benchmarks.worker", "times", graph, str(package.resolve())]
    command += ["--rounds", str(rounds), "--calls", str(calls)]
    env = environment()
    if mlrun_api:
        command.append("--mlrun")
        env |= {"MLRUN_DBPATH": mlrun_api, "MLRUN_LOG_LEVEL": "INFO"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{graph}: {done.stderr[-3000:]}")
    found: dict[str, Rounds] = {}
    for line in done.stdout.splitlines():
        if line.startswith('{"competitor"'):
            record = json.loads(line)
            found.setdefault(record["competitor"], []).append(record["median"])
    return found


def paired(upper: Rounds, lower: Rounds) -> float:
    """The median of the ratios of neighbours, which outlasts a machine whose speed drifts."""
    return statistics.median(a / b for a, b in zip(upper, lower, strict=True))


def table(packages: dict[str, Path], rounds: int, calls: int) -> Table:
    rows = []
    for graph, package in packages.items():
        found = rounds_of(graph, package, rounds, calls)
        rows.append(
            (
                CASES[graph].title,
                *(spread(found[name]) for name in ("floor", "hand", "generated")),
                f"**{ratio(paired(found['generated'], found['hand']))}**",
            )
        )
    return Table(
        "calls",
        "Microseconds per event, in process",
        ("graph", "floor", "hand", "generated", "generated / hand"),
        tuple(rows),
        f"Medians of {rounds} rounds of {calls} events each (10th to 90th percentile of rounds).",
    )
