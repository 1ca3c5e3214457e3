"""Queues that send some fields of a body (storey 1.12: `columns` of its stream targets)."""

from __future__ import annotations

from typing import Any

from .streams import Driver, Queue, encoded, envelope


class ColumnsQueue(Queue):
    """A queue with `columns`: `"name"`, `"new=old"`, `"$attribute"`, `"new=$attribute"`.

    Of a dict goes what is there and not None; a list gets the attributes of the event at
    the places of their columns. `infer_columns_from_data` adds the fields of the first
    dict, and sorts the columns.
    """

    def __init__(
        self,
        path: str,
        *drivers: Driver,
        columns: list[str],
        infer_columns_from_data: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(path, *drivers, **options)
        self._infers = infer_columns_from_data
        self._columns: list[str] = []
        self._attributes: dict[str, str] = {}
        self._fields: dict[str, str] = {}
        for column in columns:
            name, _, source = column.partition("=")
            if name.startswith("$"):
                name, source = column[1:], column
            if source.startswith("$"):
                self._attributes[name] = source[1:]
            elif source:
                self._fields[name] = source
            self._columns.append(name)

    def push(self, event: Any, body: Any) -> None:
        self._push(encoded(self._record(event, body)), event, body)

    def push_event(self, event: Any, body: Any) -> None:
        record = self._record(event, body)
        self._push(encoded(envelope(event, record)), event, body)

    def _record(self, event: Any, body: Any) -> Any:
        if isinstance(body, dict):
            return self._of_dict(event, body)
        if not isinstance(body, list):
            if not self._columns:
                return body
            raise TypeError("Writer supports only events of type dict or list.")
        if self._infers:
            raise TypeError(
                "Cannot infer_columns_from_data when event type is list. "
                "Inference is only possible from dict."
            )
        if not self._attributes:
            return body
        record: list[Any] = []
        at = 0
        for name in self._columns:
            if name in self._attributes:
                record.append(getattr(event, self._attributes[name], None))
            else:
                record.append(body[at])
                at += 1
        return record

    def _of_dict(self, event: Any, body: dict[str, Any]) -> dict[str, Any]:
        if self._infers:
            self._columns = sorted([*self._columns, *body])
            self._infers = False
        if not self._columns:
            return body
        record = {}
        for name in self._columns:
            if name in self._attributes:
                value = getattr(event, self._attributes[name], None)
            else:
                value = body.get(self._fields.get(name, name))
            if value is not None:
                record[name] = value
        return record
