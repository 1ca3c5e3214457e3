"""What the pass `infer` finds out of a function's steps, for the passes behind it."""

from __future__ import annotations

from dataclasses import dataclass, field

from .. import ir
from ..plan import Callee, Make, Value
from .storey import Result


@dataclass(frozen=True, slots=True)
class Selects:
    """How a step chooses among the steps behind it: by what is called with its value."""

    callee: Callee | None = None
    #: Its method of this name, if there is no function.
    method: str = "select_outlets"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a step or route."""

    takes: Value = "body"
    #: The method called, None for functions.
    method: str | None = None
    is_async: bool = False
    #: Does the function take `context=`?
    context: bool = False
    #: How the object is made, None for functions.
    make: Make | None = None
    #: Is it a model whose class overrides nothing but `load` and `predict`?
    plain: bool = False
    #: May it set `event.terminated`?
    terminates: bool = False
    #: Is it a model server or a router, which MLRun starts with `post_init`?
    protocol: bool = False
    #: Is the method the user's own? Then it may return anything (spec/serving.md 4.1).
    own_method: bool = False
    #: Libraries that runtime_min imports for it.
    imports: tuple[str, ...] = ()
    #: What becomes of what the code returns.
    result: Result = "value"
    #: Is its function a generator?
    generator: bool = False
    #: How it chooses among the steps behind it, None if all of them get the event.
    selects: Selects | None = None
    #: May it call `self.filter()`, which drops the event?
    filters: bool = False
    #: What the step runs if that is neither its own function nor its object.
    callee: ir.Target | None = None
    #: Do its paths mean nothing to it?
    pathless: bool = False
    #: Is it certain that its code only reads the body, and keeps nothing of it?
    only_reads: bool = False
    #: Takes it the event, and may it return something else?
    returns_other: bool = False
    #: Is it a Merge, or of a class derived from it?
    merges: bool = False
    #: Of a Merge: are its parts those of one request for certain?
    by_id: bool = False
    #: Does it take the next event while it waits for what becomes of one?
    waits: bool = False

    @property
    def forks(self) -> bool:
        """Is it open which steps get how many events from it?"""
        return self.result in ("items", "outlets") or self.selects is not None

    @property
    def writes_event(self) -> bool:
        """Is it a step of storey's own that puts its result onto the event that it gets?"""
        return self.pathless and self.make is not None and not self.waits

    @property
    def drops(self) -> bool:
        """May an event end here?"""
        return self.result == "test" or self.filters


@dataclass(slots=True)
class FunctionFacts:
    """The facts of one function: of steps by name, of routes by the keys that lead to them."""

    steps: dict[str, Facts] = field(default_factory=dict)
    #: By the name of the step, the route's key, and that of a route of it, and so on.
    routes: dict[tuple[str, ...], Facts] = field(default_factory=dict)
