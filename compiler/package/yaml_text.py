"""YAML as people write it: plain texts where every reader takes them for texts, and comments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import yaml

Path = tuple[str, ...]
#: Comments by the path of the key that they stand above.
Remarks = Mapping[Path, Sequence[str]]

#: Amounts and durations, which no reader takes for numbers.
_AMOUNT = re.compile(r"[1-9][0-9]*(Ki|Mi|Gi|Ti|[mMGTsh])")
#: Words that some reader of YAML takes for something else than a text.
_AMBIGUOUS = frozenset("y n yes no on off true false null nan inf".split())


def block(value: Mapping[str, Any], remarks: Remarks | None = None, path: Path = ()) -> list[str]:
    """The lines of a mapping, without indentation of its own."""
    remarks = remarks or {}
    lines: list[str] = []
    for key, item in value.items():
        below = (*path, key)
        for remark in remarks.get(below, ()):
            lines += [f"# {line}" for line in wrap(remark, 96, break_on_hyphens=False)]
        inner = _inner(item, below, remarks)
        if inner is None:
            lines.append(f"{scalar(key)}: {scalar(item)}")
        else:
            lines.append(f"{scalar(key)}:")
            lines += [f"  {line}" for line in inner]
    return lines


def _inner(value: Any, path: Path, remarks: Remarks) -> list[str] | None:
    """The lines of a container; None for what stands on the line of its key."""
    if isinstance(value, Mapping) and value:
        return block(value, remarks, path)
    if isinstance(value, list) and value:
        lines = []
        for item in value:
            first, *rest = _inner(item, (*path, "-"), remarks) or [scalar(item)]
            lines += [f"- {first}", *(f"  {line}" for line in rest)]
        return lines
    return None


def scalar(value: Any) -> str:
    """A value as YAML on one line: a text is plain where every reader takes it for one."""
    if not isinstance(value, str):
        return json.dumps(value)
    if value[:1].isalpha() or value[:1] in ("/", "_") or _AMOUNT.fullmatch(value):
        dumped = yaml.safe_dump(value, width=10**9, allow_unicode=True)
        is_plain = dumped in (f"{value}\n", f"{value}\n...\n") and value.isprintable()
        if is_plain and value.lower() not in _AMBIGUOUS:
            return value
    return str(yaml.safe_dump(value, width=10**9, default_style='"')).rstrip("\n")
