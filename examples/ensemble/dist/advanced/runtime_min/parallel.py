"""One event, all routes: what ensembles and ParallelRun have in common (mlrun 1.12)."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from time import perf_counter
from typing import Any, Callable

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
        self._answers = {name: _answering(route) for name, route in routes.items()}
        self._pool: Executor | None = None
        self._slow_rounds = 0

    def __call__(self, event: Any) -> dict[str, Any]:
        if self.strict:
            return {name: answer(event) for name, answer in self._answers.items()}
        answers: dict[str, Any] = {}
        if self._by_process:
            self._ask_processes(event, answers)
            return answers
        started = perf_counter()
        if self.in_threads:
            pool = self._pool = self._pool or ThreadPoolExecutor(len(self._answers))
            asked = [
                pool.submit(self._ask, name, event, answers) for name in self._answers
            ]
            for one in asked:
                one.result()
        else:
            for name in self._answers:
                self._ask(name, event, answers)
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

    def _ask_processes(self, event: Any, answers: dict[str, Any]) -> None:
        if self._pool is None:
            from concurrent.futures import ProcessPoolExecutor  # slow to import
            from multiprocessing import get_context

            # Forked, as mlrun's are on Linux, so that routes need not be pickled.
            context, number = get_context("fork"), len(self._answers)
            given = (self._answers,)
            self._pool = ProcessPoolExecutor(number, context, _inherit, given)
        asked = {
            self._pool.submit(_ask_inherited, name, event): name
            for name in self._answers
        }
        for one in as_completed(asked):
            try:
                answers[asked[one]] = one.result()
            except Exception as exc:  # noqa: BLE001
                self.left_out(asked[one], exc)

    def _ask(self, name: str, event: Any, answers: dict[str, Any]) -> None:
        try:
            answers[name] = self._answers[name](event)
        except Exception as exc:  # noqa: BLE001
            self.left_out(name, exc)


def _inherit(routes: dict[str, Any]) -> None:
    _inherited.update(routes)


def _ask_inherited(name: str, event: Any) -> Any:
    return _inherited[name](event)


def _answering(route: Any) -> Callable[[Any], Any]:
    """What gives a route's answer, and leaves the event as it is."""
    own: Callable[[Any], Any] | None = getattr(route, "ask_aside", None)
    return own or (lambda event: route.do_event(shallow_copy(event)).body)


def shallow_copy(event: Any) -> Any:
    """Like copy.copy's, several times faster."""
    kind: Any = type(event)
    twin = kind.__new__(kind)
    twin.__dict__.update(event.__dict__)
    return twin
