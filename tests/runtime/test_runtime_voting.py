"""Ensembles: serving.md 5.4. The votes are compared with numpy's, as mlrun counts them."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nuclio_stub import Context, Event

from graphc.runtime_min import ensembles, parallel, router, voting
from graphc.runtime_min.context import GraphContext
from graphc.runtime_min.models import V2ModelServer, start
from graphc.runtime_min.routes import Route


class Given(V2ModelServer):
    """Answers with what the request says under the model's name."""

    def load(self):
        pass

    def predict(self, request):
        outputs = request[self.name]
        if isinstance(outputs, str):
            raise ValueError(outputs)
        return outputs


NAMES = ("m1", "m2", "m3")


class Ensemble:
    """One ensemble, in each of the forms in which it can run."""

    def __init__(self, form, weights=None, **arguments):
        self.nuclio = Context()
        context = GraphContext(self.nuclio)
        self.routes = {name: start(Given(context, name)) for name in NAMES}
        self.weights = weights
        if form is ensembles.VotingEnsemble:
            self.vote = None
            routes = {name: Route(model.do_event, name) for name, model in self.routes.items()}
            self.object = form(context, None, routes, weights=weights, **arguments)
        else:
            self.vote = form(context, self.routes, weights=weights, **arguments)

    def run(self, event):
        if not self.vote:
            return self.object.do_event(event).body
        routes = self.routes
        if router.asks_metadata(event):
            return {"name": "VotingEnsemble", "version": "v2", "extensions": []}
        model, event.path = voting.target(event, "VotingEnsemble", routes)
        if not model:
            return {"models": [*routes, "VotingEnsemble"], "weights": self.weights}
        if model in routes:
            return routes[model].do_event(event).body
        if event.method == "GET":
            return voting.metadata(event, "VotingEnsemble", routes)
        outputs = self.vote(event)
        return {"id": event.id, "model_name": "VotingEnsemble", "outputs": outputs}

    def votes(self, *outputs, path="/v2/models/infer", **more):
        body = {"inputs": [], **dict(zip(NAMES, outputs, strict=True)), **more}
        return self.run(Event(body, path=path))["outputs"]


FORMS = [voting.Vote, voting.PlainVote, ensembles.VotingEnsemble]
forms = pytest.mark.parametrize("form", FORMS)
EMPTY = "zero-size array to reduction operation maximum which has no identity"


@forms
@pytest.mark.parametrize(
    ("arguments", "outputs", "expected"),
    [
        ({}, ([1, 2], [3, 3], [3, 2]), [3, 2]),
        ({}, ([1], [2], [3]), [1]),
        ({}, ([3], [2], [1]), [1]),
        ({}, ([-1, 2], [-1, 2], [1, 0]), [1, 2]),
        ({}, ([-1, 2], [-1, 2], [-1, 0]), [0, 2]),
        ({}, ([1.0], [1], [True]), [1]),
        ({}, (["1"], ["2"], ["1"]), [1]),
        ({}, ([1.5], [1.5], [3]), [2.0]),
        ({"vote_type": "regression"}, ([1], [2], [3]), [2.0]),
        ({"vote_type": "regression"}, ([], [], []), []),
        ({"vote_type": "regression"}, (1, 2, 3), 2.0),
        ({"vote_type": "regression"}, ([[1, 2]], [[1, 2]], [[1, 2]]), [[1.0], [2.0]]),
        ({"vote_type": "classification"}, ([1.9], [1.2], [3]), [1]),
        ({"weights": {"m1": 0.2, "m2": 0.2, "m3": 0.6}}, ([1], [1], [3]), [3]),
        ({"weights": {"m1": 0.1, "m2": 0.1, "m3": 0.2}}, ([1.5], [2], [3]), [2.375]),
        ({"weights": {"m1": 2, "m2": -1}}, ([2], [0], [9]), [2]),
        ({"weights": {"m3": 1}}, ([1], [1], [0]), [0]),
        ({"weights": {"m1": 2, "m3": 1}, "vote_type": "regression"}, ([1], [2], [3]), [5]),
        ({}, ("broken", [2], [2]), [2]),
        ({"vote_type": "regression"}, ("broken", [3], [6]), [3.0]),
        ({"vote_type": "regression"}, ("broken", "broken", "broken"), 0.0),
    ],
)
def test_votes(form, arguments, outputs, expected):
    votes = Ensemble(form, **arguments).votes(*outputs)
    assert np.array(votes) == pytest.approx(np.array(expected))
    assert np.array(votes).dtype == np.array(expected).dtype


@forms
@pytest.mark.parametrize(
    ("outputs", "kind", "message"),
    [
        (([1, 2], [1], [1, 2]), ValueError, "setting an array element with a sequence."),
        ((["a"], ["a"], ["b"]), ValueError, "could not convert string to float: 'a'"),
        (([[1, 2]], [[1, 2]], [[1, 2]]), TypeError, ""),
        ((1, 2, 3), TypeError, ""),
        (([None], [1], [1]), TypeError, ""),
        (([], [], []), ValueError, EMPTY),
        (("no", "no", "no"), ValueError, EMPTY),
        (([-1], [-1], [-1]), ValueError, "attempt to get argmax of an empty sequence"),
    ],
)
def test_outputs_without_a_vote(form, outputs, kind, message):
    with pytest.raises(kind) as caught:
        Ensemble(form).votes(*outputs)
    assert str(caught.value).startswith(message)


@forms
def test_sums_of_what_has_none(form):
    ensemble = Ensemble(form, vote_type="regression")
    with pytest.raises(voting.UFuncTypeError, match="ufunc 'matmul' did not contain a loop"):
        ensemble.votes(["a"], ["b"], ["c"])
    with pytest.raises(ValueError, match=r"after 2 dimensions. The detected shape was \(3, 2\)"):
        ensemble.votes([[1], [2, 3]], [[1], [2]], [[1], [2]])


@forms
def test_the_first_vote_settles_the_type(form):
    ensemble = Ensemble(form)
    assert ensemble.votes([1], [1], [2]) == [1]
    assert ensemble.votes([1.5], [1.7], [2]) == [1]
    ensemble = Ensemble(form)
    assert ensemble.votes([1.5], [1.5], [3]) == [2.0]
    assert ensemble.votes([1], [1], [4]) == [2.0]


@forms
def test_failures_are_logged_and_leave_the_id(form):
    ensemble = Ensemble(form)
    body = {"inputs": [], "m1": "broken", "m2": [1], "m3": [1]}
    assert ensemble.run(Event(body, path="/v2/models/infer"))["outputs"] == [1]
    assert body["id"] == "e1"
    assert ensemble.nuclio.errors() == ["route m1 failed: ValueError('broken')"]
    body = {"inputs": [], "id": "own", "m1": "broken", "m2": [1], "m3": [1]}
    assert ensemble.run(Event(body))["id"] == "e1"
    assert body["id"] == "own"


@forms
def test_with_array_the_first_failure_is_the_answer(form):
    ensemble = Ensemble(form, executor_type="array")
    assert ensemble.votes([1], [1], [2]) == [1]
    with pytest.raises(ValueError, match="second"):
        ensemble.votes([1], "second", "third")


@forms
def test_every_operation_but_prediction_asks_the_models_for_it(form):
    ensemble = Ensemble(form)
    for path in ("/v2/models/explain", "/v2/models/VotingEnsemble/nosuch"):
        with pytest.raises(ValueError, match=EMPTY):
            ensemble.votes([1], [1], [1], path=path)
    assert len(ensemble.nuclio.errors()) == 6


MODELS = {"models": [*NAMES, "VotingEnsemble"], "weights": None}
META = {"name": "VotingEnsemble", "model_endpoint_uid": "", "inputs": [], "outputs": []}
VOTE = {"id": "e1", "model_name": "VotingEnsemble", "outputs": [1]}


@forms
@pytest.mark.parametrize(
    ("path", "method", "extra", "expected"),
    [
        ("/", "POST", {}, VOTE),
        ("/", "POST", {"model": "m1"}, VOTE),
        ("/", "POST", {"operation": None}, VOTE),
        ("/v2/models/predict/", "POST", {"id": "own"}, VOTE),
        ("/v2/models/infer", "POST", {"operation": "explain"}, VOTE),
        ("/v2/models/VotingEnsemble", "POST", {}, VOTE),
        ("/v2/models/VotingEnsemble/predict", "POST", {}, VOTE),
        ("/v2/models", "GET", {}, MODELS),
        ("/v2/models/", "POST", {}, MODELS),
        ("/v2/models/VotingEnsemble", "GET", {}, META),
        ("/v2/models/m1", "GET", {}, {**META, "name": "m1"}),
        ("/v2/health", "GET", {}, {"name": "VotingEnsemble", "version": "v2", "extensions": []}),
    ],
)
def test_requests(form, path, method, extra, expected):
    body = {"inputs": [], "m1": [1], "m2": [1], "m3": [2], **extra}
    event = Event(None if method == "GET" else body, path=path, method=method)
    assert Ensemble(form).run(event) == expected


@forms
def test_a_model_named_answers_alone(form):
    body = {"inputs": [], "m2": [7]}
    answer = Ensemble(form).run(Event(body, path="/v2/models/m2/infer"))
    assert (answer["model_name"], answer["outputs"]) == ("m2", [7])


@forms
@pytest.mark.parametrize(
    ("path", "method", "body", "kind", "message"),
    [
        (
            "/v2/models/zz",
            "POST",
            {"inputs": []},
            ValueError,
            "model zz doesnt exist, available models: m1 | m2 | m3 | VotingEnsemble"
            " or an operation alone for ensemble operation",
        ),
        ("/", "POST", {"x": 1}, Exception, 'Expected key "inputs" in request body'),
        ("/", "POST", {"inputs": 1}, Exception, 'Expected "inputs" to be a list'),
        ("/v2/models/infer", "POST", None, TypeError, "argument of type 'NoneType' is not"),
        ("/v2/models/infer", "GET", None, AttributeError, ""),
        ("/v2/models/VotingEnsemble/ready", "GET", None, AttributeError, ""),
    ],
)
def test_refusals(form, path, method, body, kind, message):
    with pytest.raises(kind) as caught:
        Ensemble(form).run(Event(body, path=path, method=method))
    assert str(caught.value).startswith(message)
    assert type(caught.value) is kind


def test_weights():
    routes = dict.fromkeys(NAMES)
    assert voting.normalize(None, routes) == dict.fromkeys(NAMES, 1 / 3)
    assert voting.normalize({"m1": 1, "m2": 2}, routes) == {"m1": 1, "m2": 2, "m3": 0}
    assert voting.normalize({"m1": 0.1, "m2": 0.3}, routes) == {
        "m1": 0.25,
        "m2": pytest.approx(0.75),
        "m3": 0,
    }
    with pytest.raises(ValueError, match="sum to 0"):
        voting.normalize({"m1": 0}, routes)


@pytest.mark.parametrize("form", [voting.Vote, ensembles.VotingEnsemble])
def test_predictions_in_a_column(form):
    ensemble = Ensemble(form, format_response_with_col_name_flag=True, prediction_col_name="p")
    columns = [{"p": [1]}, {"p": [1]}, {"p": [2]}]
    assert ensemble.votes(*columns) == {"p": [1]}


# -- against numpy


def reference(outputs, weights, whole):
    """What mlrun 1.12 computes (`routers.py`), in its own words about arrays."""
    predictions = np.array(outputs).T
    if not whole:
        return (predictions @ np.array(weights)).tolist()
    predictions = predictions.astype(int)
    hot = np.arange(predictions.max() + 1) == predictions[..., None]
    scores = np.transpose(hot.astype(int), (0, 2, 1)) @ np.array(weights)
    return np.argmax(scores, axis=1).tolist()


# Weights with exact sums: numpy may add in another order.
EXACT = st.sampled_from([-0.5, 0.0, 0.25, 0.5, 1.0, 2.0, 3.0])


@st.composite
def ballots(draw, values):
    models = draw(st.integers(1, 6))
    samples = draw(st.integers(1, 4))
    column = st.lists(values, min_size=samples, max_size=samples)
    outputs = draw(st.lists(column, min_size=models, max_size=models))
    equal = st.just([0.125] * models)
    return outputs, draw(equal | st.lists(EXACT, min_size=models, max_size=models))


@given(ballots(st.integers(-2, 5) | st.sampled_from([0.0, 1.0, True])))
def test_majorities_are_numpys(ballot):
    outputs, weights = ballot
    if max(map(max, outputs)) < 0:
        with pytest.raises(ValueError, match="argmax of an empty sequence"):
            voting.count("classification", outputs, weights)
    else:
        expected = reference(outputs, weights, True)
        assert voting.count("classification", outputs, weights) == expected


@given(ballots(st.integers(-9, 9) | st.floats(-1e6, 1e6)))
def test_sums_are_numpys(ballot):
    outputs, weights = ballot
    expected = reference(outputs, weights, False)
    counted = voting.count("regression", outputs, weights)
    assert counted == pytest.approx(expected, rel=1e-12, abs=1e-6)
    assert all(type(value) is float for value in counted)


def test_models_may_answer_with_arrays():
    arrays = [np.array([1, 2]), np.array([1, 3]), np.array([2, 3])]
    votes = Ensemble(voting.PlainVote).votes(*arrays)
    assert (votes, type(votes[0])) == ([1, 3], int)
    votes = Ensemble(voting.PlainVote).votes(*(array / 4 for array in arrays))
    assert (votes, type(votes[0])) == (pytest.approx([1 / 3, 2 / 3]), float)


# -- a logic of one's own


def test_own_logic_gets_arrays():
    class Highest(ensembles.VotingEnsemble):
        def logic(self, predictions, weights):
            assert predictions.shape == (2, 3)
            assert weights.shape == (3,)
            return predictions.max(axis=1).tolist()

    assert Ensemble_of(Highest).votes([1, 5], [2, 4], [3, 3]) == [3, 5]


def test_own_logic_may_call_ours():
    class Logged(ensembles.VotingEnsemble):
        def logic(self, predictions, weights):
            return [-vote for vote in super().logic(predictions, weights)]

    assert Ensemble_of(Logged).votes([1, 5], [1, 4], [3, 4]) == [-1, -4]


def test_hooks_of_an_ensemble():
    class Hooked(ensembles.VotingEnsemble):
        def preprocess(self, event):
            event.body["inputs"] = []
            return event

        def validate(self, request, method):
            request["validated"] = method
            return super().validate(request, method)

        def postprocess(self, event):
            event.body["post"] = True
            return event

    ensemble = Ensemble_of(Hooked)
    body = {"m1": [1], "m2": [1], "m3": [1]}
    answer = ensemble.run(Event(body))
    assert answer == {**VOTE, "post": True}
    assert body["validated"] == "POST"
    assert "post" not in ensemble.run(Event({}, path="/v2/models"))


def Ensemble_of(kind):  # noqa: N802
    ensemble = Ensemble(ensembles.VotingEnsemble)
    ensemble.object = kind(ensemble.object.context, None, ensemble.object.routes)
    return ensemble


# -- threads


def test_only_routes_that_stay_slow_are_asked_side_by_side():
    ask = parallel.AskAll(Context(), dict.fromkeys(NAMES))
    ask.took(1.0)
    ask.took(0.0)
    assert not ask.in_threads
    for _ in range(8):
        ask.took(1.0)
    assert ask.in_threads
    ask.took(0.0015)
    assert ask.in_threads
    ask.took(0.0005)
    assert not ask.in_threads


def test_subclasses_may_use_what_mlrun_has():
    class Own(ensembles.VotingEnsemble):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.weights = {"a": 3}

    made = Own(GraphContext(Context()), "e", {"a": None, "b": None})
    made.post_init()
    assert made.weights == {"a": 3, "b": 0}
    assert made._weights == {"a": 3, "b": 0}
    assert made._majority_vote([[1, 2], [0, 0]], [0.4, 0.6]) == [2, 0]
    assert made._mean_vote([[1, 3]], [0.5, 0.5]) == [2.0]
    assert made.extract_results_from_response([1]) == [1]
    assert not made.format_response_with_col_name_flag
    assert made.extract_results_from_response({"prediction": [2]}) == [2]
    assert made.format_response_with_col_name_flag
    with pytest.raises(ValueError, match="does not exist in the model's response"):
        made.extract_results_from_response({"other": [2]})


@forms
def test_votes_in_threads_are_the_same(form):
    ensemble = Ensemble(form)
    ask = ensemble.vote._ask if ensemble.vote else ensemble.object._parallel_run
    ask.in_threads = True
    seen = set()
    took = ask.took
    ask.took = lambda seconds: seen.update(t.name for t in threading.enumerate())
    assert ensemble.votes([1, 2], [1, 3], "broken") == [1, 2]
    assert any("ThreadPool" in name for name in seen)
    ask.took = took
