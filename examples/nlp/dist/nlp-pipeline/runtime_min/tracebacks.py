"""Tracebacks that name the user's own file and line beside those of the package.

    File "/opt/nuclio/steps.py", line 12, in do  (steps.py:57)
    File "/opt/nuclio/handler.py", line 40, in run  (step price, graph.py:102)

What lines come from stands in source_lines.json, which is read when a traceback is told and not
before.
"""

from __future__ import annotations

import json
import linecache
import os
import re
import traceback
from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))
_PACKAGE = os.path.dirname(_HERE)
_FRAME = re.compile(r'^[ |]* File "(.+)", line (\d+)(?:, in .*)?$', re.MULTILINE)


def told(exc: BaseException) -> str:
    """The traceback of an exception, with those of its causes."""
    text = "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
    try:
        with open(os.path.join(_HERE, "source_lines.json"), encoding="utf-8") as file:
            known = json.load(file)
        return _FRAME.sub(lambda frame: _with_origin(frame, known), text)
    except Exception:  # noqa: BLE001
        # Whatever is wrong with the file, what failed must be told.
        return text


def _with_origin(frame: re.Match[str], known: dict[str, Any]) -> str:
    line = int(frame[2])
    name = os.path.relpath(frame[1], _PACKAGE).replace(os.sep, "/")
    if name == known["handler"]:
        origin = _step(frame[1], line, known["steps"])
    else:
        origin = _line(line, known["files"].get(name, ()))
    return f"{frame[0]}  ({origin})" if origin else frame[0]


def _step(path: str, line: int, steps: dict[str, str]) -> str:
    name = _named(path, line, steps)
    return "" if name is None else f"step {name}, {steps[name]}"


def _named(path: str, line: int, steps: dict[str, str]) -> str | None:
    """The step whose comment is the last one above the line, in the same method."""
    while line > 0:
        text = linecache.getline(path, line).strip()
        if text.startswith(("def ", "async def ")):
            break
        if text.startswith("# ") and text[2:] in steps:
            return text[2:]
        line -= 1
    return None


def _line(line: int, runs: Any) -> str:
    """Where a line comes from; a run is `[first line, lines, place, line there]`."""
    for first, count, place, source in runs:
        if first <= line < first + count:
            return f"{place}:{source + line - first}"
    return ""
