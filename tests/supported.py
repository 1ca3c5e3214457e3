"""The table of docs/supported.md: each row is a small graph file, and what becomes of it.

    python tests/supported.py           # compare the table with what graphc does
    python tests/supported.py --update  # write it anew

A row's verdict is made by building its graph, never written by hand.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from graphc.diagnostics import Severity
from graphc.pipeline import build

DOCUMENT = Path(__file__).parents[1] / "docs" / "supported.md"

HEAD = """\
import mlrun
import mlrun.runtimes.mounts
import nuclio
import storey
from mlrun.serving import QueueStep, RouterStep, TaskStep, V2ModelServer
from mlrun.serving.remote import BatchHttpRequests, RemoteStep
from mlrun.serving.routers import ParallelRun


def f(body):
    return body


def g(event):
    return event


def ways(body):
    return ["b"]


def gen(body):
    yield body


def request(event):
    return storey.HttpRequest("GET", "http://h/", "")


def joined(body, response):
    return body


def start(server):
    server.context.limit = 1


class A:
    def __init__(self, by=1):
        self.by = by

    def do(self, body):
        return body


class E:
    def do_event(self, event):
        return event


class W(A):
    def select_outlets(self, body):
        return ["b"]


class C(storey.Choice):
    def select_outlets(self, body):
        return ["b"]


class K(storey.MapClass):
    def do(self, body):
        return body


class M(V2ModelServer):
    def load(self):
        pass

    def predict(self, request):
        return request["inputs"]


class R:
    def __init__(self, routes):
        self.routes = routes

    def do_event(self, event):
        return event

    def names(self, body):
        return list(self.routes)


class S(RemoteStep):
    pass


class Signed(RemoteStep):
    def __init__(self, key, **kwargs):
        super().__init__("http://h/", headers={"X-Key": key}, **kwargs)

    def _generate_request(self, event, body):
        return super()._generate_request(event, body)


class Early(RemoteStep):
    def do_event(self, event):
        return super().do_event(event)


class Late(RemoteStep):
    async def _handle_completed(self, event, response):
        await super()._handle_completed(event, response)


class Many(BatchHttpRequests):
    def _get_data(self, data, headers):
        return super()._get_data(data, headers)


class P(ParallelRun):
    def merger(self, body, results):
        return body


"""
NEW = 'fn = mlrun.new_function("f", kind="serving", image="x")\n'
#: What stands before and behind a row's statements.
FRAMES = {
    "flow": (NEW + 'graph = fn.set_topology("flow")\n', "\n"),
    "step": (NEW + 'graph = fn.set_topology("flow")\ns = ', "\ns.respond()\n"),
    "choice": (
        NEW + 'graph = fn.set_topology("flow")\n',
        '\ngraph.add_step("A", name="b", after="a").respond()\n',
    ),
    "end": (
        NEW + 'graph = fn.set_topology("flow")\ns = graph.to("A", name="s")\n',
        "\n",
    ),
    "topology": (NEW, '.to("A", name="a").respond()\n'),
    "sync": (NEW + 'graph = fn.set_topology("flow", engine="sync")\n', "\n"),
    "router": (NEW + 'router = fn.set_topology("router")\nrouter.add_route("m", class_name="M")\n', "\n"),
    "routed": (NEW, '\nrouter.add_route("m", class_name="M")\n'),
    "fn": (NEW, '\nfn.set_topology("flow").to("A", name="a").respond()\n'),
    "file": ("", '\nfn.set_topology("flow").to("A", name="a").respond()\n'),
    "model": (NEW + 'fn.set_topology("router")\n', "\n"),
    "context": (
        NEW + 'class U:\n    def __init__(self, context):\n        self.context = context\n\n    def do(self, body):\n        return ',
        '\n\n\nfn.set_topology("flow").to("U", name="u").respond()\n',
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """What is looked at, in which frame, by which statement; and a word on how it differs."""

    frame: str
    statement: str
    note: str = ""


SECTIONS: dict[str, list[Row]] = {
    "Functions (serving.md 1.1)": [
        Row("file", 'fn = mlrun.new_function("f", kind="serving", image="x")'),
        Row("file", 'fn = mlrun.new_function("f", project="p", tag="t", kind="serving", requirements=["a"])'),
        Row("file", 'fn = mlrun.new_function(kind="serving")'),
        Row("file", 'fn = mlrun.new_function("f", kind="job")'),
        Row("file", 'fn = mlrun.code_to_function("f", kind="serving", filename="graph.py")'),
        Row("file", 'fn = mlrun.code_to_function("f", kind="serving", filename="graph.py", image="x", handler="h")'),
        Row("file", 'fn = mlrun.code_to_function("f", kind="serving")'),
        Row("file", 'fn = mlrun.import_function("hub://v2_model_server")'),
        Row("file", 'fn = mlrun.import_function("hub://something_else")'),
        Row("file", 'fn = mlrun.import_function("db://p/f")'),
        Row("file", 'fn = mlrun.get_or_create_project("p").set_function("graph.py", "f", kind="serving")'),
        Row("fn", "fn.deploy()"),
        Row("fn", "mlrun.deploy_function(fn)"),
        Row("fn", "fn.save()"),
        Row("fn", 'fn.export("f.yaml")'),
        Row("fn", "fn.to_mock_server()"),
        Row("fn", "fn.to_job()"),
    ],
    "Topology (1.2)": [
        Row("topology", 'fn.set_topology("flow")'),
        Row("topology", 'fn.set_topology("flow", engine="sync")'),
        Row("topology", 'fn.set_topology("flow", engine="other")'),
        Row("topology", 'fn.set_topology("flow")\nfn.set_topology("flow", exist_ok=True)'),
        Row("routed", "router = fn.set_topology()"),
        Row("routed", 'router = fn.set_topology("router", "mlrun.serving.ModelRouter")'),
        Row("routed", 'router = fn.set_topology("router", R)'),
        Row("routed", 'router = fn.set_topology("router", P(executor_type="array"))'),
        Row("routed", 'router = fn.set_topology("other")'),
        Row("topology", 'fn.set_topology("flow")\nfn.set_topology("flow")'),
        Row("topology", 'fn.set_topology("flow", allow_cyclic=True)'),
    ],
    "Steps (1.3)": [
        Row("step", 'graph.to("A", name="a")'),
        Row("step", 'graph.to("A", "a", by=2)'),
        Row("step", 'graph.to(A, name="a")', "Q1: as the name"),
        Row("step", 'graph.to(name="a", handler="f")'),
        Row("step", 'graph.to(name="a", handler=f)'),
        Row("step", 'graph.to(name="a", handler=lambda body: body)'),
        Row("step", 'graph.to(name="a", handler="(event)")'),
        Row("step", 'graph.to(name="a", handler="json.dumps")'),
        Row("step", 'graph.to("A", name="a", handler="do")'),
        Row("step", 'graph.to("A", name="a", handler="nothing")'),
        Row("step", "graph.to()"),
        Row("step", 'graph.to("NoSuch")'),
        Row("step", "graph.to(A())"),
        Row("step", 'graph.to(name="a", handler="g", full_event=True)'),
        Row("step", 'graph.to("A", name="a", input_path="x.y", result_path="z")'),
        Row("step", 'graph.to("A", name="a", graph_shape="box")'),
        Row("step", 'graph.to("A", name="a", function="child")'),
        Row("step", 'graph.to("A", name="a", model_endpoint_creation_strategy="skip")'),
        Row("step", 'graph.to("A", name="a", max_iterations=3)'),
        Row("step", 'graph.to("A", name="a", cycle_to=["a"])'),
        Row("step", 'graph.add_step("A", name="a")'),
        Row("step", 'graph.add_step("A", name="a", after="")'),
        Row("step", 'graph.add_step("A", name="a", after="$prev")'),
        Row("step", 'graph.add_step("A", name="a", after=["nothing"])'),
        Row("end", 'graph.add_step("A", name="a", before="s")'),
        Row("end", 'graph.add_step("A", name="a", after=["s"])'),
        Row("end", 'graph.add_step("A", name="s")'),
        Row("flow", 'graph.set_flow(["A", {"class_name": "A", "name": "b"}])'),
        Row("flow", 'graph.set_flow([TaskStep("A", name="a")])'),
        Row("end", 's.error_handler("c", class_name="A")'),
        Row("end", 's.to("A", name="t")\ns.error_handler(name="c", handler="f", before="t")'),
        Row("end", 's.error_handler(name="c", handler="f", before="s")', "Q14"),
        Row("end", 's.error_handler("c")\ngraph.add_step("A", name="c", after="")', "the seed's form"),
        Row("end", 'graph.error_handler("c", handler="f")'),
        Row("end", "s.respond()"),
        Row("end", 's.on_error = "c"\ngraph.add_step("A", name="c")'),
        Row("end", "s.full_event = True"),
        Row("end", 's.class_args["by"] = 3'),
        Row("end", 's.class_name = "A"'),
        Row("end", "s.responder = True"),
        Row("end", 'graph.add_step("A", name="t").after_step("s")'),
        Row("end", "s.after = []"),
        Row("end", 'graph["s"].respond()'),
        Row("end", 'graph["t"].respond()'),
        Row("end", 'assert "s" in graph'),
        Row("end", "for name in graph: graph[name].respond()"),
        Row("end", "graph.steps"),
        Row("end", 'graph.clear_children(["s"])\ngraph.to("A", name="t")'),
        Row("end", 'fn.remove_states(["s"])\ngraph.to("A", name="t")'),
        Row("end", 'del graph["s"]\ngraph.to("A", name="t")'),
        Row("end", 'graph.final_step = "s"'),
        Row("end", "graph.plot()"),
    ],
    "Steps as objects (1.5)": [
        Row("step", 'graph.to(TaskStep("A", name="a", class_args={"by": 2}))'),
        Row("step", 'graph.to(TaskStep(A, name="a"))'),
        Row("flow", 'r = graph.to(RouterStep(name="r"))\nr.add_route("m", class_name="M")'),
        Row("end", 's.to(QueueStep("q", path="a/b"))'),
        Row("step", 'graph.to(M(name="m"))'),
        Row("step", 'graph.to(RemoteStep("http://h/", name="a"))'),
        Row("step", 'graph.to(K(name="k"))'),
        Row("step", "graph.to(storey.Map(f))"),
    ],
    "Function settings (1.4)": [
        Row("fn", 'fn.with_code(body="x = 1")'),
        Row("fn", 'fn.with_requirements(["pandas"])'),
        Row("fn", 'fn.with_requirements(requirements_file="none.txt")'),
        Row("fn", 'fn.with_commands(["apt-get update"])'),
        Row("fn", 'fn.spec.image = "x"'),
        Row("fn", 'fn.spec.build.base_image = "x"'),
        Row("fn", 'fn.set_config("spec.build.baseImage", "x")'),
        Row("fn", 'fn.set_env("A", "b")'),
        Row("fn", 'fn.set_envs({"A": "b"})'),
        Row("fn", 'fn.set_env_from_secret("A", "s", "k")'),
        Row("fn", 'fn.with_limits(mem="1G", cpu=1)'),
        Row("fn", 'fn.with_requests(mem="1G")'),
        Row("fn", "fn.spec.min_replicas = 2"),
        Row("fn", "fn.spec.replicas = 2"),
        Row("fn", "fn.with_http(workers=2, port=8080)"),
        Row("fn", 'fn.add_trigger("c", nuclio.CronTrigger(interval="1h"))'),
        Row("fn", 'fn.add_trigger("h", nuclio.HttpTrigger(workers=2))'),
        Row("fn", 'fn.add_trigger("k", nuclio.KafkaTrigger(brokers=["b"], topics=["t"]))'),
        Row("fn", 'fn.add_trigger("t", {"kind": "cron", "attributes": {"interval": "1h"}})'),
        Row("fn", 'fn.add_v3io_stream_trigger("v3io:///a/b")'),
        Row("fn", 'fn.set_config("spec.readinessTimeoutSeconds", 9)'),
        Row("fn", 'fn.with_annotations({"a": "b"})'),
        Row("fn", 'fn.set_label("a", "b")'),
        Row("fn", 'fn.with_node_selection(node_selector={"a": "b"})'),
        Row("fn", 'fn.with_priority_class("p")'),
        Row("fn", 'fn.spec.service_account = "s"'),
        Row("fn", "fn.spec.readiness_timeout = 5"),
        Row("fn", 'fn.spec.parameters = {"a": 1}'),
        Row("fn", 'fn.spec.default_class = "A"'),
        Row("fn", 'fn.spec.load_mode = "async"'),
        Row("fn", 'fn.spec.load_mode = "other"'),
        Row("fn", 'fn.spec.graph_initializer = "start"'),
        Row("fn", "fn.spec.graph_initializer = start"),
        Row("fn", 'fn.spec.error_stream = "a/b"'),
        Row("fn", 'fn.spec.default_content_type = "json"'),
        Row("fn", 'fn.with_secrets("inline", {"a": "b"})'),
        Row("fn", 'fn.with_secrets("env", "A,B")'),
        Row("fn", 'fn.with_secrets("vault", ["a"])'),
        Row("fn", 'fn.set_tracking("a/b")'),
        Row("fn", "fn.verbose = True"),
        Row("fn", "fn.apply(mlrun.v3io_cred())"),
        Row("fn", 'fn.apply(mlrun.auto_mount("p", "/m"))'),
        Row("fn", "fn.apply(mlrun.mount_v3io())"),
        Row("fn", 'fn.apply(mlrun.runtimes.mounts.mount_pvc("p"))'),
        Row("fn", 'fn.apply(mlrun.runtimes.mounts.mount_secret("s", "/s"))'),
        Row("fn", 'fn.add_child_function("c", "graph.py", image="x")'),
        Row("fn", 'fn.add_child_function("c", "graph.py", image="x").add_child_function("d", "graph.py", image="x")'),
    ],
    "Routers and models (5, 6)": [
        Row("routed", 'router = fn.set_topology("router", "mlrun.serving.VotingEnsemble")'),
        Row("routed", 'router = fn.set_topology("router", "mlrun.serving.VotingEnsemble", vote_type="regression", weights={"m": 1})'),
        Row("routed", 'router = fn.set_topology("router", "mlrun.serving.routers.ParallelRun", extend_event=True)'),
        Row("routed", 'router = fn.set_topology("router", "mlrun.serving.routers.ParallelRun", executor_type="process")'),
        Row("routed", 'router = fn.set_topology("router", "P")'),
        Row("routed", 'router = fn.set_topology("router", "R")'),
        Row("routed", 'router = fn.set_topology("router", url_prefix="/m", health_prefix="/h")'),
        Row("routed", 'router = fn.set_topology("router", "mlrun.serving.EnrichmentModelRouter", feature_vector_uri="v")'),
        Row("routed", 'graph = fn.set_topology("flow")\nrouter = graph.to("*", "r")'),
        Row("routed", 'graph = fn.set_topology("flow")\nrouter = graph.to("*R", "r")\nrouter.respond()'),
        Row("routed", 'graph = fn.set_topology("flow")\nrouter = graph.to("*R", "r", handler="names")'),
        Row("routed", 'graph = fn.set_topology("flow")\nrouter = graph.to("*P", "r", handler="do_event")'),
        Row("routed", 'graph = fn.set_topology("flow")\nrouter = graph.to("*", "r", handler="f")'),
        Row("router", 'router.add_route("n", class_name="M", factor=2)'),
        Row("router", 'router.add_route("n", class_name=M)'),
        Row("router", 'router.add_route("n", handler="f")'),
        Row("router", 'router.add_route("n")'),
        Row("router", 'router.add_route("n", TaskStep("M"))'),
        Row("router", 'router.add_route("n", RouterStep(class_args={"url_prefix": "in"})).add_route("k", class_name="M")'),
        Row("router", 'router.add_route("n", class_name="$remote", url="http://h/")'),
        Row("router", 'router.add_route("n", class_name="M", function="child")'),
        Row("router", 'router.add_route("n", class_name="M").to("A", name="t")'),
        Row("router", 'router.respond()'),
        Row("model", 'fn.add_model("m", class_name="M", model_path="m.pkl")'),
        Row("model", 'fn.add_model("m", class_name=M(name="m", model_path="x"))'),
        Row("model", 'fn.add_model("m", model_path="m.pkl")'),
        Row("model", 'fn.add_model("m", class_name="M", model_path="store://m")'),
        Row("model", 'fn.add_model("m", class_name="M", model_path="s3://b/m.pkl")'),
        Row("model", 'fn.add_model("m", model_url="http://h/", subpath="$path")'),
        Row("model", 'fn.add_model("m", class_name="M", child_function="c")'),
        Row("model", 'fn.add_model("m", class_name="M", outputs=["a"])'),
        Row("model", 'fn.add_model("m", class_name="mlrun.frameworks.sklearn.SKLearnModelServer", model_path="m.pkl")'),
        Row("model", 'fn.add_model("m", class_name="mlrun.frameworks.onnx.ONNXModelServer", model_path="m")'),
    ],
    "Queues and remote steps (8)": [
        Row("end", 's.to("$queue", "q", path="a/b")'),
        Row("end", 's.to(">>", "q", path="kafka://b:9092/t")'),
        Row("end", 's.to("$queue", "q", path="a/b", full_event=True, sharding_func="k")'),
        Row("end", 's.to("$queue", "q", path="a/b", shards=2, retention_in_hours=3)'),
        Row("end", 's.to("$queue", "q", path="a/b")\ngraph["q"].path = "c/d"'),
        Row("end", 's.to("$queue", "q", path="a/b")\ngraph["q"].options["sharding_func"] = "k"'),
        Row("end", 's.to("$queue", "q", path="a/b")\ngraph["q"].full_event = True'),
        Row("end", 's.to("$queue", "q", path="")'),
        Row("end", 's.to("$queue", "q")'),
        Row("end", 's.to("$queue", "q", path="a/b").to("A", name="t")'),
        Row("end", 's.to("$queue", "q", path="a/b").to("A", name="t", function="c")'),
        Row("end", 's.to("$queue", "q", path="a/b").to("A", name="t", function="c")\nfn.add_child_function("c", "graph.py", image="x")'),
        Row("end", 's.to("$queue", "q", path="a/b").to("A", name="t", function="c"); s.to("$queue", "p", path="a/c").to("A", name="u", function="c")\nfn.add_child_function("c", "graph.py", image="x")'),
        Row("end", 's.to("$queue", "q", path="a/b").to("A", name="t", function="c"); s.to("$queue", "p", path="a/c").to("A", name="u", function="c"); graph.add_step("mlrun.serving.merger.Merge", "m", after=["t", "u"], function="c")\nfn.add_child_function("c", "graph.py", image="x")'),
        Row("step", 'graph.to("$remote", "r", url="http://h/", subpath="$path", method="POST")'),
        Row("step", 'graph.to("$remote", "r", url="http://h/", url_expression="endpoint + event[\'x\']", retries=2, timeout=3)'),
        Row("step", 'graph.to("$remote", "r", url="some-function")'),
        Row("step", 'graph.to("S", "r", url="http://h/")', "a class derived from RemoteStep"),
        Row("step", 'graph.to("Signed", "r", key="k", retries=1)', "with a constructor and `_generate_request` of its own"),
        Row("step", 'graph.to("Early", "r", url="http://h/")', "with a `do_event`, which flows that await never call, as in MLRun"),
        Row("step", 'graph.to("Late", "r", url="http://h/")', "with a `_handle_completed`, which is storey's inner life"),
        Row("step", 'graph.to("Many", "r", url="http://h/")', "a class derived from BatchHttpRequests, with `_get_data`"),
        Row("step", 'graph.to("mlrun.serving.remote.BatchHttpRequests", "r", url="http://h/", retries=1)'),
    ],
    "The context (9)": [
        Row("context", "mlrun.utils.logger.info('x', rows=1)"),
        *(
            Row("context", f"self.context.{text}")
            for text in (
                "logger.info('x')",
                "Response(body='x')",
                "get_param('a', 1)",
                "get_secret('a')",
                "push_error(None, 'x')",
                "project",
                "worker_id",
                "trigger",
                "platform",
                "current_function",
                "is_mock",
                "verbose",
                "server.parameters",
                "stream.enabled",
                "state",
            )
        ),
        *(
            Row("context", f"self.context.{text}", "fails when it is called, with a reason")
            for text in (
                "root",
                "get_store_resource('x')",
                "get_table('x')",
                "get_remote_endpoint('x')",
                "executor",
            )
        ),
    ],
    "New in MLRun 1.8 to 1.12 (11)": [
        Row("choice", 'graph.to("W", name="a")'),
        Row("choice", 'graph.to("mlrun.serving.steps.ChoiceByField", "a", field_name="way")'),
        Row("step", 'graph.to("mlrun.serving.ModelRunnerStep", name="a")'),
        Row("step", 'graph.to("mlrun.serving.states.ModelRunnerStep", name="a")'),
        Row("fn", "fn.set_streaming()"),
        Row("fn", "fn.set_openai_frontend()"),
        Row("fn", "fn.set_api_handler_config({})"),
        Row("step", 'graph.to("hub://a_step", name="a")'),
        Row("step", 'graph.to(name="a", handler="gen")'),
        Row("end", "graph.add_shared_model('m')"),
        Row("end", 'graph.insert_step("b", {}, after="a")'),
        Row("end", 'graph["s"].set_next("b")'),
        Row("step", 'graph.to("mlrun.serving.remote.MLRunAPIRemoteStep", name="a")'),
    ],
    "Stream steps (stream-steps.md 2)": [
        *(
            Row("step", f'graph.to("storey.{text}", name="a")'.replace('name="a", name="a"', 'name="a"'))
            for text in (
                'Map", _fn="f',
                'Filter", _fn="(event)',
                'FlatMap", _fn="f',
                "Flatten",
                'Extend", _fn="f',
                'ForEach", _fn="f',
                'Rename", mapping={"a": "b"}, name="a',
                'flow.DropColumns", columns="a',
                'flow.ReifyMetadata", mapping=["id"], name="a',
                'steps.Partition", _predicate="g',
                "steps.Assert",
                "Complete",
                'Recover", exception_to_downstream={}, name="a',
                'ConcurrentExecution", _event_processor="f',
                'SendToHttp", _request_builder="request", _join_from_response="joined',
                "ParallelExecution",
                "OTelMetricsExporter",
            )
        ),
        Row("step", 'graph.to("K", name="a")'),
        Row("choice", 'graph.to("C", name="a")'),
        Row("choice", 'graph.to("storey.Map", name="a", _fn="f", _fn_select_outlets="ways")'),
        Row("step", 'graph.to("storey.Map", name="a", _fn="g", full_event=True, input_path="x")'),
        Row("step", 'graph.to("storey.Map", name="a", _fn="f", long_running=True)'),
        *(
            Row("step", f'graph.to("mlrun.feature_store.steps.{text})')
            for text in (
                'OneHotEncoder", mapping={"a": ["b"]}',
                'Imputer", default_value=0',
                'MapValues", mapping={"a": {"b": 1}}',
                'DateExtractor", parts=["hour"]',
                'DropFeatures", features=["a"]',
                'SetEventMetadata", id_path="a"',
                'FeaturesetValidator"',
            )
        ),
    ],
    "Stream steps with state, tables and targets (stream-steps.md 3 to 6)": [
        *(
            Row("step", f'graph.to("storey.{name}", name="a")')
            for name in (
                "MapWithState",
                "Batch",
                "SampleWindow",
                "Reduce",
                "Collector",
                "ToDataFrame",
                "ReduceToDataFrame",
                "AggregateByKey",
                "QueryByKey",
                "JoinWithTable",
                "JoinWithV3IOTable",
                "NoSqlTarget",
                "StreamTarget",
                "KafkaTarget",
                "CSVTarget",
                "ParquetTarget",
                "TSDBTarget",
            )
        ),
    ],
}  # fmt: skip


def verdict(row: Row, folder: Path) -> str:
    """What becomes of the row's graph file."""
    before, behind = FRAMES[row.frame]
    main = folder / "graph.py"
    main.write_text(HEAD + before + row.statement + behind)
    made = build(main)
    errors = sorted({d.code for d in made.diagnostics if d.severity is Severity.ERROR})
    if errors:
        return f"refused: {', '.join(errors)}"
    warnings = sorted({d.code for d in made.diagnostics})
    return f"compiled, with {', '.join(warnings)}" if warnings else "compiled"


def document() -> str:
    """The text of docs/supported.md."""
    lines = [
        "# What is compiled",
        "",
        "Each row is a statement of a graph file, and what graphc makes of it: *compiled*, compiled with a warning, or",
        "refused with a code that [diagnostics.md](diagnostics.md) explains. `python tests/supported.py --update` builds",
        "every row and writes this table; a test compares it. Where answers differ, [differences.md](differences.md) says how.",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for title, rows in SECTIONS.items():
            lines += ["", f"## {title}", "", "| statement | graphc |", "|---|---|"]
            for row in rows:
                shown = row.statement.removeprefix(NEW).replace("\n", "; ").replace("|", "\\|")
                note = f" ({row.note})" if row.note else ""
                lines.append(f"| `{shown}` | {verdict(row, Path(folder))}{note} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = document()
    if "--update" in sys.argv:
        DOCUMENT.write_text(text)
    elif DOCUMENT.read_text() != text:
        sys.exit("docs/supported.md is not what graphc does: python tests/supported.py --update")
