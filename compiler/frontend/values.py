"""What the static evaluator computes with.

Plain values are Python's own (None, bool, int, float, complex, str, bytes, Ellipsis, list, tuple,
dict, set, frozenset, range, slice) and `PurePosixPath`, which stands for any `pathlib` path;
containers may hold any of the types below. Nothing here is ever a live object of the user's.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

import libcst as cst

from ..diagnostics import Span

if TYPE_CHECKING:
    from ..source import SourceModule
    from .generators import Generators
    from .scope import Scope
    from .signals import Raised

Value = Any


class _Absent:
    """No such thing, where None and Unknown would be values."""


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True, eq=False)
class Unknown:
    """A value that cannot be known without running the file.

    `why` completes the sentence "this value is not known: ..."; `span` is where it came from;
    `expression` is the text there, as `--set` will name it.
    """

    why: str
    span: Span | None
    expression: str = ""
    #: The remedy for this very value, e.g. `give it with --env NAME=VALUE`.
    help: str = ""
    #: An error about it was made already: another one would say the same again.
    reported: bool = False
    #: The known values that it may be, as far as a change of them matters (aliases.py).
    among: tuple[Value, ...] = ()


#: Longer expressions are not repeated in a remedy.
_LONGEST_EXPRESSION = 100


def remedy(unknown: Unknown) -> str:
    """What whoever builds can do about a value that is not known; "" if nothing is known."""
    if unknown.help:
        return unknown.help
    if not unknown.expression or len(unknown.expression) > _LONGEST_EXPRESSION:
        return ""
    return f"give its value at build time: --set {shlex.quote(f'{unknown.expression}=VALUE')}"


@dataclass(frozen=True, slots=True, eq=False)
class EnvValue:
    """`os.environ["NAME"]` (no default, `default` is None and `required` True) or `os.getenv`.

    Becomes a look-up in the generated code where it is used whole; inside other expressions it
    makes them Unknown.
    """

    name: str
    default: str | None
    required: bool
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class OpenText:
    """A text with parts that are known only where the package runs: `f"{addr}/v2"`.

    Becomes an expression in the generated code where it is used whole, as an EnvValue does.
    """

    parts: tuple[str | EnvValue | Unknown, ...]


@dataclass(frozen=True, slots=True, eq=False)
class External:
    """Something of a module that is not the user's: `numpy.asarray`, `json.loads`, `storey.Filter`.

    `dotted` is its full name after imports and aliases are followed. Known only by that name.
    """

    dotted: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class UserFunction:
    """A function of the user's, `def` or lambda, with the scope it was made in."""

    module: SourceModule
    #: `cst.FunctionDef` or `cst.Lambda`.
    node: cst.FunctionDef | cst.Lambda
    #: The name in `def`, or the variable a lambda was assigned to, `"<lambda>"` if none.
    name: str
    #: True if it stands at the module's top level (`if`, `try` and `with` do not count).
    top_level: bool
    scope: Scope
    span: Span
    #: Default values of its parameters, computed where it was defined.
    defaults: Mapping[str, Value] = field(default_factory=dict)
    #: The decorator of another module's that is around it, "" if none is.
    decorator: str = ""
    #: What it has answered, by its arguments, if it is run once for the same ones.
    answers: dict[Value, Value] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class UserClass:
    """A class of the user's."""

    module: SourceModule
    node: cst.ClassDef
    name: str
    top_level: bool
    scope: Scope
    span: Span
    bases: tuple[Value, ...] = ()
    #: What the class body assigned.
    members: Mapping[str, Value] = field(default_factory=dict)
    #: Python's order of the class and its bases, once it was asked for (objects.py).
    order: list[list[UserClass] | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """What calling a class gives: the class and the arguments.

    `cls` is a UserClass, or an External whose last dotted part starts with a capital. `fields` are
    the attributes, None where nothing more is known (objects.py).
    """

    cls: UserClass | External
    args: tuple[Value, ...]
    kwargs: Mapping[str, Value]
    span: Span
    fields: dict[str, Value] | None = None
    #: Of a member of an enumeration of texts or numbers: the one that it is equal to.
    equal: Value = ABSENT

    def __eq__(self, other: object) -> bool:
        if self.equal is ABSENT:
            return self is other
        return bool(self.equal == (other.equal if isinstance(other, Instance) else other))

    def __hash__(self) -> int:
        return id(self) if self.equal is ABSENT else hash(self.equal)


@dataclass(frozen=True, slots=True, eq=False)
class Descriptor:
    """A function in a class body behind `@property`, `@cached_property`, `@staticmethod` or
    `@classmethod`."""

    kind: str
    function: UserFunction
    #: Of a property: what sets it.
    setter: UserFunction | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Coroutine:
    """What calling an `async def` gives; its body is run when it is awaited."""

    function: UserFunction
    arguments: Mapping[str, Value]
    span: Span


@dataclass(slots=True, eq=False)
class Generator:
    """What goes on by one item at a time: a call of a function that yields, `map(f, items)`, ...

    How it goes on is in generators.py.
    """

    owner: Generators
    #: What messages call it.
    name: str
    #: Python's own generator that makes the items; None once there are no more.
    run: Any
    #: Where it was made.
    span: Span
    #: What its items are made from, and by which code, each piece with the scope it runs in.
    values: tuple[Value, ...]
    code: tuple[tuple[cst.CSTNode, Scope], ...]
    #: The branch that it was made in; how far it is cannot be set back, so it stays in it.
    home: object
    #: The node of the call that made it.
    place: cst.CSTNode | None = None
    #: `contextlib.contextmanager` made a context manager of it.
    manages: bool = False
    started: bool = False
    running: bool = False
    #: Set once it is not known how far it is.
    lost: Unknown | None = None
    #: What the machine has under these names while it runs.
    catching: int = 0
    guarded: int = 0
    handled: Raised | None = None
    handlers: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class BoundMethod:
    """A method of an object, or a class method of a class."""

    owner: Instance | UserClass
    function: UserFunction


@dataclass(frozen=True, slots=True, eq=False)
class Method:
    """A bound method of a plain value: `names.append`."""

    owner: Value
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Super:
    """`super()` inside a method of the class."""

    cls: UserClass
    owner: Instance | UserClass


@dataclass(frozen=True, slots=True, eq=False)
class UserModule:
    """An imported module of the user's; attributes are those of its evaluated scope."""

    module: SourceModule
    scope: Scope


@dataclass(frozen=True, slots=True, eq=False)
class TextFile:
    """A file of text that was opened to be read (files.py)."""

    #: An iterator over what was not read yet.
    lines: Any


class HostObject:
    """An object of the graph API (builder.py), which the evaluator calls for real.

    `api` names the attributes and methods that a graph file may use. Methods are called with
    evaluated arguments; they raise `GraphError` for mistakes, which the evaluator completes
    with the span of the call. Another attribute reads as Unknown; but one in `refused` is an error,
    and one that is not in `known` either is none that such an object has. Assigning an attribute
    calls `assign`. `host.call_span` (see evaluator.Host) is the span of the call at hand.
    """

    api: ClassVar[frozenset[str]] = frozenset()
    #: What such an object has in mlrun; empty: nothing is known of that.
    known: ClassVar[frozenset[str]] = frozenset()
    #: What would change the graph and is not compiled, and what to do instead.
    refused: ClassVar[Mapping[str, str]] = {}
    #: Attributes that mean nothing for the graph, whoever sets them.
    idle: ClassVar[frozenset[str]] = frozenset()
    #: How messages call such an object: `a flow graph`.
    description: ClassVar[str] = "an object of the graph API"

    def read(self, name: str) -> Value:
        """The value of an attribute in `api`; bound methods come back as `HostFunction`."""
        value = getattr(self, name)
        return HostFunction(f"{type(self).__name__}.{name}", value) if callable(value) else value

    def assign(self, name: str, value: Value) -> None:
        """`obj.name = value`; raises GraphError."""
        from ..diagnostics import GraphError

        raise GraphError(f"{self.description} has no attribute {name!r} to set", code="GC011")

    def item(self, key: Value) -> Value:
        """`obj[key]`; raises GraphError."""
        from ..diagnostics import GraphError

        raise GraphError(f"{self.description} cannot be indexed")

    def remove(self, key: Value) -> None:
        """`del obj[key]`; raises GraphError."""
        from ..diagnostics import GraphError

        raise GraphError(f"nothing is deleted from {self.description}")

    def iterate(self) -> list[Value] | None:
        """What `for x in obj` yields; None if it cannot be iterated."""
        return None

    def contains(self, key: Value) -> bool | None:
        """`key in obj`; None if that has no meaning."""
        return None


@dataclass(frozen=True, slots=True, eq=False)
class HostFunction:
    """A function of the graph API: `mlrun.new_function`, or a bound method of a HostObject."""

    name: str
    call: Callable[..., Value]
    #: Do these arguments mean that the call is of no consequence for the graph?
    idle: Callable[[Sequence[Value], Mapping[str, Value]], bool] = lambda args, kwargs: False


@dataclass(frozen=True, slots=True, eq=False)
class CallBack:
    """What a HostFunction gives back to have a function of the user's called: `result` is then
    the value of its own call."""

    function: UserFunction
    args: tuple[Value, ...]
    result: Value


@dataclass(frozen=True, slots=True, eq=False)
class HostModule:
    """`mlrun`, `mlrun.serving`, ...: `members` are known; anything else in it is External."""

    dotted: str
    members: Mapping[str, Value] = field(default_factory=dict)
