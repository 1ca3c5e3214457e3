"""Every code that a finding may have, with title, explanation and examples.

The one registry: `graphc explain` and docs/diagnostics.md are made of it, the tests refuse a code
that is not in it, that nothing uses, or whose examples do not do what they say. A new code goes
into the module of its group, here below, with the next free number:

    GC001 to GC009  reading       the file is read and evaluated
    GC010 to GC029  graphs        the graph, its steps, the user's code
    GC030 to GC039  warnings      built, but perhaps not what was meant
    GC040 to GC049  packages      the output and what runs it
    GC050 to GC059  streams       events of streams may get lost
    GC060 to GC069  imports       what is taken to be installed
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .code import PRELUDE, Code, graph_file
from .graphs import GRAPHS
from .imports import IMPORTS
from .packages import PACKAGES
from .reading import READING
from .streams import STREAMS
from .warnings import WARNINGS

__all__ = ["CODES", "PRELUDE", "Code", "graph_file"]

CODES: Mapping[str, Code] = MappingProxyType(
    {code.code: code for code in (*READING, *GRAPHS, *WARNINGS, *PACKAGES, *STREAMS, *IMPORTS)}
)
