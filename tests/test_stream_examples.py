"""The recorded cases of spec/stream-examples.json, as graph files: built, run and compared.

A case becomes a flow of its steps. What a sink of the case collects goes into a queue, and is read
back from the file that `GRAPHC_STREAMS=dir:` makes of it; what a waiting caller gets is the answer
of a responder beside it; an error is a record of the error stream. Keys and ids of events come in
MLRun's envelope. Times of events are not compared, as no graph can read them back.

Cases of stateful steps are left out by the step's name (`STATEFUL`), others by their own (`ALONE`).
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from graphc.diagnostics import Severity
from graphc.pipeline import build
from graphc.rendering import render
from running import loaded, make_context, make_event

EXAMPLES = Path(__file__).parents[2] / "shared" / "spec" / "stream-examples.json"
CASES: list[dict[str, Any]] = json.loads(EXAMPLES.read_text()) if EXAMPLES.exists() else []

#: Words in names of steps that spec/stream-steps.md 3 to 6 describe: an issue of their own.
STATEFUL = {
    "AggregateByKey": "windows and tables",
    "QueryByKey": "windows and tables",
    "MapWithState": "state of the step",
    "SampleWindow": "state of the step",
    "Batch": "state of the step",
    "Collector": "state of the step",
    "Reduce": "its result is that of the flow's end",
    "ToDataFrame": "state of the step",
    "JoinWithTable": "tables",
    "Target": "tables and files",
}
#: Cases of stateless steps that no serving graph can say, or that serving.md 11 leaves for later.
ALONE = {
    "map-08-full-event": "makes a storey.Event of its own: a use of storey in the user's code",
    "map-12-generator": "a streaming answer",
    "map-13-generator-error": "a streaming answer",
    "source-01-key-field": "arguments of storey's source, which MLRun makes itself",
    "source-02-key-fields": "arguments of storey's source, which MLRun makes itself",
    "source-03-unwrap": "its second input is no event, which cannot be sent over HTTP",
    "cycle-01": "a cyclic graph",
    "cycle-02-limit": "a cyclic graph",
}

#: Steps that graphc does not compile yet, and says so.
LATER = ("mlrun.feature_store.steps.FeaturesetValidator",)

HEAD = """\
import asyncio
import datetime
import time

import mlrun
import storey

STATE = {}


def caught(event):
    event.body = {
        "body": event.body,
        "error": f"{type(event.error).__name__}: {event.error}",
        "origin": event.origin_state,
    }
    return event

"""


def steps_of(case: dict[str, Any]) -> Iterator[str]:
    """The classes of all steps of a case."""
    lists = [case.get("pre", []), case.get("post", []), *case.get("outlets", {}).values()]
    yield case["step"]
    for step in [*(s for steps in lists for s in steps), *case.get("graph", {}).get("steps", [])]:
        yield step["step"]


def left_out(case: dict[str, Any]) -> bool:
    return case["id"] in ALONE or any(word in step for step in steps_of(case) for word in STATEFUL)


# -- from a case to a graph file


class Writer:
    """Writes the graph file of a case."""

    def __init__(self) -> None:
        self.code = HEAD
        self.graph = (
            'fn = mlrun.new_function("case", kind="serving")\n'
            'fn.spec.error_stream = "errors"\n'
            'graph = fn.set_topology("flow", engine="async")\n'
        )
        self.count = 0

    def file(self, case: dict[str, Any]) -> str:
        last = None
        for step in case.get("pre", []):
            last = self.step(step, last)
        tested = last = self.step(case, last)
        if "recovery" in case:
            self.recovery(tested, case["recovery"])
        for step in case.get("post", []):
            last = self.step(step, last)
        for outlet, steps in case.get("outlets", {}).items():
            end, name = last, outlet
            for step in steps:
                end, name = self.step(step | {"name": name}, end), f"sink-{outlet}"
            self.sink(outlet, end, name)
        if not case.get("outlets") and not case.get("no_sink"):
            self.sink("", last, "sink")
        if case.get("await"):
            self.graph += f'graph.add_step(name="answer", handler="(event)", after="{last}")'
            self.graph += ".respond()\n"
        return f"{self.code}\n\n{self.graph}"

    def step(self, step: dict[str, Any], after: str | None) -> str:
        """Add a step; its name."""
        self.count += 1
        args = {key: self.value(value) for key, value in step.get("args", {}).items()}
        functions = {key for key, value in step.get("args", {}).items() if is_function(value)}
        shown = "".join(
            f", {'_' if key in functions else ''}{key}={text}"
            for key, text in args.items()
            if key != "name"
        )
        runs = step["step"]
        if methods := step.get("methods"):
            name, runs = runs, f"Own{self.count}"
            self.code += f"\n\nclass {runs}({name}):\n"
            for method in methods.values():
                self.code += "".join(f"    {line}\n" for line in method.splitlines())
        named = step.get("name", step.get("args", {}).get("name", f"step{self.count}"))
        self.graph += f'graph.add_step("{runs}", name="{named}", after={after!r}{shown})\n'
        return str(named)

    def sink(self, outlet: str, after: str | None, name: str) -> None:
        path = f"cases/{outlet}"
        self.graph += f'graph.add_step("$queue", name="{name}", path="{path}", after={after!r})\n'

    def recovery(self, step: str, runs: dict[str, Any]) -> None:
        """A catcher, which notes what it finds on the event, in front of a sink."""
        if runs:
            args = "".join(f", _{key}={self.value(v)}" for key, v in runs["args"].items())
            self.graph += (
                f'graph["{step}"].error_handler(name="rescue", class_name="{runs["step"]}"{args})\n'
                'graph.add_step(name="note", handler="caught", full_event=True, after="rescue")\n'
            )
        else:
            self.graph += (
                f'graph["{step}"].error_handler(name="note", handler="caught", full_event=True)\n'
            )
        self.sink("recovery", "note", "recovery")

    def value(self, value: Any) -> str:
        """A value of the case as Python."""
        if is_function(value):
            self.count += 1
            code = ast.parse(value["$py"]).body[-1]
            if isinstance(code, ast.Expr):
                assert isinstance(code.value, ast.Lambda), ast.dump(code)
                arguments, body = ast.unparse(code.value.args), ast.unparse(code.value.body)
                self.code += f"\n\ndef f{self.count}({arguments}):\n    return {body}\n"
            else:
                assert isinstance(code, ast.FunctionDef | ast.AsyncFunctionDef)
                code.name = f"f{self.count}"
                self.code += f"\n\n{ast.unparse(code)}\n"
            return f'"f{self.count}"'
        return repr(plain(value))


def is_function(value: Any) -> bool:
    return isinstance(value, dict) and "$py" in value


def plain(value: Any) -> Any:
    """A value, with what JSON lacks filled in (stream-steps.md 8)."""
    match value:
        case {"$float": text}:
            return float(text)
        case {"$partitioned": {"left": left, "right": right}}:
            return [plain(left), plain(right)]
        case {"$tuple": items}:
            return tuple(map(plain, items))
        case dict():
            assert not any(key.startswith("$") for key in value), value
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


# -- running it


async def run(module: Any, case: dict[str, Any]) -> list[Any]:
    """Send the inputs; the answers. Feeding stops where it did in the recording."""
    context = make_context()
    started = module.init_context(context)
    if inspect.isawaitable(started):
        await started
    answers = []
    inputs = case["inputs"][: case.get("error", {}).get("after")]
    for number, sent in enumerate(inputs):
        if "wait" in sent:
            await asyncio.sleep(sent["wait"])
            continue
        body = plain(sent["body"])
        if not sent.get("raw"):
            body = {"full_event_wrapper": True, "body": body}
            body |= {name: sent[name] for name in ("key", "id") if name in sent}
        request = {"body": json.dumps(body).encode(), "content_type": "application/json"}
        answer = module.handler(context, make_event(request, number))
        if inspect.isawaitable(answer):
            answer = await asyncio.wait_for(answer, 10)
        answers.append(answer)
    return answers


def read(folder: Path, path: str) -> list[dict[str, Any]]:
    """The records of a stream."""
    file = folder / f"{quote(path, safe='')}.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def key_of(key: Any) -> str | None:
    """A key as text (stream-steps.md 5.1)."""
    return ".".join(map(str, key)) if isinstance(key, list) else key


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


@pytest.mark.skipif(not CASES, reason="the shared specification is not beside the checkout")
@pytest.mark.parametrize("case", [c for c in CASES if not left_out(c)], ids=lambda case: case["id"])
def test_cases(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Writer().file(case)
    main = tmp_path / "graph.py"
    main.write_text(text)
    made = build(main)
    if case["step"].startswith(LATER):
        errors = [d.code for d in made.diagnostics if d.severity is Severity.ERROR]
        assert errors == ["GC016"]
        return
    assert not made.failed, text + "".join(map(render, made.diagnostics))

    streams = tmp_path / "streams"
    streams.mkdir()
    monkeypatch.setenv("GRAPHC_STREAMS", f"dir:{streams}")
    with loaded(made.files, "case", tmp_path) as module:
        answers = asyncio.run(run(module, case))
        state = getattr(sys.modules.get("graph"), "STATE", None)

    shown = text + made.files["case/handler.py"].decode()
    outlets = {output.get("outlet", "") for output in case["outputs"]} | set(
        case.get("outlets", ())
    )
    for outlet in outlets:
        records = read(streams, f"cases/{outlet}")
        wanted = [o for o in case["outputs"] if o.get("outlet", "") == outlet]
        bodies = [json.loads(record["data"]) for record in records]
        assert len(bodies) == len(wanted), (bodies, wanted, shown)
        for body, record, output in zip(bodies, records, wanted, strict=True):
            expected = plain(output["body"])
            if "event_error" in output:
                expected = {"body": expected, "error": output["event_error"]}
                expected["origin"] = output["origin_state"]
            assert equal(body, expected), (body, expected, shown)
            assert record["key"] == key_of(output["key"]), (record, output, shown)
    check_answers(case, answers, read(streams, "errors"), shown)
    if "state" in case:
        assert state == case["state"]


def check_answers(case: dict[str, Any], answers: list[Any], errors: Any, shown: str) -> None:
    """What callers got, where the case says so, and the records of failures."""
    for answer, response in zip(answers, case.get("responses", answers), strict=True):
        if "responses" not in case or response.get("pending"):
            continue  # any answer will do, as long as there is one
        if "error" in response:
            error = response["error"]
            assert answer.status_code == 400, shown
            assert answer.body == f"{error['type']}: {error['message']}", shown
        else:
            assert answer.status_code == 200, shown
            assert json.loads(answer.body) == plain(response["result"]), shown
    wanted = [case["error"]["message"]] if "error" in case else []
    wanted += [pushed["message"] for pushed in case.get("pushed_errors", ())]
    if case["id"] == "map-09-full-event-none":
        return  # there is no event that a record could be of
    if "responses" not in case:  # else each is recorded twice (serving.md 7.5)
        messages = [json.loads(record["data"])["message"].splitlines()[0] for record in errors]
        assert messages == wanted, shown


def test_the_list_of_what_is_left_out_is_up_to_date() -> None:
    stateless = {case["id"] for case in CASES}
    assert set(ALONE) <= stateless or not CASES
    assert not CASES or sum(not left_out(case) for case in CASES) == 50
