"""How routers read requests: serving.md 5.1 to 5.3 and 5.6."""

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nuclio_stub import Context, Event

from graphc.runtime_min import ensembles, router, routers
from graphc.runtime_min.context import GraphContext
from graphc.runtime_min.routes import BodyRoute, Route


def echo(event):
    event.body = {"op": event.path}
    return event


ROUTES = {"m1": Route(echo, "m1"), "m2:v1": Route(echo, "m2:v1")}
META = {"name": "ModelRouter", "version": "v2", "extensions": []}
MODELS = {"models": ["m1", "m2:v1"]}


def written_out(event):
    """What graphc generates for a ModelRouter."""
    if router.asks_metadata(event):
        return META
    model, event.path = router.target(event, ROUTES)
    if model is None:
        return {"models": list(ROUTES)}
    return {**ROUTES[model].do_event(event).body, "model": model}


class Named(routers.ModelRouter):
    def get_metadata(self):
        return META

    def _handle_event(self, event):
        name, route, _ = self._resolve_route(event.body, event.path)
        event = super()._handle_event(event)
        if route:
            event.body["model"] = name
        return event


def derived(event):
    return Named(GraphContext(Context()), "router", ROUTES).do_event(event).body


def found(model, op):
    return {"op": op, "model": model}


@pytest.mark.parametrize("run", [written_out, derived])
@pytest.mark.parametrize(
    ("path", "method", "body", "expected"),
    [
        ("/", "GET", None, META),
        ("/v2/health", "GET", None, META),
        ("/v2/healthy/x", "GET", None, META),
        ("/v2/models", "GET", None, MODELS),
        ("/v2/models/", "POST", {"x": 1}, MODELS),
        ("/v2/models/m1/infer", "POST", {}, found("m1", "infer")),
        ("/v2/models/m1", "GET", None, found("m1", "")),
        ("/v2/models/m1/a/b/", "POST", {"x": 1}, found("m1", "a/b")),
        ("/v2/models/m2/versions/v1", "POST", {"x": 1}, found("m2:v1", "")),
        ("/v2/models/m2/versions/v1/explain", "POST", {"x": 1}, found("m2:v1", "explain")),
        ("/v2/models/m2:v1/infer", "POST", {"x": 1}, found("m2:v1", "infer")),
        ("/v2/modelsm1/infer", "POST", {"x": 1}, found("m1", "infer")),
        ("/v2/models/m1/infer", "POST", {"operation": "xx"}, found("m1", "xx")),
        ("/v2/models/m1/infer", "POST", {"model": "zz"}, found("m1", "infer")),
        ("/", "POST", {"x": 1}, found("m1", "infer")),
        ("", "POST", {"model": "m2:v1"}, found("m2:v1", "infer")),
        ("/", "POST", {"operation": None}, found("m1", "infer")),
        ("/", "POST", '{"model": "m2:v1"}', found("m2:v1", "infer")),
        ("/", None, {"x": 1}, found("m1", "infer")),
    ],
)
def test_requests(run, path, method, body, expected):
    assert run(Event(body, path=path, method=method)) == expected


UNKNOWN = "doesnt exist, available models: m1 | m2:v1"


@pytest.mark.parametrize("run", [written_out, derived])
@pytest.mark.parametrize(
    ("path", "method", "body", "message"),
    [
        ("/foo", "POST", {}, "illegal path prefix /foo, must start with /v2/models"),
        ("/v2/health", "POST", {}, "illegal path prefix /v2/health, must start with /v2/models"),
        ("/v2/models/zz/infer", "POST", {"x": 1}, f"model zz {UNKNOWN}"),
        ("/v2/models/m2/versions", "POST", {"x": 1}, f"model m2 {UNKNOWN}"),
        ("/", "POST", None, f"model  {UNKNOWN}"),
        ("/", "POST", {"model": "zz"}, f"model zz {UNKNOWN}"),
        ("/v2/models/m1", "POST", "no json", "Unrecognized request format"),
        ("/v2/models/m1", "POST", [1], "Unrecognized request format"),
    ],
)
def test_refusals(run, path, method, body, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        run(Event(body, path=path, method=method))


def test_images_and_data_urls(tmp_path):
    picture = tmp_path / "p.png"
    picture.write_bytes(b"png")
    for url in (picture.as_uri(), str(picture)):
        event = Event({"data_url": url}, path="/v2/models/m1")
        assert router.read(event) == ("m1", "")
        assert event.body["inputs"][0].read() == b"png"
    event = Event(b"\xffpng", path="/v2/models/m1", content_type="image/png")
    assert router.read(event) == ("m1", "")
    assert event.body["inputs"][0].read() == b"\xffpng"


def naive_split(path, prefix):
    """The rules of serving.md 5.2, word by word."""
    if path in ("", "/"):
        return "", None
    segments = path[len(prefix) :].strip("/").split("/")
    model = segments[0]
    if len(segments) >= 3 and segments[1] == "versions":
        return f"{model}:{segments[2]}", "/".join(segments[3:])
    return model, "/".join(segments[1:])


@given(st.lists(st.sampled_from(["", "m1", "versions", "v1", "infer", "/"]), max_size=6))
def test_split_follows_the_rules(segments):
    path = router.PREFIX + "/".join(["", *segments])
    assert router.split(path) == naive_split(path, router.PREFIX)


# -- classes to derive from


def test_hooks_prefixes_and_paths():
    class Gate(routers.ModelRouter):
        def preprocess(self, event):
            event.body["seen"] = True
            return event

        def postprocess(self, event):
            event.body["passed"] = True
            return event

    gate = Gate(
        GraphContext(Context()),
        "gate",
        ROUTES,
        url_prefix="/api/models",
        health_prefix="/api/alive",
        input_path="in",
        result_path="out",
        extra=1,
    )
    gate.post_init()
    event = gate.do_event(Event({"in": {"x": 1}}, path="/api/models/m1/infer"))
    assert event.body["out"] == {"op": "infer", "passed": True}
    assert gate.kwargs == {"extra": 1}
    listed = gate.do_event(Event({"in": {}}, path="/api/models"))
    assert listed.body["out"]["passed"]
    with pytest.raises(ValueError, match="must start with /api/models"):
        gate.do_event(Event({"in": {}}, path="/v2/models/m1"))


def test_protocol_decides_prefixes_and_the_key_of_inputs():
    old = routers.BaseModelRouter(GraphContext(Context()), protocol="v1")
    assert (old.url_prefix, old.health_prefix) == ("/v1/models", "/v1/health")
    image = Event(b"\xff", path="/v1/models/x", content_type="image/png")
    assert list(old.do_event(image).body) == ["instances"]


def test_metadata_names_the_class_and_ends_a_sync_flow():
    event = Event(method="GET")
    body = routers.ModelRouter(GraphContext(Context()), "r", ROUTES).do_event(event).body
    assert body["name"] == "ModelRouter"
    assert event.terminated


def test_own_resolution_of_routes():
    class Random(routers.ModelRouter):
        def _resolve_route(self, body, urlpath):
            return "m1", self.routes["m1"], "mine"

    made = Random(GraphContext(Context()), "r", ROUTES)
    assert made.do_event(Event({"x": 1})).body == {"op": "mine"}


def test_body_routes_honour_paths():
    route = BodyRoute(lambda x: x + 1, input_path="a", result_path="r.s")
    assert route.run(Event({"a": 1})).body == {"a": 1, "r": {"s": 2}}
    assert BodyRoute(len).do_event(Event([1, 2])).body == 2


# -- ParallelRun


def fail(body):
    raise KeyError("broken")


PARALLEL = {
    "a": BodyRoute(lambda body: {"a": body["x"], "last": "a"}),
    "b": BodyRoute(lambda body: {"b": body["x"], "last": "b"}),
}


def parallel(routes=PARALLEL, **arguments):
    context = Context()
    return context, ensembles.ParallelRun(GraphContext(context), "p", routes, **arguments)


def test_parallel_run_merges_answers():
    _, run = parallel()
    assert run.do_event(Event({"x": 1})).body == {"a": 1, "b": 1, "last": "b"}
    _, run = parallel(extend_event=True)
    assert run.do_event(Event({"x": 1}, path="/v2/models/any")).body["x"] == 1
    assert run.do_event(Event(method="GET")).body["name"] == "ParallelRun"


def test_processes_have_routes_of_their_own():
    seen = []

    def note(body):
        seen.append(body["x"])
        body["x"] = 0
        return {"pid": os.getpid(), "seen": list(seen)}

    context, run = parallel({"a": BodyRoute(note), "bad": BodyRoute(fail)}, executor_type="process")
    answers = [run.do_event(Event({"x": number})).body for number in (1, 2)]
    assert all(answer["pid"] != os.getpid() for answer in answers)
    assert answers[0]["seen"] == [1]
    assert seen == []
    assert context.errors() == ["route bad failed: KeyError('broken')"] * 2


def test_failing_routes_are_left_out_and_logged_but_not_with_array():
    routes = {**PARALLEL, "bad": BodyRoute(fail)}
    context, run = parallel(routes)
    assert run.do_event(Event({"x": 1})).body == {"a": 1, "b": 1, "last": "b"}
    assert context.errors() == ["route bad failed: KeyError('broken')"]
    with pytest.raises(KeyError):
        parallel(routes, executor_type="array")[1].do_event(Event({"x": 1}))
    with pytest.raises(ValueError, match="'no' is not a valid"):
        parallel(executor_type="no")


def test_own_merger_and_results_that_are_no_dicts():
    class Mine(ensembles.ParallelRun):
        def merger(self, body, results):
            body["total"] = sum(results.values())

    routes = {"a": BodyRoute(lambda body: 1), "b": BodyRoute(lambda body: 2)}
    made = Mine(GraphContext(Context()), "p", routes)
    assert made.do_event(Event({"x": 1})).body == {"total": 3}
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        parallel(routes)[1].do_event(Event({"x": 1}))
