"""Files that functions are made of, where they are not what their names promise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from golden_cases import findings
from graphc.pipeline import build

GRAPH = """\
import mlrun
fn = mlrun.new_function("f", kind="serving")
queue = fn.set_topology("flow").to(name="s", handler="(event)").to("$queue", "q", path="kafka://k/t")
queue.to(name="c", handler="c", function="child")
"""
CALLS = (
    "fn.add_child_function('child', {}, 'image')",
    "mlrun.code_to_function('g', filename={}, kind='serving')",
    "fn.with_code(from_file={})",
    "mlrun.import_function({})",
)
FILES = {
    "broken.ipynb": '{"cells": [',
    "deep.ipynb": "[" * 100_000,
    "cells.ipynb": '{"cells": {"a": 1}, "nbformat": 4, "nbformat_minor": 4, "metadata": {}}',
    "deep.yaml": "[" * 100_000,
    "aliases.yaml": "a: &a [1]\nb: *a\n",
    "python.yaml": "kind: !!python/object/apply:os.system [ls]\n",
    "code.yaml": "kind: serving\nmetadata: {name: x}\nspec: {build: {functionSourceCode: '?'}}\n",
    "null.py": "x = '\0'\n",
    "latin.py": b"x = '\xff'\n",
    "shell.sh": "ls\n",
}
NAMES = [
    *FILES, "loop.py", "folder.py", "folder.yaml", "pipe.py", "device.py", "a\0b.py", "x\ny.ipynb",
    "\udc80.py", "../" * 40 + "etc/passwd", "~/x.py", "a" * 5000 + ".py", "loop.yaml",
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_what_is_no_source_is_refused_with_a_line(tmp_path: Path, call: str) -> None:
    for name, text in FILES.items():
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(data)
    for link in ("loop.py", "loop.yaml"):
        (tmp_path / link).symlink_to(link)
    for folder in ("folder.py", "folder.yaml"):
        (tmp_path / folder).mkdir()
    (tmp_path / "device.py").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.py")
    main = tmp_path / "graph.py"
    for name in NAMES:
        if call.startswith("mlrun.import") and not name.endswith(".yaml"):
            continue  # a function that graphc does not have: of consequence where it is used
        main.write_text(f"{GRAPH}{call.format(repr(name))}\n", encoding="utf-8")
        made = build(main)
        assert made.failed, name
        said = findings(made)
        assert all(line for line in said.splitlines()), name
        assert "graph.py:5:" in said or f"{name}:" in said or name in said, (name, said)
