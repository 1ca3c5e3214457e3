"""The last touch: black, pinned in pyproject, and a look at whether it parses."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import black


def formatted(text: str) -> str:
    """Python text in black's style of the pinned year; an error here is a bug of ours."""
    import black

    result = black.format_str(text, mode=_mode())
    ast.parse(result, feature_version=(3, 9))
    return result


@cache
def _mode() -> black.Mode:
    import black
    from black.mode import TargetVersion

    return black.Mode(target_versions={TargetVersion.PY39}, line_length=88)
