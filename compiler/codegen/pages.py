"""The templates, filled in."""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2


def page(template: str, /, **values: Any) -> str:
    """A template of templates/ with its values."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("graphc.templates", "."),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
