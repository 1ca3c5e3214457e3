"""The V2 protocol and model files: serving.md 6.1 to 6.5; paths of 3.3."""

import functools
import http.server
import pathlib
import re
import subprocess
import sys
import threading
import time
import types

import numpy
import pytest
from nuclio_stub import Context, Event

from graphc.runtime_min import model_files, models, paths
from graphc.runtime_min.context import GraphContext
from graphc.runtime_min.data_item import DataItem
from graphc.runtime_min.errors import MLRunInvalidArgumentError
from graphc.runtime_min.models import V2ModelServer, start
from graphc.runtime_min.pickle_model import PickleModelServer


class Model(V2ModelServer):
    def load(self):
        self.factor = self.get_param("factor", 2)

    def predict(self, request):
        return [value * self.factor for value in request["inputs"]]

    def explain(self, request):
        return {"why": self.factor}

    def op_hi(self, event):
        return {"hi": self.name, "got": event.body}


def make(cls=Model, name="m:v1", parameters=None, mode=None, **arguments):
    return start(cls(GraphContext(Context(), parameters=parameters), name, **arguments), mode)


def ask(model, body=None, path="", method="POST"):
    return model.do_event(Event(body, path=path, method=method)).body


INFER = {"id": "e1", "model_name": "m", "outputs": [2, 4]}
EXPLAIN = {"id": "e1", "model_name": "m:v1", "outputs": {"why": 2}}
META = {"name": "m", "model_endpoint_uid": "", "inputs": [], "outputs": []}


@pytest.mark.parametrize(
    ("path", "method", "extra", "expected"),
    [
        ("", "POST", {}, INFER),
        ("/", "POST", {}, INFER),
        ("infer", "POST", {}, INFER),
        ("/predict/", "POST", {}, INFER),
        ("infer", "GET", {}, INFER),
        ("", "PUT", {"id": "x"}, {**INFER, "id": "x"}),
        ("explain", "POST", {}, EXPLAIN),
        ("", "POST", {"operation": "explain"}, EXPLAIN),
        ("infer", "POST", {"operation": "explain"}, INFER),
        ("", "GET", {}, META),
    ],
)
def test_operations(path, method, extra, expected):
    answer = ask(make(), {"inputs": [1, 2], **extra}, path, method)
    timestamp = answer.pop("timestamp", None)
    assert answer == expected
    if "outputs" in expected and expected["outputs"] == [2, 4]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00:00", timestamp)


def test_custom_operation_ready_and_unknown_ones():
    model = make()
    assert ask(model, {"x": 1}, "hi") == {"hi": "m:v1", "got": {"x": 1}}
    ready = ask(model, None, "ready", "GET")
    assert (ready.status_code, ready.body) == (200, b"Model m:v1 is ready (event_id = e1)")
    model.ready = False
    assert ask(model, None, "ready", "GET").status_code == 408
    with pytest.raises(RuntimeError, match="model m:v1 is not ready yet"):
        ask(model, {"inputs": [1]})
    with pytest.raises(ValueError, match="illegal model operation zz, method=POST"):
        ask(model, {"inputs": [1]}, "zz")


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        ({"x": 1}, Exception, 'Expected key "inputs" in request body'),
        ({"inputs": 1}, Exception, 'Expected "inputs" to be a list'),
        (None, TypeError, "argument of type 'NoneType' is not"),
    ],
)
def test_requests_are_validated(body, kind, message):
    with pytest.raises(kind, match=message) as caught:
        ask(make(), body)
    assert type(caught.value) is kind


def test_protocol_v1_is_not_validated():
    class Echo(V2ModelServer):
        def load(self):
            pass

        def predict(self, request):
            return request

    assert ask(make(Echo, protocol="v1"), {"x": 1})["outputs"] == {"x": 1}


def test_hooks_run_in_order_and_see_the_operation():
    calls = []

    class Hooked(Model):
        def preprocess(self, request, operation):
            calls.append(("preprocess", operation))
            return {"inputs": request["rows"]}

        def validate(self, request, operation):
            calls.append(("validate", operation))
            return super().validate(request, operation)

        def predict(self, request):
            calls.append("predict")
            return super().predict(request)

        def postprocess(self, response):
            calls.append("postprocess")
            return {"wrapped": response["outputs"]}

    assert ask(make(Hooked), {"rows": [3]}, "predict") == {"wrapped": [6]}
    assert calls == [("preprocess", "predict"), ("validate", "predict"), "predict", "postprocess"]


@pytest.mark.parametrize("operation", ["infer", "explain"])
def test_a_failing_model_leaves_the_id_in_the_request(operation):
    class Failing(V2ModelServer):
        def load(self):
            pass

    body = {"inputs": [1]}
    with pytest.raises(NotImplementedError):
        ask(make(Failing), body, operation)
    assert body["id"] == "e1"


def test_parameters_of_the_route_come_before_those_of_the_function():
    model = make(parameters={"factor": 5, "other": 6}, factor=3)
    assert (model.get_param("factor"), model.get_param("other")) == (3, 6)
    assert model.get_param("none", 7) == 7
    model.set_metric("m", 1)
    assert model.metrics == {"m": 1}
    assert model.logged_results({}, {}, "infer") == (None, None)


def test_input_and_result_path():
    model = make(input_path="a.b", result_path="x.y")
    answer = ask(model, {"a": {"b": {"inputs": [1]}}})
    assert answer["x"]["y"]["outputs"] == [2]
    assert answer["a"] == {"b": {"inputs": [1]}}


def test_a_model_given_is_ready_and_none_at_all_fails():
    model = make(V2ModelServer, model=len)
    assert model.ready
    assert model.model is len
    with pytest.raises(RuntimeError, match="failed to load model m:v1") as caught:
        make(V2ModelServer)
    assert "specify a load method" in str(caught.value.__cause__)


# -- files


class Loading(V2ModelServer):
    def load(self):
        self.file, self.extra = self.get_model(".pkl")

    def predict(self, request):
        return request["inputs"]


def test_a_folder_yields_its_first_model_and_all_files(tmp_path):
    for name in ("b.pkl", "a.pkl", "notes.txt"):
        (tmp_path / name).write_text(name)
    model = make(Loading, model_path=str(tmp_path))
    assert model.file == str(tmp_path / "a.pkl")
    assert sorted(model.extra) == ["a.pkl", "b.pkl", "notes.txt"]
    notes = model.extra["notes.txt"]
    assert (notes.get(), notes.get(encoding="utf-8")) == (b"notes.txt", "notes.txt")
    assert (notes.suffix, notes.key, notes.local()) == (".txt", "notes.txt", notes.url)
    notes.download(str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_text() == "notes.txt"


@pytest.mark.parametrize(
    ("path", "suffix", "expected"),
    [
        ("x/m.pkl", "", "x/m.pkl"),
        ("x/m.tar.gz", "", "x/m.tar.gz"),
        ("x/m.bst", ".bst", "x/m.bst"),
        ("x/m.PKL", "", "x/m.PKL"),
    ],
)
def test_paths_of_files_are_taken_as_they_are(path, suffix, expected):
    assert model_files.find_model(path, suffix) == (expected, None, {})


def test_no_path_no_file():
    assert make(model_path="").get_model() == (None, None)


SPEC = """\
kind: model
spec:
  model_file: m.pkl
  parameters: {factor: 9}
  inputs: [{name: b, value_type: int}, {name: a, value_type: int}]
  outputs: [{name: y, value_type: float}]
  extra_data: {notes: notes.txt}
"""


@pytest.mark.parametrize("name", ["", "model_spec.yaml"])
def test_a_specification_names_columns_and_parameters(tmp_path, name):
    (tmp_path / "model_spec.yaml").write_text(SPEC)
    (tmp_path / "notes.txt").write_text("n")
    model = make(Loading, model_path=str(tmp_path / name))
    assert model.file == str(tmp_path / "m.pkl")
    assert model.get_param("factor") == 9
    assert model.extra["notes"].get() == b"n"
    assert model.output_schema == ["y"]
    assert ask(model, None, "", "GET")["inputs"][0] == {"name": "b", "value_type": "int"}
    row = {"a": 1, "b": 2}
    assert ask(model, {"inputs": [row, row]}, "infer_dict")["outputs"] == [[2, 1], [2, 1]]
    assert ask(model, {"inputs": row}, "predict_dict")["outputs"] == [2, 1]
    for bad in ({"a": 1}, [{"a": 1}], [1], 5):
        with pytest.raises(MLRunInvalidArgumentError):
            ask(model, {"inputs": bad}, "infer_dict")


def test_named_inputs_need_a_specification():
    with pytest.raises(MLRunInvalidArgumentError, match="In order to use predict_dict"):
        ask(make(), {"inputs": [{"a": 1}]}, "infer_dict")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "s3://b/m.pkl",
            "the model is at s3://b/m.pkl: packages read files and http(s), not s3://",
        ),
        ("store://models/p/m", "store:// paths are resolved by the MLRun service"),
        ("http://h/m", "a server lists no files; give the URL of the model's file"),
        ("/no/such", "there is no such folder"),
    ],
)
def test_a_model_that_is_not_here_stops_the_start(path, message):
    # Model.load never asks for it.
    with pytest.raises(ValueError, match=re.escape(message)):
        make(model_path=path)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def served(tmp_path):
    """A folder behind HTTP: its path, and its URL."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_models_are_downloaded_from_http(served):
    folder, url = served
    (folder / "model_spec.yaml").write_text(SPEC)
    (folder / "m.pkl").write_bytes(b"pickled")
    (folder / "notes.txt").write_text("noted")
    for path in (f"{url}/m.pkl", f"{url}/model_spec.yaml"):
        model = make(Loading, model_path=path)
        assert pathlib.Path(model.file).read_bytes() == b"pickled"
        assert model.file.endswith(".pkl")
    assert model.get_param("factor") == 9
    notes = model.extra["notes"]
    assert (notes.kind, notes.get(size=2, offset=1), notes.stat().size) == ("http", b"ot", 5)
    with notes.open("r") as file:
        assert file.read() == "noted"
    path = notes.local()
    assert path == notes.local()
    notes.remove_local()
    assert not pathlib.Path(path).exists()
    with pytest.raises(ValueError, match="it is no local file"):
        notes.put(b"")
    with pytest.raises(OSError, match="404"):
        model_files.find_model(f"{url}/none.pkl", "")


def test_items_read_and_write_files(tmp_path):
    item = DataItem("k", f"file://{tmp_path}/a/rows.csv")
    item.put("x,y\n1,2\n")
    item.put(b"3,4\n", append=True)
    assert item.get(encoding="utf-8") == "x,y\n1,2\n3,4\n"
    assert item.get(3) == b"x,y"
    assert item.stat().size == 12
    assert DataItem("d", str(tmp_path / "a")).ls() == ["rows.csv"]
    copy = DataItem("c", str(tmp_path / "b/c.csv"))
    copy.upload(item.local())
    assert (str(copy), repr(copy)) == (str(tmp_path / "b/c.csv"), f"'{tmp_path}/b/c.csv'")
    copy.delete()
    assert not (tmp_path / "b/c.csv").exists()
    with pytest.raises(ValueError, match="no DataFrame can be read"):
        DataItem("t", str(tmp_path / "t.txt")).as_df(df_module=object())
    with pytest.raises(ValueError, match="s3://b/x cannot be read here"):
        DataItem("s", "s3://b/x").get()


# -- loading aside


class Slow(Model):
    def load(self):
        self.go = threading.Event()
        self.started = True
        self.go.wait(10)
        if self.get_param("fails", False):
            raise ValueError("no")
        super().load()


def test_a_model_that_loads_aside_is_not_ready_until_it_has_loaded(monkeypatch):
    monkeypatch.setattr(models, "_BETWEEN_LOOKS", 0.01)
    model = make(Slow, mode="async")
    assert ask(model, None, "ready", "GET").status_code == 408
    with pytest.raises(RuntimeError, match="model m:v1 is not ready yet"):
        ask(model, {"inputs": [1]})
    waits = Event({"inputs": [1]}, path="", kind="kafka-cluster")
    threading.Timer(0.05, lambda: model.go.set()).start()
    assert model.do_event(waits).body["outputs"] == [2]
    assert ask(model, {"inputs": [3]})["outputs"] == [6]


def test_a_model_that_fails_to_load_aside_says_so_in_the_log(monkeypatch):
    monkeypatch.setattr(models, "_LONGEST_WAIT", 0.05)
    monkeypatch.setattr(models, "_BETWEEN_LOOKS", 0.01)
    model = make(Slow, mode="async", fails=True)
    while not hasattr(model, "go"):
        time.sleep(0.001)
    model.go.set()
    with pytest.raises(RuntimeError, match="model m:v1 is not ready no"):
        model.do_event(Event({"inputs": [1]}, path="", kind="kafka"))
    assert model.context.logger.lines[-1] == (
        "error",
        "failed to load model m:v1: ValueError('no')",
    )


@pytest.mark.parametrize("path", ["./m1", "m1", "../m1", "/m1"])
def test_bundled_models_are_found_beside_the_code(tmp_path, monkeypatch, path):
    (tmp_path / "package/models/m1").mkdir(parents=True)
    (tmp_path / "package/models/m1/a.pkl").write_text("")
    monkeypatch.setattr(model_files, "_PACKAGE", str(tmp_path / "package"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    expected = str(tmp_path / "package/models/m1/a.pkl")
    assert model_files.find_model(path, "")[0] == expected
    assert model_files.find_model(path + "/a.pkl", "")[0] == expected


def test_the_hub_model_unpickles_and_predicts(tmp_path):
    import cloudpickle

    import graphc.runtime_min
    import graphc.templates

    folder = graphc.templates.__path__[0]
    (tmp_path / "runtime_min").symlink_to(graphc.runtime_min.__path__[0])
    (tmp_path / "v2_model_server.py").symlink_to(f"{folder}/hub/v2_model_server.py")

    class Rounding:
        def predict(self, rows):
            return rows.round()

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    (tmp_path / "m.pkl").write_bytes(cloudpickle.dumps(Rounding()))
    code = (
        "from v2_model_server import ClassifierModel; import types, logging;"
        "m = ClassifierModel(types.SimpleNamespace(logger=logging), 'm', model_path='.');"
        "m.post_init(); print(m.predict({'inputs': [[1.4, 2.6]]}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == "[[1.0, 3.0]]\n", done.stderr


def test_pickled_models_of_the_frameworks(tmp_path, monkeypatch):
    import cloudpickle

    class Sums:
        def predict(self, rows):
            return rows.sum(axis=-1)

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    (tmp_path / "m.pkl").write_bytes(cloudpickle.dumps(Sums()))
    pandas = types.SimpleNamespace(DataFrame=lambda columns: numpy.array([*columns.values()]).T)
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    model = make(PickleModelServer, model_path=str(tmp_path))
    assert ask(model, {"inputs": [[1, 2], [3, 4]]})["outputs"] == [3, 7]
    assert ask(model, {"inputs": [{"x": [1, 2], "y": [3, 5]}]})["outputs"] == [4, 7]
    assert ask(model, {"inputs": []}, "explain")["outputs"] == "A model server named 'm:v1'"


# -- input_path, result_path


@pytest.mark.parametrize("get", [paths.get, paths.get_sync])
@pytest.mark.parametrize(
    ("body", "path", "expected"),
    [
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a": {"b": 1}}, "a", {"b": 1}),
        ({"a": None}, "a.b", None),
        ({}, "a.b", None),
        ([1], "a", None),
    ],
)
def test_get(get, body, path, expected):
    assert get(body, path) == expected


@pytest.mark.parametrize("body", [None, 5])
def test_paths_need_containers(body):
    for get in (paths.get, paths.get_sync):
        with pytest.raises(TypeError, match=r"^input_path parameter supports only dict-like"):
            get(body, "a")
    with pytest.raises(TypeError, match=r"^result_path parameter supports only dict-like"):
        paths.put(body, "a", 1)


@pytest.mark.parametrize("put", [paths.put, paths.put_sync])
def test_put_writes_into_the_body(put):
    body = {"a": 1}
    assert put(body, "x.y", 2) is body
    assert body == {"a": 1, "x": {"y": 2}}
    with pytest.raises(AttributeError, match="'list' object has no attribute 'get'"):
        put([1], "a.b", 2)


def test_where_the_engines_differ():
    assert paths.put({}, "x", 1) == {"x": 1}
    body = {"a": {}}
    assert [dict(one["a"]) for one in paths.put_each(body, "a.b", [1, 2])] == [{"b": 1}, {"b": 2}]
    with pytest.raises(TypeError):
        paths.put_each(1, "a", [1])  # at once, not with the first item
    assert paths.put_sync({}, "x", 1) == 1
    assert paths.put_sync(None, "x", 1) == 1
    assert paths.put({"a": 1}, r"a\.b", 2) == {"a": 1, "a\\": {"b": 2}}
    assert paths.put_sync({"a": 1}, r"a\.b", 2) == {"a": 1, "a.b": 2}
    assert paths.put_sync({"a": 1}, r"x.a\.b\.c", 2) == {"a": 1, "x": {"a.b": {"c": 2}}}
    assert paths.put_sync({"a": 1}, r"a\.b.c", 2) == {"a": 1, "a.b.c": 2}
    assert paths.get_sync({"a": 1 + 2j}, "a.real") == 1.0
