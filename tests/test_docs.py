"""What the documents say is true."""

from __future__ import annotations

import re
from pathlib import Path

from graphc.diagnostics import CODES

ROOT = Path(__file__).parent.parent


def test_every_code_is_explained_and_tested() -> None:
    text = (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    explained = dict(re.findall(r"^## (GC\d{3})\n(.+)$", text, re.MULTILINE))
    assert explained == CODES
    folders = (ROOT / "tests", ROOT / "examples")
    sources = [
        path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".txt")
    ]
    tested = {code for path in sources for code in re.findall(r"GC\d{3}", path.read_text("utf-8"))}
    assert set(CODES) <= tested


def test_every_code_is_used() -> None:
    sources = [path for path in (ROOT / "compiler").rglob("*.py") if path.name != "diagnostics.py"]
    used = {code for path in sources for code in re.findall(r"GC\d{3}", path.read_text("utf-8"))}
    assert used >= set(CODES) - {"GC010"}, "GC010 is the default of GraphError"


def test_readme_shows_the_example() -> None:
    """The code on top of the README is that of the example, as far as it is shown."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    handler = ROOT / "examples" / "ensemble" / "dist" / "advanced" / "handler.py"
    shown = readme.split("```python\n")[2].split("```")[0]
    assert shown in handler.read_text(encoding="utf-8")
