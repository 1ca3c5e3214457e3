"""Outputs reach the disk whole or not at all; what differs is named."""

from __future__ import annotations

import errno
import json
import os
import string
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc.diagnostics import GraphError
from graphc.package.publish import Files, compare, publish, recover

MARK = json.dumps({"graphc": "0.1.0"}).encode()
OLD: Files = {"graph.json": MARK, "fn/handler.py": b"old = 1\n", "gone/handler.py": b"gone = 1\n"}
NEW: Files = {"graph.json": MARK, "fn/handler.py": b"new = 1\n", "fn/runtime_min/x.py": b"x = 1\n"}


def held(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refused(files: Files, out: Path, code: str = "GC040", **options: object) -> GraphError:
    with pytest.raises(GraphError) as caught:
        publish(files, out, **options)  # type: ignore[arg-type]
    assert caught.value.code == code
    return caught.value


# -- publish ----------------------------------------------------------------------------------


def test_a_new_output_is_exactly_the_files(tmp_path: Path) -> None:
    publish(NEW, tmp_path / "a" / "dist")
    assert held(tmp_path / "a" / "dist") == NEW
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["dist"]


def test_an_earlier_output_is_replaced_with_all_that_was_in_it(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    publish(OLD, out)
    (out / "fn" / "__pycache__").mkdir()
    (out / "fn" / "notes.txt").write_text("left over")
    publish(NEW, out)
    assert held(out) == NEW
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]


def test_an_empty_folder_may_be_named(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    out.mkdir()
    publish(NEW, out)
    assert held(out) == NEW


def test_an_unchanged_output_is_not_touched(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    publish(NEW, out)
    (out / "fn" / "__pycache__").mkdir()
    (out / "fn" / "__pycache__" / "x.pyc").write_bytes(b"")
    before = {path: path.stat().st_mtime_ns for path in [out, *out.rglob("*"), tmp_path]}
    publish(NEW, out)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_what_graphc_did_not_write_is_not_replaced(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "graph.py").write_text("graph = 1\n")
    assert refused(NEW, source).help

    (source / "graph.json").write_text('{"nodes": []}')
    refused(NEW, source)
    (source / "graph.json").write_text("[" * 100_000)
    refused(NEW, source)
    (source / "graph.json").unlink()
    (source / "graph.json").symlink_to(tmp_path / "elsewhere.json")
    (tmp_path / "elsewhere.json").write_bytes(MARK)
    refused(NEW, source)

    plain = tmp_path / "plain"
    plain.write_text("a file")
    refused(NEW, plain)
    assert plain.read_text() == "a file"
    assert (source / "graph.py").read_text() == "graph = 1\n"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    publish(OLD, tmp_path / "elsewhere")
    (tmp_path / "dist").symlink_to(tmp_path / "elsewhere")
    refused(NEW, tmp_path / "dist")
    assert held(tmp_path / "elsewhere") == OLD


def test_folders_that_people_live_in_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(OLD, tmp_path / "dist")
    monkeypatch.chdir(tmp_path / "dist" / "fn")
    for name in (".", "..", "../..", "/"):
        refused(NEW, Path(name))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "dist" / "fn"))
    refused(NEW, Path("dist"))
    assert held(tmp_path / "dist") == OLD


def test_sources_in_the_output_are_protected(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    publish(OLD, out)
    (out / "graph.py").write_text("graph = 1\n")
    error = refused(NEW, out, protect=[out / "graph.py"])
    assert "graph.py" in error.message
    refused(NEW, out, protect=[out])
    publish(NEW, out, protect=[tmp_path / "graph.py"])


def test_a_repository_in_the_output_is_never_removed(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    publish(OLD, out)
    (out / "fn" / ".git").mkdir()
    refused(NEW, out)
    assert (out / "fn" / ".git").is_dir()


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated, since tests may run as root, who writes everywhere."""

    def refuse(path: object, *args: object, **kwargs: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    for name in ("mkdir", "open"):
        monkeypatch.setattr(os, name, refuse)
    assert "ermission" in refused(NEW, tmp_path / "dist", "GC041").message


def test_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in refused(NEW, tmp_path / "file" / "dist", "GC041").message


def test_a_write_that_fails_leaves_the_old_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "dist"
    publish(OLD, out)
    rename = os.rename

    def full(source: Path, target: Path) -> None:
        if Path(target) == out and ".graphc-new-" in str(source):
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "rename", full)
    assert "No space left" in refused(NEW, out, "GC041").message
    assert held(out) == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]


def test_builds_into_one_folder_at_the_same_time(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    versions = [{**NEW, "fn/handler.py": b"number = %d\n" % number} for number in range(8)]
    errors: list[BaseException] = []

    def build(files: Files) -> None:
        try:
            for _ in range(5):
                publish(files, out)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=build, args=(files,)) for files in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert held(out) in versions
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]


def test_a_lock_that_is_never_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphc.package.publish._LOCK_SECONDS", 0.1)
    import fcntl

    with open(tmp_path / ".dist.graphc-lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "another build" in refused(NEW, tmp_path / "dist", "GC041").message
    publish(NEW, tmp_path / "dist")


# -- killed builds ----------------------------------------------------------------------------

#: Publishes NEW over OLD once for every operation on the disk, killed just before that one.
KILLER = """
import os, signal, sys
from pathlib import Path
from graphc.package.publish import publish
import tests_data as data

root = Path(sys.argv[1])
WATCHED = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}
for number in range(1000):
    out = root / str(number) / "dist"
    if "old" in sys.argv:
        publish(data.OLD, out)
    child = os.fork()
    if not child:
        left = number

        def hook(event, arguments):
            global left
            if event in WATCHED:
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1

        sys.addaudithook(hook)
        publish(data.NEW, out)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status == 0:
        print(number)
        break
    assert os.WTERMSIG(status) == signal.SIGKILL, status
"""


@pytest.mark.parametrize("start", ["old", "nothing"])
def test_a_build_killed_anywhere_leaves_a_whole_output(tmp_path: Path, start: str) -> None:
    (tmp_path / "tests_data.py").write_text(f"OLD = {dict(OLD)!r}\nNEW = {dict(NEW)!r}\n")
    cases = tmp_path / "cases"
    cases.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(cases), start],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    count = int(done.stdout)
    assert count > 8
    interrupted = 0
    for number in range(count):
        out = cases / str(number) / "dist"
        if out.exists():
            assert held(out) in (OLD, NEW)
            assert compare(held(out), out) == ""
        elif start == "old":
            interrupted += 1
            assert compare(OLD, out).startswith("interrupted: ")
            assert compare(NEW, out).startswith("interrupted: ")
        if number % 2:
            recover(out)
            assert (held(out) if out.exists() else None) in (
                (OLD, NEW) if start == "old" else (None, NEW)
            )
        publish(NEW, out)
        assert held(out) == NEW
        assert [path.name for path in out.parent.iterdir()] == ["dist"]
    assert interrupted >= (start == "old")


def test_recover_has_nothing_to_do(tmp_path: Path) -> None:
    publish(OLD, tmp_path / "dist")
    assert not recover(tmp_path / "dist")
    assert not recover(tmp_path / "nowhere" / "dist")


def test_the_old_output_is_back_before_the_next_build_fails(tmp_path: Path) -> None:
    publish(OLD, tmp_path / "dist")
    (tmp_path / "dist").rename(tmp_path / ".dist.graphc-old")
    assert recover(tmp_path / "dist")
    assert held(tmp_path / "dist") == OLD


# -- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../x",
        "a//x",
        "a/",
        "./a",
        "a\\b",
        "a\0b",
        "a\nb",
        "a\x7fb",
        "\ud800",
    ],
)
def test_a_name_that_leaves_the_folder_is_a_bug_of_ours(tmp_path: Path, name: str) -> None:
    with pytest.raises(AssertionError):
        publish({"graph.json": MARK, name: b""}, tmp_path / "dist")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff"])
def test_an_output_without_its_mark_is_a_bug_of_ours(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(AssertionError):
        publish({"graph.json": content}, tmp_path / "dist")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fn/handler.py", "FN/Dockerfile"),
        ("fn/a.py", "fn/A.py"),
        ("graph.json/handler.py", "fn/a.py"),
        ("é", "e\u0301"),
    ],
)
def test_names_that_some_file_systems_do_not_tell_apart(
    tmp_path: Path, one: str, other: str
) -> None:
    refused({"graph.json": MARK, one: b"", other: b""}, tmp_path / "dist", "GC018")


PIECES = st.sampled_from(["..", ".", "", "a", "A", "\\", "\0", "~", "é", "C:", "graph.json", "-rf"])
NAMES = st.one_of(
    st.lists(PIECES, min_size=1, max_size=4).map("/".join),
    st.text(st.sampled_from(string.printable + "\u2028\u202e\ud800"), max_size=8),
)


@given(st.dictionaries(NAMES, st.binary(max_size=4), max_size=4))
def test_nothing_is_ever_written_outside(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    root = tmp_path_factory.mktemp("names")
    out = root / "in" / "dist"
    files = {**files, "graph.json": MARK}
    try:
        publish(files, out)
    except (AssertionError, GraphError):
        assert not out.exists()
    else:
        assert held(out) == files
        assert compare(files, out) == ""
    assert sum(1 for path in root.rglob("*") if not path.is_relative_to(out)) <= 1


# -- compare ----------------------------------------------------------------------------------


def test_equal_outputs_have_no_difference(tmp_path: Path) -> None:
    publish(NEW, tmp_path / "dist")
    (tmp_path / "dist" / "fn" / "runtime_min" / "__pycache__").mkdir()
    assert compare(NEW, tmp_path / "dist") == ""


def test_the_difference_is_a_diff_with_missing_and_left_over_files(tmp_path: Path) -> None:
    publish(OLD, tmp_path / "dist")
    assert compare(NEW, tmp_path / "dist") == (
        "--- dist/fn/handler.py\ton disk\n"
        "+++ dist/fn/handler.py\tbuilt\n"
        "@@ -1 +1 @@\n"
        "-old = 1\n"
        "+new = 1\n"
        "missing: dist/fn/runtime_min/x.py\n"
        "left over: dist/gone/handler.py\n"
    )


def test_odd_contents(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    publish({"graph.json": MARK, "a": b"\xff", "b": b"x\r\ny", "c": b"1\f2\n", "d": b"\0"}, out)
    text = compare(
        {"graph.json": MARK, "a": b"\xfe", "b": b"x\ny", "c": b"1\f3\n", "d": b"x" * (1 << 21)}, out
    )
    assert text == (
        "differs (binary): dist/a\n"
        "--- dist/b\ton disk\n+++ dist/b\tbuilt\n@@ -1,2 +1,2 @@\n-x\r\n+x\n y\n"
        "\\ No newline at end of file\n"
        "--- dist/c\ton disk\n+++ dist/c\tbuilt\n@@ -1 +1 @@\n-1\f2\n+1\f3\n"
        "differs (too large to show): dist/d\n"
    )


def test_odd_things_on_the_disk(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    publish(NEW, out)
    (out / "fn" / "handler.py").unlink()
    (out / "fn" / "handler.py").symlink_to("/etc/passwd")
    (out / "fn" / "runtime_min" / "x.py").unlink()
    os.mkfifo(out / "fn" / "runtime_min" / "x.py")
    (out / "link").symlink_to(tmp_path)
    (out / "empty").mkdir()
    (out / "bad\x1bname").write_text("")
    (out / ".git").mkdir()
    (out / ".git" / "HEAD").write_text("")
    with open(os.path.join(os.fsencode(out), b"\xff"), "w"):
        pass
    assert compare(NEW, out).splitlines() == [
        "left over: dist/.git",
        "left over: dist/bad\\x1bname",
        "left over: dist/empty/",
        "not a regular file: dist/fn/handler.py",
        "not a regular file: dist/fn/runtime_min/x.py",
        "left over: dist/link",
        "left over: dist/\\udcff",
    ]


def test_no_output_at_all(tmp_path: Path) -> None:
    assert compare(NEW, tmp_path / "dist") == "missing: dist\n"
    (tmp_path / "dist").write_text("")
    assert compare(NEW, tmp_path / "dist") == "not a folder: dist\n"
