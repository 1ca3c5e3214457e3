"""Stateless steps of storey and of mlrun's feature store, by name (spec/stream-steps.md 2)."""

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
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    result: Result = "value"
    #: Is it run as a class of the user's would be: by both engines, its paths regarded?
    ordinary: bool = False
    #: Libraries that runtime_min imports for it.
    imports: tuple[str, ...] = ()


FEATURE_STEPS = "mlrun.feature_store.steps"


def _feature_step(
    *required: str,
    optional: tuple[str, ...] = (),
    takes: Value = "body",
    imports: tuple[str, ...] = (),
) -> ObjectStep:
    return ObjectStep(takes, "do", required, optional, ordinary=True, imports=imports)


OBJECT_STEPS: Mapping[str, ObjectStep] = {
    "storey.Rename": ObjectStep("body", "do", ("mapping",)),
    "storey.flow.DropColumns": ObjectStep("body", "do", ("columns",)),
    "storey.flow.ReifyMetadata": ObjectStep("event", "do_event", ("mapping",)),
    "storey.steps.Partition": ObjectStep("event", "do_event", ("predicate",)),
    "mlrun.serving.steps.ChoiceByField": ObjectStep(
        "body", "select_outlets", ("field_name",), result="outlets"
    ),
    f"{FEATURE_STEPS}.OneHotEncoder": _feature_step("mapping"),
    f"{FEATURE_STEPS}.Imputer": _feature_step(optional=("default_value", "mapping")),
    f"{FEATURE_STEPS}.MapValues": _feature_step(
        "mapping", optional=("with_original_features", "suffix")
    ),
    f"{FEATURE_STEPS}.DateExtractor": _feature_step(
        "parts", optional=("timestamp_col",), imports=("pandas",)
    ),
    f"{FEATURE_STEPS}.DropFeatures": _feature_step("features"),
    f"{FEATURE_STEPS}.SetEventMetadata": _feature_step(
        optional=("id_path", "key_path", "random_id"), takes="event"
    ),
}
#: Arguments that all of them take, and that change nothing that a package does.
IDLE_ARGUMENTS = frozenset(
    "name context full_event input_path result_path long_running max_iterations method".split()
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
