"""Random graph files and requests for them, as strategies of Hypothesis or from a seed.

`Writer` writes the statements of one graph file behind `CODE`, `requests` makes events for it; what
they decide by is a `Chooser`. `run_packages` and `reference` say what comes of them.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from reference import Request

T = TypeVar("T")

#: What steps run. Everything notes what it gets, in a list of the graph file's.
CODE = """\
import asyncio
import json

import mlrun
import storey
from mlrun.serving import ModelRouter, V2ModelServer, VotingEnsemble
from mlrun.serving.remote import BatchHttpRequests, RemoteStep
from mlrun.serving.routers import ParallelRun

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


def forgets(event):
    number = event.body.get("x", 0) if isinstance(event.body, dict) else 0
    note("forgets", number)
    if number % 3 == 1:
        return None
    return event if number % 3 else {"x": number}


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


class Asks:
    def __init__(self, context, name):
        self.context = context
        self.name = name

    def do(self, body):
        context = self.context
        return {
            "x": context.get_param("x", 1),
            "other": context.get_param("other", [self.name]),
            "started": getattr(context, "started", None),
            "secret": context.get_secret("word"),
            "project": context.project,
            "was": body,
        }


class Tells:
    def __init__(self, context):
        self.context = context

    def do_event(self, event):
        note("Tells", event.body)
        if isinstance(event.body, dict) and event.body.get("x", 0) > 3:
            self.context.push_error(event, "more than 3", source="Tells", x=event.body["x"])
        return event


def start(server):
    note("start", server.context.get_param("x"))
    server.context.started = {"ever": 1}


class Ways:
    def do(self, body):
        note("Ways", body)
        return body

    def select_outlets(self, body):
        return body.get("way") if isinstance(body, dict) else None


class EventWays:
    def do_event(self, event):
        note("EventWays", event.body)
        return event

    def select_outlets(self, body):
        note("outlets", body)
        return way(body)


class Fork(storey.Choice):
    def __init__(self, ways, **kw):
        super().__init__(**kw)
        self.ways = ways

    def select_outlets(self, body):
        note("Fork", body)
        number = body.get("x", 0) if isinstance(body, dict) else 0
        return self.ways[: number % (len(self.ways) + 1)]


class Chosen(storey.Choice):
    def select_outlets(self, body):
        note("Chosen", body)
        return way(body) or []


def way(body):
    found = body.get("way") if isinstance(body, dict) else None
    return [found] if isinstance(found, str) else found


class Thin(storey.MapClass):
    def __init__(self, by=2, **kw):
        super().__init__(**kw)
        self.by = by

    def do(self, body):
        note("Thin", body)
        if isinstance(body, dict) and body.get("x", 0) % self.by:
            self.filter()
        return {"x": 4, "thin": body}


class SlowThin(storey.MapClass):
    async def do(self, body):
        note("SlowThin", body)
        await asyncio.sleep(0)
        return {"x": 2, "thin": body}


def several(body):
    note("several", body)
    if not isinstance(body, dict):
        return [{"x": 1}, body]
    return [{**body, "part": number} for number in range(body.get("x", 0) % 4)]


def lazily(body):
    note("lazily", body)
    yield {"x": 2, "of": "lazily"}
    yield body["x"]


async def slowly_several(body):
    note("slowly_several", body)
    await asyncio.sleep(0)
    return [{"x": 1, "kind": type(body).__name__}, {"x": 2}]


def events(event):
    note("events", event.body)
    return [event] if event.body else []


def reads(event):
    note("reads", event.body)
    return isinstance(event.body, dict) and event.body.get("x", 0) > 2


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


def verdict(event):
    note("verdict", event.error, event.origin_state)
    return {"x": 1, "verdict": event.origin_state}


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


class Asking(RemoteStep):
    def __init__(self, path, **kw):
        super().__init__(url=path + "/", headers={"X-Asking": "yes"}, retries=0, **kw)

    def _generate_request(self, event, body):
        note("Asking", event.path, body)
        method, url, headers, data, options = super()._generate_request(event, body)
        if isinstance(body, dict) and body.get("x") == 4:
            raise ValueError("four")
        return method, url + "/asked", headers, data, options

    def _get_data(self, data, headers):
        found = super()._get_data(data, headers)
        return {"x": len(found["path"]), "asked": found}


class Listing(BatchHttpRequests):
    def _get_data(self, data, headers):
        return super()._get_data(data, headers)["data"]


class Double(V2ModelServer):
    def load(self):
        self.factor = self.get_param("factor", 2)

    def predict(self, request):
        note("Double", self.name, request["inputs"])
        return [value * self.factor for value in request["inputs"]]


def _size(body):
    return sum(key != "background_task_state" for key in body)


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
        return [_size(request)] * len(request["inputs"])

    def op_size(self, event):
        return {"size": _size(event.body)}


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


class Summer(ParallelRun):
    def merger(self, body, results):
        note("Summer", {key: results[key] for key in sorted(results)})
        body["all"] = {key: results[key] for key in sorted(results)}
        return {"not": "used"}


class Named:
    # A route that says who it is; the results of a ParallelRun are merged.
    def __init__(self, name, word="it"):
        self.name = name
        self.word = word

    def do(self, body):
        note("Named", self.name, body)
        if isinstance(body, dict) and body.get("x") == 5:
            raise ValueError("five")
        return {self.name: self.word}


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


_PARTS = {
    name: part
    for part in CODE.split("\n\n\n")[1:-1]
    for name in re.findall(r"\A(?:async )?(?:def|class) (\w+)", part)
}


def graph_file(statements: str) -> str:
    """The graph file: of CODE, what the statements use, and their likes."""
    head, *_, new = CODE.split("\n\n\n")
    used: dict[str, None] = {}
    todo = ["note", *re.findall(r"\w+", statements)]
    while todo:
        name = todo.pop()
        if name in _PARTS and name not in used:
            used[name] = None
            todo += re.findall(r"\w+", _PARTS[name])
    parts = [part for name, part in _PARTS.items() if name in used]
    return "\n\n\n".join([head, *parts, new]) + statements


BODY_STEPS = [
    'handler="grow"', 'handler="odd"', 'handler="spoil"', 'handler="pair"', 'handler="nothing"',
    'handler="created"', "handler=grow", 'class_name="Add"', 'class_name="Add", by=2',
    'class_name="Count"', 'class_name="Two", handler="first"', 'handler="(event[\'x\'])"',
    'handler="({**event, \'e\': 1})"', 'handler="json.dumps"', "class_name=Add, by=-1",
    'handler="(len(event))"', 'class_name="Asks"',
]  # fmt: skip
EVENT_STEPS = [
    'handler="peek", full_event=True', 'handler="choosy", full_event=True', 'class_name="Tag"',
    'class_name="Tells"',
]  # fmt: skip
ASYNC_STEPS = [
    'handler="slow"', 'class_name="SlowTag"', 'class_name="Two", handler="second"',
    'handler="forgets", full_event=True',
]  # fmt: skip
STOREY_STEPS = [
    'class_name="storey.Filter", _fn="(event)"',
    'class_name="storey.Filter", _fn="(event.get(\'x\', 0) != 2)"',
    'class_name="storey.Filter", _fn="(event.body)", full_event=True',
    'class_name="storey.Filter", _fn="reads", full_event=True',
    'class_name="storey.Map", _fn="({\'x\': event})"',
    'class_name="storey.Map", _fn="grow"',
    'class_name="storey.Map", _fn="slow"',
    'class_name="storey.Extend", _fn="({\'more\': bool(event)})"',
    'class_name="storey.Extend", _fn="grow"', 'class_name="storey.Extend", _fn="slow"',
    'class_name="storey.Extend", _fn="pair"',
    'class_name="storey.FlatMap", _fn="lazily"',
    'class_name="storey.FlatMap", _fn="several"',
    'class_name="storey.FlatMap", _fn="several"',
    'class_name="storey.FlatMap", _fn="slowly_several"',
    'class_name="storey.FlatMap", _fn="([event, event])"',
    'class_name="storey.FlatMap", _fn="events", full_event=True',
    'class_name="storey.Flatten"',
    'class_name="storey.ForEach", _fn="grow"',
    'class_name="storey.ForEach", _fn="odd"',
    'class_name="storey.ForEach", _fn="peek", full_event=True',
    'class_name="Thin"', 'class_name="Thin", by=3', 'class_name="SlowThin"',
    'class_name="storey.Rename", mapping={"x": "n", "n": "x", "was": "x"}',
    'class_name="storey.flow.DropColumns", columns=["n", "was"]',
    'class_name="storey.flow.DropColumns", columns="x"',
    'class_name="storey.flow.ReifyMetadata", mapping={"id": "the_id", "path": "p"}',
    'class_name="storey.flow.ReifyMetadata", mapping=["id", "method"]',
    'class_name="storey.steps.Partition", _predicate="reads"',
    'class_name="storey.steps.Assert"',
]  # fmt: skip
#: Steps that ask the service at `URL`, where there is one.
REMOTE_STEPS = [
    'class_name="$remote", url="URL/plain", retries=0',
    'class_name="$remote", url="URL/plain", subpath="$path", method="POST", retries=0',
    'class_name="$remote", url="URL/plain", body_expression="{\'sent\': event}", retries=0',
    'class_name="$remote", url="URL/plain", url_expression="endpoint + \'/\' + str(len(event))", '
    "retries=0",
    'class_name="$remote", url="URL/text", return_json=False, retries=0',
    'class_name="$remote", url="URL/status/404", retries=0',
    'class_name="$remote", url="URL/status/500", retries=0',
    'class_name="$remote", url="URL/plain", headers_expression="{\'X\': str(event[\'x\'])}", '
    "retries=0",
    'class_name="Asking", path="URL/plain"',
    'class_name="Asking", path="URL/plain", method="PUT"',
]
#: Those of the asynchronous engine alone.
BATCH_STEPS = [
    'class_name="mlrun.serving.remote.BatchHttpRequests", url="URL/plain"',
    'class_name="mlrun.serving.remote.BatchHttpRequests", url="URL/plain", subpath="each", '
    'body_expression="[event]"',
    'class_name="mlrun.serving.remote.BatchHttpRequests", method="PUT", '
    "url_expression=\"'URL/plain/' + str(event)[:1]\"",
    'class_name="mlrun.serving.remote.BatchHttpRequests", url="URL/status/500", retries=1, '
    "backoff_factor=0",
    'class_name="Listing", url="URL/plain"',
]
#: Steps that say themselves which of those behind them get the event; `{}` is a list of names.
CHOICES = [
    'class_name="Fork", ways={}', 'class_name="Fork", ways={}', 'class_name="Chosen"',
    'class_name="mlrun.serving.steps.ChoiceByField", field_name="way"',
    'class_name="Ways"', 'class_name="EventWays"',
    'class_name="storey.Map", _fn="grow", _fn_select_outlets="way"',
    'class_name="storey.Filter", _fn="(event)", _fn_select_outlets="way"',
    'class_name="storey.ForEach", _fn="grow", _fn_select_outlets="way"',
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
PARALLEL = ["mlrun.serving.routers.ParallelRun", "Summer"]
PATHS = [
    "/", "/", "/v2/models", "/v2/models/m0/infer", "/v2/models/m1", "/v2/models/m1/explain",
    "/v2/models/infer", "/v2/models/m0/ready", "/v2/models/m1/size", "/v2/models/m9/infer",
    "/v2/models/m0/versions/v1/infer", "/v2/health", "/elsewhere", "/v2/models/s0",
    "/v2/models/s1/infer", "/v2/models/VotingEnsemble/predict", "/v2/models/Panel",
    "/v2/models/inner/in/m0/infer", "/v2/models/inner/in/m1", "/v2/models/inner/m0",
]  # fmt: skip
SETTINGS = [
    'fn.spec.parameters = {"x": 3, "other": "set"}',
    'fn.spec.parameters["x"] = 2',
    'fn.spec.graph_initializer = "start"',
    'fn.spec.default_content_type = "application/json"',
    'fn.spec.default_content_type = "text/plain"',
    'fn.with_secrets("inline", {"word": "hidden"})',
    'fn.spec.error_stream = "cases/errors"',
]


class Chooser(Protocol):
    """Where decisions come from."""

    def number(self, low: int, high: int) -> int: ...


@dataclass(frozen=True)
class Seeded:
    """Decisions by a seed."""

    source: random.Random

    def number(self, low: int, high: int) -> int:
        return self.source.randint(low, high)


class Choices:
    """Decisions of several kinds, all made of numbers. Simple ones come of low numbers."""

    def __init__(self, chooser: Chooser) -> None:
        self.number = chooser.number

    def pick(self, items: Sequence[T]) -> T:
        return items[self.number(0, len(items) - 1)]

    def chance(self, percent: int) -> bool:
        return self.number(0, 99) >= 100 - percent


# -- graph files


class Writer(Choices):
    """Writes the statements of one graph file.

    `strict` leaves out what MLRun 1.12 itself refuses and graphc accepts: classes and functions as
    objects, catchers that are named before they exist. With a `service` steps ask it, too.
    """

    def __init__(
        self, chooser: Chooser, strict: bool = False, prefix: str = "s", service: str = ""
    ) -> None:
        super().__init__(chooser)
        self.strict = strict
        self.remote = [step.replace("URL", service) for step in REMOTE_STEPS if service]
        self.batch = [step.replace("URL", service) for step in BATCH_STEPS if service]
        #: What the steps' names begin with.
        self.prefix = prefix
        self.lines: list[str] = []
        self.steps: list[str] = []
        self.catchers: list[str] = []
        self.promised: list[str] = []
        #: Steps that choose, and names that the next steps have to have behind them.
        self.waiting: list[tuple[str, str]] = []
        self.ended: set[str] = set()

    def file(self) -> str:
        for _ in range(2):
            if self.chance(20):
                self.lines.append(self.pick(SETTINGS))
        if self.chance(18):
            self.root_router()
        else:
            self.flow("sync" if self.chance(25) else "async")
        return "\n".join(self.lines) + "\n"

    def menu(self, *menus: Sequence[str]) -> list[str]:
        items = [item for menu in menus for item in menu]
        if self.strict:
            return [i for i in items if "name=Add" not in i and "name=Careful" not in i
                    and "handler=grow" not in i]  # fmt: skip
        return items

    def root_router(self) -> None:
        name = self.router_class()
        arguments = f', "{name}"' if name else ""
        self.lines.append(f'router = fn.set_topology("router"{arguments}{self.ensemble(name)})')
        self.routes("router", name)

    def router_class(self) -> str:
        return self.pick(PARALLEL if self.chance(25) else ROUTERS)

    def ensemble(self, name: str) -> str:
        if name in PARALLEL:
            return self.pick(["", "", ", extend_event=True"]) + self.pick(
                ["", ', executor_type="array"', ', executor_type="thread"']
            )
        if name not in ("mlrun.serving.VotingEnsemble", "Panel"):
            return ', key="k"' if name == "Both" and self.chance(50) else ""
        kind = self.pick(["", ', vote_type="regression"', ', vote_type="classification"'])
        return kind + self.pick(["", "", ', weights={"m0": 1, "m1": 2}'])

    def routes(self, router: str, kind: str) -> None:
        for number in range(self.number(0 if self.chance(3) else 1, 3)):
            key = self.pick([f"m{number}", f"m{number}", "m0:v1"])
            if self.chance(80 if kind in PARALLEL else 40 if kind == "Both" else 0):
                made = self.pick(['class_name="Named"', 'class_name="Named", word="that"'])
                self.lines.append(f'{router}.add_route("{key}", {made})')
                continue
            if kind in ("", "mlrun.serving.ModelRouter", "Gate") and self.chance(12):
                inner = self.pick(["inner", "inner", key])
                self.lines.append(
                    f'{router}.add_route("{inner}", mlrun.serving.states.RouterStep('
                    f'class_args={{"url_prefix": "in"}}, routes={{}}))'
                )
                self.lines.append(
                    f'{router}.routes["{inner}"].add_route("m0", {self.pick(self.menu(MODELS))})'
                )
                continue
            made = self.pick(self.menu(MODELS))
            call = self.pick([f"{router}.add_route", f"{router}.add_route", "fn.add_model"])
            if call == "fn.add_model" and router != "router":
                made += f', router_step="{self.steps[-1]}"'
            self.lines.append(f'{call}("{key}", {made})')

    # -- flows

    def flow(self, engine: str, part: bool = False) -> None:
        """A flow; of several functions' a `part`, which has no catcher of the whole graph."""
        self.engine = engine
        self.lines.append(f'graph = fn.set_topology("flow", engine="{engine}")')
        if self.chance(20) and not part:
            self.graph_catcher()
        for number in range(self.number(1, 4 if engine == "sync" else 7)):
            self.step(f"{self.prefix}{number}")
        while self.waiting:
            self.step(self.waiting[0][1])
        for name in self.promised:
            self.lines.append(f'graph.add_step({self.pick(CATCHERS)}, name="{name}", after="")')
        free = [name for name in self.steps if name not in self.ended]
        if part:
            return
        if free and self.chance(80):
            name = free[-1] if self.chance(80) else self.pick(free)
            self.lines.append(f'graph["{name}"].respond()')
        if free and self.chance(2):
            self.lines.append(f'graph["{self.pick(free)}"].respond()')

    def step(self, name: str) -> None:
        forced = [pair for pair in self.waiting if pair[1] == name]
        self.waiting = [pair for pair in self.waiting if pair[1] != name]
        after = [forced[0][0]] if forced else self.after()
        if self.steps and self.chance(9) and after:
            self.queue(name, after)
            return
        router = self.chance(8)
        merge = self.engine == "async" and len(after) > 1 and self.chance(70)
        what = self.router_class() if router else ""
        if router:
            runs = f'class_name="*{what}"{self.ensemble(what)}'
        elif merge:
            runs = 'class_name="mlrun.serving.merger.Merge"'
        elif self.engine == "async" and self.chance(12):
            runs = self.choice(name)
        else:
            runs = self.runs()
        if len(after) == 1 and self.chance(40):
            self.lines.append(f'{name} = graph["{after[0]}"].to({runs}, name="{name}")')
        elif not after and self.chance(60):
            self.lines.append(f'{name} = graph.to({runs}, name="{name}")')
        else:
            shown = repr(after[0] if len(after) == 1 else after) if after else '""'
            if after == self.steps[-1:] and self.chance(20) and not self.ended:
                shown = '"$prev"'
            if after and len(self.steps) > 1 and self.chance(4):
                shown += f', before="{self.pick(self.steps)}"'
            self.lines.append(f'{name} = graph.add_step({runs}, name="{name}", after={shown})')
        self.steps.append(name)
        if router:
            self.routes(name, what)
        if self.chance(25):
            self.step_catcher(name)

    def queue(self, name: str, after: list[str]) -> None:
        kind = self.pick(["$queue", "$queue", ">>"])
        extra = self.pick(["", "", ", full_event=True", ", full_event=False"])
        if self.chance(50) and len(after) == 1:
            self.lines.append(
                f'{name} = graph["{after[0]}"].to("{kind}", "{name}", path="cases/{name}"{extra})'
            )
        else:
            self.lines.append(
                f'{name} = graph.add_step("{kind}", "{name}", path="cases/{name}", '
                f"after={after!r}{extra})"
            )
        self.steps.append(name)
        self.ended.add(name)

    def choice(self, name: str) -> str:
        number = int(name[1:])
        ways = [f"{self.prefix}{number + step}" for step in range(1, 1 + self.number(1, 3))]
        self.waiting += [(name, way) for way in ways if way == ways[0] or self.chance(90)]
        return self.pick(CHOICES).format(ways)

    def after(self) -> list[str]:
        open_ends = [name for name in self.steps if name not in self.ended]
        if not open_ends:
            return []
        if self.catchers and self.chance(12):
            return [self.pick(self.catchers)]
        if self.engine == "sync":
            return open_ends[-1:] if self.chance(97) else [self.pick(open_ends)]
        known = open_ends + self.catchers
        count = self.pick([1] * 11 + [2, 2, 2, 3, 0])
        if count == 1:
            return open_ends[-1:] if self.chance(50) else [self.pick(open_ends)]
        return sorted({self.pick(known) for _ in range(count)})

    def runs(self) -> str:
        if self.engine == "async":
            menu = self.menu(BODY_STEPS, BODY_STEPS, *[EVENT_STEPS] * 4, ASYNC_STEPS, ASYNC_STEPS,
                             STOREY_STEPS, *[self.remote, self.batch] * 3)  # fmt: skip
        else:
            menu = self.menu(
                BODY_STEPS,
                BODY_STEPS,
                *[EVENT_STEPS] * 4,
                ['class_name="Stops"'],
                *[self.remote] * 2,
            )
        if self.chance(4):
            return self.pick(self.menu(MODELS))
        paths = ""
        if self.chance(10):
            paths += self.pick([', input_path="x"', ', input_path="was.x"'])
        if self.chance(10):
            paths += self.pick([', result_path="y"', ', result_path="was.y"'])
        what = self.pick(menu)
        return what + paths

    def catcher(self) -> str:
        also = 'handler="late"' if self.engine == "async" else 'handler="verdict", full_event=True'
        return self.pick([*CATCHERS, also])

    def step_catcher(self, step: str) -> None:
        form = self.pick(["new", "new", "new", "by name", "known", "set"])
        if self.strict:
            form = "new"
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
            before = f', before="{self.prefix}{self.number(0, 7)}"'
        self.lines.append(f'{step}.error_handler(name="{name}", {self.catcher()}{before})')
        self.catchers.append(name)

    def graph_catcher(self) -> None:
        if not self.strict and self.chance(30):
            self.lines.append('graph.error_handler("cg")')
            self.promised.append("cg")
        else:
            self.lines.append(f'graph.error_handler(name="cg", {self.catcher()})')
            self.catchers.append("cg")


@dataclass(frozen=True)
class Divided:
    """A flow of two functions, as one graph file and as two that have a function each."""

    whole: str
    root: str
    child: str


def divided(chooser: Chooser) -> Divided:
    """A root that ends at a queue, and a child behind it, which writes what MLRun's would.

    The child's steps name their function; its catchers may leave that to where they are needed.
    """
    choose = Choices(chooser)
    engine = "sync" if choose.chance(25) else "async"
    root, child = Writer(chooser), Writer(chooser, prefix="t")
    root.flow(engine, part=True)
    free = [name for name in root.steps if name not in root.ended]
    if not free:
        root.step("s8")
        free = ["s8"]
    last = free[-1] if engine == "sync" else choose.pick(free)
    queue = f'graph["{last}"].to("$queue", "hand", path="cases/hand"'
    if len(free) > 1 and choose.chance(60):
        root.lines.append(f'graph["{choose.pick(free)}"].respond()')
    child.flow(engine, part=True)
    # A step that a catcher goes before is no start, even if it follows no other.
    handlers = "\n".join(line for line in child.lines if ".error_handler(" in line)
    followed = set(re.findall(r'before="(\w+)"', handlers))
    behind = [_of_child(choose, line, followed) for line in child.lines[1:]]
    define = 'fn.add_child_function("child", "graph.py", "image")'
    return Divided(
        "\n".join([*root.lines, f"{queue})", *behind, define]) + "\n",
        "\n".join([*root.lines, f"{queue}, full_event=True)"]) + "\n",
        "\n".join(child.lines) + "\n",
    )


def _of_child(choose: Choices, line: str, followed: set[str]) -> str:
    """The line of a graph of its own as one of a child function, behind the queue `hand`."""
    if ".error_handler(" in line:
        names = "class_name" in line or "handler=" in line
        return f'{line[:-1]}, function="child")' if names and choose.chance(50) else line
    if not re.search(r"graph(\[\S+\])?\.(to|add_step)\(", line):
        return line
    if re.search(r'name="ct\d+", after=""', line):
        return line  # a catcher that is only named
    if line.partition(" = ")[0] not in followed:
        line = line.replace("= graph.to(", '= graph["hand"].to(')
        line = line.replace('after=""', 'after="hand"')
    return line if re.search(r'"(\$queue|>>)"', line) else f'{line[:-1]}, function="child")'


# -- events


def body(choose: Choices) -> Any:
    if choose.chance(25):
        return choose.pick([None, 0, 7, "text", [], [1, {"x": 3}], {}, True])
    found: dict[str, Any] = {"x": choose.number(0, 6)}
    if choose.chance(50):
        found["inputs"] = [choose.pick([1, 2, 2.5, -1]) for _ in range(choose.number(0, 3))]
    optional = {
        "model": ["m0", "m1", "m9"],
        "operation": ["infer", "explain", "size"],
        "id": ["own"],
        "was": [{"x": 4}, None, "text"],
        "way": ["s1", "s2", ["s3"], ["s2", "s3"], ["s4", "s2"], [], None, "zz", ["s1", "s1"]],
    }
    for name, values in optional.items():
        if choose.chance(60 if name == "way" else 40):
            found[name] = choose.pick(values)
    return found


def request(choose: Choices, number: int) -> Request:
    path, id_ = choose.pick(PATHS), f"id-{number}"
    if choose.chance(8):
        return Request(b"", path, "GET", id=id_)
    kind = choose.pick(
        ["", "", "application/json", "application/json", "application/json", "text/plain", "json",
         "application/json; charset=utf-8"]
    )  # fmt: skip
    if choose.chance(6):
        sent = choose.pick([b"", b"{no json", b"\xc3\xa9"])
        return Request(sent, path, "POST", kind, id_)
    if choose.chance(3):
        envelope = {"full_event_wrapper": True, "body": body(choose), "id": "wrapped", "key": "k"}
        return Request(json.dumps(envelope).encode(), path, "POST", kind, id_)
    return Request(json.dumps(body(choose)).encode(), path, "POST", kind, id_)


def requests(choose: Choices) -> list[Request]:
    return [request(choose, number) for number in range(choose.number(1, 4))]


def seeded(seed: int, strict: bool = False, service: str = "") -> tuple[str, list[Request]]:
    """The graph file (its statements behind CODE) and the requests of a seed."""
    choose = Seeded(random.Random(seed))
    return Writer(choose, strict, service=service).file(), requests(Choices(choose))
