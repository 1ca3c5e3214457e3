"""How evaluated code ends other than by its last line: exceptions, and leaving a block."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..diagnostics import Diagnostic, Note, Severity, Span
from .limits import BoundExceeded
from .values import External, Instance, Unknown, UserClass, Value

MOST_NOTES = 12
#: Modules whose operations on known values are run, and raise exceptions of their own.
_RAISING: Final = frozenset(
    {"builtins", "json", "yaml", "tomllib", "csv", "_csv", "dataclasses", "re"}
)


class Native(Exception):
    """A native operation on known values raised; whoever knows the place makes it a Raised."""

    def __init__(self, error: Exception, help: str = "") -> None:
        super().__init__(str(error))
        self.error = error
        self.help = help


class Raised(Exception):
    """The evaluated code raises an exception, for certain."""

    def __init__(self, value: Value, text: str, span: Span, help: str = "") -> None:
        super().__init__(text)
        #: The Instance that `except ... as name` gets.
        self.value = value
        self.text = text
        self.span = span
        self.help = help
        self.notes: list[Note] = []
        #: The names of its class and all bases, where its value does not tell.
        self.names: frozenset[str] = frozenset()
        #: What is found if nothing catches it.
        self.finding: Diagnostic | None = None

    @classmethod
    def of(cls, native: Native, span: Span) -> Raised:
        """A native exception, at its place."""
        error = native.error
        name = type(error).__name__
        kind = External(_full_name(type(error)), span)
        try:
            text = str(error)
        except Exception:  # an exception's own text may fail, e.g. for surrogates
            text = ""
        value = Instance(kind, error.args, {}, span)
        return cls(value, f"{name}: {text}" if text else name, span, native.help)

    def called_from(self, name: str, span: Span) -> None:
        """Note a call on the way up."""
        if len(self.notes) < MOST_NOTES:
            self.notes.append(Note(f"in the call of {name}()", span))

    def diagnostic(self) -> Diagnostic:
        if self.finding is not None:
            return self.finding
        return Diagnostic(
            "GC004",
            Severity.ERROR,
            f"this line fails: {self.text}",
            self.span,
            tuple(self.notes),
            self.help,
        )


class Finished(Exception):
    """A generator has no more items; `value` is what its function returned."""

    def __init__(self, value: Value = None) -> None:
        super().__init__("no more items")
        self.value = value


class Lost(Exception):
    """What a generator does next is not known, nor how many items it has."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown.why)
        self.unknown = unknown


class Exit(Exception):
    """`sys.exit()` was reached."""


def native(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Python's own operation on known values, whose size was checked before."""
    try:
        return function(*args, **kwargs)
    except (MemoryError, RecursionError) as exc:
        raise BoundExceeded(
            "a value that is too large or nested too deeply",
            "make such values when the package starts, not in the graph file",
        ) from exc
    except (BoundExceeded, Native):
        raise
    except Exception as exc:
        raise Native(exc) from None


How = Literal["return", "break", "continue", "raise"]


@dataclass(frozen=True, slots=True)
class Leave:
    """A block was left by `return`, `break` or `continue`; by which, may depend on an Unknown.

    `raise` is there only where a `try` around it may go on after an exception that is not sure.
    """

    hows: frozenset[How]
    value: Value = None
    #: Set if the block perhaps was not left at all.
    perhaps: Unknown | None = None

    @property
    def how(self) -> How | None:
        """The one way out, if it is sure."""
        return next(iter(self.hows)) if len(self.hows) == 1 and self.perhaps is None else None


#: Statements that are run from one `yield` to the next.
Steps = Generator[Value, Value, Leave | None]


def exception_names(value: Value) -> tuple[frozenset[str], bool]:
    """Names of an exception's class and its bases, and whether these are all of them."""
    cls = value.cls if isinstance(value, Instance) else value
    names: set[str] = set()
    complete = True
    pending = [cls]
    while pending:
        match pending.pop():
            case External(dotted=dotted):
                names.add(dotted)
                error = builtin_exception(dotted)
                if error is None:
                    complete = False
                else:
                    names.update(map(_full_name, error.__mro__))
            case UserClass() as user:
                names.add(f"{user.module.name}:{user.name}")
                pending.extend(user.bases)
            case _:
                complete = False
    return frozenset(names), complete


def builtin_exception(dotted: str) -> type[BaseException] | None:
    """The exception class of this full name, if it is Python's own or of what reads files."""
    module, _, name = dotted.rpartition(".")
    if module.partition(".")[0] not in _RAISING:
        return None
    found = getattr(sys.modules.get(module), name, None)
    return found if isinstance(found, type) and issubclass(found, BaseException) else None


def own_name(dotted: str) -> str:
    """The name of an exception class where it is defined: `json.decoder.JSONDecodeError`."""
    found = builtin_exception(dotted)
    return dotted if found is None else _full_name(found)


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__name__}"
