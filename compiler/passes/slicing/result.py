"""What slicing gives: files of a package, and what they need."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ...diagnostics import Span
from ...source import SourceTree
from .data_files import DataUse

#: Modules that lie beside a function's code in a package or in Nuclio's images.
RESERVED = frozenset({
    "runtime_min", "_nuclio_wrapper", "_nuclio_async_wrapper", "wrapper_common", "nuclio_sdk",
    "msgpack", "test_wrapper",
})  # fmt: skip

#: Python's own modules that Nuclio's wrapper has loaded before a handler (3.9 to 3.13): a module
#: of the user's with such a name is never imported.
PRELOADED = frozenset(
    """
    abc argparse array ast asyncio atexit base64 binascii bisect builtins bz2 calendar codecs
    collections concurrent contextlib contextvars copy copyreg datetime dis email encodings
    enum errno fcntl fnmatch functools genericpath gettext heapq http importlib inspect io
    ipaddress itertools json keyword linecache locale logging lzma marshal math opcode
    operator os pathlib platform posix posixpath queue quopri random re reprlib select
    selectors shutil signal site socket ssl stat string struct subprocess sys tempfile
    textwrap threading time token tokenize traceback types typing urllib uuid warnings weakref
    zipfile zipimport zlib
    """.split()
)


@dataclass(frozen=True, slots=True)
class SlicedFile:
    """One file of user code in a package."""

    #: Where it goes, relative to the package's folder, with forward slashes.
    path: str
    #: The user's file that it is cut from.
    source: str
    #: The kept top-level definitions, in source order.
    names: tuple[str, ...]
    text: str
    #: For each line of the text the line of the source that it comes from; 0: it is ours.
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """The user's code that a set of classes and functions needs."""

    #: Sorted by path.
    files: tuple[SlicedFile, ...] = ()
    #: Third-party imports that it reaches, sorted, with the first place of each.
    imports: Mapping[str, Span] = field(default_factory=dict, hash=False)
    #: Those of them that the code can do without: `try: ... except ImportError: ...`.
    optional: frozenset[str] = frozenset()
    #: Modules of runtime_min that it imports.
    runtime: frozenset[str] = frozenset()
    #: Files beside modules that the code names.
    data: tuple[DataUse, ...] = ()
    #: Calls that unpickle something.
    unpickles: tuple[Span, ...] = ()
    #: Some code calls `get_model`.
    model_spec: bool = False


def module_name(tree: SourceTree, module: str) -> str:
    """The name under which a package imports a module of the user's ("" is the graph file)."""
    if module:
        return module
    stem = PurePosixPath(tree.main.path).name.partition(".")[0]
    name = re.sub(r"\W", "_", stem) or "graph"
    if name[0].isdigit():
        name = f"_{name}"
    if keyword.iskeyword(name):
        name += "_"
    while name in RESERVED | PRELOADED or (
        (other := tree.module(name)) is not None and other is not tree.main
    ):
        name += "_"
    return name
