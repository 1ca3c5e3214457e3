"""The registry of codes is complete, true, and what docs/diagnostics.md says.

`tests/run tests/test_codes.py --update` writes the page.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import diagnostics_page
from graphc.codes import CODES, Code

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "diagnostics.md"


def _used() -> dict[str, str]:
    """The codes that the compiler spells outside of the registry, and where."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "compiler").rglob("*.py")):
        if path.parent.name == "codes":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for code in re.findall(r"\bGC\d+\b", node.value):
                    found.setdefault(code, f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


def test_codes_are_registered_and_used() -> None:
    used = _used()
    strangers = {code: place for code, place in used.items() if code not in CODES}
    assert not strangers, "register them in compiler/codes/"
    assert not set(CODES) - set(used), "nothing uses them"
    assert list(CODES) == sorted(CODES)


def test_every_code_has_a_golden_case() -> None:
    """Whole output of the command: a golden folder's stderr.txt, or a text case."""
    outputs = [
        *(ROOT / "tests" / "golden").glob("*/stderr.txt"),
        *(ROOT / "examples").glob("*/stderr.txt"),
        *(ROOT / "tests" / "cases").glob("*.txt"),
    ]
    shown = {
        code
        for path in outputs
        for code in re.findall(r"(?:error|warning|note)\[(GC\d{3})\]", path.read_text("utf-8"))
    }
    assert not set(CODES) - shown


@pytest.mark.parametrize(
    "code", [code for code in CODES.values() if not code.is_session], ids=lambda code: code.code
)
def test_examples_are_true(code: Code) -> None:
    found = diagnostics_page.findings(code.bad)
    assert {item.code for item in found} == {code.code}
    assert {item.severity.value for item in found} == {code.level}
    assert diagnostics_page.findings(code.good) == []


def test_the_page_is_up_to_date(update: bool) -> None:
    if update:
        PAGE.write_text(diagnostics_page.page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == diagnostics_page.page()
