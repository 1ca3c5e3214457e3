"""What the documents say is true."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_readme_shows_the_example() -> None:
    """The code on top of the README is that of the example, as far as it is shown."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    handler = ROOT / "examples" / "ensemble" / "dist" / "advanced" / "handler.py"
    shown = readme.split("```python\n")[2].split("```")[0]
    assert shown in handler.read_text(encoding="utf-8")
