"""Random graph files: what their packages answer, and do on the way, is what `reference` says.

`GRAPHC_EXAMPLES=5000 pytest tests/test_random_graphs.py` looks longer; `GRAPHC_RANDOM=1` looks
elsewhere each time.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nuclio_sdk
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from graphc import ir
from graphc.diagnostics import Severity
from graphc.pipeline import Build, build
from graphc.rendering import render
from reference import Answer, Reference, Request
from reference_mlrun import run_file

#: What steps run. Everything notes what it gets, in a list of the graph file's.
CODE = """\
import asyncio
import json

import mlrun
from mlrun.serving import ModelRouter, V2ModelServer, VotingEnsemble

LOG = []
seen = {"grow": 0}


def note(*what):
    LOG.append(json.loads(json.dumps(what, default=lambda item: type(item).__name__)))


def grow(body):
    seen["grow"] += 1
    note("grow", seen["grow"], body)
    if isinstance(body, dict):
        body["n"] = body.get("n", 0) + 1
        return body
    return {"n": 0, "was": body}


def odd(body):
    note("odd", body)
    if isinstance(body, dict) and body.get("x", 0) % 2:
        raise ValueError(f"odd {body['x']}")
    return body


def spoil(body):
    note("spoil", body)
    if isinstance(body, dict):
        body["spoilt"] = True
        if body.get("x", 0) > 2:
            raise KeyError("x")
    return body


def pair(body):
    note("pair", body)
    return {"x": 3, "left": body, "right": body}


def nothing(body):
    note("nothing", body)


def created(body, context):
    note("created", body)
    return context.Response(body="made", content_type="text/html", status_code=201)


async def slow(body):
    note("slow", body)
    await asyncio.sleep(0)
    return {"slow": body, "x": 1} if body else body


def peek(event):
    note("peek", event.id, event.path, event.method, event.body)
    event.body = {"x": 5, "peeked": event.body}
    return event


def choosy(event):
    note("choosy", event.body)
    event.path = "/chosen"
    if not isinstance(event.body, dict):
        raise RuntimeError("no dict") from ValueError("the cause")
    event.body["seen"] = True
    if event.body.get("x", 0) % 3 == 0:
        raise RuntimeError("by three")
    return event


class Add:
    def __init__(self, by=1, name=None):
        self.by = by
        self.name = name

    def do(self, body):
        note("Add", self.name, body)
        return {"x": (body.get("x", 0) if isinstance(body, dict) else 0) + self.by}


class Count:
    def __init__(self, context):
        self.context = context
        self.calls = 0

    def do(self, body):
        self.calls += 1
        note("Count", self.calls, body)
        if self.calls == 3:
            raise OverflowError
        return {"x": self.calls, "body": body}


class Tag:
    def do_event(self, event):
        note("Tag", event.path, event.content_type, event.body)
        if isinstance(event.body, dict):
            event.body["tag"] = event.id
        return event


class SlowTag:
    async def do_event(self, event):
        await asyncio.sleep(0)
        note("SlowTag", event.body)
        event.body = [event.body]
        return event


class Two:
    def first(self, body):
        note("first", body)
        return body[0]

    async def second(self, body):
        note("second", body)
        return body


class Stops:
    def do_event(self, event):
        note("Stops", event.body)
        event.terminated = isinstance(event.body, dict) and event.body.get("x") == 2
        return event


def sorry(body):
    note("sorry", body)
    return {"sorry": body}


def told(event):
    note("told", str(event.error), event.origin_state, event.path, event.body)
    event.body = {"error": str(event.error), "x": 2, "was": event.body}
    return event


class Explain:
    def __init__(self, word="because"):
        self.word = word

    def do_event(self, event):
        note("Explain", self.word, str(event.error), event.origin_state)
        event.body = {self.word: str(event.error), "was": event.body}
        return event


def helpless(body):
    note("helpless", body)
    raise LookupError("helpless") from KeyError("why")


async def late(body):
    note("late", body)
    return {"late": body}


class Double(V2ModelServer):
    def load(self):
        self.factor = self.get_param("factor", 2)

    def predict(self, request):
        note("Double", self.name, request["inputs"])
        return [value * self.factor for value in request["inputs"]]


class Careful(V2ModelServer):
    def load(self):
        pass

    def preprocess(self, request, operation):
        note("Careful", operation, request)
        return request

    def predict(self, request):
        if len(request["inputs"]) > 2:
            raise ValueError("too many")
        return [len(request["inputs"])] * len(request["inputs"])

    def postprocess(self, response):
        response["careful"] = True
        return response

    def explain(self, request):
        return "so"

    def op_size(self, event):
        return {"size": len(event.body)}


class Gate(ModelRouter):
    def preprocess(self, event):
        note("Gate", event.path, event.body)
        if isinstance(event.body, dict) and event.body.get("x") == 1:
            raise PermissionError("closed")
        return event

    def postprocess(self, event):
        note("Gate out", event.body)
        return event


class Panel(VotingEnsemble):
    def postprocess(self, event):
        note("Panel out")
        return event


class Both:
    def __init__(self, context, name, routes, key="all"):
        self.routes = routes
        self.key = key

    def do_event(self, event):
        note("Both", event.body)
        found = {}
        for name, route in self.routes.items():
            found[name] = route.run(event).body
        event.body = {self.key: found}
        return event


fn = mlrun.new_function("random", kind="serving")
"""

BODY_STEPS = [
    'handler="grow"', 'handler="odd"', 'handler="spoil"', 'handler="pair"', 'handler="nothing"',
    'handler="created"', "handler=grow", 'class_name="Add"', 'class_name="Add", by=2',
    'class_name="Count"', 'class_name="Two", handler="first"', 'handler="(event[\'x\'])"',
    'handler="({**event, \'e\': 1})"', 'handler="json.dumps"', "class_name=Add, by=-1",
    'handler="(len(event))"',
]  # fmt: skip
EVENT_STEPS = [
    'handler="peek", full_event=True', 'handler="choosy", full_event=True', 'class_name="Tag"',
]  # fmt: skip
ASYNC_STEPS = ['handler="slow"', 'class_name="SlowTag"', 'class_name="Two", handler="second"']
STOREY_STEPS = [
    'class_name="storey.Filter", _fn="(event)"',
    'class_name="storey.Filter", _fn="(event.get(\'x\', 0) != 2)"',
    'class_name="storey.Filter", _fn="(event.body)", full_event=True',
    'class_name="storey.Map", _fn="({\'x\': event})"',
    'class_name="storey.Map", _fn="grow"',
    'class_name="storey.Extend", _fn="({\'more\': 1})"',
]  # fmt: skip
CATCHERS = [
    'handler="sorry"', 'handler="told", full_event=True', 'class_name="Explain"',
    'class_name="Explain", word="as"', 'handler="helpless"', 'class_name="Add"',
]  # fmt: skip
MODELS = [
    'class_name="Double"', 'class_name="Double", factor=3', 'class_name="Double", factor=0.5',
    'class_name="Careful"', "class_name=Careful",
]  # fmt: skip
ROUTERS = ["", "mlrun.serving.ModelRouter", "Gate", "mlrun.serving.VotingEnsemble", "Panel", "Both"]
PATHS = [
    "/", "/", "/v2/models", "/v2/models/m0/infer", "/v2/models/m1", "/v2/models/m1/explain",
    "/v2/models/infer", "/v2/models/m0/ready", "/v2/models/m1/size", "/v2/models/m9/infer",
    "/v2/models/m0/versions/v1/infer", "/v2/health", "/elsewhere", "/v2/models/s0",
    "/v2/models/s1/infer", "/v2/models/VotingEnsemble/predict", "/v2/models/Panel",
]  # fmt: skip


# -- graph files


class Writer:
    """Writes the statements of one graph file, as `draw` decides."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.lines: list[str] = []
        self.steps: list[str] = []
        self.catchers: list[str] = []
        self.promised: list[str] = []

    def pick(self, items: Any) -> Any:
        return self.draw(st.sampled_from(list(items)))

    def chance(self, percent: int) -> bool:
        return bool(self.draw(st.integers(0, 99)) >= 100 - percent)

    def file(self) -> str:
        if self.chance(15):
            self.root_router()
        else:
            self.flow("sync" if self.chance(25) else "async")
        return "\n".join(self.lines) + "\n"

    def root_router(self) -> None:
        name = self.pick(ROUTERS)
        arguments = f', "{name}"' if name else ""
        self.lines.append(f'router = fn.set_topology("router"{arguments}{self.ensemble(name)})')
        self.routes("router")

    def ensemble(self, name: str) -> str:
        if name not in ("mlrun.serving.VotingEnsemble", "Panel"):
            return ', key="k"' if name == "Both" and self.chance(50) else ""
        kind = self.pick(["", ', vote_type="regression"', ', vote_type="classification"'])
        return str(kind + self.pick(["", "", ', weights={"m0": 1, "m1": 2}']))

    def routes(self, router: str) -> None:
        for number in range(self.draw(st.integers(0 if self.chance(3) else 1, 3))):
            made = self.pick(MODELS)
            key = self.pick([f"m{number}", f"m{number}", "m0:v1"])
            call = self.pick([f"{router}.add_route", f"{router}.add_route", "fn.add_model"])
            if call == "fn.add_model" and router != "router":
                made += f', router_step="{self.steps[-1]}"'
            self.lines.append(f'{call}("{key}", {made})')

    # -- flows

    def flow(self, engine: str) -> None:
        self.engine = engine
        self.lines.append(f'graph = fn.set_topology("flow", engine="{engine}")')
        if self.chance(20):
            self.graph_catcher()
        for number in range(self.draw(st.integers(1, 4 if engine == "sync" else 7))):
            self.step(f"s{number}")
        for name in self.promised:
            self.lines.append(f'graph.add_step({self.pick(CATCHERS)}, name="{name}", after="")')
        if self.chance(80):
            name = self.steps[-1] if self.chance(80) else self.pick(self.steps)
            self.lines.append(f'graph["{name}"].respond()')
        if self.chance(2):
            self.lines.append(f'graph["{self.pick(self.steps)}"].respond()')

    def step(self, name: str) -> None:
        after = self.after()
        router = self.chance(8)
        merge = self.engine == "async" and len(after) > 1 and self.chance(70)
        what = self.pick(ROUTERS) if router else ""
        if router:
            runs = f'class_name="*{what}"{self.ensemble(what)}'
        elif merge:
            runs = 'class_name="mlrun.serving.merger.Merge"'
        else:
            runs = self.runs()
        if len(after) == 1 and self.chance(40):
            self.lines.append(f'{name} = graph["{after[0]}"].to({runs}, name="{name}")')
        elif not after and self.chance(60):
            self.lines.append(f'{name} = graph.to({runs}, name="{name}")')
        else:
            shown = repr(after[0] if len(after) == 1 else after) if after else '""'
            if after == self.steps[-1:] and self.chance(20):
                shown = '"$prev"'
            if after and len(self.steps) > 1 and self.chance(4):
                shown += f', before="{self.pick(self.steps)}"'
            self.lines.append(f'{name} = graph.add_step({runs}, name="{name}", after={shown})')
        self.steps.append(name)
        if router:
            self.routes(name)
        if self.chance(25):
            self.step_catcher(name)

    def after(self) -> list[str]:
        if not self.steps:
            return []
        if self.catchers and self.chance(12):
            return [self.pick(self.catchers)]
        if self.engine == "sync":
            return self.steps[-1:] if self.chance(97) else [self.pick(self.steps)]
        known = self.steps + self.catchers
        count = self.draw(st.sampled_from([1] * 11 + [2, 2, 2, 3, 0]))
        if count == 1:
            return self.steps[-1:] if self.chance(50) else [self.pick(self.steps)]
        return sorted({self.pick(known) for _ in range(count)})

    def runs(self) -> str:
        menu = BODY_STEPS * 2 + EVENT_STEPS * 4
        if self.engine == "async":
            menu = menu + ASYNC_STEPS * 2 + STOREY_STEPS
        else:
            menu = [*menu, 'class_name="Stops"']
        if self.chance(4):
            return str(self.pick(MODELS))
        paths = ""
        if self.chance(10):
            paths += self.pick([', input_path="x"', ', input_path="was.x"'])
        if self.chance(10):
            paths += self.pick([', result_path="y"', ', result_path="was.y"'])
        return str(self.pick(menu)) + paths

    def catcher(self) -> str:
        return str(self.pick([*CATCHERS, *(['handler="late"'] if self.engine == "async" else [])]))

    def step_catcher(self, step: str) -> None:
        form = self.pick(["new", "new", "new", "by name", "known", "set"])
        known = self.catchers + self.promised
        if form in ("known", "set") and known:
            other = self.pick(known)
            by_name = f'{step}.error_handler("{other}")'
            self.lines.append(by_name if form == "known" else f'{step}.on_error = "{other}"')
            return
        name = f"c{step}"
        if form == "by name":
            self.lines.append(f'{step}.error_handler("{name}")')
            self.promised.append(name)
            return
        before = ""
        if self.chance(25):
            # Of a step that may come later, or never.
            number = self.draw(st.integers(0, 7))
            before = f', before="s{number}"'
        self.lines.append(f'{step}.error_handler(name="{name}", {self.catcher()}{before})')
        self.catchers.append(name)

    def graph_catcher(self) -> None:
        if self.chance(30):
            self.lines.append('graph.error_handler("cg")')
            self.promised.append("cg")
        else:
            self.lines.append(f'graph.error_handler(name="cg", {self.catcher()})')
            self.catchers.append("cg")


@st.composite
def graph_files(draw: Any) -> str:
    """What a graph file has behind CODE."""
    return Writer(draw).file()


BODIES: st.SearchStrategy[Any] = st.one_of(
    st.fixed_dictionaries(
        {"x": st.integers(0, 6)},
        optional={
            "inputs": st.lists(st.sampled_from([1, 2, 2.5, -1]), max_size=3),
            "model": st.sampled_from(["m0", "m1", "m9"]),
            "operation": st.sampled_from(["infer", "explain", "size"]),
            "id": st.just("own"),
            "was": st.sampled_from([{"x": 4}, None, "text"]),
        },
    ),
    st.sampled_from([None, 0, 7, "text", [], [1, {"x": 3}], {}, True]),
)


@st.composite
def requests(draw: Any) -> Request:
    path = draw(st.sampled_from(PATHS))
    if draw(st.integers(0, 9)) == 9:
        return Request(b"", path, "GET")
    kind = draw(st.sampled_from(["", "", "application/json", "application/json", "text/plain"]))
    if draw(st.integers(0, 14)) == 14:
        return Request(draw(st.sampled_from([b"", b"{no json", b"\xc3\xa9"])), path, "POST", kind)
    return Request(json.dumps(draw(BODIES)).encode(), path, "POST", kind)


# -- running what was built


@contextmanager
def package(files: dict[str, bytes]) -> Iterator[Any]:
    """The handler module of a package and its context; its modules are unloaded at the end."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            if name.startswith("random/"):
                target = Path(folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        root = str(Path(folder, "random"))
        kept = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_package(name)}
        sys.path.insert(0, root)
        sys.dont_write_bytecode, cached = True, sys.dont_write_bytecode
        try:
            yield importlib.import_module("handler")
        finally:
            sys.dont_write_bytecode = cached
            sys.path.remove(root)
            for name in [name for name in sys.modules if _is_package(name)]:
                del sys.modules[name]
            sys.modules.update(kept)


def _is_package(name: str) -> bool:
    return name.partition(".")[0] in ("handler", "graph", "runtime_min")


class _Silent:
    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


def nuclio_event(request: Request) -> nuclio_sdk.Event:
    """The event that Nuclio's wrapper makes of a request."""
    fields = {
        "body": request.body, "content_type": request.content_type, "path": request.path,
        "method": request.method, "id": request.id, "trigger": {"kind": "http", "name": "http"},
        "headers": {}, "fields": {}, "size": len(request.body), "timestamp": 0, "url": "",
        "shard_id": -1, "num_shards": 0, "type": "", "type_version": "", "version": "",
        "offset": 0, "topic": "",
    }  # fmt: skip
    kind = nuclio_sdk.event.EventDeserializerKinds.msgpack
    return nuclio_sdk.Event.deserialize(fields, kind=kind)


@dataclass(frozen=True)
class Outcome:
    """What came of one request: the answer (and those too late), and what the steps noted."""

    answers: list[Any]
    log: list[Any]
    awaits: bool = False


async def answers(files: dict[str, bytes], asked: list[Request]) -> list[Outcome]:
    """What a package makes of the requests."""
    found = []
    with package(files) as handler:
        trigger = nuclio_sdk.TriggerInfo("http", "http")
        platform = nuclio_sdk.Platform("local", namespace="nuclio")
        context = nuclio_sdk.Context(_Silent(), platform, "0", trigger)
        handler.init_context(context)
        log: list[Any] = getattr(sys.modules.get("graph"), "LOG", [])
        for request in asked:
            try:
                made = handler.handler(context, nuclio_event(request))
                made = await made if inspect.isawaitable(made) else made
                answer = Answer(made.status_code, made.content_type, _text(made.body))
            except Exception:
                answer = Answer(500, "", "")
            awaits = inspect.iscoroutinefunction(handler.handler)
            found.append(Outcome([shown(answer)], sorted_votes(log), awaits))
            log.clear()
    return found


async def expected(graph: ir.Graph, text: str, asked: list[Request], tasks: bool) -> list[Outcome]:
    """What the reference makes of the same requests."""
    namespace = run_file(text)
    reference = Reference(graph.functions[0], namespace, tasks)
    found = []
    for request in asked:
        answer = await reference.answer(request)
        all_answers = [answer, *reference.late]
        found.append(Outcome([shown(a) for a in all_answers], sorted_votes(namespace["LOG"])))
        namespace["LOG"].clear()
    return found


def _text(body: Any) -> str:
    return body.decode() if isinstance(body, bytes) else str(body)


def shown(answer: Answer) -> Any:
    """The answer, with the time out of it."""
    if answer.status in (204, 500):
        return answer.status
    if answer.content_type == "application/json":
        return answer.status, _timeless(json.loads(answer.body))
    return answer


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key != "timestamp"}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def sorted_votes(log: list[Any]) -> list[Any]:
    """The notes, in order but for those of models that were asked together."""
    found: list[Any] = []
    models: list[Any] = []
    for entry in [*_timeless(log), None]:
        if entry is not None and entry[0] in ("Double", "Careful"):
            models.append(entry)
            continue
        found += sorted(models, key=json.dumps)
        models = []
        found.append(entry)
    return found[:-1]


# -- what is refused


def refusals(graph: ir.Graph) -> set[str]:
    """The codes that a graph deserves."""
    found = set()
    root = graph.functions[0].root
    for step in root.steps if isinstance(root, ir.Flow) else (root,):
        if isinstance(step, ir.Router) and not step.routes:
            found.add("GC010")
    if isinstance(root, ir.Router):
        return found
    names = set(root.names)
    edges = {step.name: {step.on_error} for step in root.steps}
    catchers = {step.name for step in root.steps if getattr(step, "catcher", False)}
    for step in root.steps:
        for name in step.after:
            edges[name].add(step.name)
        edges[step.name] |= set(getattr(step, "before", ()))
    if not set().union(*edges.values()) - {None} <= names:
        return {"GC011"}
    if any(_meets(edges, name, name) for name in names):
        found.add("GC013")
    if sum(step.responder for step in root.steps) > 1:
        found.add("GC014")
    if root.engine == "sync":
        starts = [step for step in root.steps if not step.after and step.name not in catchers]
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

settings.register_profile(
    "random-graphs",
    max_examples=int(os.environ.get("GRAPHC_EXAMPLES", "150")),
    derandomize=not os.environ.get("GRAPHC_RANDOM"),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def compiled(text: str) -> Build:
    with tempfile.TemporaryDirectory() as folder:
        main = Path(folder, "graph.py")
        main.write_text(text)
        return build(main)


@settings(settings.get_profile("random-graphs"))
@given(graph_files(), st.lists(requests(), min_size=1, max_size=4))
def test_packages_do_what_the_reference_says(statements: str, asked: list[Request]) -> None:
    check(statements, [replace(request, id=f"id-{i}") for i, request in enumerate(asked)])


def check(statements: str, asked: list[Request]) -> None:
    note(statements)
    text = CODE + statements
    made = compiled(text)
    errors = {found.code for found in made.diagnostics if found.severity is Severity.ERROR}
    note("\n".join(map(render, made.diagnostics)))
    if made.graph is None:
        assert errors <= {"GC010", "GC011", "GC013"}, errors
        return
    deserved = refusals(made.graph)
    assert errors == deserved or (errors and errors <= deserved), (errors, deserved)
    if not errors:
        note(made.files["random/handler.py"].decode())
        got = asyncio.run(answers(made.files, asked))
        wanted = [asyncio.run(expected(made.graph, text, asked, t)) for t in (False, True)]
        same = [
            any(agrees(one, other) for other in others)
            for one, *others in zip(got, *wanted, strict=True)
        ]
        assert all(same), "\n".join(differences(same, asked, got, *wanted))


def agrees(got: Outcome, wanted: Outcome) -> bool:
    """Is it what was wanted?

    Where steps await, branches inside branches answer when they end, later than in MLRun, and their
    steps' order is another: then any of the answers will do.
    """
    if got.awaits:
        return got.answers[0] in wanted.answers and sorted(map(repr, got.log)) == sorted(
            map(repr, wanted.log)
        )
    return got.answers[0] == wanted.answers[0] and got.log == wanted.log


def differences(same: list[bool], asked: list[Request], *outcomes: Any) -> Iterator[str]:
    """Where the answers part, in lines."""
    at = same.index(False)
    yield str(asked[at])
    for what, outcome in zip(("got", "wanted", "or"), outcomes, strict=True):
        yield f"{what:7}{outcome[at]}"
