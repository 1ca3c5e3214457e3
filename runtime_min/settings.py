"""Values that the graph file leaves open: environment variables, read when the package starts."""

from __future__ import annotations

import json
import os
from typing import Any


def text(name: str) -> str:
    """The variable's text; raises RuntimeError if it is not set."""
    found = os.environ.get(name)
    if found is None:
        raise RuntimeError(
            f"the environment variable {name} is not set: function.yaml says what it is for"
        )
    return found


def value(name: str) -> Any:
    """The variable's value: what its text is as JSON, or the text itself."""
    found = text(name)
    try:
        return json.loads(found)
    except ValueError:
        return found
