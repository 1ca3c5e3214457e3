"""Streams: what is put on them, by queues and by synchronous flows."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from graphc.runtime_min.stream_columns import ColumnsQueue
from graphc.runtime_min.streams import MemoryStream, Queue, open_stream


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRAPHC_STREAMS", f"dir:{tmp_path}")
    return tmp_path


def messages(path: Path) -> list[tuple[Any, Any]]:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(line["data"], line["key"]) for line in lines]


def event(**fields: Any) -> Any:
    return SimpleNamespace(**fields)


def test_file_names_are_the_paths(folder: Path) -> None:
    for path in (
        "users/demo/a",
        "kafka://broker:9092/or ders",
        "kafka://b?topic=t",
        "v3io://host/c/s/x",
    ):
        open_stream(path).push("1")
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["c%2Fs%2Fx.jsonl", "or%20ders.jsonl", "t.jsonl", "users%2Fdemo%2Fa.jsonl"]


def test_messages_of_queues(folder: Path) -> None:
    queue = Queue("out")
    queue.push(event(key="k"), {"ä": date(2026, 1, 2)})
    queue.push(event(), "text")
    queue.push_event(event(id="i", key=["a", 2]), [1])
    queue.push(event(key=["a", 2, "c"]), 1)
    assert messages(folder / "out.jsonl") == [
        ('{"\\u00e4": "2026-01-02"}', "k"),
        ('"text"', None),
        ('{"full_event_wrapper": true, "body": [1], "key": ["a", 2], "id": "i"}', "a.2"),
        ("1", "a.a34a9b3ed0cdd295aaa1166677fcb4d8ef597095"),
    ]


def test_sharding_takes_the_place_of_the_key(folder: Path) -> None:
    Queue("out", sharding="user").push(event(key="k"), {"user": 7, "x": 1})
    Queue("out", sharding=lambda event: event.body["x"] * "z").push(event(key="k"), {"x": 3})
    Queue("out", sharding=2).push(event(key="k"), {})
    assert [key for _, key in messages(folder / "out.jsonl")] == [None, "zzz", None]


def test_synchronous_flows_split_lists_and_keep_what_is_empty(folder: Path) -> None:
    queue = Queue("out")
    assert queue.send({}) == {}
    assert queue.send([{"a": 1}, "plain", b"bytes"]) is None
    assert messages(folder / "out.jsonl") == [('{"a": 1}', None), ("plain", None), ("bytes", None)]


def test_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRAPHC_STREAMS", raising=False)
    with pytest.raises(ValueError, match=r"kafka://b/t.*GRAPHC_STREAMS=dir:"):
        open_stream("kafka://b/t")
    memory = open_stream("dummy://")
    memory.push('{"a": 1}', "k")
    assert isinstance(memory, MemoryStream)
    assert memory.messages == [('{"a": 1}', "k")]


@pytest.mark.parametrize(
    ("columns", "infers", "bodies", "sent"),
    [  # as storey 1.12.6 does
        (["a", "z=b"], False, [{"a": 1, "b": 2, "c": 3}], [{"a": 1, "z": 2}]),
        (["a", "b"], False, [{"a": None}, {}], [{}, {}]),
        (["$key", "n=$id"], False, [{"a": 1}, [5]], [{"key": "k", "n": "i"}, ["k", "i"]]),
        (["a", "n=$id"], False, [[5, 6], [7]], [[5, "i"], [7, "i"]]),
        (["a"], False, [[5, 6]], [[5, 6]]),
        (
            ["z=b"],
            True,
            [{"c": 1, "b": 2}, {"a": 1, "b": 3}],
            [{"b": 2, "c": 1, "z": 2}, {"b": 3, "z": 3}],
        ),
        ([], True, ["text", {}, {"a": 1}], ["text", {}, {"a": 1}]),
    ],
)
def test_columns(folder: Path, columns: Any, infers: bool, bodies: Any, sent: Any) -> None:
    queue = ColumnsQueue("out", columns=columns, infer_columns_from_data=infers)
    for body in bodies:
        queue.push(event(key="k", id="i"), body)
    assert [json.loads(text) for text, _ in messages(folder / "out.jsonl")] == sent


def test_columns_of_what_has_none(folder: Path) -> None:
    queue = ColumnsQueue("out", columns=["a"], sharding="b")
    queue.push_event(event(id="i"), {"a": 1, "b": "x"})
    assert messages(folder / "out.jsonl") == [
        ('{"full_event_wrapper": true, "body": {"a": 1}, "id": "i"}', "x")
    ]
    with pytest.raises(TypeError, match="only events of type dict or list"):
        queue.push(event(), "text")
    with pytest.raises(TypeError, match="Cannot infer_columns_from_data"):
        ColumnsQueue("out", columns=["a"], infer_columns_from_data=True).push(event(), [1])
