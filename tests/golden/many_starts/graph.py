"""Two start steps: both get the event, the first answer counts."""
import mlrun


def one(body):
    return {"one": body}


def two(body):
    return {"two": body}


fn = mlrun.new_function("starts", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="one", handler="one").to(name="same", handler="(event)").respond()
graph.to(name="two", handler="two")
