"""Merge: waits for the parts of an event that come by several ways (mlrun 1.12)."""

from __future__ import annotations

from typing import Any, Callable, TypeVar

M = TypeVar("M", bound="Merge")


class Merge:
    """Joins as many arrivals with the same key as are expected into one list of their bodies.

    The key is the event's id, or what `key_path` makes of the body (of the event, with
    `full_event`). A key that is incomplete when `max_behind` others have come after it
    is given up: its parts are dropped, those still to come as well.

    Subclasses may override `get_join_key` and `merge_function`.
    """

    def __init__(
        self,
        expected_num_events: int | None = None,
        key_path: Callable[[Any], Any] | str | None = None,
        max_behind: int | None = None,
        full_event: bool | None = None,
        context: Any = None,
        name: str = "Merge",
        **kwargs: Any,
    ) -> None:
        self.context = context
        self.name = name
        self.key_path = key_path
        self.max_behind = max_behind
        self.expected_num_events = expected_num_events
        self._expected = expected_num_events or 0
        self._key_path: Callable[[Any], Any] = _event_id
        if isinstance(key_path, str):  # in the code of a subclass
            self._key_path = eval(f"lambda event: {key_path}", {}, {})
        elif key_path:
            self._key_path = key_path
        self._max_behind = max_behind or 64
        self._full_event = key_path is None if full_event is None else full_event
        #: By key: the number of keys that came before it, and its parts so far.
        self._waiting: dict[Any, tuple[int, list[Any]]] = {}
        #: By key given up: how many of its parts may still come.
        self._late: dict[Any, int] = {}
        self._keys = 0

    def arrive(self, event: Any, body: Any) -> tuple[Any, Any] | None:
        """`(event, bodies)` when this is the last part, else None.

        The event is that of the last part, the bodies are in the order of arrival. With
        one part expected each event passes as it is.
        """
        if self._expected <= 1:
            return event, body
        if self._full_event:
            event.body = body
        part = event if self._full_event else body
        parts = self._add(part)
        if parts is None:
            return None
        merged = self.merge_function(part, parts)
        if not merged:
            return None
        return (merged, merged.body) if self._full_event else (event, merged)

    def expect(self, ways: int) -> None:
        """So many ways lead to it; a number that it was given counts more."""
        self._expected = self.expected_num_events or ways

    def reset(self) -> None:
        """Forget all parts: for ids as keys, which Nuclio does not make unique."""
        self._waiting.clear()
        self._late.clear()
        self._keys = 0

    def get_join_key(self, event: Any) -> Any:
        """The key of a part, which is an event or a body."""
        return self._key_path(event)

    def merge_function(self, last_event: Any, events: list[Any]) -> Any:
        """What the parts, the last one among them, become."""
        if not self._full_event:
            return events
        last_event.body = [event.body for event in events]
        return last_event

    def _add(self, part: Any) -> list[Any] | None:
        """All parts with the key of this one, if it is the last of them."""
        key = self.get_join_key(part)
        if key in self._late:
            self._drop(key)
            return None
        if key in self._waiting:
            _, parts = self._waiting[key]
            parts.append(part)
            if len(parts) < self._expected:
                return None
            del self._waiting[key]
            return parts
        self._waiting[key] = (self._keys, [part])
        self._keys += 1
        oldest = next(iter(self._waiting))
        if self._waiting[oldest][0] < self._keys - self._max_behind:
            self._give_up(oldest)
        return None

    def _give_up(self, key: Any) -> None:
        _, parts = self._waiting.pop(key)
        self._late[key] = self._expected - len(parts)
        if len(self._late) > self._max_behind:
            del self._late[next(iter(self._late))]
        message = f"missing parts for event key {key} after a long wait, dropping"
        if self.context and self._full_event:
            self.context.push_error(parts[0], message, source=self.name)
        elif self.context:
            self.context.logger.warn(message)  # noqa: G010 (Nuclio's logger)

    def _drop(self, key: Any) -> None:
        self._late[key] -= 1
        if not self._late[key]:
            del self._late[key]
        if self.context:
            message = f"a part for event key {key} arrived late"
            self.context.logger.warn(message)  # noqa: G010 (Nuclio's logger)


def joining(merge: M, ways: int) -> M:
    """A Merge of the user's own class, to which so many ways lead."""
    merge.expect(ways)
    return merge


def _event_id(event: Any) -> Any:
    return event.id
