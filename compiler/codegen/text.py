"""Names and texts of a graph inside comments and docstrings: hostile until they pass here."""

from __future__ import annotations

import re

#: Words that tools read in comments.
_SPOKEN_TO_TOOLS = re.compile(
    r"\s*(fmt|type|noqa|ruff|isort|mypy|pyright|pylint|pragma|yapf|flake8|nosec|vim|!|:)|.*coding[:=]",
    re.IGNORECASE,
)


def comment(step: str) -> str:
    """A comment with a step's name; in quotes where tools would take it for theirs."""
    return f'# "{step}"' if _SPOKEN_TO_TOOLS.match(step) else f"# {step.strip()}"


def docstring_text(text: str) -> str:
    """Text that may stand inside a triple-quoted docstring."""
    return one_line(text.replace("\\", "\\\\")).replace('"""', '\\"\\"\\"')


def one_line(text: str) -> str:
    """The text with what would break a line, or could not be printed, escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode()
        for char in text
    )
