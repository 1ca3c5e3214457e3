"""Entries of set_flow() that are none."""
import mlrun

fn = mlrun.new_function("chained", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.set_flow([{"name": "a", "handler": "(event)", 3: "c"}])
graph.set_flow([])
graph.set_flow([{"name": "b", "handler": "(event)", "aftr": "a"}, 7], force=True)
graph.set_flow([{"name": "c", "handler": "(event)"}]).respond()
