"""Graph calls reach the host with values and places, and only where it is sure that they run."""

from __future__ import annotations

from pathlib import Path

import pytest
from evaluating import Recorder, run

from graphc.frontend.values import EnvValue, Unknown, UserFunction


def test_each_call_of_a_chain_has_its_own_place(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import flow
        g = flow.new()
        g.to("a")\\
          .to("b", key="v",
              other=[1])\\
          .to(*["c", "d"], **{"e": 1})
        """,
    )
    assert done.host.lines == [4, 5, 7]
    assert done.called == ["a", "b", "c"]
    second, third = done.host.spans[1:]
    assert {name: (span.line, span.column) for name, span in second.items()} == {
        "0": (5, 7),
        "key": (5, 16),
        "other": (6, 13),
    }
    assert set(third) == {"0", "1", "e"}
    assert done.host.calls[2] == ("to", ("c", "d"), {"e": 1})
    assert done.found == []


def test_loops_helpers_and_comprehensions_make_calls(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        from flow import new
        import flow as f, functools

        def add(graph, names, **options):
            for name in names:
                if name in graph: continue
                graph = graph.to(name, **options)
            return graph

        def main():
            g = add(new(), ["a", "first", "b"], deep=True)
            [g.to(n) for n in "cd" if n != "d"]
            functools.reduce(lambda s, n: s.to(n), ["e", "h"], f.new())

        if __name__ == "__main__":
            main()
        """,
    )
    assert done.called == ["a", "b", "c", "e", "h"]
    assert done.host.calls[0][2] == {"deep": True}
    assert done.found == []


def test_attributes_and_items_of_the_graph(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import flow
        g = flow.new()
        g.size = g.size + 1
        g.size += 1
        g.settings["k"] = 1
        names = [n for n in g]
        back = g["first"] is g
        same = g.child.name
        strange = g.nothing
        g.color = "red"
        g["second"]
        g["other"] = 1
        g()
        """,
    )
    names = done.names
    assert names["g"].size == 5
    assert names["g"].settings == {"k": 1}
    assert (names["names"], names["back"]) == (["first", "second"], True)
    assert isinstance(names["strange"], Unknown)
    assert isinstance(names["same"], Unknown)
    assert done.codes == ["GC011:11", "GC011:12", "GC011:13", "GC004:14"]


def test_what_the_host_gets(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import flow, os, numpy
        def local(x): ...
        g = flow.new()
        here = local, os.environ["E"], numpy.array([1])
        g.to(*here, numpy.asarray, flow.lib.Model, flow.steps.run)
        g.to((n for n in (1, 2)), {"a": 1}.keys(), "x".upper)
        """,
    )
    first, second = (args for _, args, _ in done.host.calls)
    assert isinstance(first[0], UserFunction)
    assert isinstance(first[1], EnvValue)
    assert isinstance(first[2], Unknown)
    assert [value.dotted for value in first[3:]] == [
        "numpy.asarray",
        "flow.lib.Model",
        "flow.steps.run",
    ]
    assert second[:2] == ([1, 2], ["a"])
    assert isinstance(second[2], Unknown)
    assert done.found == []


def test_the_hosts_errors_are_completed_and_do_not_spread(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import flow
        g = flow.new()
        x = g.fail("no such class")
        x.to("a").to("b")
        g.to(x)
        g.to(k=[x])
        if x: g.to("c")
        for y in x: g.to("d")
        """,
    )
    assert done.codes == ["GC010:4"]
    (found,) = done.found
    assert (found.message, found.help) == ("no such class", "do not")
    assert found.span is not None
    assert found.span.column == 7
    assert len(done.host.calls) == 1


@pytest.mark.parametrize(
    ("call", "message", "help"),
    [
        ('g.route("a", self=2)', "route() multiple values for argument 'self'", ""),
        ('g.route("a", wieght=2)', "route() got an unexpected keyword argument 'wieght'", "weight"),
        ("g.route()", "route() missing a required argument: 'key'", ""),
        ('g.route("a", 2)', "route() too many positional arguments", ""),
        ('g.route("a", key=2)', "route() multiple values for argument 'key'", ""),
    ],
)
def test_arguments_that_do_not_fit(call: str, message: str, help: str, tmp_path: Path) -> None:
    done = run(tmp_path, f"import flow\ng = flow.new()\n{call}")
    assert done.codes == ["GC010:3"]
    assert done.found[0].message == message
    assert help in done.found[0].help


def test_arguments_that_are_not_known(tmp_path: Path) -> None:
    done = run(tmp_path, "import flow, x\ng = flow.new()\ng.to(**x.options())")
    assert done.codes == ["GC005:3"]
    assert "x.options" in done.found[0].notes[0].message


@pytest.mark.parametrize(
    "kind",
    [
        "import lib\nclass Build(lib.Base):\n    def __init__(self, g): ...",
        "async def Build(g): ...",
        "async def Build(g): yield g",
    ],
)
def test_code_that_is_not_evaluated_must_not_get_the_graph(kind: str, tmp_path: Path) -> None:
    done = run(tmp_path, f"{kind}\nimport flow\nx = Build(flow.new())")
    assert [found.code for found in done.found] == ["GC007"]
    assert "a recorder would be lost" in done.found[0].message


REFUSED = "g.fail('refused', 'lib.Wrong', 'builtins.ValueError', 'builtins.Exception')"


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("try: REFUSED\nexcept ValueError: g.to(1)", [1]),
        ("try: REFUSED\nexcept lib.Wrong as exc: g.to(1)\nelse: g.to(2)\nfinally: g.to(3)", [1, 3]),
        ("def f():\n    try: REFUSED\n    finally: g.to(1)\ntry: f()\nexcept: g.to(2)", [1, 2]),
        ("try:\n    try: REFUSED\n    except KeyError: g.to(1)\nexcept Exception: g.to(2)", [2]),
        ("def f():\n    try: yield 1\n    except ValueError: g.to(2)\nm = f(); next(m)\n"
         "try:\n    try: REFUSED\n    except KeyError: pass\n"
         "except ValueError as exc: m.throw(exc) if 0 else g.to(1)", [1]),
        ("def f():\n    try:\n        yield 1\n        REFUSED\n    except ValueError: g.to(2)\n"
         "for n in f(): g.to(n)", [1, 2]),
    ],
)  # fmt: skip
def test_a_refused_call_raises_where_that_is_caught(
    text: str, called: list[int], tmp_path: Path
) -> None:
    text = text.replace("REFUSED", REFUSED)
    done = run(tmp_path, f"import flow, lib\ng = flow.new()\n{text}")
    assert done.found == []
    assert done.called == called


@pytest.mark.parametrize(
    "text",
    [
        "REFUSED",
        "try: REFUSED\nexcept KeyError: pass",
        "try: g.fail()\nexcept Exception: pass",
        "try: pass\nexcept Exception: pass\nREFUSED",
        "try: raise KeyError\nexcept Exception: REFUSED",
        "try: REFUSED\nexcept ValueError: raise",
    ],
)
def test_a_refused_call_is_reported_where_nothing_catches_it(text: str, tmp_path: Path) -> None:
    text = text.replace("REFUSED", REFUSED).replace(": ", ":\n    ")
    done = run(tmp_path, f"import flow, lib\ng = flow.new()\n{text}\ng.to('after')")
    assert [found.message for found in done.found] == ["refused"]
    assert done.found[0].help == "do not"
    assert done.called == ["after"]


# -- where it is not sure that a call runs


@pytest.mark.parametrize(
    "text",
    [
        'if E: g.to("x")',
        'if not E:\n    pass\nelse:\n    g.to("x")',
        'if E == "on": g.size = 4',
        'E and g.to("x")',
        'E or g.to("x")',
        'g.to("x") if E else None',
        '[g.to("x") for _ in E.split()]',
        '[g.to("x") for n in (1, 2) if E]',
        'for e in E.split(","):\n    g.to(e)',
        'while E:\n    g.to("x")\n    break',
        'def f():\n    if E: return\n    g.to("x")\nf()',
        'for n in (1, 2):\n    if E: break\n    g.to("x")',
        'for n in (1, 2):\n    if E: continue\n    g.to("x")',
        'match E:\n    case "x": g.to("x")',
        'try:\n    if E: raise ValueError\nexcept ValueError:\n    g.to("x")',
        'n = 0\nfor e in E.split():\n    n += 1\n    if n == 2: g.to("x")',
        'l = []\nfor e in E.split(): l.append(1)\nif len(l) == 3: g.to("x")',
        'def f(): g.to("x")\nif E: f()',
    ],
)
def test_a_call_that_perhaps_runs_is_an_error(text: str, tmp_path: Path) -> None:
    start = 'import flow, os\ng = flow.new()\nE = os.environ["MODE"]\n'
    done = run(tmp_path, start + text)
    assert [found.code for found in done.found] == ["GC006"]
    (found,) = done.found
    assert "MODE" in found.message
    assert "--env MODE=VALUE" in found.help
    assert [note.message for note in found.notes[:2]] == [
        "the condition",
        "not known: the environment variable MODE",
    ]
    assert done.host.calls == []
    for value in ("on", ""):
        assert run(tmp_path, start + text, {"MODE": value}).found == []


def test_calls_without_effect_may_perhaps_run(tmp_path: Path) -> None:
    done = run(tmp_path, "import flow, x\ng = flow.new()\nif x.verbose():\n    g.plot()")
    assert done.found == []


def test_what_branches_agree_on_stays_known(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import x
        E = x.something()
        box, agreed, lost, shared = [], {}, {}, [0]
        if E:
            a, b, c = 1, [1, {"k": 2}], 3
            agreed["k"] = 1
            box.append(1)
            shared.append(1)
            lost["x"] = 1
            def f(): return 1
        else:
            a, b = 1, [1, {"k": 2}]
            agreed["k"] = 1
            box.append(2)
            shared += [1]
        alias = box
        other = {"box": box}
        d = 1 if E else 1
        e = 1 if E else True
        if E: pass
        else: only = 1
        if E: untouched = 1
        else: raise ValueError("not here")
        """,
    )
    names = done.names
    assert (names["a"], names["b"], names["d"]) == (1, [1, {"k": 2}], 1)
    assert names["agreed"] == {"k": 1}
    assert names["shared"] == [0, 1]
    assert names["untouched"] == 1
    for name in ("c", "alias", "e", "only", "f"):
        assert isinstance(names[name], Unknown), name
        assert names[name].why == "the result of calling x.something"
    again = run(
        tmp_path,
        """
        import flow, x
        l = [1]
        keep = {"l": l}
        if x.y(): l.append(2)
        known = len(keep)
        size = len(l)
        flow.new().to(keep)
        """,
    )
    assert again.names["known"] == 1
    assert isinstance(again.names["size"], Unknown)
    assert isinstance(again.host.calls[0][1][0]["l"], Unknown)


def test_an_unknown_guard_that_ends_the_script_is_taken_not_to(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import flow, os, sys
        if not os.path.exists("model.pkl"):
            sys.exit("train first")
        if os.environ["A"] == "":
            raise ValueError("A is empty")
        else:
            flow.new().to("sure")
        """,
    )
    assert done.found == []
    assert done.called == ["sure"]


def test_a_loop_that_perhaps_runs_changes_what_it_reads(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import x
        a = b = n = 0
        for i in x.items():
            a, b = b, n
            n = 1
        untouched = 5
        """,
    )
    names = done.names
    assert all(isinstance(names[name], Unknown) for name in ("a", "b", "n", "i"))
    assert names["untouched"] == 5


def test_skipped_statements_are_listed(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import flow, pandas
        g = flow.new()
        print("x")
        frame = pandas.read_csv("x")
        frame.describe()
        pandas.set_option("a", 1)
        g.plot()
        g.to("a")
        pandas.options.x = 1
        "docstring"
        """,
    )
    assert [found.span.line for found in done.skipped] == [4, 6, 7, 8, 10]
    assert "pandas.read_csv" in done.skipped[1].why
    assert isinstance(done.names["g"], Recorder)
