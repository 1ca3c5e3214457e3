"""Folders that the graph file adds to `sys.path`: what they hold is the user's own code."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ...code_index import CodeIndex
from ...scopes import dotted, walk
from ...source import SourceTree
from .data_files import SEARCHED, DataFiles
from .facts import Facts


def search_paths(tree: SourceTree) -> Iterator[str]:
    """The folders, relative to that of the graph file, as far as they are constants."""
    if "sys.path" not in tree.main.text:
        return
    index = CodeIndex(tree)
    module = index.module("")
    files = DataFiles(index, Facts(index))
    for unit in module.units if module else ():
        for node in walk(unit.node):
            if isinstance(node, cst.Call) and node.args and dotted(node.func) in SEARCHED:
                assert module is not None
                path = files.path(module, unit, node.args[-1].value)
                if path is not None:
                    yield path
