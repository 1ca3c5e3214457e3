"""Lines that fail when the file is run, and a graph in the hands of what is not evaluated."""
import threading

import mlrun

SIZES = {"small": 1, "large": 10}


class Builder(threading.Thread):
    def __init__(self, graph):
        graph.to(name="lost", handler="(event)")


def grow(graph, size):
    graph.to(name=f"grow-{size}", handler=f"(event * {SIZES[size]})")


fn = mlrun.new_function("shop", kind="serving")
graph = fn.set_topology("flow", engine="async")
Builder(graph)
grow(graph, "large")
grow(graph, "medium")
graph.to(name="rest", handler="(event)").respnd()


def add(graph, name, after):
    return graph.add_step(name=name, handler="(event)", after=after)


def add_both(graph):
    add(graph, "one", "resst")
    add(graph, "two", "resst")


add_both(graph)
