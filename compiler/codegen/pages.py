"""The templates, filled in."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jinja2


def page(template: str, /, **values: Any) -> str:
    """A template of templates/ with its values."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("graphc.templates", "."),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["yaml"] = yaml_scalar
    return environment


def yaml_scalar(value: Any) -> str:
    """A value as YAML on one line: plain where that is safe, else in double quotes."""
    if not isinstance(value, str):
        return json.dumps(value)
    import yaml

    dumped = yaml.safe_dump(value, width=10**9, allow_unicode=True)
    if dumped in (f"{value}\n", f"{value}\n...\n") and value.isprintable():
        return value
    return str(yaml.safe_dump(value, width=10**9, default_style='"')).rstrip("\n")
