"""VotingEnsemble: several models answer, the vote is the answer (mlrun 1.12's rules)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import mul
from time import perf_counter
from typing import Any

from . import router
from .models import validate_inputs
from .parallel import AskAll, shallow_copy

_OPERATIONS = ("infer", "predict", "explain")
_PREDICTIONS = ("infer", "predict", "")


def target(
    event: Any, ensemble: str, routes: Mapping[str, Any], prefix: str = router.PREFIX
) -> tuple[str | None, str]:
    """`(model, operation)`, the model one of the routes or the ensemble itself.

    `/v2/models/infer` and `/` are the ensemble's. Raises ValueError for other models,
    and Exception for an inference without a list of inputs. Where the path ends before a
    model's name, it is None: a list of them is asked.
    """
    model, operation = router.read(event, prefix)
    if not model and operation is not None:
        return None, event.path
    model, operation = named(model, operation, event.body, ensemble, routes)
    event.path = operation  # also where validation fails: catchers see it, as in mlrun
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
        names = [name for name in self._weights if name in answers]
        outputs = [answers[name]["outputs"] for name in names]
        if self._in_column:
            outputs = [output[self._column] for output in outputs]
        votes = self._count(outputs, [self._weights[name] for name in names])
        return {self._column: votes} if self._in_column else votes

    def _count(self, outputs: list[Any], weights: list[float]) -> Any:
        """The vote, given each route's predictions and weight."""
        if self.vote_type is None:
            self.vote_type = vote_type_of(outputs)
        return count(self.vote_type, outputs, weights)


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
        self._all_weights = list(self._weights.values())

    def __call__(self, event: Any) -> Any:
        ask = self._ask
        if ask.in_threads or event.path not in _PREDICTIONS:
            return super().__call__(event)
        body = event.body
        outputs = []
        weights = self._all_weights
        started = perf_counter()
        for name, model in self._models:
            try:
                outputs.append(model.predict(body))
            except Exception as exc:
                body["id"] = body.get("id", event.id)
                if ask.strict:
                    raise
                ask.left_out(name, exc)
                weights = weights.copy()
                del weights[len(outputs)]
        if not ask.strict:
            ask.took(perf_counter() - started)
        return self._count(outputs, weights)


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
    if 1 - total > 1e-5:
        weights = {name: weight / total for name, weight in weights.items()}
    return {name: weights.get(name, 0) for name in routes}


def listed(
    weights: dict[str, float] | None, routes: Mapping[str, Any]
) -> dict[str, float] | None:
    """The weights as a list of models shows them: mlrun 1.12 adds routes without one."""
    if weights is None or 1 - sum(weights.values()) > 1e-5:
        return weights
    return {**weights, **{name: 0 for name in routes if name not in weights}}


def vote_type_of(outputs: Sequence[Any]) -> str:
    """Classification, if all predictions of all models are whole numbers."""
    if all(float(value).is_integer() for output in outputs for value in output):
        return "classification"
    return "regression"


def count(vote_type: str, outputs: Sequence[Any], weights: Sequence[float]) -> Any:
    """The vote on each sample, given each model's predictions and weight.

    Raises the ValueErrors of numpy, with which mlrun counts.
    """
    whole = vote_type == "classification"
    if not outputs and not whole:
        return 0.0  # as numpy has it: a sum without terms, and no list
    if not whole and isinstance(outputs[0], (int, float)):
        return float(sum(map(mul, outputs, weights)))
    size = len(outputs[0]) if outputs else 0
    for output in outputs:
        if len(output) != size:
            raise _ragged(f"{len(outputs)},")
    if not whole:
        return _sum(outputs, weights)
    if not size:
        raise ValueError(
            "zero-size array to reduction operation maximum which has no identity"
        )
    if weights.count(weights[0]) == len(weights) and weights[0] > 0:
        return _majority(outputs)
    return _majority_by_weight(outputs, weights)


class UFuncTypeError(TypeError):
    """What numpy raises for predictions that are no numbers."""


def _ragged(shape: str) -> ValueError:
    """numpy's error for lists of several lengths, `shape` being those above them."""
    return ValueError(
        "setting an array element with a sequence. The requested array has an "
        f"inhomogeneous shape after {len(shape.split())} dimensions. The detected "
        f"shape was ({shape}) + inhomogeneous part."
    )


def _majority(outputs: Sequence[Any]) -> list[int]:
    """The class most often predicted; of several, the smallest."""
    votes = []
    size = len(outputs)
    middle = (size - 1) // 2
    for sample in zip(*outputs):
        row = sorted(map(int, sample))
        if row[0] < 0:
            return _majority_by_weight(outputs, [1] * size)
        # A class with half of the predictions stands in the middle, the smaller of two
        # before it: the quick way, and in most rows enough.
        vote = row[middle]
        if row.count(vote) * 2 < size:
            vote = max(row, key=row.count)
        votes.append(vote)
    return votes


def _majority_by_weight(outputs: Sequence[Any], weights: Sequence[float]) -> list[int]:
    """The class with the most weight; negative classes never win."""
    rows = [list(map(int, sample)) for sample in zip(*outputs)]
    classes = max(map(max, rows)) + 1
    if classes <= 0:
        raise ValueError("attempt to get argmax of an empty sequence")
    return [_heaviest(row, weights, classes) for row in rows]


def _heaviest(row: list[int], weights: Sequence[float], classes: int) -> int:
    scores: dict[int, float] = {}
    for value, weight in zip(row, weights):
        if value >= 0:
            scores[value] = scores.get(value, 0.0) + weight
    if len(scores) < classes and max(scores.values(), default=0.0) <= 0:
        # A class that nobody chose has no weight, which may be the most there is.
        scores[next(value for value in range(classes) if value not in scores)] = 0.0
    most = max(scores.values())
    return min(value for value, score in scores.items() if score == most)


def _sum(outputs: Sequence[Any], weights: Sequence[float]) -> list[Any]:
    """The weighted sums: integers only if all predictions and weights are.

    Of models with several outputs for each sample, by output and not by sample, as in
    mlrun.
    """
    outputs = [
        output.tolist() if hasattr(output, "tolist") else output for output in outputs
    ]
    if isinstance(next(iter(outputs[0]), None), (list, tuple)):
        inner = [len(sample) for output in outputs for sample in output]
        if inner.count(inner[0]) != len(inner):
            raise _ragged(f"{len(outputs)}, {len(outputs[0])}")
        by_output = zip(*(zip(*output) for output in outputs))
        return [_sum(part, weights) for part in by_output]
    try:
        sums = [sum(map(mul, sample, weights)) for sample in zip(*outputs)]
    except TypeError:
        raise UFuncTypeError(
            "ufunc 'matmul' did not contain a loop with signature matching types"
        ) from None
    if set(map(type, sums)) <= {int}:
        return sums
    return list(map(float, sums))
