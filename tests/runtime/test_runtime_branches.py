"""Fan-out, gathering and merging: serving.md 4.3, stream-steps.md 1.4."""

import asyncio
import inspect
import threading

import pytest
from nuclio_stub import Context, Event

from graphc.runtime_min import async_branches, branches, nested_branches
from graphc.runtime_min.merger import Merge
from graphc.runtime_min.nuclio import DROPPED


def both(name, module=branches):
    """The function of that name, of `branches` and of `async_branches`."""

    def run_async(*args):
        return asyncio.run(getattr(async_branches, name)(*args))

    return pytest.mark.parametrize(name, [getattr(module, name), run_async], ids=["sync", "async"])


def answers(value):
    return lambda *args: value


def fails(message):
    def branch(*args):
        raise ValueError(message)

    return branch


@both("fan_out")
@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([answers(1), answers(2)], 1),
        ([answers(DROPPED), answers(2), answers(3)], 2),
        ([answers(DROPPED), answers(DROPPED)], DROPPED),
        ([answers(None), answers(2)], None),
        ([answers(1)], 1),
    ],
)
def test_the_first_answer_counts(fan_out, outcomes, expected):
    assert fan_out(Context(), {}, *outcomes) is expected


@both("fan_out")
def test_failures_count_as_answers_and_are_logged_after_one(fan_out):
    context = Context()
    ran = []
    with pytest.raises(ValueError, match="first"):
        fan_out(context, {}, answers(DROPPED), fails("first"), fails("second"), ran.append)
    assert ran == [{}]
    assert len(context.errors()) == 1
    assert "second" in context.errors()[0]
    context = Context()
    assert fan_out(context, {}, answers(1), fails("late")) == 1
    assert "late" in context.errors()[0]


@both("fan_out", nested_branches)
def test_branches_in_branches_wait_for_those_before_them(fan_out):
    """`S -> (A, B)`, `A -> (A1, A2)`, `B -> (B1, B2)`, as storey's tasks run (`_do_downstream`)."""
    context, ran = Context(), []

    def parts(name):
        def branch(body):
            ran.append(name)
            leaves = [lambda body, n=n: ran.append(f"{name}{n}") or f"{name}{n}" for n in "12"]
            if fan_out is nested_branches.fan_out:
                return fan_out(context, body, *leaves)
            return async_branches.fan_out(context, body, *leaves)

        return branch

    assert fan_out(context, {}, parts("A"), parts("B")) == "A1"
    assert ran == ["A", "A1", "B", "B1", "A2", "B2"]
    ran.clear()
    with pytest.raises(ValueError, match="first"):
        fan_out(context, {}, fails("first"), parts("B"))
    assert ran == ["B", "B1", "B2"]
    ran.clear()
    assert fan_out(context, {}, answers(DROPPED), parts("B")) == "B1"  # nothing is left of before


@both("fan_out")
def test_copies_are_made_before_a_branch_runs(fan_out):
    body = {"items": []}
    seen = []

    def append(value):
        def branch(got):
            got["items"].append(value)
            seen.append(got)
            return DROPPED

        return branch

    fan_out(Context(), body, append(1), append(2), append(3))
    assert seen == [{"items": [1]}, {"items": [2]}, {"items": [3]}]
    assert seen[0] is body


@both("fan_out")
def test_a_body_that_cannot_be_copied_fails_before_a_branch_runs(fan_out):
    ran = []
    with pytest.raises(TypeError, match="cannot pickle"):
        fan_out(Context(), threading.Lock(), ran.append, ran.append)
    assert ran == []


@both("fan_out_events")
def test_events_are_copied_with_what_steps_put_there(fan_out_events):
    event = Event({"old": 1}, headers={"a": "b"})
    event.mine = {"list": []}
    event.error = exc = RuntimeError(threading.Lock())
    seen = []

    def branch(got, body):
        assert got.body is body
        got.mine["list"].append(len(seen))
        got.path = str(len(seen))
        seen.append(got)
        return DROPPED

    assert fan_out_events(Context(), event, {"x": [1]}, branch, branch) is DROPPED
    first, second = seen
    assert first is event
    assert (first.mine, second.mine) == ({"list": [0]}, {"list": [1]})
    assert (first.body, second.body) == ({"x": [1]}, {"x": [1]})
    assert first.body["x"] is not second.body["x"]
    assert second.trigger is first.trigger
    assert second.error is exc
    assert first.headers is not second.headers
    assert type(second) is Event


def test_what_event_and_body_share_stays_shared_in_a_copy():
    shared = [1]
    event = Event()
    event.mine = shared
    twin = branches.copy_event(event, {"x": shared})
    assert twin.mine is twin.body["x"]
    assert twin.mine is not shared


@both("gather")
def test_gather_lists_all_answers(gather):
    context = Context()
    assert gather(context, 1, answers(1), answers(None), answers(3)) == [1, None, 3]
    assert gather(context, 1, answers(1), answers(DROPPED)) is DROPPED
    with pytest.raises(ValueError, match="a"):
        gather(context, 1, fails("a"), answers(DROPPED), fails("b"))
    assert len(context.errors()) == 1


def test_branches_that_wait_let_others_come_first():
    order = []

    def after(turns, value):
        async def branch(body):
            for _ in range(turns):
                await asyncio.sleep(0)
            order.append(value)
            return value

        return branch

    def plain(body):
        order.append("plain")
        return "plain"

    made = asyncio.run(async_branches.gather(Context(), 0, after(3, "a"), after(1, "b"), plain))
    assert made == order == ["plain", "b", "a"]
    order.clear()
    assert asyncio.run(async_branches.fan_out(Context(), 0, plain, after(0, "b"))) == "plain"
    assert order == ["plain", "b"]
    assert inspect.iscoroutinefunction(async_branches.fan_out)


# -- Merge


def arrive(merge, key, body):
    joined = merge.arrive(Event(event_id=key), body)
    return joined and (joined[0].id, joined[1])


def test_parts_join_by_id_in_the_order_of_arrival():
    merge = Merge(2)
    assert arrive(merge, "a", 1) is None
    assert arrive(merge, "b", 2) is None
    assert arrive(merge, "b", 3) == ("b", [2, 3])
    assert arrive(merge, "a", 4) == ("a", [1, 4])
    assert arrive(merge, "a", 5) is None
    merge.reset()
    assert arrive(merge, "a", 6) is None
    assert arrive(merge, "a", 7) == ("a", [6, 7])


def test_the_last_event_carries_the_list():
    merge = Merge(2)
    merge.arrive(Event(), 1)
    last = Event()
    event, bodies = merge.arrive(last, 2)
    assert event is last
    assert event.body is bodies


@pytest.mark.parametrize("expected", [0, 1])
def test_one_part_passes(expected):
    assert arrive(Merge(expected), "a", {"x": 1}) == ("a", {"x": 1})


def test_keys_of_bodies_and_of_events():
    merge = Merge(2, lambda body: body["k"])
    assert arrive(merge, "1", {"k": 5}) is None
    assert arrive(merge, "2", {"k": 5}) == ("2", [{"k": 5}, {"k": 5}])
    merge = Merge(2, lambda event: event.body["k"], full_event=True)
    assert arrive(merge, "1", {"k": 5}) is None
    assert arrive(merge, "2", {"k": 5}) == ("2", [{"k": 5}, {"k": 5}])


def test_keys_too_far_behind_are_given_up():
    pushed = []

    class Graph:
        logger = Context().logger

        def push_error(self, event, message, source):
            pushed.append((event.id, message, source))

    merge = Merge(2, max_behind=2, context=Graph(), name="join")
    assert arrive(merge, "a", 1) is None
    assert arrive(merge, "b", 2) is None
    assert arrive(merge, "c", 3) is None
    message = "missing parts for event key a after a long wait, dropping"
    assert pushed == [("a", message, "join")]
    assert arrive(merge, "a", 4) is None
    assert arrive(merge, "b", 5) == ("b", [2, 5])
    # All parts of the late key came: it may be used again.
    assert arrive(merge, "a", 6) is None
    assert arrive(merge, "a", 7) == ("a", [6, 7])


def test_late_keys_do_not_pile_up():
    merge = Merge(2, max_behind=3)
    for key in range(1000):
        assert arrive(merge, key, key) is None
    assert (len(merge._waiting), len(merge._late)) == (3, 3)


def test_subclasses_choose_key_and_result():
    class Sum(Merge):
        def get_join_key(self, event):
            return event["k"]

        def merge_function(self, last_event, events):
            return {"sum": sum(event["n"] for event in events), "last": last_event["n"]}

    merge = Sum(2, full_event=False)
    assert arrive(merge, "1", {"k": 1, "n": 2}) is None
    assert arrive(merge, "2", {"k": 1, "n": 3}) == ("2", {"sum": 5, "last": 3})
