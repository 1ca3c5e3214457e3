import mlrun
import storey


class Nowhere(storey.Choice):
    def select_outlets(self, body):
        return ["x"]


def many(body):
    yield body


fn = mlrun.new_function("choices", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("Nowhere", "choice")
graph.to("storey.Rename", "rename", maping={})
graph.to("storey.FlatMap", "nothing")
graph.to(name="many", handler="many").respond()

sync = mlrun.new_function("sync", kind="serving")
chain = sync.set_topology("flow", engine="sync")
chain.to("Nowhere", "choice").to(name="many", handler="many").to("storey.Flatten", "flat")
