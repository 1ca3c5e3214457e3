"""Recursion without an end, in a function the graph file calls."""
import mlrun


def names(count):
    return [*names(count - 1), f"step-{count}"]


fn = mlrun.new_function("shop", kind="serving")
graph = fn.set_topology("flow", engine="async")
for name in names(3):
    graph.to(name=name, handler="(event)")
