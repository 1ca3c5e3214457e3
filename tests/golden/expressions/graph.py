"""Expressions and lambdas become statements; what they name is reached in the user's module."""
import math

import mlrun

UNIT = "cm"
LIMIT = 5


def build(graph, factor):
    return graph.to(name="scaled", handler=lambda value: {**value, "x": value["x"] * factor})


fn = mlrun.new_function("expressions", kind="serving")
graph = fn.set_topology("flow")
(
    build(graph, 3)
    .to("storey.Map", name="root", _fn='({**event, "root": event["x"] ** 0.5})')
    .to("storey.Filter", name="not-empty", _fn='(not event["empty"])')
    .to("storey.Filter", name="either", _fn='(event["x"] > 1 or event["y"] > 1)')
    .to("storey.Filter", name="known", fn=lambda event: event["x"] in range(LIMIT))
    .to("storey.Extend", name="more", _fn='({"keys": [event for event in event]})')
    .to(name="floor", handler=lambda body: {"floor": math.floor(body["root"]), "unit": UNIT})
    .to(name="dumps", handler="json.dumps")
    .respond()
)
