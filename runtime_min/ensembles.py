"""ParallelRun and VotingEnsemble, to derive from (mlrun 1.12, `serving/routers.py`).

Generated code writes plain ensembles out, with `voting`; a graph's own classes have
these bases. Only a class with a `logic` of its own needs numpy: MLRun hands it arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import paths, router, voting
from .models import validate_inputs
from .parallel import AskAll, shallow_copy
from .routers import BaseModelRouter


class ParallelRun(BaseModelRouter):
    """Hands a request to all routes, and merges their answers.

    The answers are dicts; `extend_event` merges them into the request's.
    """

    def __init__(
        self,
        context: Any = None,
        name: str | None = None,
        routes: Mapping[str, Any] | None = None,
        protocol: str | None = None,
        url_prefix: str | None = None,
        health_prefix: str | None = None,
        extend_event: bool | None = None,
        executor_type: str = "thread",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            context, name, routes, protocol, url_prefix, health_prefix, **kwargs
        )
        self.name = name or "ParallelRun"
        self.extend_event = extend_event
        self.executor_type = executor_type
        self._parallel_run = AskAll(context, self.routes, executor_type)

    def merger(self, body: Any, results: dict[str, Any]) -> Any:
        """Merge the results, by route, into the body."""
        for result in results.values():
            body.update(result)
        return body

    def _handle_event(self, event: Any) -> Any:
        results = self._parallel_run(event)
        if not self.extend_event:
            event.body = {}
        self.merger(event.body, results)
        return event


class VotingEnsemble(ParallelRun):
    """Hands a request to all routes, and answers with their vote; or to a route named."""

    def __init__(
        self,
        context: Any = None,
        name: str | None = None,
        routes: Mapping[str, Any] | None = None,
        protocol: str | None = None,
        url_prefix: str | None = None,
        health_prefix: str | None = None,
        vote_type: str | None = None,
        weights: dict[str, float] | None = None,
        executor_type: str = "thread",
        format_response_with_col_name_flag: bool = False,
        prediction_col_name: str = "prediction",
        shard_by_endpoint: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            context,
            name,
            routes,
            protocol,
            url_prefix,
            health_prefix,
            executor_type=executor_type,
            **kwargs,
        )
        self.name: str = name or "VotingEnsemble"
        self.vote_type = vote_type
        self.weights = voting.listed(weights, self.routes)
        self.format_response_with_col_name_flag = format_response_with_col_name_flag
        self.prediction_col_name = prediction_col_name or "prediction"
        self.model_endpoint_uid = kwargs.get("model_endpoint_uid")
        self.shard_by_endpoint = shard_by_endpoint
        self._weights = voting.normalize(weights, self.routes)

    def post_init(self, mode: str | None = "sync", **kwargs: Any) -> None:
        """Called once, when all routes are ready: weights may have changed since."""
        self._weights = voting.normalize(self.weights, self.routes)
        self.weights = voting.listed(self.weights, self.routes)

    # -- what subclasses write

    def logic(self, predictions: Any, weights: Any) -> Any:
        """The vote on each sample: predictions are samples by models.

        An overriding method gets numpy arrays, as in mlrun.
        """
        weights = _plain(weights)
        outputs = list(zip(*_plain(predictions))) or [()] * len(weights)
        return self._count(outputs, weights)

    def extract_results_from_response(self, response: Any) -> Any:
        """The predictions in a route's outputs: a list, or a column of a dict."""
        if not isinstance(response, dict):
            return response
        self.format_response_with_col_name_flag = True
        if self.prediction_col_name in response:
            return response[self.prediction_col_name]
        raise ValueError(
            f"The given `prediction_col_name` ({self.prediction_col_name}) does not "
            f"exist in the model's response ({response.keys()})"
        )

    def _majority_vote(self, all_predictions: Any, weights: Any) -> Any:
        outputs = list(zip(*_plain(all_predictions)))
        return voting.count("classification", outputs, _plain(weights))

    def _mean_vote(self, all_predictions: Any, weights: Any) -> Any:
        outputs = list(zip(*_plain(all_predictions)))
        return voting.count("regression", outputs, _plain(weights))

    def validate(self, request: Any, method: str) -> Any:
        if self.protocol == "v2" and method != "GET":
            validate_inputs(request)
        return request

    # -- the protocol

    def _resolve_route(self, body: Any, urlpath: str) -> tuple[str, Any, str]:
        """`(name, route, operation)`; no route for the ensemble, no name for a list."""
        model, operation = router.split(urlpath, self.url_prefix)
        if operation is not None and not model:
            return "", None, ""
        named = voting.named(model, operation, body, self.name, self.routes)
        return named[0], self.routes.get(named[0]), named[1]

    def do_event(self, event: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer an event; the answer becomes its body."""
        original = event.body
        if self._input_path:
            event.body = paths.get_sync(original, self._input_path)
        event = self._pre_handle_event(self.preprocess(event))
        body = event.body
        if not getattr(event, "terminated", False):
            name, route, event.path = self._resolve_route(event.body, event.path)
            if not name:
                event.terminated = True
                body = {"models": [*self.routes, self.name], "weights": self.weights}
            else:
                self.validate(event.body, event.method)
                answer = self._finished(name, route, event)
                body = answer.body if answer else None
        if self._result_path:
            body = paths.put_sync(original, self._result_path, body)
        event.body = body
        return event

    def _finished(self, name: str, route: Any, event: Any) -> Any:
        return self.postprocess(self._answer(name, route, event))

    def _answer(self, name: str, route: Any, event: Any) -> Any:
        if route:
            return route.run(event)
        answer = shallow_copy(event)
        if event.method == "GET":
            answer.body = voting.metadata(event, name, self.routes)
            return answer
        votes = self._apply_logic(self._parallel_run(event))
        if self.format_response_with_col_name_flag:
            votes = {self.prediction_col_name: votes}
        answer.body = {"id": event.id, "model_name": name, "outputs": votes}
        if self.model_endpoint_uid:
            answer.body["model_endpoint_uid"] = self.model_endpoint_uid
        return answer

    def _apply_logic(self, results: dict[str, Any], event: Any = None) -> Any:
        """The vote, given each route's answer."""
        names = [name for name in self.routes if name in results]
        outputs = [results[name]["outputs"] for name in names]
        if self.format_response_with_col_name_flag:
            outputs = [output[self.prediction_col_name] for output in outputs]
        weights = [self._weights[name] for name in names]
        if type(self).logic is VotingEnsemble.logic:
            return self._count(outputs, weights)

        import numpy  # what a logic of its own expects; others need none

        return self.logic(numpy.array(outputs).T, numpy.array(weights))

    def _count(self, outputs: list[Any], weights: list[float]) -> Any:
        if self.vote_type is None:
            self.vote_type = voting.vote_type_of(outputs)
        return voting.count(self.vote_type, outputs, weights)


def _plain(values: Any) -> Any:
    """Lists, if these are arrays."""
    return values.tolist() if hasattr(values, "tolist") else values
