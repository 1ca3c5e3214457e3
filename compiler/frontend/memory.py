"""What evaluation changes, so that it can be taken back: the mode for "perhaps this runs".

Where a condition is not known, each branch is run in a `branch`, which records the names and
containers it changes and undoes them; `merge` then keeps what all branches agree on and makes
the rest Unknown. A container that branches leave different is *blurred*: it reads as Unknown
from then on, whichever name it is reached by.
"""

from __future__ import annotations

import gc
import operator
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from . import aliases, enums
from .limits import DEEPEST_VALUE, BoundExceeded, Budget
from .values import (
    ABSENT,
    BoundMethod,
    Coroutine,
    EnvValue,
    External,
    Generator,
    Instance,
    OpenText,
    Super,
    Unknown,
    Value,
)

T = TypeVar("T")

ITERATOR: Final[type] = type(iter([]))
#: Types whose objects are used up by whoever goes through them.
ITERATORS: Final = frozenset({ITERATOR, Generator})
#: Types whose objects change in place.
MUTABLE: Final = frozenset({list, dict, set, ITERATOR})

_VIEWS: Final[tuple[type, ...]] = (type({}.keys()), type({}.values()), type({}.items()))
_ATOMS: Final = frozenset({type(None), bool, int, float, complex, str, bytes, type(...), range})


class _Missing:
    """No value: the name is not bound."""


_MISSING: Final = _Missing()


@dataclass(slots=True)
class _Change:
    """One name or container, before and after a branch."""

    #: The namespace and the name, or the container and None.
    holder: Any
    name: str | None
    before: Value
    after: Value = None


@dataclass(slots=True)
class _Walk:
    """An iterator over what containers hold, which goes on with what they hold by then."""

    iterator: Value
    #: What `iterator` goes through; made anew when one of the containers has changed.
    items: list[Value]
    remake: Callable[[], list[Value] | Unknown]
    containers: list[Value]
    #: How often each container had been changed when `items` was made.
    changes: list[int]


@dataclass(slots=True)
class Effects:
    """What a branch changed."""

    changes: dict[tuple[int, str | None], _Change] = field(default_factory=dict)
    #: Namespaces and containers that were made in it: nothing from before is in them.
    made: dict[int, object] = field(default_factory=dict)


class Memory:
    """Writes names and containers, and can take both back."""

    def __init__(
        self,
        budget: Budget,
        call: Callable[[Value, Sequence[Value]], Value],
        lazy: Callable[..., Value],
    ) -> None:
        self.budget = budget
        #: Calls a function of the user's, as operators on objects of the user's classes do.
        self.call = call
        #: Makes a generator (generators.py) of an iterator of Python's own.
        self.lazy = lazy
        self._journals: list[Effects] = []
        self._blurred: dict[int, tuple[object, Unknown]] = {}
        self._walks: dict[int, _Walk] = {}
        #: How often containers were changed, by their ids.
        self._changes: Counter[int] = Counter()
        #: Are there enumerations whose members are texts or numbers?
        self.has_members = False
        #: Dicts of other classes, by their ids: the dict, its class, what makes missing items.
        self._kinds: dict[int, tuple[Value, str, Value]] = {}

    @property
    def journal(self) -> object:
        """The branch at hand, None outside of any."""
        return self._journals[-1] if self._journals else None

    # -- changes

    def write(self, namespace: dict[str, Value], name: str, value: Value) -> None:
        """`name = value`."""
        if self._journals:
            self._note(namespace, name, namespace.get(name, _MISSING))
        namespace[name] = value

    def made(self, holder: T) -> T:
        """The namespace or container, which is a new one."""
        if self._journals:
            self._journals[-1].made[id(holder)] = holder
        return holder

    def erase(self, namespace: dict[str, Value], name: str) -> None:
        """`del name`; raises KeyError."""
        if self._journals and name in namespace:
            self._note(namespace, name, namespace[name])
        del namespace[name]

    def touch(self, container: Value) -> None:
        """The container is about to be changed in place."""
        self._changes[id(container)] += 1
        if self._journals:
            key = (id(container), None)
            if key not in self._journals[-1].changes:
                self._note(container, None, self._state(container))

    def blur(self, container: Value, unknown: Unknown, more: Sequence[Value] = ()) -> None:
        """The container is not known from now on; perhaps it holds `more`, too."""
        self.touch(container)
        held = [*aliases.items(self, [container]), *more]
        self._restore(container, aliases.holding(unknown, held))

    def set_kind(self, container: dict[Value, Value], dotted: str, factory: Value) -> None:
        """The dict is of a class derived from dict; the factory makes missing items, if any."""
        self._kinds[id(container)] = container, dotted, factory

    def kind(self, container: Value) -> str:
        """The full name of a dict's own class, "" if it is a plain one."""
        return self._kinds[id(container)][1] if id(container) in self._kinds else ""

    def of_kind(self, made: Value, like: Value) -> Value:
        """A dict made of another one has its class."""
        if id(like) in self._kinds:
            self.set_kind(made, *self._kinds[id(like)][1:])
        return made

    def default(self, container: dict[Value, Value], key: Value) -> Value:
        """What a look-up of a missing key gives, which the dict has from then on."""
        _, _, factory = self._kinds.get(id(container), (None, "", None))
        if factory is None:
            return ABSENT
        made = self.call(factory, [])
        self.touch(container)
        container[key] = made
        return made

    def seen(self, value: Value) -> Value:
        """The value, or the Unknown that a blurred container has become."""
        if type(value) is ITERATOR and id(value) in self._walks:
            self._follow(self._walks[id(value)])
        if self._blurred and id(value) in self._blurred:
            return self._blurred[id(value)][1]
        return value

    def iterator(
        self,
        items: list[Value],
        sources: Sequence[Value],
        remake: Callable[[], list[Value] | Unknown] | None = None,
    ) -> Value:
        """An iterator over items that were taken from `sources`.

        `remake` takes them anew, should a source change before the iterator is through: the one
        at a place is then what Python would find there. Without it the rest is not known then.
        """
        made = iter(items)
        containers: list[Value] = []
        for source in sources:
            if type(source) is ITERATOR and id(source) in self._walks:
                containers += self._walks[id(source)].containers
                remake = None
            elif type(source) in _VIEWS:
                containers += gc.get_referents(source)
            elif type(source) in (list, dict, set):
                containers.append(source)
        if containers:
            changes = [self._changes[id(container)] for container in containers]
            remake = remake or _changed_since
            self._walks[id(made)] = _Walk(made, items, remake, containers, changes)
        return made

    def _follow(self, walk: _Walk) -> None:
        """Let an iterator go through what there is now."""
        changes = [self._changes[id(container)] for container in walk.containers]
        if changes == walk.changes:
            return
        walk.changes = changes
        items = walk.remake()
        if isinstance(items, Unknown):
            del self._walks[id(walk.iterator)]
            self.blur(walk.iterator, items, [items, *aliases.items(self, walk.containers)])
        else:
            walk.items[:] = items

    def _note(self, holder: Any, name: str | None, before: Value) -> None:
        self._journals[-1].changes.setdefault((id(holder), name), _Change(holder, name, before))

    def _state(self, container: Value) -> Value:
        """A copy of the contents, to compare and to restore."""
        if id(container) in self._blurred:
            return self._blurred[id(container)][1]
        if type(container) is ITERATOR:
            # How far an iterator is cannot be set back.
            return Unknown("an iterator that perhaps was moved on", None)
        self.budget.items(len(container))
        return container.copy()

    # -- branches

    def branch(self, run: Callable[[], T]) -> tuple[T, Effects]:
        """What `run` gives and changes; the changes are undone."""
        effects = Effects()
        self._journals.append(effects)
        try:
            result = run()
        finally:
            self._journals.pop()
            if self._journals:
                self._journals[-1].made |= effects.made
            for change in reversed(effects.changes.values()):
                self._undo(change)
        return result, effects

    def _undo(self, change: _Change) -> None:
        holder, name = change.holder, change.name
        if name is not None:
            change.after = holder.get(name, _MISSING)
            if change.before is _MISSING:
                holder.pop(name, None)
            else:
                holder[name] = change.before
            return
        change.after = self._state(holder)
        self._restore(holder, change.before)

    def _restore(self, container: Value, state: Value) -> None:
        if type(state) is Unknown:
            self._blurred[id(container)] = (container, state)
            # Whoever holds the container itself, as the graph API does, finds the Unknown in it.
            state = {"": state} if type(container) is dict else [state]
        else:
            self._blurred.pop(id(container), None)
        if type(container) is ITERATOR:
            return
        container.clear()
        if type(container) is list:
            container.extend(state)
        else:
            container.update(state)

    def merge(self, branches: Sequence[Effects], unknown: Unknown) -> None:
        """Apply what all branches agree on; the rest becomes `unknown`."""
        changes = {key: change for effects in branches for key, change in effects.changes.items()}
        # Names last: whether two lists are the same is seen once both hold what they hold now.
        for key in sorted(changes, key=lambda key: key[1] is not None):
            change = changes[key]
            ends = [
                effects.changes[key].after if key in effects.changes else change.before
                for effects in branches
            ]
            agreed = all(self.same(ends[0], end) for end in ends[1:])
            self._apply(change, ends[0] if agreed else self._one_of(change, ends, unknown))

    def blur_all(self, effects: Effects, unknown: Unknown) -> bool:
        """Everything in `effects` becomes unknown; False if all of it was before, or is new."""
        changed = False
        for change in effects.changes.values():
            if type(change.before) is not Unknown:
                changed = changed or id(change.holder) not in effects.made
                ends = [change.before, change.after]
                self._apply(change, self._one_of(change, ends, unknown))
        return changed

    def _one_of(self, change: _Change, ends: Sequence[Value], unknown: Unknown) -> Unknown:
        """What a name, or what a container holds, is if it is one of these."""
        if any(type(end) is Unknown and end.reported for end in ends):
            unknown = reported(unknown)
        if change.name is None:
            return aliases.holding(unknown, aliases.items(self, ends))
        return aliases.one_of(unknown, ends)

    def _apply(self, change: _Change, value: Value) -> None:
        holder, name = change.holder, change.name
        if name is None:
            self.touch(holder)
            self._restore(holder, value)
        elif value is not _MISSING:
            self.write(holder, name, value)
        elif name in holder:
            self.erase(holder, name)

    def same(self, left: Value, right: Value, depth: int = 0) -> bool:
        """Are these the same value, whichever branch made it?"""
        if left is right:
            return True
        kind = type(left)
        if kind is not type(right) or depth > DEEPEST_VALUE:
            return False
        self.budget.spend()
        if kind in _ATOMS:
            return bool(left == right) and repr(left) == repr(right)
        if kind is External:
            return bool(left.dotted == right.dotted)
        if kind is list or kind is tuple:
            return len(left) == len(right) and all(
                self.same(one, other, depth + 1) for one, other in zip(left, right, strict=True)
            )
        if kind is dict:
            return list(left) == list(right) and all(
                self.same(left[key], right[key], depth + 1) for key in left
            )
        if kind is set or kind is frozenset:
            return bool(left == right)
        return False

    # -- what is not known inside of values

    def doubt(self, value: Value, depth: int = 0) -> Unknown | None:
        """What in the value keeps Python's own operators from treating it as a plain value.

        Raises BoundExceeded for values nested so deeply, or with so many paths through shared
        parts, that Python itself would overflow on them.
        """
        kind = type(value)
        if kind in _ATOMS:
            if kind is str or kind is bytes:
                self.budget.spend(len(value) >> 9)
            return None
        if kind is Unknown:
            return value  # type: ignore[no-any-return]
        if kind is EnvValue or kind is OpenText:
            return origin(value)
        if kind is Instance and enums.is_plain(value):
            return None
        if kind in (Instance, BoundMethod, Coroutine, Generator, Super):
            return Unknown("what an object does with operators is not evaluated", None)
        if kind is External:
            if value.dotted.startswith("builtins."):
                return None
            return Unknown(f"the value of {value.dotted}", None)
        if depth > DEEPEST_VALUE:
            raise BoundExceeded(
                f"a value nested more than {DEEPEST_VALUE} levels deep",
                "make such values when the package starts, not in the graph file",
            )
        if kind in MUTABLE and (seen := self.seen(value)) is not value:
            return seen  # type: ignore[no-any-return]
        if kind is dict:
            self.budget.spend(1 + (len(value) >> 2))
            for key, item in value.items():
                if found := self.doubt(key, depth + 1) or self.doubt(item, depth + 1):
                    return found
        elif kind in (list, tuple, set, frozenset, *_VIEWS):
            self.budget.spend(1 + (len(value) >> 3))
            for item in value:
                if found := self.doubt(item, depth + 1):
                    return found
        return None

    def doubt_of_keys(self, *keys: Value) -> Unknown | None:
        """What keeps the values from being keys of a dict; members of enumerations may be."""
        for key in keys:
            is_member = type(key) is Instance and key.equal is not ABSENT
            if not is_member and (doubt := self.doubt(key)):
                return doubt
        return None

    def settled(self, value: Value, depth: int = 0) -> Value:
        """The value as the graph API gets it: lists for iterators, Unknown for blurred ones."""
        kind = type(value)
        if kind in _ATOMS or depth > DEEPEST_VALUE:
            return value
        if kind in MUTABLE and (seen := self.seen(value)) is not value:
            return seen
        if kind is Instance:
            return enums.as_given(value)
        if kind is ITERATOR or kind in _VIEWS:
            return [self.settled(item, depth + 1) for item in value]
        if kind is Generator:
            return value.owner.rest(value)
        if not self._blurred and not self.has_members:
            return value
        self.budget.spend()
        made = value
        if kind is list or kind is tuple:
            made = kind(self.settled(item, depth + 1) for item in value)
        elif kind is dict:
            made = {
                enums.as_given(key): self.settled(item, depth + 1) for key, item in value.items()
            }
        # The container itself, if it may be: the graph API sees what is done to it later.
        return made if _differ(made, value) else value


def _differ(made: Value, value: Value) -> bool:
    """Is something in a list, tuple or dict not the very same as in the other?"""
    if type(value) is dict:
        made, value = [*made, *made.values()], [*value, *value.values()]
    return made is not value and any(map(operator.is_not, made, value))


def _changed_since() -> Unknown:
    return Unknown("an iterator over what was changed meanwhile", None)


def env_unknown(value: EnvValue) -> Unknown:
    """An environment variable used in an expression, where it cannot stay a look-up."""
    return Unknown(
        f"the environment variable {value.name}",
        value.span,
        f'os.environ["{value.name}"]',
        f"give its value at build time: --env {value.name}=VALUE",
    )


def origin(value: Value) -> Unknown | None:
    """The Unknown that a value is, if it is one."""
    kind = type(value)
    if kind is Unknown:
        return value  # type: ignore[no-any-return]
    if kind is EnvValue:
        return env_unknown(value)
    if kind is OpenText:
        return next(filter(None, map(origin, value.parts)), None)
    return None


def open_text(memory: Memory, pieces: Sequence[Value]) -> OpenText | Unknown:
    """Texts put together of which some are open; an Unknown about which an error was made stays."""
    parts: list[str | EnvValue | Unknown] = []
    for piece in pieces:
        inner = piece.parts if type(piece) is OpenText else (piece,)
        for part in inner:
            if type(part) is Unknown and part.reported:
                return part
            if type(part) is str and parts and type(parts[-1]) is str:
                parts[-1] += part
            elif part != "":
                parts.append(part)
    memory.budget.text(sum(len(part) for part in parts if type(part) is str))
    return OpenText(tuple(parts))


def reported(unknown: Unknown) -> Unknown:
    """The same, with an error about it made."""
    return unknown if unknown.reported else replace(unknown, reported=True)
