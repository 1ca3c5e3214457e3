"""Random graphs and events through MLRun's deployed path and through packages, compared.

    python tests/against_mlrun/run.py --mlrun-python VENV/bin/python --graphs 500 [--seed 0]

The other interpreter needs mlrun==1.12.1; it is never a dependency. Outcomes are sorted: equal, one
of the differences that docs/differences.md promises (with the number of spec/serving.md 12), or
others, which are printed and make the exit status 1. Not part of CI.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]

from benchmarks.mlrun_side import service  # noqa: E402
from graphc.diagnostics import Severity  # noqa: E402
from graphc.rendering import render  # noqa: E402
from http_service import running  # noqa: E402
from random_graphs import graph_file, seeded  # noqa: E402
from random_runs import (  # noqa: E402
    Outcome,
    agrees,
    agrees_in_some_order,
    run_package,
    shown,
    shown_record,
    sorted_votes,
)
from reference import Answer, Request  # noqa: E402
from test_random_graphs import compiled  # noqa: E402

#: What MLRun answers where graphc promises to do better (spec/serving.md 12).
DEFECTS = {
    "TypeError: cannot pickle '": "Q16: a copy of a failed event",
    "TypeError: list indices must be integers or slices, not str": "Q8: lists sent to routers",
    "TypeError: 'str' object does not support item assignment": "Q8: texts sent to routers",
    "TypeError: 'bytes' object does not support item assignment": "Q8: texts sent to routers",
}
#: Words of answers that are known wherever they stand.
WITHIN = {
    "Allowed outlets are: Complete.": "a step that nothing follows chooses",
    "Allowed outlets are: .": "a step that nothing follows chooses",
}
#: Why MLRun alone refuses some graphs.
REFUSALS = {
    "TypeError: 'NoneType' object is not iterable": "steps behind a catcher without before",
    "synchronous flow engine doesnt support branches": "a sync step that a catcher goes on with",
    "there is no step named $prev": "$prev when there are only catchers",
}


#: What graphc refuses before it runs, by words of which such graphs have one.
FOUND_EARLIER = {
    "GC013": ('before="',),  # Q14, and circles through catchers
    "GC015": ('engine="sync"',),  # branches, which MLRun finds with the first event
    "GC010": ("ways=", '"Chosen"', "ChoiceByField"),  # choices with nothing behind them
}


class Worker:
    """MLRun in a process of its own."""

    def __init__(self, python: str, url: str) -> None:
        self.environment = os.environ | {"MLRUN_DBPATH": url, "MLRUN_LOG_LEVEL": "ERROR"}
        self.command = [python, str(HERE / "mlrun_worker.py")]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=self.environment, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def ask(
        self, text: str, asked: Sequence[Request], children: dict[str, list[str]] | None = None
    ) -> dict[str, Any]:
        requests = [vars(request) | {"body": request.body.decode("latin-1")} for request in asked]
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        task = {"text": text, "requests": requests, "children": children or {}}
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.start()
            return {"refused": "the process died"}
        found: dict[str, Any] = json.loads(line)
        return found

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def outcome(found: dict[str, Any]) -> Outcome:
    """What MLRun's worker says of one request, in the form of packages."""
    answer = found["answer"]
    answers = [None if answer is None else shown(Answer(*answer))]
    streams = {
        path: [shown_record(path, record) for record in records]
        for path, records in sorted(found["streams"].items())
    }
    return Outcome(answers, sorted_votes(found["log"]), streams)


@dataclass(frozen=True)
class Found:
    """One comparison."""

    kind: str
    details: str = ""


def compare(worker: Worker, seed: int, remote: str) -> list[Found]:
    statements, asked = seeded(seed, strict=True, service=remote)
    text = graph_file(statements)
    made = compiled(text)
    errors = [found for found in made.diagnostics if found.severity is Severity.ERROR]
    theirs = worker.ask(text, asked)
    head = f"# seed {seed}\n{statements}"
    if "refused" in theirs:
        refused = theirs["refused"]
        if errors:
            return [Found("both refuse")]
        for words, why in REFUSALS.items():
            if words in refused:
                return [Found(f"known: MLRun refuses {why}")]
        return [Found(f"only MLRun refuses: {refused.splitlines()[0][:60]}", f"{head}{refused}")]
    if errors:
        said = "\n".join(map(render, errors))
        code = errors[0].code
        if any(words in statements for words in FOUND_EARLIER.get(code, ())):
            return [Found(f"known: {code}, which MLRun finds later or not at all")]
        return [Found(f"only graphc refuses: {code}", f"{head}{said}")]
    ours = asyncio.run(run_package(made.files, asked))
    found = []
    for request, one, other in zip(asked, ours, map(outcome, theirs["outcomes"]), strict=True):
        kind = classify(statements, one, other)
        found.append(Found(kind, f"{head}{request}\nours   {one}\nMLRun  {other}"))
    return found


def classify(statements: str, ours: Outcome, theirs: Outcome) -> str:
    """What a pair of outcomes is: "equal", the number of a known difference, or "different"."""
    answer = theirs.answers[0]
    if answer is None:
        same = replace(theirs, answers=ours.answers)
        return "known: Q7, no answer" if agrees(ours, same) else "no answer, and another way"
    if agrees(ours, theirs):
        return "equal"
    said = answer.body if isinstance(answer, Answer) else ""
    for words, why in DEFECTS.items():
        if said.startswith(words):
            return f"known: {why}"
    for words, why in WITHIN.items():
        if words in str(theirs):
            return f"known: {why}"
    if '_fn="lazily"' in statements and ".error_handler(" in statements:
        log = _within(ours.log, theirs.log)
        if agrees(ours, replace(theirs, answers=ours.answers, log=log)):
            return "known: a generator with a catcher that fails midway"
    if "http://" in statements and agrees_in_some_order(ours, theirs):
        return "known: branches beside a request run when it lets them"
    one, other = (replace(each, log=sorted(each.log, key=json.dumps)) for each in (ours, theirs))
    if "storey.Flat" in statements and agrees(one, other):
        return "known: branches beside three items or more run in another order"
    mine = ours.answers[0]
    if "respond()" in statements and isinstance(mine, tuple) and list(mine[1]) == ["id"]:
        return "known: Q6, a responder that others follow, beside a catcher"
    failed = isinstance(mine, Answer) and mine.status == 400
    if failed and mine.body.partition(":")[0] == said.partition(":")[0]:
        return "known: the same error in other words"
    return "different"


def _within(some: list[Any], notes: list[Any]) -> list[Any]:
    """Those of the notes that are among `some`, which are as many or fewer."""
    rest = list(some)
    found = []
    for note in notes:
        if rest and note == rest[0]:
            found.append(rest.pop(0))
    return found


def is_fine(kind: str) -> bool:
    return kind in ("equal", "both refuse") or kind.startswith("known: ")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mlrun-python", required=True)
    parser.add_argument("--graphs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=3, help="of each kind of difference")
    args = parser.parse_args()
    counts: Counter[str] = Counter()
    with service() as url, running() as remote:
        worker = Worker(args.mlrun_python, url)
        for seed in range(args.seed, args.seed + args.graphs):
            for found in compare(worker, seed, remote.url):
                counts[found.kind] += 1
                if not is_fine(found.kind) and counts[found.kind] <= args.show:
                    print(f"== {found.kind}\n{found.details}\n", flush=True)
        worker.stop()
    for kind, count in counts.most_common():
        print(f"{count:6} {kind}")
    return not all(map(is_fine, counts))


if __name__ == "__main__":
    sys.exit(main())
