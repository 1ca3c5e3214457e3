"""The last touch: black, pinned in pyproject, and a look at whether it parses."""

from __future__ import annotations

import ast
from functools import cache


def formatted(text: str) -> str:
    """Python text in black's style of the pinned year; an error here is a bug of ours."""
    import black

    result = black.format_str(text, mode=_mode())
    ast.parse(result, feature_version=(3, 9))
    return result


@cache
def _mode() -> object:
    import black

    return black.Mode(target_versions={black.TargetVersion.PY39}, line_length=88)
