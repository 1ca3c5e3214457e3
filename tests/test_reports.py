"""Findings on terminals and for other programs, where sessions (`cases/`) do not show it."""

from __future__ import annotations

import pytest

from graphc.codes import CODES
from graphc.diagnostics import Diagnostic, Note, Severity, Span
from graphc.rendering import render
from graphc.reports import as_github, as_sarif


def shown(text: str, marked: str, *more: str) -> list[str]:
    """The lines below the message for a finding at `marked` in the text."""
    column = text.index(marked) + 1
    last = len(more[-1]) + 1 if more else 0
    end = len(text) + 1 if more else column + len(marked)
    span = Span("graph.py", 9, column, end, text, more=more, last=last)
    return render(Diagnostic("GC010", Severity.ERROR, "wrong", span)).splitlines()[1:]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to(x, 1)", ["  9 | to(x, 1)", "    |    ^"]),
        # What is before the caret is as wide as a terminal makes it.
        ("\tto(x)", ["  9 |     to(x)", "    |        ^"]),
        ("to\t(x)", ["  9 | to  (x)", "    |      ^"]),
        ("'日本', x", ["  9 | '日本', x", "    |         ^"]),
        ("'e\u0301', x", ["  9 | 'e\u0301', x", "    |      ^"]),
        # Neither escape sequences nor text that runs backwards reach the terminal.
        ("'\x1b[2J', x", [r"  9 | '\x1b[2J', x", "    |            ^"]),
        ("'\u202e', x", [r"  9 | '\u202e', x", "    |           ^"]),
    ],
)
def test_the_caret_stands_below_what_it_marks(text: str, expected: list[str]) -> None:
    assert shown(text, "x" if text[0] != "x" else text) == expected


@pytest.mark.parametrize("before", [0, 30, 100, 10_000])
@pytest.mark.parametrize("after", [0, 30, 10_000])
@pytest.mark.parametrize("fill", ["a", "日"])
def test_long_lines_are_cut_around_the_mark(before: int, after: int, fill: str) -> None:
    line, caret = shown(f"{fill * before}XYZ{fill * after}", "XYZ")
    assert len(line) < 140
    place = line.index("XYZ")
    wide = line[:place].count("日")
    assert caret[place + wide :].rstrip() == "^^^"
    each = 2 if fill == "日" else 1
    assert ("..." in line[:place]) == (before * each > 80 and (before + after) * each > 120)


def test_stretches_of_several_lines_are_framed() -> None:
    assert shown("to(get(", "get(", "    1,", "))") == [
        "   9 |   to(get(",
        "     |  ____^",
        "  10 | |     1,",
        "  11 | | ))",
        "     | |__^",
    ]
    lines = shown("to(get(", "get(", *(f"    {number}," for number in range(20)), "))")
    assert len(lines) == 8
    assert lines[5:7] == ["  ...", "  30 | | ))"]


def test_sarif_has_what_code_scanning_needs() -> None:
    """The log was checked against OASIS' schema of SARIF 2.1.0 when this was written."""
    span = Span("a b/graph.py", 9, 4, 7, "to(get(", more=("))",), last=2)
    finding = Diagnostic("GC012", Severity.ERROR, "no", span, (Note("why", span),), "do")
    lost = Diagnostic("GC030", Severity.WARNING, "lost")
    moved = Diagnostic("GC012", Severity.ERROR, "no", Span("a b/graph.py", 1, 4, 7, "to(get("))
    log = as_sarif([finding, lost, moved, finding], "a b/graph.py")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [(rule["id"], rule["defaultConfiguration"]["level"]) for rule in rules] == [
        ("GC012", "error"),
        ("GC030", "warning"),
    ]
    assert rules[0]["shortDescription"]["text"] == CODES["GC012"].title
    first, second, *_ = run["results"]
    assert (first["ruleIndex"], second["ruleIndex"], second["level"]) == (0, 1, "warning")
    assert first["message"]["text"] == "no\nhelp: do"
    place = first["locations"][0]["physicalLocation"]
    assert place == first["relatedLocations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/graph.py"
    region = place["region"]
    assert [region[key] for key in ("startLine", "startColumn", "endLine", "endColumn")] == [
        9, 4, 10, 2,
    ]  # fmt: skip
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/graph.py"
    # The same finding on another line keeps its fingerprint, counted on.
    prints = [item["partialFingerprints"]["primaryLocationLineHash"] for item in run["results"]]
    head = prints[0].removesuffix(":1")
    assert [prints[0], prints[2], prints[3]] == [f"{head}:1", f"{head}:2", f"{head}:3"]


def test_annotations_cannot_be_broken_out_of() -> None:
    span = Span("a,b:c\n.py", 1, 1, 2, "x")
    (line,) = as_github([Diagnostic("GC010", Severity.ERROR, "100%\n::error::no", span)])
    assert line == (
        "::error title=graphc GC010,file=a%2Cb%3Ac%0A.py,line=1,col=1,endColumn=2"
        "::100%25%0A::error::no"
    )
