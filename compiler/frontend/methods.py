"""Methods and attributes of known plain values: Python's own, through an allow-list for each type.

A method that is not listed is Unknown if Python has it, and an AttributeError if not.
"""

from __future__ import annotations

import datetime
import operator
import posixpath
import re
import urllib.parse
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cmp_to_key
from pathlib import PurePosixPath
from typing import Any, Final

from ..diagnostics import did_you_mean
from . import aliases, enums
from .formats import format_text
from .limits import LONGEST_TEXT, is_costly
from .memory import ITERATOR, Memory, origin
from .operators import elements, extend, ordered, truth
from .signals import Lost, Native, native
from .values import Generator, Instance, Method, Unknown, UserClass, Value

_STR = frozenset(
    "capitalize casefold center count encode endswith expandtabs find format format_map index "
    "isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace "
    "istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind "
    "rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title "
    "upper zfill".split()
)
_BYTES = (_STR - {"casefold", "encode", "format", "format_map"}) & frozenset(dir(bytes)) | {
    "decode",
    "hex",
}
_SETS = frozenset(
    "copy difference intersection isdisjoint issubset issuperset symmetric_difference union".split()
)
_CHANGING_SETS = frozenset("add clear discard pop remove update difference_update".split())
#: Methods of sets that take an element and not what holds elements.
_OF_ONE_ELEMENT = frozenset("add discard remove".split())
_CHANGING_LISTS = frozenset("append clear extend insert pop remove reverse sort".split())
_CHANGING_DICTS = frozenset("clear pop popitem setdefault update".split())
_PATHS = frozenset(
    "as_posix is_absolute is_relative_to joinpath match relative_to with_name with_stem "
    "with_suffix".split()
)

_DATES = frozenset("isoformat isoweekday replace strftime toordinal weekday".split())
_URLS = (urllib.parse.ParseResult, urllib.parse.SplitResult)
#: Methods of paths that read or write a file (files.py).
OF_FILES: Final = frozenset({"open", "read_text", "unlink", "write_bytes", "write_text"})

METHODS: Final[Mapping[type, frozenset[str]]] = {
    str: _STR,
    bytes: _BYTES,
    list: _CHANGING_LISTS | {"copy", "count", "index"},
    tuple: frozenset({"count", "index"}),
    dict: _CHANGING_DICTS | {"move_to_end", "copy", "get", "items", "keys", "values"},
    set: _SETS | _CHANGING_SETS,
    frozenset: _SETS,
    range: frozenset({"count", "index"}),
    int: frozenset({"bit_length", "bit_count", "as_integer_ratio", "conjugate"}),
    bool: frozenset({"bit_length", "conjugate"}),
    float: frozenset({"is_integer", "as_integer_ratio", "hex", "conjugate"}),
    complex: frozenset({"conjugate"}),
    PurePosixPath: _PATHS | {"absolute", "resolve", "expanduser"} | OF_FILES,
    datetime.date: _DATES,
    datetime.datetime: _DATES | {"date"},
    datetime.timedelta: frozenset({"total_seconds"}),
    re.Pattern: frozenset("findall fullmatch match search split sub".split()),
    re.Match: frozenset("end group groupdict groups span start".split()),
    **dict.fromkeys(_URLS, frozenset({"geturl"})),
}
_DATA: Final[Mapping[type, frozenset[str]]] = {
    **dict.fromkeys((int, bool), frozenset({"real", "imag", "numerator", "denominator"})),
    float: frozenset({"real", "imag"}),
    complex: frozenset({"real", "imag"}),
    range: frozenset({"start", "stop", "step"}),
    slice: frozenset({"start", "stop", "step"}),
    datetime.date: frozenset("year month day".split()),
    datetime.datetime: frozenset("year month day hour minute second microsecond".split()),
    datetime.timedelta: frozenset({"days", "seconds", "microseconds"}),
    uuid.UUID: frozenset({"hex", "int", "version"}),
    re.Pattern: frozenset({"pattern"}),
    **dict.fromkeys(_URLS, frozenset("scheme netloc path query fragment hostname port".split())),
    PurePosixPath: frozenset(
        {"name", "parent", "parts", "root", "anchor", "stem", "suffix", "suffixes"}
    ),
}
#: Methods that change nothing of what they are called on.
READING: Final = frozenset(name for names in METHODS.values() for name in names) - (
    _CHANGING_SETS | _CHANGING_LISTS | _CHANGING_DICTS | {"move_to_end"}
)
#: What a concrete path asks of the file system, which is not looked at.
_ON_DISK: Final = frozenset(
    "chmod exists glob is_dir is_file is_symlink iterdir mkdir read_bytes rename rglob rmdir "
    "samefile stat symlink_to touch cwd home".split()
)


def attribute(value: Value, name: str) -> Value:
    """`value.name` of a plain value."""
    kind = type(value)
    if name in METHODS.get(kind, ()):
        return Method(value, name)
    if name in _DATA.get(kind, ()):
        return native(getattr, value, name)
    if kind is PurePosixPath and name == "parents":
        return tuple(value.parents)
    if kind is PurePosixPath and name in _ON_DISK:
        return Unknown("the file system is not looked at", None)
    if hasattr(kind, name):
        return Unknown(f"{kind.__name__}.{name} is not evaluated", None)
    known = [*METHODS.get(kind, ()), *_DATA.get(kind, ())]
    raise Native(
        AttributeError(f"{kind.__name__!r} object has no attribute {name!r}"),
        did_you_mean(name, sorted(known)),
    )


def call_method(
    memory: Memory, method: Method, args: Sequence[Value], kwargs: Mapping[str, Value], root: str
) -> Value:
    """`owner.name(*args, **kwargs)`; `root` is the folder that relative paths are in."""
    owner, name = memory.seen(method.owner), method.name
    if isinstance(owner, Unknown):
        return owner
    kind = type(owner)
    if kind in (list, dict, set) and name == "copy" and not args and not kwargs:
        memory.budget.items(len(owner))
        return memory.of_kind(memory.made(owner.copy()), owner)
    if kind is dict:
        return _of_dict(memory, owner, name, args, kwargs)
    if kind is list:
        return _of_list(memory, owner, name, args, kwargs)
    if kind is str and name == "format":
        return format_text(memory, owner, args, kwargs)
    if kind is str and name == "format_map":
        return _format_map(memory, owner, args)
    if kind is PurePosixPath and name in ("absolute", "resolve", "expanduser"):
        return _resolved(owner, name, root)
    args = list(args)
    sets = (set, frozenset)
    if name == "join" or (kind in sets and name not in _OF_ONE_ELEMENT):
        for index, arg in enumerate(args):
            # The order of a set matters only where a text is made of it.
            if (hasattr(arg, "__iter__") or type(arg) in (Generator, Instance, UserClass)) and (
                name == "join" or type(arg) not in sets
            ):
                found = elements(memory, arg)
                if isinstance(found, Unknown):
                    return _with_unknown(memory, owner, name, found)
                args[index] = [enums.as_given(one) for one in found] if name == "join" else found
    args = [enums.as_given(arg) for arg in args]
    for value in (*args, *kwargs.values()):
        if doubt := memory.doubt(value):
            return _with_unknown(memory, owner, name, doubt)
    if kind is re.Pattern:
        text = args[1 if name == "sub" else 0] if len(args) > (name == "sub") else ""
        if type(text) is str and type(owner.pattern) is str and is_costly(owner.pattern, text):
            return Unknown("what so costly a regular expression matches", None)
    if kind in (str, bytes):
        _check_growth(memory, owner, name, args)
    elif kind is set:
        if name in _CHANGING_SETS:
            memory.touch(owner)
        if name == "pop" and len(owner) > 1:
            unknown = Unknown("which element of a set comes first", None)
            memory.blur(owner, unknown)
            return unknown
        memory.budget.items(
            len(owner) + sum(len(arg) for arg in args if type(arg) in (list, *sets))
        )
    made = native(getattr(owner, name), *args, **kwargs)
    return memory.made(made) if type(made) is list else made


def _with_unknown(memory: Memory, owner: Value, name: str, unknown: Unknown) -> Value:
    """What a method gives that got something not known; a set is another one after it."""
    if type(owner) is set and name in _CHANGING_SETS:
        memory.blur(owner, unknown, [unknown])
    return unknown


def _format_map(memory: Memory, template: str, args: Sequence[Value]) -> Value:
    if len(args) == 1 and type(args[0]) is dict:
        return format_text(memory, template, (), args[0])
    return Unknown("str.format_map of something that is not a dict", None)


def _resolved(path: PurePosixPath, name: str, root: str) -> Value:
    if str(path).startswith("~"):
        return Unknown("the home folder of whoever builds", None)
    if name == "expanduser":
        return path
    joined = PurePosixPath(root) / path
    return PurePosixPath(posixpath.normpath(joined)) if name == "resolve" else joined


def _of_dict(
    memory: Memory,
    owner: dict[Value, Value],
    name: str,
    args: Sequence[Value],
    kwargs: Mapping[str, Value],
) -> Value:
    """Values may be of any type; keys have to be known."""
    if name in ("get", "pop", "setdefault") and args and (doubt := memory.doubt_of_keys(args[0])):
        if name != "get":
            memory.blur(owner, doubt, args[1:])
        return doubt
    if name == "update" and len(args) == 1:
        source = memory.seen(args[0])
        if type(source) is Generator:
            source = elements(memory, source)
        if (doubt := origin(source)) is None and type(source) is not dict:
            doubt = memory.doubt(source) if type(source) in (list, tuple, set, ITERATOR) else None
            if doubt is None and type(source) is not ITERATOR and not hasattr(source, "__len__"):
                doubt = Unknown("what an object holds", None)
        if doubt is not None:
            memory.blur(owner, doubt, [*aliases.items(memory, [source]), *kwargs.values()])
            return doubt
        args = [source]
        memory.budget.items(len(owner) + len(kwargs))
    if memory.kind(owner) == "collections.OrderedDict" and name in ("move_to_end", "popitem"):
        return _of_ordered(memory, owner, name, args, kwargs)
    if name == "move_to_end":
        raise Native(AttributeError("'dict' object has no attribute 'move_to_end'"))
    if name in _CHANGING_DICTS:
        memory.touch(owner)
    if name == "update":
        memory.budget.items(
            len(owner) + (len(args[0]) if args and hasattr(args[0], "__len__") else 0)
        )
    return native(getattr(owner, name), *args, **kwargs)


def _of_ordered(
    memory: Memory,
    owner: dict[Value, Value],
    name: str,
    args: Sequence[Value],
    kwargs: Mapping[str, Value],
) -> Value:
    """What a `collections.OrderedDict` has more than a dict."""
    doubt = next(filter(None, map(memory.doubt, [*args, *kwargs.values()])), None)
    if doubt is not None:
        memory.blur(owner, doubt)
        return doubt
    made = OrderedDict(owner)
    result = native(getattr(made, name), *args, **kwargs)
    memory.touch(owner)
    owner.clear()
    owner.update(made)
    return result


def _of_list(
    memory: Memory,
    owner: list[Value],
    name: str,
    args: Sequence[Value],
    kwargs: Mapping[str, Value],
) -> Value:
    """Elements may be of any type; where they are compared they have to be known."""
    args = list(args)
    if name == "extend" and len(args) == 1 and type(args[0]) is Generator:
        return extend(memory, owner, args[0])
    if name == "extend" and len(args) == 1:
        found = elements(memory, args[0])
        if isinstance(found, Unknown):
            memory.blur(owner, found, [found])
            return found
        args = [found]
        memory.budget.items(len(owner) + len(found))
    doubt: Unknown | None = None
    if name in ("pop", "insert") and args:
        doubt = memory.doubt(args[0])
    elif name in ("count", "index", "remove"):
        doubt = memory.doubt(owner) or next(filter(None, map(memory.doubt, args)), None)
    elif name == "sort":
        doubt = memory.doubt(owner)
    if name in _CHANGING_LISTS:
        if doubt is not None:
            memory.blur(owner, doubt, args)
        memory.touch(owner)
    memory.budget.spend(len(owner) >> 6)
    return doubt if doubt is not None else native(getattr(owner, name), *args, **kwargs)


def _check_growth(memory: Memory, owner: Any, name: str, args: Sequence[Value]) -> None:
    """Asks for the size of the text that a method makes."""
    length = len(owner)
    if name in ("center", "ljust", "rjust", "zfill", "expandtabs") and args:
        width = args[0] if type(args[0]) is int else 0
        times = (
            owner.count("\t" if isinstance(owner, str) else b"\t") if name == "expandtabs" else 1
        )
        length += max(0, width) * times
    elif name == "replace" and len(args) > 1 and type(args[0]) is type(owner) is type(args[1]):
        found = owner.count(args[0])
        limit = args[2] if len(args) > 2 and type(args[2]) is int and args[2] >= 0 else found
        length += min(found, limit) * len(args[1])
    elif name == "join" and args and type(args[0]) is list:
        pieces = sum(len(piece) for piece in args[0] if type(piece) is type(owner))
        length = pieces + length * len(args[0])
    elif name in ("split", "rsplit", "splitlines"):
        memory.budget.spend(length // 32)
    memory.budget.text(min(length, LONGEST_TEXT + 1))


def sort_list(
    memory: Memory,
    values: list[Value],
    key: Callable[[Value], Value] | None,
    reverse: bool,
) -> list[Value] | Unknown:
    """The values in order; keys that are not known make the order Unknown."""
    memory.budget.items(len(values) * 8)
    keys = values if key is None else [key(value) for value in values]
    keys = [enums.as_given(value) for value in keys]
    if any(isinstance(value, Instance) for value in keys):
        return _sort_objects(memory, values, keys, reverse)
    if doubt := memory.doubt(keys):
        return doubt
    order = native(sorted, range(len(values)), key=keys.__getitem__, reverse=reverse)
    return memory.made([values[index] for index in order])


def _sort_objects(
    memory: Memory, values: list[Value], keys: list[Value], reverse: bool
) -> list[Value] | Unknown:
    """The same, of keys whose class of the user's says which is less."""

    def compare(left: int, right: int) -> int:
        found = truth(memory, ordered(memory, operator.lt, keys[left], keys[right]))
        if isinstance(found, Unknown):
            raise Lost(found)
        return -1 if found else 1  # `sorted` asks for less than 0, once

    try:
        order = sorted(range(len(values)), key=cmp_to_key(compare), reverse=reverse)
    except Lost as exc:
        return exc.unknown
    return [values[index] for index in order]
