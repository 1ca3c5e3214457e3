"""The drivers for V3IO and for URLs, against servers that remember and misbehave."""

import os
import random
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import xxhash

import http_service
import v3io_service
from graphc.runtime_min.stream_http import HttpStream
from graphc.runtime_min.stream_v3io import V3ioStream, xxh32


@pytest.fixture
def v3io(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with v3io_service.running() as service:
        monkeypatch.setenv("V3IO_API", service.address)
        monkeypatch.setenv("V3IO_ACCESS_KEY", "an-access-key")
        yield service


def records(service: Any, path: str = "/users/a/") -> list[list[str]]:
    found: list[list[str]] = service.streams[path]
    return found


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("users/a", "/users/a/"),
        ("/users/a b/é/", "/users/a%20b/%C3%A9/"),
        ("v3io:///users/a", "/users/a/"),
        ("v3io://{address}/users/a/b", "/users/a/b/"),
    ],
)
def test_paths(v3io: Any, monkeypatch: pytest.MonkeyPatch, path: str, place: str) -> None:
    if "{address}" in path:
        monkeypatch.delenv("V3IO_API")
    stream = V3ioStream(path.format(address=v3io.address))
    stream.push("1")
    stream.flush()
    stream.close()
    assert v3io.streams == {place: [["1"]]}
    assert v3io.keys == {"an-access-key"}
    assert [function for function, _, _ in v3io.asked] == ["CreateStream", "PutRecords"]


def test_paths_that_name_no_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("V3IO_API", raising=False)
    for path in ("users", "v3io://host/users", ""):
        with pytest.raises(ValueError, match="container/path is wanted"):
            V3ioStream(path)
    with pytest.raises(ValueError, match="V3IO_API is not set"):
        V3ioStream("users/a")
    with pytest.raises(ValueError, match="names no host"):
        HttpStream("http:///a")


def test_a_stream_is_created_before_something_is_sent(v3io: Any) -> None:
    stream = V3ioStream("users/a", shards=3, retention_in_hours=5)
    end = time.monotonic() + 5
    while "/users/a/" not in v3io.streams and time.monotonic() < end:
        time.sleep(0.01)
    stream.close()
    assert records(v3io) == [[], [], []]


def test_shards(v3io: Any) -> None:
    """Numbers and keys lead to the shards to which storey 1.12 leads them."""
    v3io.create("/users/a/", 4)  # other than what is asked for, which then does not count
    stream = V3ioStream("users/a", shards=2)
    for number in range(8):
        stream.push(f"number {number}", "ignored", number)
        stream.push(f"key {number}", f"k{number}")
    stream.push("none")
    stream.flush()
    stream.close()
    expected: list[list[str]] = [[], [], [], []]
    for number in range(8):
        expected[number % 4].append(f"number {number}")
        expected[xxhash.xxh32(f"k{number}".encode()).intdigest() % 4].append(f"key {number}")
    expected[0].append("none")  # the server's choice
    assert records(v3io) == expected


def test_the_hash_is_that_of_xxhash() -> None:
    for size in [*range(100), 1000]:
        data = os.urandom(size)
        assert xxh32(data) == xxhash.xxh32(data).intdigest()


def test_records_go_in_batches_of_8_through_one_connection(v3io: Any) -> None:
    v3io.misbehave = ["slow"]
    stream = V3ioStream("users/a")
    for number in range(101):
        stream.push(str(number))
    stream.flush()
    stream.close()
    sizes = [size for function, _, size in v3io.asked if function == "PutRecords"]
    assert max(sizes) == 8
    assert sum(sizes) == 101
    assert len(sizes) <= 15
    assert len(v3io.connections) == 1
    assert records(v3io) == [[str(number) for number in range(101)]]


def test_failures_are_tried_again_in_order(v3io: Any) -> None:
    seeded = random.Random(7)
    kinds: list[Any] = [503, 500, 429, "reset", (0, 1, 2, 3, 4, 5, 6, 7)]
    v3io.misbehave = [seeded.choice([(), *kinds]) for _ in range(12)]
    stream = V3ioStream("users/a")
    for number in range(100):
        stream.push(str(number))
    stream.flush()
    assert v3io.misbehave == []
    assert records(v3io) == [[str(number) for number in range(100)]]
    # Of a batch that was taken in part the rest follows, before all others.
    v3io.misbehave = ["slow", (2, 5, 6), (1,)]
    for number in range(100, 124):
        stream.push(str(number))
    stream.flush()
    stream.close()
    found = [int(text) for text in records(v3io)[0][100:]]
    assert sorted(found) == list(range(100, 124))
    assert max(found[:13]) < min(found[16:])


def test_what_is_refused(v3io: Any) -> None:
    v3io.misbehave = [403]
    stream = V3ioStream("users/a")
    stream.push("1")
    began = time.monotonic()
    with pytest.raises(OSError, match=r"the stream 'users/a': status 403: .*because 403"):
        stream.flush()
    assert time.monotonic() - began < 40
    stream.push("2")
    stream.flush()
    stream.close()
    assert records(v3io) == [["2"]]


def test_a_record_that_is_refused_is_given_up_alone(v3io: Any) -> None:
    v3io.misbehave = ["slow", 413, (), 413, ()]
    stream = V3ioStream("users/a")
    for number in range(9):
        stream.push(str(number))
        if number == 0:
            time.sleep(0.1)  # it is under way alone
    with pytest.raises(ValueError, match="'users/a' refuses a message: status 413"):
        stream.flush()
    stream.flush()
    stream.close()
    assert records(v3io) == [["0", "1", "3", "4", "5", "6", "7", "8"]]


def test_records_that_are_never_taken(v3io: Any) -> None:
    v3io.misbehave = [(0,)] * 100
    stream = V3ioStream("users/a", patience=0.3)
    stream.push("1")
    with pytest.raises(OSError, match="throughput exceeded"):
        stream.flush()
    stream.close()


def test_a_stream_that_goes_away_is_created_again(v3io: Any) -> None:
    stream = V3ioStream("users/a")
    stream.push("1")
    stream.flush()
    v3io.streams.clear()
    stream.push("2")
    stream.flush()
    stream.close()
    assert records(v3io) == [["2"]]
    other = V3ioStream("users/b", create=False)
    other.push("1")
    with pytest.raises(OSError, match="404"):
        other.flush()
    other.close()


def test_nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("V3IO_API", f"http://127.0.0.1:{taken.getsockname()[1]}")
        stream = V3ioStream("users/a", patience=0.3)
        for number in range(30):
            stream.push(str(number))
        with pytest.raises(OSError, match=r"the stream 'users/a'.*refused"):
            stream.flush()
        stream.flush()
        stream.close()


def test_posts() -> None:
    with http_service.running() as service:
        service.fails("/drop/1?x=1", 2)
        stream = HttpStream(service.url.replace("//", "//me:a%20b@") + "/drop/1?x=1")
        stream.push('{"a": 1}', "k", 1)
        stream.push("ö".encode())
        stream.flush()
        stream.close()
        found = [(asked["method"], asked["path"], asked["data"]) for asked in service.asked]
        first = ("POST", "/drop/1?x=1", b'{"a": 1}')
        assert found == [first, first, first, ("POST", "/drop/1?x=1", "ö".encode())]
        assert service.asked[0]["headers"]["authorization"] == "Basic bWU6YSBi"
        assert "content-type" not in service.asked[0]["headers"]  # as in mlrun 1.12

        stream = HttpStream(f"{service.url}/status/422", patience=5)
        stream.push("1")
        with pytest.raises(ValueError, match=r"/status/422 refuses a message: status 422: no, é"):
            stream.flush()
        stream.flush()
        stream.close()
        assert service.times("/status/422") == 1
        stream = HttpStream(f"{service.url}/status/404", patience=5)
        stream.push("1")
        with pytest.raises(OSError, match=r"/status/404: status 404: no, é"):
            stream.flush()
        stream.close()
        assert service.times("/status/404") == 1
        stream = HttpStream(f"{service.url}/status/500", patience=0.3)
        stream.push("1")
        with pytest.raises(OSError, match="status 500"):
            stream.flush()
        stream.close()
        assert service.times("/status/500") > 1
