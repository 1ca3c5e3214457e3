"""storey's stateless steps: what is known of each by its name (spec/stream-steps.md 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .. import ir
from ..plan import Value

CHOICE = "storey.Choice"
MAP_CLASS = "storey.MapClass"
#: What becomes of what a step's code returns: it is the next value; it says whether the event
#: goes on; it is added to the body; each item of it is an event; it is not used; it names the
#: steps that the event goes to.
Result = Literal["value", "test", "entries", "items", "nothing", "outlets"]

#: Steps that run a function.
FUNCTION_STEPS: Mapping[str, Result] = {
    "storey.Map": "value",
    "storey.Filter": "test",
    "storey.Extend": "entries",
    "storey.FlatMap": "items",
    "storey.ForEach": "nothing",
}
FLATTEN = "storey.Flatten"
ASSERT = "storey.steps.Assert"


@dataclass(frozen=True, slots=True)
class ObjectStep:
    """A step that is an object of runtime_min."""

    takes: Value
    method: str
    required: str
    result: Result = "value"


OBJECT_STEPS: Mapping[str, ObjectStep] = {
    "storey.Rename": ObjectStep("body", "do", "mapping"),
    "storey.flow.DropColumns": ObjectStep("body", "do", "columns"),
    "storey.flow.ReifyMetadata": ObjectStep("event", "do_event", "mapping"),
    "storey.steps.Partition": ObjectStep("event", "do_event", "predicate"),
    "mlrun.serving.steps.ChoiceByField": ObjectStep(
        "body", "select_outlets", "field_name", "outlets"
    ),
}
#: Arguments that all of them take, and that change nothing that a package does.
IDLE_ARGUMENTS = frozenset(
    "name context full_event input_path result_path long_running max_iterations".split()
)
STOREY_STEPS = frozenset((*FUNCTION_STEPS, *OBJECT_STEPS, FLATTEN, ASSERT))
#: Classes that step classes of the user's derive from.
STOREY_BASES = frozenset((CHOICE, MAP_CLASS, "mlrun.serving.steps.ChoiceByField"))


def storey_function(step: ir.Task | ir.Route, name: str = "fn") -> ir.Target | None:
    """The function of a storey step: `_fn="..."`, or `fn=` an object."""
    for key, value in step.args:
        if key in (f"_{name}", name) and isinstance(value, ir.Target):
            return value
    return None
