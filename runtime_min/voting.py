"""VotingEnsemble: several models answer, the vote is the answer (mlrun 1.12's rules)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import mul
from time import perf_counter
from typing import Any

from . import router
from .models import validate_inputs
from .parallel import WORTH_THREADS, AskAll, shallow_copy

_OPERATIONS = ("infer", "predict", "explain")
_PREDICTIONS = ("infer", "predict", "")


def target(
    event: Any, ensemble: str, routes: Mapping[str, Any], prefix: str = router.PREFIX
) -> tuple[str, str]:
    """`(model, operation)`, the model one of the routes or the ensemble itself.

    `/v2/models/infer` and `/` are the ensemble's. Raises ValueError for other models,
    and Exception for an inference without a list of inputs.
    """
    model, operation = router.split(event.path, prefix)
    model, operation = named(model, operation, event.body, ensemble, routes)
    if event.method != "GET":
        validate_inputs(event.body)
    return model, operation


def named(
    model: str,
    operation: str | None,
    body: Any,
    ensemble: str,
    routes: Mapping[str, Any],
) -> tuple[str, str]:
    """As `target`, for a path that is split already; does not validate."""
    if model in _OPERATIONS and not operation:
        return ensemble, model
    if isinstance(body, dict):
        model = model or ensemble
        operation = body.get("operation", operation)
    if model != ensemble and model not in routes:
        also = f" | {ensemble} or an operation alone for ensemble operation"
        raise router.unknown_model(model, routes, also)
    return model, "infer" if operation is None else operation


def metadata(event: Any, ensemble: str, routes: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to GET: inputs and outputs are those of the first models with any."""
    if event.path:
        raise AttributeError(f"{ensemble} has no operation {event.path} for GET")
    answer: dict[str, Any] = {"name": ensemble, "model_endpoint_uid": ""}
    answer.update(inputs=[], outputs=[])
    for route in routes.values():
        model = route.do_event(shallow_copy(event)).body
        answer["inputs"] = answer["inputs"] or model["inputs"]
        answer["outputs"] = answer["outputs"] or model["outputs"]
    return answer


class Vote:
    """Asks all routes and makes one answer of theirs.

    `vote_type` is "classification", a majority of the weights, where ties go to the
    smallest class, or "regression", a weighted sum. If it is None, the first vote
    settles it for good: classification if all its predictions are whole numbers.

    With `format_response_with_col_name_flag`, predictions come, and the vote goes, as
    `{prediction_col_name: predictions}`. How the routes are asked says `AskAll`.
    """

    def __init__(
        self,
        context: Any,
        routes: Mapping[str, Any],
        vote_type: str | None = None,
        weights: dict[str, float] | None = None,
        executor_type: str = "thread",
        format_response_with_col_name_flag: bool = False,
        prediction_col_name: str = "prediction",
    ) -> None:
        self.vote_type = vote_type
        self._ask = AskAll(context, routes, executor_type)
        self._weights = normalize(weights, routes)
        self._column = prediction_col_name or "prediction"
        self._in_column = format_response_with_col_name_flag

    def __call__(self, event: Any) -> Any:
        """The vote on each of the event's inputs; the operation is the event's path."""
        answers = self._ask(event)
        outputs = {}
        for name in self._weights:
            if name in answers:
                output = answers[name]["outputs"]
                outputs[name] = output[self._column] if self._in_column else output
        votes = self._count(outputs)
        return {self._column: votes} if self._in_column else votes

    def _count(self, outputs: dict[str, Any]) -> list[Any]:
        """The vote, given each route's predictions."""
        samples = by_sample(list(outputs.values()))
        if self.vote_type is None:
            self.vote_type = vote_type_of(samples)
        return count(self.vote_type, samples, [self._weights[name] for name in outputs])


class PlainVote(Vote):
    """A vote of models that have no hooks: no overridden method but load and predict.

    Their predictions are asked for directly, without an event and an answer for each.
    """

    def __init__(
        self,
        context: Any,
        routes: Mapping[str, Any],
        vote_type: str | None = None,
        weights: dict[str, float] | None = None,
        executor_type: str = "thread",
    ) -> None:
        super().__init__(context, routes, vote_type, weights, executor_type)
        self._models = list(routes.items())

    def __call__(self, event: Any) -> Any:
        ask = self._ask
        if ask.in_threads or event.path not in _PREDICTIONS:
            return super().__call__(event)
        body = event.body
        outputs = {}
        started = perf_counter()
        for name, model in self._models:
            try:
                outputs[name] = model.predict(body)
            except Exception as exc:
                body["id"] = body.get("id", event.id)
                if ask.strict:
                    raise
                ask.left_out(name, exc)
        ask.in_threads = not ask.strict and perf_counter() - started > WORTH_THREADS
        return self._count(outputs)


def normalize(
    weights: dict[str, float] | None, routes: Mapping[str, Any]
) -> dict[str, float]:
    """A weight for each route: equal ones if none are given, 0 where one is missing.

    Weights that sum to less than 1 are scaled, as mlrun 1.12 means to (it fails).
    """
    if weights is None:
        return dict.fromkeys(routes, 1 / len(routes))
    total = sum(weights.values())
    if not total:
        raise ValueError(f"the weights of a vote sum to 0: {weights}")
    scale = total if 1 - total > 1e-5 else 1
    return {
        name: weights.get(name, 0) / scale if scale != 1 else weights.get(name, 0)
        for name in routes
    }


def by_sample(outputs: list[Any]) -> list[tuple[Any, ...]]:
    """The predictions of all models for each sample.

    Raises ValueError, as numpy does, if the models do not agree in their number.
    """
    if len(set(map(len, outputs))) > 1:
        raise ValueError(
            "setting an array element with a sequence. The requested array has an "
            "inhomogeneous shape after 1 dimensions. The detected shape was "
            f"({len(outputs)},) + inhomogeneous part."
        )
    return list(zip(*outputs))  # noqa: B905 (Python 3.9)


def vote_type_of(samples: Sequence[Sequence[Any]]) -> str:
    """Classification, if all predictions are whole numbers."""
    if all(float(value).is_integer() for sample in samples for value in sample):
        return "classification"
    return "regression"


def count(
    vote_type: str, samples: Sequence[Sequence[Any]], weights: Sequence[float]
) -> list[Any]:
    """The vote on each sample."""
    if not weights or not samples and vote_type == "classification":
        raise ValueError(
            "zero-size array to reduction operation maximum which has no identity"
        )
    if vote_type == "classification":
        return _majority(samples, weights)
    return _sum(samples, weights)


def _majority(samples: Sequence[Sequence[Any]], weights: Sequence[float]) -> list[int]:
    """The class with the most weight; of several, the smallest."""
    if weights.count(weights[0]) != len(weights) or weights[0] <= 0:
        return _majority_by_weight(samples, weights)
    votes = []
    for sample in samples:
        row = sorted(map(int, sample))
        if row[0] < 0:
            return _majority_by_weight(samples, weights)
        votes.append(max(row, key=row.count))
    return votes


def _majority_by_weight(
    samples: Sequence[Sequence[Any]], weights: Sequence[float]
) -> list[int]:
    """The same for any weights and classes; negative classes never win."""
    rows = [list(map(int, sample)) for sample in samples]
    classes = max(map(max, rows)) + 1
    if classes <= 0:
        raise ValueError("attempt to get argmax of an empty sequence")
    return [_heaviest(row, weights, classes) for row in rows]


def _heaviest(row: list[int], weights: Sequence[float], classes: int) -> int:
    scores: dict[int, float] = {}
    for value, weight in zip(row, weights):  # noqa: B905 (Python 3.9)
        if value >= 0:
            scores[value] = scores.get(value, 0.0) + weight
    if len(scores) < classes and max(scores.values(), default=0.0) <= 0:
        # A class that nobody chose has no weight, which may be the most there is.
        scores[next(value for value in range(classes) if value not in scores)] = 0.0
    most = max(scores.values())
    return min(value for value, score in scores.items() if score == most)


def _sum(samples: Sequence[Sequence[Any]], weights: Sequence[float]) -> list[Any]:
    """The weighted sum: integers only if all predictions and weights are."""
    sums = [sum(map(mul, sample, weights)) for sample in samples]
    if set(map(type, sums)) <= {int}:
        return sums
    return list(map(float, sums))
