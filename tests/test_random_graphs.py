"""Random graph files: what their packages answer, and do on the way, is what `reference` says.

`GRAPHC_EXAMPLES=5000 pytest tests/test_random_graphs.py` looks longer, `GRAPHC_RANDOM=1` elsewhere
each time, and `GRAPHC_SHRINK=1` for the smallest graph that fails.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from graphc import ir
from graphc.diagnostics import Severity
from graphc.pipeline import Build, build
from graphc.rendering import render
from http_service import running
from plan_check import check_plan
from random_graphs import Choices, Writer, divided, graph_file, requests
from random_runs import agrees, agrees_in_some_order, run_functions, run_package, run_reference
from reference import Request

# -- what is refused

#: Steps that have to have others behind them.
CHOICES = (":Fork", ":Chosen", "ChoiceByField")
#: Steps that ask services.
ASKING = ("RemoteStep", "BatchHttpRequests", ":Asking", ":Listing")


def refusals(graph: ir.Graph) -> set[str]:
    """The codes that a graph deserves."""
    found = set()
    root = graph.functions[0].root
    for step in root.steps if isinstance(root, ir.Flow) else (root,):
        if isinstance(step, ir.Router) and not step.routes:
            found.add("GC010")
    if isinstance(root, ir.Router):
        return found
    followed = {name for step in root.steps for name in step.after}
    followed |= {step.name for step in root.steps if getattr(step, "before", ())}
    for step in root.steps:
        chooses = isinstance(step, ir.Task) and ir.show_target(step.cls).endswith(CHOICES)
        if chooses and step.name not in followed:
            found.add("GC010")
    names = set(root.names)
    edges = {step.name: {step.on_error} for step in root.steps}
    catchers = {step.name for step in root.steps if getattr(step, "catcher", False)}
    for step in root.steps:
        for name in step.after:
            edges[name].add(step.name)
        edges[step.name] |= set(getattr(step, "before", ()))
    if not set().union(*edges.values()) - {None} <= names:
        return found | {"GC011"}
    if any(_meets(edges, name, name) for name in names):
        found.add("GC013")
    if sum(step.responder for step in root.steps) > 1:
        found.add("GC014")
    behind = catchers.union(*(getattr(step, "before", ()) for step in root.steps))
    starts = [step for step in root.steps if not step.after and step.name not in behind]
    if not starts:
        found.add("GC013")
    if root.engine == "sync":
        follows = [edges[s.name] - {s.on_error, None} for s in root.steps]
        if len(starts) != 1 or any(len(f) > 1 for f in follows):
            found.add("GC015")
        if any(len(step.after) > 1 for step in root.steps):
            found.add("GC015")
    return found


def _meets(edges: dict[str, Any], start: str, end: str) -> bool:
    seen: set[str] = set()
    todo = list(edges[start])
    while todo:
        name = todo.pop()
        if name == end:
            return True
        if name is not None and name not in seen:
            seen.add(name)
            todo += edges[name]
    return False


# -- the test

SHRINK = os.environ.get("GRAPHC_SHRINK")
EXAMPLES = int(os.environ.get("GRAPHC_EXAMPLES", "150"))
settings.register_profile(
    "random-graphs",
    max_examples=EXAMPLES,
    derandomize=not os.environ.get("GRAPHC_RANDOM"),
    deadline=None,
    database=None,
    # Finding the smallest graph takes minutes: `GRAPHC_SHRINK=1` for whoever wants it.
    phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if SHRINK else [])],
    suppress_health_check=list(HealthCheck),
)


class Drawn:
    """Decisions by Hypothesis, which finds the smallest graph that fails."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data

    def number(self, low: int, high: int) -> int:
        return self.data.draw(st.integers(low, high))


def compiled(text: str) -> Build:
    with tempfile.TemporaryDirectory() as folder:
        main = Path(folder, "graph.py")
        main.write_text(text)
        made = build(main)
    for plan in made.plans:
        check_plan(plan)
    return made


@settings(settings.get_profile("random-graphs"))
@given(st.data())
def test_packages_do_what_the_reference_says(data: st.DataObject) -> None:
    chooser = Drawn(data)
    check(Writer(chooser).file(), requests(Choices(chooser)))


def check(statements: str, asked: list[Request]) -> None:
    note(statements)
    text = graph_file(statements)
    made = compiled(text)
    errors = {found.code for found in made.diagnostics if found.severity is Severity.ERROR}
    note("\n".join(map(render, made.diagnostics)))
    if made.graph is None:
        assert errors <= {"GC010", "GC011", "GC013"}, errors
        return
    deserved = refusals(made.graph)
    if "GC013" in errors and re.search(r"after=.*, before=", statements):
        return  # put before a step that leads to it, which the IR does not show
    assert errors == deserved or (errors and errors <= deserved), (errors, deserved)
    if not errors:
        note(made.files["random/handler.py"].decode())
        got = asyncio.run(run_package(made.files, asked))
        function = made.graph.functions[0]
        wanted = asyncio.run(run_reference(function, text, asked))
        alike = agrees_in_some_order if races(function.root) else agrees
        same = [alike(one, other) for one, other in zip(got, wanted, strict=True)]
        assert all(same), "\n".join(differences(same, asked, got, wanted))


def races(root: ir.Flow | ir.Router) -> bool:
    """Do ways part in a flow whose steps ask services?"""
    if isinstance(root, ir.Router) or root.engine == "sync":
        return False
    shown = [ir.show_target(step.cls) for step in root.steps if isinstance(step, ir.Task)]
    if not any(name.endswith(ASKING) for name in shown):
        return False
    ways = [name for step in root.steps for name in (step.after or ["start"])]
    return len(ways) > len(set(ways)) or any("storey.Flat" in name for name in shown)


@settings(settings.get_profile("random-graphs"), max_examples=EXAMPLES // 3)
@given(st.data())
def test_services_are_asked_as_the_reference_says(data: st.DataObject) -> None:
    chooser = Drawn(data)
    with running() as service:
        statements = Writer(chooser, service=service.url).file()
        check(statements, requests(Choices(chooser)))


@settings(settings.get_profile("random-graphs"), max_examples=EXAMPLES // 3)
@given(st.data())
def test_a_child_does_what_it_would_do_alone(data: st.DataObject) -> None:
    """A graph of two functions against each of them as a function of its own."""
    chooser = Drawn(data)
    graphs, asked = divided(chooser), requests(Choices(chooser))
    note(graphs.whole)
    made = compiled(graph_file(graphs.whole))
    note("\n".join(map(render, made.diagnostics)))
    texts = [graph_file(graphs.root), graph_file(graphs.child)]
    alone = [compiled(text) for text in texts]
    assert made.failed == any(one.failed for one in alone)
    if made.failed or made.graph is None:
        return
    for name in made.files:
        if name.endswith("/handler.py"):
            note(made.files[name].decode())
    got = asyncio.run(run_functions(made.files, made.graph, asked))
    for name, one, text in zip(("random", "child"), alone, texts, strict=True):
        assert one.graph is not None
        wanted = asyncio.run(run_reference(one.graph.functions[0], text, asked))
        found = got.get(name, [])
        same = [agrees(*pair) for pair in zip(found, wanted, strict=True)]
        assert all(same), "\n".join([name, *differences(same, asked, found, wanted)])
        asked = [
            Request(json.dumps(record).encode(), method="", id="message")
            for outcome in found
            for record in outcome.streams.get("cases/hand", ())
        ]


def differences(same: list[bool], asked: list[Request], *outcomes: Any) -> Iterator[str]:
    """Where the answers part, in lines."""
    at = same.index(False)
    yield str(asked[at])
    for what, outcome in zip(("got", "wanted"), outcomes, strict=True):
        yield f"{what:7}{outcome[at]}"
