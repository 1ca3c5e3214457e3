"""Names that code makes up at run time: `globals()[name]`, `eval(text)`, `import_module(name)`.

In: kept code. Out: what it may read. Texts that are written out are read as code; else a module is
needed as a whole, and the user is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from ...reads import Read, reads
from ...scopes import dotted, walk

#: Functions that see all names of the module they are called in.
_TABLES = frozenset({"globals", "vars", "dir", "locals"})
_EVALUATORS = frozenset({"eval", "exec", "compile"})
_IMPORTERS = frozenset({"importlib.import_module", "__import__"})


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A place where names are made up."""

    node: cst.CSTNode
    #: What does it, as the user wrote it.
    by: str
    #: The names that a written-out text reads; None: any.
    names: tuple[str, ...] | None = None
    #: The module that is imported by a written-out name.
    module: str | None = None
    #: It imports a module of a made-up name.
    imports: bool = False
    #: What attributes of made-up names are taken of.
    taken_of: cst.BaseExpression | None = None


def dynamic_uses(node: cst.CSTNode, found: list[Read], is_function: bool) -> Iterator[Dynamic]:
    """All such places in a statement; `found` are its reads."""
    free = {id(read.node) for read in found}
    for item in walk(node):
        if isinstance(item, cst.Subscript) and dotted(item.value) == "sys.modules":
            yield Dynamic(item, "sys.modules")
        if not isinstance(item, cst.Call):
            continue
        name = dotted(item.func)
        root: cst.CSTNode = item.func
        while isinstance(root, cst.Attribute):
            root = root.value
        if name is None or id(root) not in free:
            continue
        first = item.args[0].value if item.args else None
        if name in _TABLES and not item.args and (name == "globals" or not is_function):
            yield Dynamic(item, f"{name}()")
        elif name in _EVALUATORS and first is not None:
            text = _text(first)
            names = _names(text) if text is not None else None
            yield Dynamic(item, f"{name}(...)", names)
        elif name == "getattr" and len(item.args) > 1 and _text(item.args[1].value) is None:
            yield Dynamic(item, "getattr(...)", taken_of=first)
        elif name in _IMPORTERS or name.endswith("import_module"):
            text = _text(first) if first is not None else None
            yield Dynamic(item, f"{name}(...)", (), text, imports=text is None)


def _class_annotations(node: cst.CSTNode) -> Iterator[cst.SimpleString]:
    """Texts in annotations of class bodies."""
    for item in walk(node):
        if isinstance(item, cst.ClassDef):
            for line in item.body.body:
                for part in line.body if isinstance(line, cst.SimpleStatementLine) else ():
                    if isinstance(part, cst.AnnAssign):
                        for text in walk(part.annotation):
                            if isinstance(text, cst.SimpleString) and isinstance(
                                text.evaluated_value, str
                            ):
                                yield text


def _text(node: cst.CSTNode) -> str | None:
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def _names(text: object) -> tuple[str, ...] | None:
    try:
        tree = cst.parse_module(f"{text}".strip() + "\n")
    except (cst.ParserSyntaxError, RecursionError):
        return None
    return tuple(sorted({read.name for line in tree.body for read in reads(line)}))
