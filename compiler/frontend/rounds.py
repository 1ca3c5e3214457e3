"""What a `for` goes through while its body perhaps changes it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from . import aliases, special
from .limits import MOST_ROUNDS
from .memory import ITERATOR, Memory, origin
from .operators import PLAIN, elements
from .signals import Finished, Lost, native
from .values import ABSENT, Generator, Unknown, Value


class Rest(NamedTuple):
    """What is left of a loop, of which it is not known how often it runs."""

    unknown: Unknown


def rounds(memory: Memory, iterable: Value) -> Iterator[Value | Rest]:
    """What a loop goes through, one after the other, perhaps up to a Rest.

    What the loop itself changes is seen as Python sees it.
    """
    iterable = memory.seen(iterable)
    if (found := special.iterated(memory, iterable)) is not ABSENT:
        iterable = memory.seen(found)
    walk = iterable
    if isinstance(iterable, Generator):
        try:
            yield from _Asked(iterable)
        except Lost as exc:
            yield Rest(exc.unknown)
        return
    if type(iterable) not in (list, ITERATOR):
        items = elements(memory, iterable)
        if isinstance(items, Unknown):
            yield Rest(items)
            return
        walk = memory.iterator(items, [iterable], partial(_again, memory, iterable, len(items)))
    elif type(iterable) is ITERATOR:
        memory.touch(iterable)
    length = len(walk) if type(walk) is list else walk.__length_hint__()
    if length > MOST_ROUNDS:
        # Not followed at all: what comes out of it would not be known either.
        items = elements(memory, walk)
        unknown = Unknown(f"a loop of {length} rounds is not followed", None)
        yield Rest(aliases.one_of(unknown, items if type(items) is list else [items]))
        return
    # Of a list, what is added while it is gone through; of an iterator, what it goes through now.
    ongoing = iter(walk)
    while True:
        doubt = origin(memory.seen(walk))
        if doubt is not None:
            yield Rest(aliases.one_of(doubt, aliases.items(memory, [doubt])))
            return
        try:
            item = next(ongoing)
        except StopIteration:
            return
        yield item


class _Asked:
    """The items of a generator; after one that fails, it goes on if the generator does."""

    def __init__(self, made: Generator) -> None:
        self._made = made

    def __iter__(self) -> Iterator[Value]:
        return self

    def __next__(self) -> Value:
        try:
            return self._made.owner.resume(self._made)
        except Finished:
            raise StopIteration from None


def each(memory: Memory, iterable: Value) -> Iterator[Value]:
    """What a loop goes through; raises Lost where it is not known how often it runs.

    What Python cannot go through at all raises at once, as `map` does that is given a number.
    """
    if type(iterable) in PLAIN:
        native(iter, iterable)
    return _Asked(iterable) if isinstance(iterable, Generator) else _each(memory, iterable)


def _each(memory: Memory, iterable: Value) -> Iterator[Value]:
    for item in rounds(memory, iterable):
        if isinstance(item, Rest):
            raise Lost(item.unknown)
        memory.budget.spend()
        yield item


def _again(memory: Memory, iterable: Value, length: int) -> list[Value] | Unknown:
    """The elements of a dict or set that may have changed since there were so many."""
    items = elements(memory, iterable)
    if isinstance(items, list) and len(items) != length:
        return Unknown("what is changed in size while a loop goes through it", None)
    return items
