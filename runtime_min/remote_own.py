"""Runs steps of the user's own classes that send requests, in flows that await (mlrun 1.12)."""

from __future__ import annotations

from typing import Any

from .in_flight import InFlight
from .remote import PASSING, Client, with_result
from .remote_steps import RemoteStep


class _Running:
    """Gives the step a session, and its answers to the flow, in the order of the events."""

    def __init__(self, context: Any, step: Any) -> None:
        self._step = step
        self._in_flight = InFlight(step.max_in_flight)
        self._client = Client(
            context,
            step.name,
            step.retries or 0,
            step.backoff_factor or 1,
            step.timeout,
        )

    def select_outlets(self, body: Any) -> Any:
        return self._step.select_outlets(body)

    async def do_event(self, event: Any) -> Any:
        """The event with its new body."""
        self._step._client_session = self._client.session
        result = await self._in_flight.run(self._ask, event)
        return with_result(event, self._step._result_path, result)

    async def _ask(self, event: Any) -> Any:
        raise NotImplementedError


class Remote(_Running):
    """Of a class that derives from RemoteStep."""

    async def _ask(self, event: Any) -> Any:
        step = self._step
        own = type(step)._process_event is not RemoteStep._process_event
        answer = await self._client.retried(
            lambda: step._process_event(event), on=(Exception,) if own else PASSING
        )
        data = await answer.read()
        if answer.status >= 400:
            raise ValueError(
                f"For event {event}, RemoteStep {step.name} got an unexpected response "
                f"status {answer.status}: {data!r}"
            )
        return step._get_data(data, answer.headers)


class Batch(_Running):
    """Of a class that derives from BatchHttpRequests."""

    async def _ask(self, event: Any) -> Any:
        answers = await self._step._process_event(event)
        return [self._step._get_data(data, headers) for data, headers in answers]
