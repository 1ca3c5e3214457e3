"""Findings for other programs: JSON, SARIF 2.1.0, and the annotations of GitHub's workflows."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from . import __version__
from .codes import CODES, Code
from .diagnostics import Diagnostic, Span

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def as_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """The findings as plain values."""
    return [
        {
            "code": found.code,
            "severity": found.severity.value,
            "message": found.message,
            "span": _place(found.span),
            "notes": [{"message": note.message, "span": _place(note.span)} for note in found.notes],
            "help": found.help,
        }
        for found in diagnostics
    ]


def _place(span: Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    cell = {"cell": span.cell} if span.cell else {}
    return {"file": span.file, **cell, "line": span.line, "column": span.column, "end": span.end}


# -- SARIF


def as_sarif(diagnostics: Iterable[Diagnostic], file: str) -> dict[str, Any]:
    """The findings as a SARIF log, with what GitHub's code scanning makes use of.

    Findings without a place belong to `file`, as code scanning shows none without one.
    """
    found = list(diagnostics)
    codes = sorted({item.code for item in found})
    driver = {
        "name": "graphc",
        "version": __version__,
        "rules": [_rule(CODES[code]) for code in codes],
    }
    seen: Counter[str] = Counter()
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(item, codes, file, seen) for item in found],
            }
        ],
    }


def _rule(code: Code) -> dict[str, Any]:
    text = f"{code.title}\n\n{code.explanation}"
    shown = "console" if code.is_session else "python"
    examples = f"```{shown}\n{code.bad}\n```\n\nPut right:\n\n```{shown}\n{code.good}\n```"
    return {
        "id": code.code,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": text},
        "help": {
            "text": f"{text}\n\nFound:\n\n{code.bad}\n\nPut right:\n\n{code.good}",
            "markdown": f"{text}\n\n{examples}",
        },
        "defaultConfiguration": {"level": code.level},
    }


def _result(found: Diagnostic, codes: list[str], file: str, seen: Counter[str]) -> dict[str, Any]:
    parts = [found.message, *(note.message for note in found.notes if note.span is None)]
    if found.help:
        parts.append(f"help: {found.help}")
    result: dict[str, Any] = {
        "ruleId": found.code,
        "ruleIndex": codes.index(found.code),
        "level": found.severity.value,
        "message": {"text": _in_cell(found.span) + "\n".join(parts)},
        "locations": [{"physicalLocation": _location(found.span or Span(file, 1, 1, 1))}],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(found, file, seen)},
    }
    places = [note for note in found.notes if note.span is not None]
    if places:
        result["relatedLocations"] = [
            {
                "id": number,
                "message": {"text": _in_cell(note.span) + note.message},
                "physicalLocation": _location(note.span),
            }
            for number, note in enumerate(places)
            if note.span is not None
        ]
    return result


def _in_cell(span: Span | None) -> str:
    """The place in a notebook in words: what programs take for lines are those of its JSON."""
    return f"cell {span.cell}:{span.line}:{span.column}: " if span and span.cell else ""


def _location(span: Span) -> dict[str, Any]:
    if span.cell:
        return {"artifactLocation": {"uri": quote(span.file)}}
    region: dict[str, Any] = {"startLine": span.line, "startColumn": span.column}
    if span.more:
        region |= {"endLine": span.line + len(span.more), "endColumn": span.last}
    elif span.end > span.column:
        region |= {"endLine": span.line, "endColumn": span.end}
    if span.text:
        region["snippet"] = {"text": "\n".join((span.text, *span.more))}
    return {"artifactLocation": {"uri": quote(span.file)}, "region": region}


def _fingerprint(found: Diagnostic, file: str, seen: Counter[str]) -> str:
    """The same for the same finding when only lines above it came or went."""
    span = found.span or Span(file, 1, 1, 1)
    text = "\0".join((found.code, span.file, span.text.strip(), found.message))
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"


# -- GitHub


def as_github(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """The findings as workflow commands, which GitHub shows beside the lines of a pull request."""
    return [_annotation(found) for found in diagnostics]


def _annotation(found: Diagnostic) -> str:
    level = {"note": "notice"}.get(found.severity.value, found.severity.value)
    properties: dict[str, object] = {"title": f"graphc {found.code}"}
    if found.span is not None:
        span = found.span
        properties |= {"file": span.file}
        if not span.cell:
            properties |= {"line": span.line, "col": span.column}
            if span.more:
                properties["endLine"] = span.line + len(span.more)
            else:
                properties["endColumn"] = max(span.end, span.column + 1)
    lines = [
        _in_cell(found.span) + found.message,
        *(f"note: {note.message}" for note in found.notes),
    ]
    lines += [f"help: {found.help}"] if found.help else []
    listed = ",".join(
        f"{name}={_escaped(str(value), ',', ':')}" for name, value in properties.items()
    )
    return f"::{level} {listed}::{_escaped(chr(10).join(lines))}"


def _escaped(text: str, *more: str) -> str:
    """As GitHub's own toolkit escapes values: nothing in them can begin another command."""
    for char in ("%", "\r", "\n", *more):
        text = text.replace(char, f"%{ord(char):02X}")
    return text
