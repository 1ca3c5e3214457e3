"""`json_text` writes what json.dumps writes, and fails as that does."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc.runtime_min.json_text import encoder


class Shouted(str):
    pass


class Length(float):
    def __repr__(self):
        return "far"


def around(values):
    keys = st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.floats())
    return st.one_of(st.lists(values), st.dictionaries(keys, values), st.lists(values).map(tuple))


_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(),
        st.text().map(Shouted),
        st.floats().map(Length),
    ),
    around,
)


@pytest.fixture(params=["C", "Python"])
def made(request, monkeypatch):
    if request.param == "Python":
        monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    return encoder(), encoder(default=str)


@given(value=_VALUES)
def test_text_is_that_of_dumps(value):
    assert encoder()(value) == json.dumps(value)


def test_failures_are_those_of_dumps(made):
    plain, by_text = made
    circle = {"a": []}
    circle["a"].append(circle)
    for value in (circle, {"a": {1}}, {(1, 2): 3}, b"bytes"):
        with pytest.raises((TypeError, ValueError)) as expected:
            json.dumps(value)
        for _ in range(2):  # nothing is left of a failure
            with pytest.raises(expected.type) as found:
                plain(value)
            assert str(found.value) == str(expected.value)
    with pytest.raises(ValueError, match="Circular"):
        by_text(circle)
    assert by_text({"a": 1j}) == '{"a": "1j"}'
    assert plain([circle["a"][:0]] * 2) == "[[], []]"
