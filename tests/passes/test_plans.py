"""The graph and the plan of small graph files, as text: `plans/*.txt`, refreshed with `--update`.

A file has the graph under `--- graph.py`, then what `graphc dump` prints: the graph after
`resolve` under `+++ ir`, the instructions under `+++ plan`; or the findings under `+++ errors`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from graphc import ir, plan
from graphc.pipeline import build
from graphc.rendering import render
from plan_check import check_plan

CASES = sorted((Path(__file__).parent / "plans").glob("*.txt"))
HEAD = "import mlrun\n\nfn = mlrun.new_function('f', kind='serving')\n"


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_plan(case: Path, tmp_path: Path, update: bool) -> None:
    text = case.read_text(encoding="utf-8")
    source = text.partition("--- graph.py\n")[2].partition("+++ ")[0]
    (tmp_path / "graph.py").write_text(HEAD + source, encoding="utf-8")
    made = build(tmp_path / "graph.py")
    for item in made.plans:
        check_plan(item)
    if made.failed:
        found = "+++ errors\n" + "".join(render(found) + "\n" for found in made.diagnostics)
    else:
        assert made.graph is not None
        found = f"+++ ir\n{ir.show(made.graph)}+++ plan\n{''.join(map(plan.show, made.plans))}"
    expected = f"--- graph.py\n{source}{found}"
    if update and text != expected:
        case.write_text(expected, encoding="utf-8")
        text = expected
    assert text == expected
