"""What the synchronous engine does not run."""
import mlrun


async def fetch(event):
    return event


def after(event):
    return event


fn = mlrun.new_function("branches", kind="serving")
graph = fn.set_topology("flow", engine="sync")
graph.to(name="a", handler="(event)")
graph.add_step(name="b", handler="(event)", after="a")
graph.add_step(name="c", handler="(event)", after="a")

fn2 = mlrun.new_function("starts", kind="serving")
graph2 = fn2.set_topology("flow", engine="sync")
graph2.add_step(name="a", handler="(event)", after="")
graph2.add_step(name="b", handler="(event)", after="")
