"""One event, all routes: what ensembles and ParallelRun have in common (mlrun 1.12)."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from time import perf_counter
from typing import Any

# Handing work to a thread costs some 0.1 ms: more than many a model takes. One slow round
# proves nothing, as first predictions often are.
_WORTH_THREADS = 0.002
_NOT_WORTH_THREADS = 0.001
_SLOW_ROUNDS = 8


#: In a worker process: the routes, as they were when the process was made.
_inherited: dict[str, Any] = {}


class AskAll:
    """Asks every route, each with a shallow copy of the event; answers by route.

    Routes that take long run side by side, in threads; others one after the other. A
    route that fails is logged and left out. With the executor "array" there are no
    threads, and the first failure is raised. With "process" each runs in a process that
    is made of this one when the first event comes.
    """

    def __init__(
        self, context: Any, routes: Mapping[str, Any], executor_type: str = "thread"
    ) -> None:
        if executor_type not in ("array", "thread", "process"):
            raise ValueError(f"{executor_type!r} is not a valid ParallelRunnerModes")
        self.strict = executor_type == "array"
        self._by_process = executor_type == "process"
        self.in_threads = self._by_process
        self._logger = context.logger
        self._routes = routes
        self._pool: Executor | None = None
        self._slow_rounds = 0

    def __call__(self, event: Any) -> dict[str, Any]:
        copies = {name: shallow_copy(event) for name in self._routes}
        if self.strict:
            return {
                name: self._routes[name].do_event(twin).body
                for name, twin in copies.items()
            }
        answers: dict[str, Any] = {}
        if self._by_process:
            self._ask_processes(copies, answers)
            return answers
        started = perf_counter()
        if self.in_threads:
            pool = self._pool = self._pool or ThreadPoolExecutor(len(copies))
            asked = [
                pool.submit(self._ask, name, twin, answers)
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

    def _ask_processes(self, copies: dict[str, Any], answers: dict[str, Any]) -> None:
        if self._pool is None:
            from concurrent.futures import ProcessPoolExecutor  # slow to import
            from multiprocessing import get_context

            # Forked, as mlrun's are on Linux, so that routes need not be pickled.
            context, routes = get_context("fork"), dict(self._routes)
            self._pool = ProcessPoolExecutor(len(copies), context, _inherit, (routes,))
        asked = {
            self._pool.submit(_ask_inherited, name, twin): name
            for name, twin in copies.items()
        }
        for one in as_completed(asked):
            try:
                answers[asked[one]] = one.result()
            except Exception as exc:  # noqa: BLE001
                self.left_out(asked[one], exc)

    def _ask(self, name: str, event: Any, answers: dict[str, Any]) -> None:
        try:
            answers[name] = self._routes[name].do_event(event).body
        except Exception as exc:  # noqa: BLE001
            self.left_out(name, exc)


def _inherit(routes: dict[str, Any]) -> None:
    _inherited.update(routes)


def _ask_inherited(name: str, event: Any) -> Any:
    return _inherited[name].do_event(event).body


def shallow_copy(event: Any) -> Any:
    """Like copy.copy's, several times faster."""
    kind: Any = type(event)
    twin = kind.__new__(kind)
    twin.__dict__.update(event.__dict__)
    return twin
