"""The steps of MLRun's feature store; the answers are MLRun 1.12.1's own."""

from __future__ import annotations

import sys
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from graphc.runtime_min import errors, features

NAN = float("nan")


def done(step: Any, body: Any) -> Any:
    """The new body, or the class and text of the failure."""
    try:
        return step.do(body)
    except Exception as exc:
        return type(exc).__name__, str(exc)


def test_categories_become_fields() -> None:
    step = features.OneHotEncoder({"c": ["red", "light-blue x", "red"], "n": [1, True, 2], "z": []})
    seen = done(step, {"c": "light-blue x", "k": 0, "n": 2.0, "z": 7})
    zeros = {"c_red": 0, "c_light_blue_x": 1, "k": 0, "n_1": 0, "n_2": 0, "n_2.0": 1, "z": 7}
    assert list(seen.items()) == list(zeros.items())
    assert done(step, {"c": "green"}) == {"c_red": 0, "c_light_blue_x": 0}
    assert done(step, {"n": "1"}) == {"n_1": 0, "n_2": 0}
    with pytest.raises(errors.MLRunInvalidArgumentError, match="int or string mapping list"):
        features.OneHotEncoder({"c": [1.5]})


def test_missing_values_are_filled() -> None:
    step = features.Imputer(default_value=-1, mapping={"a": 0})
    body = {"a": None, "b": NAN, "c": [], "d": [None], "e": [NAN], "f": [3], "g": "", "h": {}}
    assert done(step, body) == {**body, "a": 0, "b": -1, "d": -1, "e": -1}
    assert done(features.Imputer(), {"a": NAN}) == {"a": None}
    kind, text = done(step, {"a": [None, 1]})
    assert kind == "ValueError"
    assert text.startswith("The truth value of an array with more than one element is ambiguous")


def test_values_are_mapped() -> None:
    ranges = {"ranges": {"low": ["-inf", 0], "mid": [0, 5], "high": [5, "inf"]}}
    step = features.MapValues({"n": ranges, "s": {"U": 0, 1: "one"}})
    assert done(step, {"n": 0, "s": 1, "other": 1}) == {"n": "mid", "s": "one"}
    assert done(step, {"n": -9, "s": "V"}) == {"n": "low", "s": "V"}
    assert done(step, {"n": 5}) == {"n": "high"}
    assert done(step, {"n": NAN})["n"] != "mid"
    assert done(step, {"n": None})[0] == "TypeError"
    step = features.MapValues({"s": {"U": 0}}, with_original_features=True, suffix="x")
    kept = done(step, {"a": 1, "s": "U"})
    assert list(kept.items()) == [("s_x", 0), ("a", 1), ("s", "U")]


def test_features_are_dropped_one_after_the_other() -> None:
    step = features.DropFeatures(["a", "b"])
    body = {"a": 1, "b": 2, "c": 3}
    assert done(step, body) is body
    assert body == {"c": 3}
    body = {"a": 1, "c": 3}
    text = "The ingesting data doesn't contain a feature named 'b'"
    assert done(step, body) == ("MLRunInvalidArgumentError", text)
    assert body == {"c": 3}


def test_parts_of_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = SimpleNamespace(Timestamp=datetime.fromisoformat)
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    step = features.DateExtractor(["hour", "day"], "at")
    body = {"at": "2024-05-01T10:00:00"}
    assert done(step, body) is body
    assert body == {"at": "2024-05-01T10:00:00", "at_hour": 10, "at_day": 1}
    text = "timestamp does not exist in the event"
    assert done(features.DateExtractor(["hour"]), {}) == ("MLRunInvalidArgumentError", text)


def test_metadata_come_from_the_body() -> None:
    event = SimpleNamespace(id="i", key="k", body={"m": {"id": 5}, "k": None})
    assert done(features.SetEventMetadata("m.id", "m.none.at.all"), event) is event
    assert (event.id, event.key) == ("5", "None")
    event.body = SimpleNamespace(at=SimpleNamespace(id=7))
    features.SetEventMetadata("at.id").do(event)
    assert (event.id, event.key) == ("7", "None")
    features.SetEventMetadata("at.id", random_id=True).do(event)
    assert len(event.id) == 32
