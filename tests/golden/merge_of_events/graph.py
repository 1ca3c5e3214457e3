"""A Merge whose branches take events: parts are collected as they arrive."""
import mlrun


def mark(event):
    event.body["marked"] = event.id
    return event


def plain(body):
    return body


fn = mlrun.new_function("parts", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="in", handler="plain")
graph.add_step(name="a", handler="mark", full_event=True, after="in")
graph.add_step(name="b", handler="plain", after="in")
graph.add_step("mlrun.serving.merger.Merge", name="merge", after=["a", "b"])
graph.add_step(name="out", handler="plain", after="merge").respond()
