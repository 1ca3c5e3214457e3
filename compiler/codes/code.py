"""One kind of finding, and what is said about it at length."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import Literal

#: The lines that examples leave out when they do not make a function of their own.
PRELUDE = """\
import mlrun

fn = mlrun.new_function("shop", kind="serving")
graph = fn.set_topology("flow", engine="async")
"""


@dataclass(frozen=True, slots=True)
class Code:
    """A stable code. Once released it keeps its meaning; a code that goes is not given again."""

    code: str
    #: One sentence.
    title: str
    #: Why it is so, and what to do. Paragraphs are parted by empty lines.
    explanation: str
    #: The graph file, or what follows `PRELUDE` in it, that is found; and the same put right.
    #: Of codes that no graph file causes: what one types.
    bad: str
    good: str

    def __post_init__(self) -> None:
        for name in ("explanation", "bad", "good"):
            object.__setattr__(self, name, dedent(getattr(self, name)).strip("\n"))

    @property
    def level(self) -> Literal["error", "warning"]:
        """How grave such a finding is."""
        return "warning" if self.code.startswith(("GC03", "GC05", "GC06")) else "error"

    @property
    def is_session(self) -> bool:
        """Are the examples commands rather than graph files?"""
        return self.bad.startswith("$ ")


def graph_file(example: str) -> str:
    """The whole graph file of an example."""
    return (example if "mlrun.new_function" in example else f"{PRELUDE}\n{example}") + "\n"
