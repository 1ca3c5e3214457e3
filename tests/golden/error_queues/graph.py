import mlrun
import storey


class Nowhere(storey.Choice):
    def select_outlets(self, body):
        return ["x"]


fn = mlrun.new_function("queues", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("$queue", path="a/b")
graph.to("$queue", "no-path")
graph.to("$queue", "columns", path="a/b", columns=[("x", "int")])
graph.to("$queue", "no-columns", path="a/b", columns={"x": 1})
graph.to("$queue", "behind", path="a/b").to(name="f", handler="(event)")
graph.to("$queue", "odd", path=3)
graph.to("$queue", "q", path="a/b").respond()
graph.to("storey.Choice", "bare")
graph.to("storey.Rename", "rename")
# An attribute that a queue of MLRun's has not has no effect.
set = graph.to("$queue", "set", path="a/b")
set.full_event = True
set.shard = 3
set.options = "path"
if mlrun.get_version():
    set.options["group"] = "readers"
