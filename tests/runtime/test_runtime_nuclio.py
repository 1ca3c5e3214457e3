"""Events in, answers out: serving.md 3.2, 4.5 and 7.1."""

import json

import pytest
from nuclio_stub import Context, Event, Response

from graphc.runtime_min import errors, nuclio, secrets
from graphc.runtime_min.context import GraphContext


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'{"a": 1}', "", {"a": 1}),
        (b'{"a": 1}', None, {"a": 1}),
        ('{"a": 1}', "application/json", {"a": 1}),
        ("[1]", "json", [1]),
        (b"text", "", b"text"),
        (b'{"a": 1}', "text/plain", b'{"a": 1}'),
        (b'{"a": 1}', "application/json; charset=utf-8", b'{"a": 1}'),
        (b"", "", None),
        (b"", "application/json", None),
        ({"a": 1}, "application/json", {"a": 1}),
        (None, "", None),
    ],
)
def test_body_is_decoded_by_content_type(body, content_type, expected):
    event = Event(body, content_type=content_type)
    nuclio.decode(event)
    assert event.body == expected


@pytest.mark.parametrize("body", [b"{", b"\xff", "no"])
def test_bad_json_is_answered_with_its_error_alone(body):
    with pytest.raises(nuclio.BadEvent) as caught:
        nuclio.decode(Event(body, content_type="application/json"))
    answer = nuclio.failure(Context(), caught.value, verbose=True)
    assert answer.status_code == 400
    assert answer.body.startswith("failed to json decode event, ")
    assert "Traceback" not in answer.body


def test_default_content_type_fills_an_empty_one_only():
    event = Event(b"{", content_type="")
    with pytest.raises(nuclio.BadEvent):
        nuclio.decode(event, "application/json")
    event = Event(b"{}", content_type="")
    nuclio.decode(event, "text/plain")
    assert (event.body, event.content_type) == (b"{}", "text/plain")
    event = Event(b"{}", content_type="json")
    nuclio.decode(event, "text/plain")
    assert event.body == {}


@pytest.mark.parametrize("kind", ["kafka-cluster", "v3ioStream", "rabbit-mq"])
def test_streams_have_no_path_and_keep_empty_bodies(kind):
    event = Event(b"", path="topic-1", kind=kind, topic=None)
    nuclio.decode(event)
    assert (event.path, event.stream_path, event.body) == ("/", "topic-1", b"")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (None, ("e1", "/p")),
        ({}, ("e1", "/p")),
        ({"Host": "x"}, ("e1", "/p")),
        ({"MLRUN-EVENT-ID": "i", "MLRUN-EVENT-PATH": "/q"}, ("i", "/q")),
        ({"Mlrun-Event-Id": "i"}, ("i", "/p")),
        ({"mlrun-event-path": "/q"}, ("e1", "/q")),
        ({"mlrun-event-id": b"i"}, ("i", "/p")),
        ({"Mlrun-Event-Id": ["i", "j"]}, ("i", "/p")),
        ({"Mlrun-Event-Id": []}, ("e1", "/p")),
        ({"Mlrun-Event-Id": ""}, ("e1", "/p")),
        ({"x-mlrun-event-id": "i"}, ("e1", "/p")),
    ],
)
def test_headers_of_remote_steps(headers, expected):
    event = Event(path="/p", headers=headers)
    nuclio.decode(event)
    assert (event.id, event.path) == expected


def test_unwrap_takes_the_envelope_off():
    event = Event({"full_event_wrapper": True, "body": [1], "id": "i", "key": "k"})
    assert nuclio.unwrap(event) == [1]
    assert (event.body, event.id, event.key) == ([1], "i", "k")
    event = Event({"body": [1]})
    assert nuclio.unwrap(event) == {"body": [1]}


def test_body_of_an_event_is_its_body_and_a_response_is_a_result():
    answer = Response(body="x")
    assert nuclio.body_of(Event({"a": 1})) == {"a": 1}
    assert nuclio.body_of(answer) is answer
    assert nuclio.body_of({"body": 1}) == {"body": 1}
    assert nuclio.body_of(None) is None


JSON = "application/json"


@pytest.mark.parametrize(
    ("result", "status", "content_type", "body"),
    [
        ({"a": [1]}, 200, JSON, '{"a": [1]}'),
        ([], 200, JSON, "[]"),
        ({}, 200, JSON, "{}"),
        ((1, 2), 200, JSON, "[1, 2]"),
        (5, 200, JSON, "5"),
        (True, 200, JSON, "true"),
        ({"a": "é", "n": float("nan")}, 200, JSON, '{"a": "\\u00e9", "n": NaN}'),
        ("", 200, "text/plain", ""),
        ("x", 200, "text/plain", "x"),
        (b"x", 200, "text/plain", b"x"),
        (None, 200, "text/plain", "None"),
        (0, 200, "text/plain", "0"),
        (False, 200, "text/plain", "False"),
        (nuclio.DROPPED, 204, "text/plain", ""),
        (errors.MLRunNotFoundError("no"), 404, "text/plain", "MLRunNotFoundError: no"),
    ],
)
def test_answers(result, status, content_type, body):
    answer = nuclio.response(Context(), result)
    assert (answer.status_code, answer.content_type) == (status, content_type)
    assert answer.body == body


def test_a_response_goes_out_as_it_is_and_bad_json_is_a_type_error():
    answer = Response(body=[1], status_code=201)
    assert nuclio.response(Context(), answer) is answer
    with pytest.raises(TypeError):
        nuclio.response(Context(), {"a": b"bytes"})


def caused():
    try:
        try:
            raise KeyError("age")
        except KeyError as exc:
            raise ValueError("outer") from exc
    except ValueError as exc:
        return exc


@pytest.mark.parametrize(
    ("exc", "causes", "status", "text"),
    [
        (ValueError("bad"), False, 400, "ValueError: bad"),
        (ValueError(), False, 400, "ValueError: ValueError()"),
        (KeyError("age"), False, 400, "KeyError: 'age'"),
        (caused(), False, 400, "ValueError: outer"),
        (caused(), True, 400, "ValueError: outer, caused by: 'age'"),
        (errors.MLRunNotFoundError("no"), False, 404, "MLRunNotFoundError: no"),
        (errors.MLRunTimeoutError("slow"), False, 504, "MLRunTimeoutError: slow"),
        (errors.MLRunHTTPStatusError("x"), False, 400, "MLRunHTTPStatusError: x"),
    ],
)
def test_failures(exc, causes, status, text):
    context = Context()
    answer = nuclio.failure(context, exc, causes)
    assert (answer.status_code, answer.content_type) == (status, "text/plain")
    assert answer.body == text
    assert len(context.errors()) == 1


def test_long_errors_are_cut_and_verbose_ones_have_a_traceback():
    answer = nuclio.failure(Context(), ValueError("a" * 40_000 + "z"))
    message = answer.body[len("ValueError: ") :]
    assert len(message) == 32_000 + len("...truncated...")
    assert message.endswith("z")
    answer = nuclio.failure(Context(), caused(), verbose=True)
    assert answer.body.startswith("ValueError: outer\nTraceback")


def test_errors_can_be_caught_as_in_mlrun():
    assert issubclass(errors.MLRunInvalidArgumentError, ValueError)
    assert issubclass(errors.MLRunNotFoundError, errors.MLRunHTTPStatusError)
    assert issubclass(errors.MLRunHTTPError, OSError)
    assert errors.err_to_str(caused()) == "outer, caused by: 'age'"
    assert errors.err_to_str(None) == ""
    assert errors.err_to_str("text") == "text"
    assert str(errors.MLRunBadRequestError("x", response=None)) == "x"


def test_context_has_parameters_and_room_for_steps_own_attributes():
    context = GraphContext(Context(), "fn", "p", tag="t", parameters={"a": 1}, current_function="f")
    assert context.server.function_uri == "p/fn:t"
    assert (context.stream.enabled, context.stream.output_stream) == (False, None)
    assert context.get_param("a") == 1
    assert context.get_param("b", 2) == 2
    assert context.get_secret("s") is None
    assert context.server.parameters == {"a": 1}
    assert (context.project, context.current_function) == ("p", "f")
    context.anything = 1
    with pytest.raises(AttributeError, match=r"context\.get_store_resource needs MLRun's artifact"):
        _ = context.get_store_resource
    with pytest.raises(AttributeError, match=r"server\.graph needs the step objects"):
        _ = context.server.graph
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = context.nothing


def test_secrets_come_from_their_sources_else_from_the_project(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "t")
    monkeypatch.setenv("MLRUN_K8S_SECRET__DB", "mounted")
    path = tmp_path / "keys"
    path.write_text("# no secret\nuser = me \npath=$TOKEN/x\nempty=\n")
    found = {**secrets.env("TOKEN", "NONE"), **secrets.file(str(path), prefix="f-")}
    context = GraphContext(Context(), secrets={**found, **secrets.inline({"pin": "1"})})
    names = ("TOKEN", "NONE", "f-user", "f-path", "f-empty", "pin", "DB", "other")
    expected = ["t", None, "me", "t/x", None, "1", "mounted", None]
    assert [context.get_secret(name) for name in names] == expected
    with pytest.raises(RuntimeError, match="secrets of this function are in /no/such"):
        secrets.file("/no/such")


def test_push_error_writes_a_record_or_else_logs():
    outer = Context()
    context = GraphContext(outer)
    context.push_error(Event(), "went wrong", source="step")
    assert outer.errors() == ["error in step: went wrong"]

    class Stream(list):
        push = list.append

    context._error_stream = Stream()
    context.push_error(Event({"a": 1}), "m", source="s", why="because")
    record = context._error_stream[0]
    assert record["event"] == {"id": "e1", "body": {"a": 1}}
    assert (record["source"], record["args"]) == ("s", {"why": "because"})
    json.dumps(record)
    context._error_stream = object()
    context.push_error(Event(), "m")
    assert "failed to write to error stream" in outer.errors()[-1]
