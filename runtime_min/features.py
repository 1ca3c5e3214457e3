"""Steps of mlrun's feature store, for bodies that are dicts (mlrun 1.12, `feature_store.steps`)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from .errors import MLRunInvalidArgumentError


class OneHotEncoder:
    """Fields become one field for each category: 1 for that of the value, 0 for the others."""

    def __init__(self, mapping: dict[str, list[Any]]) -> None:
        categories = [item for values in mapping.values() for item in values]
        if not all(isinstance(item, (str, int)) for item in categories):
            raise MLRunInvalidArgumentError(
                "For OneHotEncoder you must provide int or string mapping list"
            )
        # A field without categories stays as it is.
        self._categories = {
            field: values for field, values in mapping.items() if values
        }
        self._zeros = {
            field: {_name(field, item): 0 for item in dict.fromkeys(values)}
            for field, values in self._categories.items()
        }

    def do(self, body: Any) -> Any:
        encoded: dict[Any, Any] = {}
        for field, value in body.items():
            if field not in self._categories:
                encoded[field] = value
                continue
            encoded.update(self._zeros[field])
            if value in self._categories[field]:
                # 2.0 is the category 2, but of a name of its own, as in mlrun.
                encoded[_name(field, value)] = 1
        return encoded


def _name(field: Any, category: Any) -> str:
    if isinstance(category, str):
        category = category.replace(" ", "_").replace("-", "_")
    return f"{field}_{category}"


class Imputer:
    """Values that are missing get one of their field's own, or that of all."""

    def __init__(
        self, default_value: Any = None, mapping: dict[str, Any] | None = None
    ) -> None:
        self._default = default_value
        self._mapping = mapping or {}

    def do(self, body: Any) -> Any:
        return {
            field: self._mapping.get(field, self._default) if _missing(value) else value
            for field, value in body.items()
        }


def _missing(value: Any) -> bool:
    """Whether `pandas.isna` is true of a value: None, NaN, NaT, NA."""
    if value is None or type(value).__name__ == "NAType":
        return True
    if isinstance(value, list):  # pandas looks into lists, and at nothing else in them
        if len(value) > 1:
            raise ValueError(
                "The truth value of an array with more than one element is ambiguous. "
                "Use a.any() or a.all()"
            )
        return len(value) == 1 and _missing(value[0])
    itself = value
    return not isinstance(value, (str, dict)) and bool(value != itself)


class MapValues:
    """Fields get other values; only these fields stay, or new ones are put before all."""

    def __init__(
        self,
        mapping: dict[str, dict[Any, Any]],
        with_original_features: bool = False,
        suffix: str = "mapped",
    ) -> None:
        self._mapping = mapping
        self._ranges = {
            field: [
                (name, _bound(low, "-inf"), _bound(high, "inf"))
                for name, (low, high, *_) in values["ranges"].items()
            ]
            for field, values in mapping.items()
            if "ranges" in values
        }
        self._keeps = with_original_features
        self._suffix = f"_{suffix}" if with_original_features else ""

    def do(self, body: Any) -> Any:
        mapped = {
            f"{field}{self._suffix}": self._mapped(field, value)
            for field, value in body.items()
            if field in self._mapping
        }
        return {**mapped, **body} if self._keeps else mapped

    def _mapped(self, field: Any, value: Any) -> Any:
        for name, low, high in self._ranges.get(field, ()):
            if value >= low and value < high:
                return name
        return self._mapping[field].get(value, value)


def _bound(value: Any, infinite: str) -> Any:
    return float(infinite) if value == infinite else value


class DateExtractor:
    """Parts of a moment become fields of the body, in place."""

    def __init__(self, parts: Iterable[str], timestamp_col: str | None = None) -> None:
        import pandas  # type: ignore[import-untyped,unused-ignore]

        self._timestamp = pandas.Timestamp
        self._column = timestamp_col or "timestamp"
        self._fields = {part: f"{self._column}_{part}" for part in parts}

    def do(self, body: Any) -> Any:
        try:
            value = body[self._column]
        except KeyError:
            raise MLRunInvalidArgumentError(
                f"{self._column} does not exist in the event"
            ) from None
        moment = self._timestamp(value)
        for part, field in self._fields.items():
            body[field] = getattr(moment, part)
        return body


class DropFeatures:
    """The body without some fields, in place; one that is not there is an error."""

    def __init__(self, features: Iterable[str]) -> None:
        self._features = list(features)

    def do(self, body: Any) -> Any:
        for feature in self._features:
            try:
                del body[feature]
            except KeyError:
                raise MLRunInvalidArgumentError(
                    f"The ingesting data doesn't contain a feature named '{feature}'"
                ) from None
        return body


class SetEventMetadata:
    """Parts of the body become the event's id and key, as text; or the id is a random one."""

    def __init__(
        self,
        id_path: str | None = None,
        key_path: str | None = None,
        random_id: bool | None = None,
    ) -> None:
        paths = {"id": id_path, "key": key_path}
        self._paths = {name: path.split(".") for name, path in paths.items() if path}
        self._random_id = random_id

    def do(self, event: Any) -> Any:
        for name, path in self._paths.items():
            setattr(event, name, str(_part(event.body, path)))
        if self._random_id:
            event.id = uuid.uuid4().hex
        return event


def _part(body: Any, path: list[str]) -> Any:
    """The part of a body that keys and attributes lead to; None if there is no such."""
    for key in path:
        if body is None:
            return None
        body = body.get(key) if isinstance(body, dict) else getattr(body, key, None)
    return body
