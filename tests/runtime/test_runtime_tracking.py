"""Tracking records: serving.md 6.6."""

import random
import re

import pytest
from nuclio_stub import Context, Event

from graphc.runtime_min import ensemble_tracking, ensembles, routes, tracking
from graphc.runtime_min.context import GraphContext
from graphc.runtime_min.models import V2ModelServer, start


class Model(V2ModelServer):
    def load(self):
        self.labels = {"stage": "test"}

    def predict(self, request):
        if request["inputs"] == ["bad"]:
            raise ValueError("bad")
        return [len(request["inputs"])] * len(request["inputs"])

    def explain(self, request):
        return "why"

    def postprocess(self, response):
        response["seen"] = True
        return response


class Records(list):
    def push(self, record, key=None):
        self.append((record, key))


def make(cls=Model, uid="u1", parameters=None, **arguments):
    records = Records()
    context = GraphContext(
        Context(), "fn", "p", parameters=parameters, output_stream=tracking.output(records)
    )
    made = start(tracking.tracked(cls)(context, "m:v1", model_endpoint_uid=uid, **arguments))
    return made, records


def ask(model, body, path="", method="POST"):
    return model.do_event(Event(body, path=path, method=method)).body


def test_a_record_has_the_request_and_the_answer():
    model, records = make()
    model.set_metric("m", 2)
    body = {"inputs": [1, 2], "other": 3}
    answer = ask(model, body, "predict")
    assert answer["outputs"] == [2, 2]
    assert body == {"inputs": [1, 2], "other": 3}  # mlrun 1.12 wraps them in place
    [(record, key)] = records
    assert key == "u1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00:00", record.pop("when"))
    assert record.pop("microsec") >= 0
    assert record.pop("host")
    assert record == {
        "class": "Model",
        "worker": "0",
        "model": "m:v1",
        "function_uri": "p/fn",
        "endpoint_id": "u1",
        "sampling_percentage": 100.0,
        "labels": {"stage": "test"},
        "request": {"inputs": [[1, 2]], "other": 3},
        "op": "predict",
        "resp": answer,
        "metrics": {"m": 2},
        "effective_sample_count": 1,
    }


def test_answers_are_those_of_models_that_are_not_tracked():
    tracked, _ = make()
    plain = start(Model(GraphContext(Context()), "m:v1", model_endpoint_uid="u1"))
    asked = [("", "POST"), ("infer", "GET"), ("explain", "POST"), ("", "GET"), ("ready", "GET")]
    for path, method in asked:
        answers = [
            ask(model, {"inputs": [1], "id": "x"}, path, method) for model in (tracked, plain)
        ]
        for answer in answers:
            getattr(answer, "__dict__", answer).pop("timestamp", None)
        first, second = (getattr(answer, "__dict__", answer) for answer in answers)
        assert first == second
    model, _ = make(input_path="in", result_path="out")
    assert ask(model, {"in": {"inputs": [1]}})["out"]["outputs"] == [1]
    assert type(model).__name__ == "Model"


def test_failures_are_recorded_and_raised():
    model, records = make(shard_by_endpoint=False)
    with pytest.raises(ValueError, match="bad"):
        ask(model, {"inputs": ["bad"]})
    [(record, key)] = records
    assert (record["error"], record["op"], key) == ("bad", "infer", None)
    assert record["request"] == {"inputs": ["bad"], "id": "e1"}
    assert "resp" not in record


def test_logged_results_take_the_place_of_request_and_answer():
    class Chosen(Model):
        def logged_results(self, request, response, op):
            return [[1.5]], None

    model, records = make(Chosen)
    assert ask(model, {"inputs": [7]})["outputs"] == [1]
    assert records[0][0]["request"] == {"id": "e1", "inputs": [[1.5]]}
    assert records[0][0]["resp"] == {"outputs": []}


def test_a_share_of_the_inputs_is_picked_and_the_answer_keeps_all(monkeypatch):
    model, records = make(parameters={"sampling_percentage": 50})
    shares = iter([0.1, 0.9, 0.2, 0.9, 0.9, 0.9])
    monkeypatch.setattr(random, "random", lambda: next(shares))
    body = {"inputs": [[1], [2], [3]]}
    assert ask(model, body)["outputs"] == [3, 3, 3]
    assert body["inputs"] == [[1], [2], [3]]
    [(record, _)] = records
    assert record["request"]["inputs"] == [[1], [3]]
    assert (record["resp"]["outputs"], record["effective_sample_count"]) == ([3, 3], 2)
    ask(model, body)
    assert len(records) == 1


def test_without_an_endpoint_or_with_a_stream_that_fails_callers_are_answered():
    model, records = make(uid=None)
    assert ask(model, {"inputs": [1]})["outputs"] == [1]
    assert records == []
    model, records = make()
    records.push = None
    assert ask(model, {"inputs": [1]})["outputs"] == [1]
    assert "a tracking record is lost" in model.context.logger.lines[-1][1]


def test_ensembles_record_votes_of_their_own():
    records = Records()
    context = GraphContext(Context(), "fn", output_stream=tracking.output(records))
    models = routes.named({name: start(Model(context, name)) for name in ("a", "b")})
    made = start(
        ensemble_tracking.tracked(ensembles.VotingEnsemble)(
            context, "all", models, model_endpoint_uid="u"
        )
    )
    for path, method in (("infer", "POST"), ("a/infer", "POST"), ("all", "GET"), ("", "GET")):
        made.do_event(Event({"inputs": [5]}, path=f"/v2/models/{path}", method=method))
    [(record, key)] = records
    assert (record["class"], record["model"], key) == ("VotingEnsemble", "all", "u")
    assert record["request"] == {"inputs": [[5]], "id": "e1"}
    assert record["resp"]["outputs"] == [1]
    assert record["op"] is None
