"""One event, all routes: what ensembles and ParallelRun have in common (mlrun 1.12)."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

# Handing work to a thread costs some 0.1 ms: more than many a model takes. One slow round
# proves nothing, as first predictions often are.
_WORTH_THREADS = 0.002
_NOT_WORTH_THREADS = 0.001
_SLOW_ROUNDS = 8


class AskAll:
    """Asks every route, each with a shallow copy of the event; answers by route.

    Routes that take long run side by side, in threads; others one after the other. A
    route that fails is logged and left out. With the executor "array" there are no
    threads, and the first failure is raised. MLRun's "process" is taken for "thread".
    """

    def __init__(
        self, context: Any, routes: Mapping[str, Any], executor_type: str = "thread"
    ) -> None:
        if executor_type not in ("array", "thread", "process"):
            raise ValueError(f"{executor_type!r} is not a valid ParallelRunnerModes")
        self.strict = executor_type == "array"
        self.in_threads = False
        self._logger = context.logger
        self._routes = routes
        self._pool = ThreadPoolExecutor(max(1, len(routes)))
        self._slow_rounds = 0

    def __call__(self, event: Any) -> dict[str, Any]:
        copies = {name: shallow_copy(event) for name in self._routes}
        if self.strict:
            return {
                name: self._routes[name].do_event(twin).body
                for name, twin in copies.items()
            }
        answers: dict[str, Any] = {}
        started = perf_counter()
        if self.in_threads:
            asked = [
                self._pool.submit(self._ask, name, twin, answers)
                for name, twin in copies.items()
            ]
            for one in asked:
                one.result()
        else:
            for name, twin in copies.items():
                self._ask(name, twin, answers)
        self.took(perf_counter() - started)
        return answers

    def took(self, seconds: float) -> None:
        """Decide, from the time that a round of all routes took, about the next one."""
        if self.in_threads:
            self.in_threads = seconds > _NOT_WORTH_THREADS
        elif seconds > _WORTH_THREADS:
            self._slow_rounds += 1
            self.in_threads = self._slow_rounds >= _SLOW_ROUNDS
        else:
            self._slow_rounds = 0

    def left_out(self, name: str, exc: Exception) -> None:
        """Note that a route failed."""
        self._logger.error(f"route {name} failed: {exc!r}")

    def _ask(self, name: str, event: Any, answers: dict[str, Any]) -> None:
        try:
            answers[name] = self._routes[name].do_event(event).body
        except Exception as exc:  # noqa: BLE001
            self.left_out(name, exc)


def shallow_copy(event: Any) -> Any:
    """Like copy.copy's, several times faster."""
    kind: Any = type(event)
    twin = kind.__new__(kind)
    twin.__dict__.update(event.__dict__)
    return twin
