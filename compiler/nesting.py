"""Deeply nested source: what is refused before it is parsed, and room for what is not.

The parser and everything that walks its tree are recursive. Nesting that would overflow a stack is
found by looking at brackets, operators and indentation alone; the rest runs in a thread whose stack
is large enough for it.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

#: As Python's own tokenizer has it.
DEEPEST_BRACKETS: Final = 200
DEEPEST_INDENT: Final = 100
#: Operators, attributes and calls that hang on each other in one expression; parsing takes a time
#: that grows with the square of it.
LONGEST_CHAIN: Final = 1000

_STACK_SIZE: Final = 256 * 1024 * 1024
_RECURSION_LIMIT: Final = 40_000

_TOKEN: Final = re.compile(
    r"""
      (?P<string>[a-zA-Z]{0,2}(?:
          \"\"\"[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*(?:\"\"\"|\Z)
        | '''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*(?:'''|\Z)
        | "[^"\\\n]*(?:\\.[^"\\\n]*)*(?:"|$)
        | '[^'\\\n]*(?:\\.[^'\\\n]*)*(?:'|$) ))
    | (?P<skip>\#[^\n]*|\\\n|[ \t\f]+)
    | (?P<newline>\n[ \t\f]*)
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<end>[,;])
    | (?P<word>\w+)
    | (?P<operator>\*\*|//|<<|>>|[-+<>!=:]?=|->|:=|[^\s\w])
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_WORDS: Final = frozenset("and await else if in is lambda not or yield".split())


def too_deep(text: str) -> int | None:
    """The line at which the source is nested too deeply to be parsed, if there is one."""
    chains = [0]  # by open bracket: what hangs on each other since the last comma
    total = 0
    indents = [0]
    branches = [0]  # by indentation: `elif` that follow each other
    line = 1
    fresh = True
    indent = 0
    for token in _TOKEN.finditer(text):
        kind, word = token.lastgroup, token.group()
        if kind == "newline":
            line += 1
            if len(chains) == 1:
                total, chains[0] = 0, 0
                fresh, indent = True, len(word) - 1
            continue
        if kind == "skip":
            line += word.count("\n")
            continue
        if fresh:
            fresh = False
            while indents[-1] > indent:
                indents.pop()
                branches.pop()
            if indents[-1] < indent:
                indents.append(indent)
                branches.append(0)
            branches[-1] = branches[-1] + 1 if word == "elif" else 0
            if len(indents) > DEEPEST_INDENT or branches[-1] > LONGEST_CHAIN:
                return line
        if kind == "open":
            chains.append(0)
        elif kind == "close":
            if len(chains) > 1:
                total -= chains.pop()
            chains[-1] += 1
            total += 1
        elif kind == "end":
            total -= chains[-1]
            chains[-1] = 0
        elif kind in ("operator", "string") or word in _WORDS:
            chains[-1] += 1
            total += 1
            if (
                kind == "string"
                and "{" in word
                and _brackets(word) + len(chains) > DEEPEST_BRACKETS
            ):
                return line
            line += word.count("\n")
        if len(chains) > DEEPEST_BRACKETS or total + len(chains) > LONGEST_CHAIN:
            return line
    return None


def _brackets(string: str) -> int:
    """How deep brackets go in what may be a formatted string."""
    depth = deepest = 0
    for char in string.replace("{{", "").replace("}}", ""):
        if char in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in ")]}":
            depth -= 1
    return deepest


_deep = threading.local()


def with_deep_stack(run: Callable[[], T]) -> T:
    """What `run` gives, on a stack that has room for everything `too_deep` lets pass."""
    if getattr(_deep, "active", False):
        return run()
    results: list[T] = []
    errors: list[BaseException] = []

    def target() -> None:
        _deep.active = True
        try:
            results.append(run())
        except BaseException as exc:
            errors.append(exc)

    stack_size = threading.stack_size(_STACK_SIZE)
    recursion_limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(max(recursion_limit, _RECURSION_LIMIT))
        thread = threading.Thread(target=target, name="graphc", daemon=True)
        thread.start()
        threading.stack_size(stack_size)
        thread.join()
    finally:
        threading.stack_size(stack_size)
        sys.setrecursionlimit(recursion_limit)
    if errors:
        raise errors[0]
    return results[0]
