"""Imports that a graph file can do without: does the graph depend on them?

They are taken to succeed (docs/differences.md). Where it is not sure that the package is there,
the file is read once more as if it were not; if the graph is another one then, that is a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from packaging.utils import canonicalize_name

from . import ir
from .diagnostics import Diagnostics, GraphError, Span
from .requirements import Declared
from .requirements.distributions import distribution, names_of
from .requirements.files import name_of

#: What mlrun 1.12.1 itself requires, by the names of imports: whoever runs the file has it.
_WITH_MLRUN: Final = frozenset(
    """
    IPython aiohttp aiohttp_retry aiosmtplib cachetools click deepdiff dependency_injector
    deprecated docstring_parser dotenv fsspec git inflection jinja2 jsonpath_ng jwt mergedeep
    mlrun mlrun_pipelines nest_asyncio nuclio numpy orjson pandas pyarrow pydantic requests
    semver setuptools storey tabulate urllib3 uuid_utils v3io v3iofs yaml
    """.split()
)
#: More are not tried.
_MOST: Final = 8


def check_imports(
    graph: ir.Graph,
    imported: Mapping[str, Span],
    declared: Declared,
    without: Callable[[str], ir.Graph | None],
    diagnostics: Diagnostics,
) -> None:
    """Warn of packages without which the graph would be another.

    `imported` has the packages that the file can do without, each with the place of an import;
    `without(name)` is the graph if that one is not there, None if there is none then.
    """
    asked = [line for one in graph.functions for line in one.settings.requirements]
    known = {*declared.entries, *filter(None, map(name_of, asked))}
    unsure = [
        name
        for name in imported
        if name not in _WITH_MLRUN and known.isdisjoint(map(canonicalize_name, names_of(name)))
    ]
    for name in unsure[:_MOST]:
        try:
            other = without(name)
        except GraphError:
            continue
        if other is not None and other.functions and other != graph:
            diagnostics.warning(
                "GC060",
                f"the graph depends on whether {name} is installed; it is taken to be",
                imported[name],
                help=f"declare it: a line {distribution(name)} in requirements.txt, or in "
                "fn.with_requirements([...]); or take the import out",
            )
