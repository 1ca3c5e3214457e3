"""Graphs of several functions, run over files as their streams: `tests/functions/*.txt`.

A case has the statements of a graph file under `--- graph.py`, behind those of
`random_graphs.CODE` that it uses; bodies of requests to the root, a line each, under
`--- requests`; and under `+++ outcomes` what each function makes of what reaches it: the answer,
what its steps noted, what it wrote. `--update` rewrites the last part; `against_mlrun/functions.py`
says what MLRun makes of the same.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

import pytest

from graphc.pipeline import Build, build
from graphc.rendering import render
from plan_check import check_plan
from random_graphs import graph_file
from random_runs import Outcome, run_functions
from reference import Request

CASES = sorted((Path(__file__).parent / "functions").glob("*.txt"))


def parts(text: str) -> tuple[str, list[Request], str]:
    """Statements, requests and outcomes of a case."""
    statements, _, rest = text.removeprefix("--- graph.py\n").partition("--- requests\n")
    bodies, _, outcomes = rest.partition("+++ outcomes\n")
    asked = [
        Request(body.encode(), content_type="application/json", id=f"id-{number}")
        for number, body in enumerate(bodies.splitlines())
    ]
    return statements, asked, outcomes


def compiled(statements: str) -> Build:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "graph.py").write_text(graph_file(statements), encoding="utf-8")
        return build(Path(folder, "graph.py"))


def shown(found: dict[str, list[Outcome]]) -> str:
    lines = []
    for function, outcomes in found.items():
        lines.append(function)
        for outcome in outcomes:
            lines.append(f"  answers {json.dumps(outcome.answers[0], default=vars)}")
            lines += [f"    notes {json.dumps(note)}" for note in outcome.log]
            lines += [
                f"    {path} << {json.dumps(record)}"
                for path, records in outcome.streams.items()
                for record in records
            ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_outcomes(case: Path, update: bool) -> None:
    text = case.read_text(encoding="utf-8")
    statements, asked, expected = parts(text)
    made = compiled(statements)
    assert not made.failed, "".join(map(render, made.diagnostics))
    assert made.graph is not None
    for plan in made.plans:
        check_plan(plan)
    found = shown(asyncio.run(run_functions(made.files, made.graph, asked)))
    if update and found != expected:
        head = text.partition("+++ outcomes\n")[0]
        case.write_text(f"{head}+++ outcomes\n{found}", encoding="utf-8")
        expected = found
    assert found == expected
