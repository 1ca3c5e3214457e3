"""Texts of `--set` and files of `--values`: expressions and their values.

Values are YAML as JSON has it: `true`, `3`, `[a, b]`, `s3://bucket/model`. YAML's older readings of
`no`, `12:30` and dates as anything but texts are left out. A key without a value stays open.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import yaml

from .diagnostics import GraphError


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core schema, without aliases, with which a small file can hold a huge value."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read")
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("int", r"[-+]?\d+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
    )


def parse_value(text: str) -> Any:
    """The value that a text on the command line stands for; what is no YAML is a text."""
    try:
        return yaml.load(text, _Loader) if text.strip() else text
    except (yaml.YAMLError, ValueError, RecursionError):
        return text


def parse_set(text: str) -> tuple[str, Any]:
    """`EXPR=VALUE`: the first `=` with an expression in front of it parts them.

    Raises ValueError if there is none.
    """
    position = -1
    while (position := text.find("=", position + 1)) >= 0:
        expression = text[:position].strip()
        try:
            ast.parse(expression, mode="eval")
        except (SyntaxError, ValueError, RecursionError):
            continue
        return expression, parse_value(text[position + 1 :])
    raise ValueError(f"{text!r} is not EXPR=VALUE")


def read_values(file: Path) -> dict[str, Any]:
    """The values in a file; raises GraphError."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), _Loader)
    except OSError as exc:
        raise GraphError(f"cannot read {file}: {exc.strerror}", code="GC001") from exc
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise GraphError(f"{file} is not YAML: {exc}", code="GC001") from exc
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise GraphError(f"{file} does not map expressions to values", code="GC001")
    constructor = _Loader("")
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise GraphError(f"{file} has a key that is no expression", code="GC001")
        if isinstance(value, yaml.ScalarNode) and value.value == "" and value.style is None:
            continue
        try:
            found[key.value] = constructor.construct_object(value, deep=True)
        except (yaml.YAMLError, ValueError) as exc:
            raise GraphError(f"{file}: the value of {key.value!r}: {exc}", code="GC001") from exc
    return found
