"""Notebooks for tests, written as texts: cells are parted by lines of `--- code` or `--- markdown`.

`--- code ignore-me other` gives the cell tags. The command line turns such a text into a file:

    python tests/notebooks.py cells.txt graph.ipynb
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Any


def notebook(text: str) -> str:
    """The text of an `.ipynb` file."""
    _, *parts = re.split(r"^--- (\w+)(.*)\n", textwrap.dedent(text), flags=re.MULTILINE)
    cells: list[dict[str, Any]] = []
    for number, (kind, tags, source) in enumerate(
        zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ):
        cell: dict[str, Any] = {
            "cell_type": kind,
            "id": f"cell-{number}",
            "metadata": {"tags": tags.split()} if tags.split() else {},
            "source": source.rstrip("\n").splitlines(keepends=True),
        }
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {
        "cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5
    }  # fmt: skip
    return json.dumps(document, indent=1) + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(notebook(Path(sys.argv[1]).read_text()))
