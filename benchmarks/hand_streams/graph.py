# ruff: noqa
import mlrun


def mark(body):
    body["seen"] = True
    return body


def double(body):
    body["n"] *= 2
    return body


def split(body):
    return [{"n": body["n"], "part": 0}, {"n": body["n"], "part": 1}]


fn = mlrun.new_function("parent", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="mark", handler="mark").to(
    "$queue", "todo", path="kafka://BROKER/todo", group="enrich"
).to(name="double", handler="double", function="enrich").to(
    name="split", handler="split", function="enrich"
).to("storey.Flatten", "flat", function="enrich").to("$queue", "done", path="kafka://BROKER/done")
fn.add_child_function("enrich", "graph.py", "python:3.11")
