"""Nobody responds: callers get the event's id, failures are logged."""
import mlrun

LOG = []


def keep(body):
    LOG.append(body)
    return body


fn = mlrun.new_function("silent", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("storey.Filter", name="some", _fn='("n" in event)').to(name="keep", handler="keep").respond().to(
    name="again", handler="keep"
)
