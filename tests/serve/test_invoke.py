"""One event, without a server; and what is checked before anything is started."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from graphc.diagnostics import GraphError
from graphc.serve import invoke, serve
from graphc.serve.events import canonical, normalise
from graphc.serve.interpreter import check_interpreter, read_requirements
from graphc.serve.packages import find_packages, read_package

from .conftest import MakePackage

ECHO = """
import json, os

def init_context(context):
    context.platform.set_termination_callback(lambda: print("ended"))

def handler(context, event):
    return context.Response(
        body=json.dumps([event.method, event.path, event.fields, event.headers, str(event.body)]),
        content_type="application/json", status_code=201, headers={"X-Cwd": os.getcwd()})
"""


def fails(code: str, call: Any, *arguments: Any, **named: Any) -> GraphError:
    with pytest.raises(GraphError) as caught:
        call(*arguments, **named)
    assert caught.value.code == code
    return caught.value


# -- invoke -----------------------------------------------------------------------------------


def test_one_event(
    make_package: MakePackage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = make_package(ECHO)
    monkeypatch.chdir(tmp_path)
    answer = invoke(
        Path("dist/fn"),
        "/a/../b?c=d",
        b'{"x": 1}',
        content_type="application/json",
        headers={"x-a": "1"},
    )
    assert (answer.status, answer.content_type) == (201, "application/json")
    assert answer.headers == {"X-Cwd": str(tmp_path)}
    assert yaml.safe_load(answer.body) == [
        "POST",
        "/b",
        {"c": "d"},
        {"X-A": "1", "Content-Type": "application/json"},
        "{'x': 1}",
    ]
    assert b'"GET", "/"' in invoke(folder).body
    assert b'"PUT"' in invoke(folder, method="PUT").body
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("ended") == 3


def test_what_can_go_wrong_with_one_event(make_package: MakePackage) -> None:
    ends = make_package("import os\ndef handler(c, e): os._exit(4)", "ends")
    assert "status 4" in fails("GC043", invoke, ends).message
    raises = make_package("def handler(c, e): raise ValueError('no')", "raises")
    assert invoke(raises).status == 500
    lines: list[str] = []
    broken = make_package("raise ValueError('at import')", "broken")
    assert "at import" in fails("GC043", invoke, broken, log=lines.append).message
    assert "raise ValueError(" in "".join(lines)
    fails("GC043", invoke, raises, "/%ff")


def test_user_threads_and_children_do_not_keep_it(make_package: MakePackage) -> None:
    folder = make_package(
        """
        import asyncio, threading, time

        async def handler(context, event):
            threading.Thread(target=time.sleep, args=(60,)).start()
            asyncio.get_running_loop().run_in_executor(None, time.sleep, 60)
            return "x"
        """
    )
    began = time.monotonic()
    assert invoke(folder).body == b"x"
    assert time.monotonic() - began < 40


def test_a_large_answer(make_package: MakePackage) -> None:
    folder = make_package(
        "def handler(c, e): return event_size(e)\ndef event_size(e): return e.body * 4"
    )
    assert invoke(folder, body=b"ab" * 1_000_000).body == b"ab" * 4_000_000


# -- folders ----------------------------------------------------------------------------------


def test_folders_that_are_none(make_package: MakePackage, tmp_path: Path) -> None:
    make_package(ECHO, "one")
    dist = tmp_path / "dist"
    assert b'"GET", "/"' in invoke(dist).body
    make_package(ECHO, "two")
    assert str(dist / "two") in fails("GC041", invoke, dist).help
    assert "build" in fails("GC041", invoke, tmp_path / "nowhere").help
    assert str(dist) in fails("GC041", serve, tmp_path).help
    (tmp_path / "file").write_text("")
    fails("GC041", serve, tmp_path / "file")
    assert [package.name for package in find_packages(dist / "one")] == ["one"]
    assert [package.name for package in find_packages(dist)] == ["one", "two"]


@pytest.mark.parametrize(
    "handler",
    ["handler", "os:system", "subprocess:run", "../x:y", "a/b:c", "handler:a b", ":x", "", 5, None],
)
def test_a_handler_that_is_none_of_the_package(make_package: MakePackage, handler: Any) -> None:
    folder = make_package(ECHO, handler=handler)
    assert "spec.handler" in fails("GC041", invoke, folder).message


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system [touch pwned]",
        "[" * 10_000,
        "a: [",
        "- 1",
        "",
        "\x00",
        "x" * (2 << 20),
        "spec: 1",
        "&a [*a]",
    ],
)
def test_a_hostile_function_yaml(make_package: MakePackage, text: str) -> None:
    folder = make_package(ECHO)
    (folder / "function.yaml").write_text(text)
    fails("GC041", invoke, folder)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5)
    | st.sampled_from(["http", "kafka-cluster", "cron", "1m30s"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["spec", "env", "name", "value", "triggers", "http", "kind", "numWorkers", "attributes",
             "maxRequestBodySize", "loggerSinks", "level", "metadata", "functions", "fn", "routes",
             "topology", "workerAvailabilityTimeoutMilliseconds", "kind", "topics", "interval",
             "steps", "reads", "stream", "queue", "shards", "after", "settings", "error_stream"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)
@given(VALUES, VALUES)
def test_any_function_yaml_and_graph_json_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, spec: Any, graph: Any
) -> None:
    folder = tmp_path_factory.mktemp("dist") / "fn"
    folder.mkdir()
    (folder / "handler.py").write_text("")
    spec = {**spec, "handler": "handler:handler"} if isinstance(spec, dict) else spec
    (folder / "function.yaml").write_text(yaml.safe_dump({"spec": spec}))
    (folder.parent / "graph.json").write_text(yaml.safe_dump(graph))
    try:
        package = read_package(folder)
    except GraphError:
        assert not isinstance(spec, dict)
    else:
        for trigger in (package.triggers.http, *package.triggers.streams):
            assert trigger is None or 1 <= trigger.workers <= 64
        assert package.graph.routes


# -- the interpreter --------------------------------------------------------------------------


def test_everything_that_is_missing_is_named(make_package: MakePackage) -> None:
    make_package(
        ECHO, "a", requirements="graphc-no-such-thing>=1\npytest\n# nothing\n-r other.txt\n"
    )
    folder = make_package(
        ECHO,
        "b",
        requirements="pytest<1  # old\n"
        "graphc-other[extra]==1.0 ; python_version >= '3'\n"
        "graphc-not-here; python_version < '3'\n"
        "PyYAML>=1 \\\n  --hash=sha256:00\n",
    )
    error = fails("GC042", serve, folder.parent)
    for part in ("graphc-no-such-thing>=1 (for a)", "pytest<1 (for b; it has ", "graphc-other"):
        assert part in error.message
    assert "not-here" not in error.message
    assert "PyYAML" not in error.message
    assert f"{sys.executable} -m pip install" in error.help
    assert "'graphc-other[extra]==1.0'" in error.help
    fails("GC042", invoke, folder)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "no interpreter"),
        ("#!/bin/sh\necho hello\n", "not a Python"),
        ("#!/bin/sh\nexit 1\n", "not a Python"),
        ("not a program", "not a Python"),
        ('#!/bin/sh\necho \'{"version": [3, 8], "found": {}}\'\n', "is Python 3.8"),
        (
            '#!/bin/sh\necho \'{"version": [3, 11], "found": {}, "sdk": false,'
            ' "environment": {}}\'\n',
            "nuclio-sdk",
        ),
    ],
)
def test_an_interpreter_that_is_none(
    make_package: MakePackage, tmp_path: Path, script: str | None, said: str
) -> None:
    folder = make_package(ECHO)
    python = tmp_path / "python"
    if script is not None:
        python.write_text(script)
        python.chmod(python.stat().st_mode | stat.S_IXUSR)
    assert said in fails("GC042", invoke, folder, python=str(python)).message


def test_an_interpreter_is_found_by_name(
    make_package: MakePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))
    name = os.path.basename(sys.executable)
    assert os.path.samefile(check_interpreter(name, []), sys.executable)


@given(st.text(max_size=200))
def test_any_requirements_file_is_read(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("requirements") / "requirements.txt"
    path.write_text(text, encoding="utf-8", errors="replace")
    read_requirements(path)


# -- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_name", "seen"),
    [("x-my-header", "X-My-Header"), ("X_UNDER", "X_under"), ("ETag", "Etag")],
)
def test_canonical_names(given_name: str, seen: str) -> None:
    assert canonical(given_name) == seen


@given(st.text(st.sampled_from("/.a%2eF"), max_size=12))
def test_a_normal_path_has_no_way_up(path: str) -> None:
    try:
        seen = normalise(path)
    except UnicodeDecodeError:
        return
    assert seen.startswith("/")
    assert not {"..", ""} & set(seen[1:].split("/")[:-1])
    assert ".." not in seen.split("/")
