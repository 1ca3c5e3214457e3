"""When an event is done: what it sent has arrived, then it is answered or acknowledged.

`start` chooses how, once for each worker, as a worker belongs to one trigger. Events of
streams are delivered at least once: one is acknowledged when it is done, so that another
worker gets it if this one ends before.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any, Callable

from .streams import Writer, writers

#: Kinds of triggers whose messages a worker acknowledges itself (nuclio 1.14).
_ACKNOWLEDGED = frozenset(["kafka-cluster", "kafka", "v3ioStream", "v3io-stream"])
#: Kinds whose messages come again if the worker ends before it has answered.
_COME_AGAIN = _ACKNOWLEDGED | {"pubsub"}

#: After how many events, and how many seconds, what they sent is confirmed.
STRIDE = 100
SECONDS = 1.0
#: How many seconds later it is looked again, if something is still under way.
_AGAIN = 0.02


def start(
    context: Any, at_termination: Callable[[Callable[[], Any]], None] | None = None
) -> Callable[[Any, Any], Any]:
    """What a handler calls with an event that went its way, and with the answer.

    `at_termination` takes what is called when the worker ends; without one Nuclio does.
    """
    at_termination = at_termination or context.platform.set_termination_callback
    kind = context.trigger.kind
    if kind in _ACKNOWLEDGED:
        strides = Strides(context, asyncio.get_running_loop())
        context.platform.set_drain_callback(strides.confirm)
        at_termination(strides.close)
        return strides.done
    requests = Requests(context, come_again=kind in _COME_AGAIN)
    at_termination(requests.close)
    return requests.done


class Requests:
    """Each event is done before it is answered.

    With `come_again` the worker ends if a stream stays down.
    """

    def __init__(self, context: Any, come_again: bool = False) -> None:
        self._context = context
        self._come_again = come_again

    def done(self, event: Any, response: Any) -> Any:
        """The response, when all that the event sent has arrived; else what says so."""
        try:
            confirm(writers)
        except Exception as exc:  # noqa: BLE001 (drivers' clients have their own)
            return self._failed(exc, response)
        return response

    def _failed(self, exc: Exception, response: Any) -> Any:
        if self._come_again and not isinstance(exc, ValueError):
            end(self._context.logger, exc)
        self._context.logger.error(f"not sent: {exc}")
        if response.status_code >= 400:
            return response
        return self._context.Response(
            body=str(exc), content_type="text/plain", status_code=503
        )

    def close(self) -> None:
        """When the worker ends."""
        close(writers, self._context.logger)


class Strides:
    """Events of a stream, which Nuclio hands over one by one, in the order of a partition.

    What they send goes out at once; it is confirmed, and they are acknowledged, a stride
    at a time. If a stream stays down the worker ends, and nothing since is acknowledged.
    """

    def __init__(self, context: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._platform = context.platform
        self._logger = context.logger
        self._loop = loop
        #: The last event that is done, by topic and partition.
        self._done: dict[tuple[str, int], int] = {}
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Future[None]] = set()

    def done(self, event: Any, response: Any) -> Any:
        """The response, of which nobody reads more than that the handler has returned."""
        topic = getattr(event, "topic", None) or event.stream_path
        self._done[topic, event.shard_id] = event.offset
        self._count += 1
        if self._count >= STRIDE:
            self._stride()
        elif self._timer is None:
            self._timer = self._loop.call_later(SECONDS, self._when_arrived)
        return response

    async def confirm(self) -> None:
        """Acknowledge all that is done, before other workers get the partitions."""
        self._stride()
        await asyncio.gather(*self._sending)

    async def close(self) -> None:
        """When the worker ends."""
        await self.confirm()
        close(writers, self._logger)

    def _when_arrived(self) -> None:
        """A stride, once it need not wait.

        If the worker waits between events, Nuclio's wrapper loses the head of the next one
        when a signal to drain has come meanwhile (1.14.1): it would wait for ever.
        """
        if any(writer.needed and writer.under_way() for writer in writers):
            self._timer = self._loop.call_later(_AGAIN, self._when_arrived)
        else:
            self._stride()

    def _stride(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            confirm(writers)
        except ValueError as exc:
            # A later attempt would be refused, too: the rest must not wait for ever.
            self._logger.error(f"not sent by one of {self._shown()}: {exc}")
        except Exception as exc:  # noqa: BLE001 (drivers' clients have their own)
            end(self._logger, exc)
        for (topic, partition), offset in self._done.items():
            position = Position(topic, partition, offset)
            sending = self._loop.create_task(self._acknowledge(position))
            # The loop itself does not keep a task.
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)
        self._done = {}
        self._count = 0

    async def _acknowledge(self, position: Position) -> None:
        try:
            await self._platform.explicit_ack(position)
        except Exception as exc:  # noqa: BLE001
            # If nothing later is acknowledged either, these events come again.
            self._logger.error(f"not acknowledged: {exc!r}")

    def _shown(self) -> str:
        last = (f"{topic}[{part}]@{at}" for (topic, part), at in self._done.items())
        return f"{self._count} events up to {', '.join(last)}"


class Position:
    """Up to where a partition is done: what Nuclio's SDK calls a QualifiedOffset."""

    def __init__(self, topic: str, partition: int, offset: int) -> None:
        self._attributes = {"topic": topic, "partition": partition, "offset": offset}

    def compile_explicit_ack_message(self) -> dict[str, Any]:
        """What the platform's `explicit_ack` sends to Nuclio."""
        return {"kind": "streamMessageAck", "attributes": self._attributes}


def confirm(opened: list[Writer]) -> None:
    """Return when all that events sent has arrived.

    Raises OSError if a stream stays down, ValueError if one refuses a message.
    """
    refused = None
    for writer in opened:
        if writer.needed:
            try:
                writer.flush()
            except ValueError as exc:
                refused = exc
    if refused is not None:
        raise refused


def close(opened: list[Writer], logger: Any) -> None:
    """Close the streams, once what is still under way has arrived."""
    for writer in opened:
        try:
            writer.flush()
        except (OSError, ValueError) as exc:
            logger.error(f"not sent: {exc}")
        writer.close()


def end(logger: Any, exc: Exception) -> None:
    """End the worker, so that its events come again.

    A status other than 0 ends Nuclio's processor, too. An exception would be taken for the
    event's answer, and 0 would leave the processor without a worker (nuclio 1.14).
    """
    logger.error(f"the worker ends, and its events come again: {exc}")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
