"""Steps that storey 1.12 and mlrun 1.12 bring, as far as they are objects."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, Callable, NamedTuple

from .errors import (
    MLRunInvalidArgumentError,
    MLRunInvalidArgumentTypeError,
    MLRunRuntimeError,
)


class Step:
    """What classes of steps derive from: keeps what every step is given."""

    def __init__(
        self,
        name: str | None = None,
        context: Any = None,
        full_event: bool | None = None,
        input_path: str | None = None,
        result_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.name = name or type(self).__name__
        self.context = context
        self.logger = getattr(context, "logger", None)
        self.verbose = bool(getattr(context, "verbose", False))
        self._full_event = full_event
        self._input_path = input_path
        self._result_path = result_path
        self._kwargs = kwargs


class MapClass(Step):
    """A step with a method `do(self, body)`, which may call `self.filter()`."""

    _filtered = False

    def filter(self) -> None:
        """Drop the event at hand."""
        self._filtered = True

    def drops(self) -> bool:
        """Was the event just seen dropped?"""
        filtered, self._filtered = self._filtered, False
        return filtered

    def do(self, event: Any) -> Any:
        raise NotImplementedError


class Choice(Step):
    """A step with a method `select_outlets(self, body)`."""

    def select_outlets(self, event: Any) -> Any:
        """The names of the steps that the event goes to."""
        return None


class ChoiceByField(Choice):
    """The event goes to the step or steps that a field of its body names."""

    def __init__(self, field_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.field_name = field_name

    def select_outlets(self, event: Any) -> Any:
        field = self.field_name
        if field not in event:
            raise MLRunRuntimeError(
                f"Field '{field}' is not contained in the event keys {list(event.keys())}."
            )
        chosen = event[field]
        if chosen is None:
            raise MLRunInvalidArgumentError(
                f"Field '{field}' exists but its value is None."
            )
        if not isinstance(chosen, (str, list, tuple)):
            raise MLRunInvalidArgumentTypeError(
                f"Field '{field}' must be a string or list of strings "
                f"but is instead of type '{type(chosen).__name__}'."
            )
        if isinstance(chosen, str):
            return [chosen]
        if not chosen:
            raise MLRunRuntimeError(
                f"The value of the key '{field}' cannot be an empty {type(chosen).__name__}."
            )
        return chosen


class Rename:
    """Fields of the body get other names, in place and in this order."""

    def __init__(self, mapping: dict[str, str]) -> None:
        self._mapping = mapping

    def do(self, body: Any) -> Any:
        for old, new in self._mapping.items():
            if old in body:
                body[new] = body.get(old)
                del body[old]
        return body


class DropColumns:
    """A copy of the body without some fields; those that are not there are no matter."""

    def __init__(self, columns: str | Iterable[str]) -> None:
        self._columns = [columns] if isinstance(columns, str) else list(columns)

    def do(self, body: Any) -> Any:
        body = copy.copy(body)
        for column in self._columns:
            body.pop(column, None)
        return body


class ReifyMetadata:
    """What the event says of itself becomes fields of its body."""

    def __init__(self, mapping: Iterable[str] | dict[str, str]) -> None:
        self._mapping = (
            mapping if isinstance(mapping, dict) else {name: name for name in mapping}
        )

    def do_event(self, event: Any) -> Any:
        for attribute, field in self._mapping.items():
            event.body[field] = getattr(event, attribute)
        return event


class Partitioned(NamedTuple):
    """What Partition makes of a body: it is on one of the two sides."""

    left: Any
    right: Any


class Partition:
    """The body goes to the left if the predicate is true of the event, else to the right."""

    def __init__(self, predicate: Callable[[Any], Any]) -> None:
        self._predicate = predicate

    def do_event(self, event: Any) -> Any:
        if self._predicate(event):
            event.body = Partitioned(left=event.body, right=None)
        else:
            event.body = Partitioned(left=None, right=event.body)
        return event
