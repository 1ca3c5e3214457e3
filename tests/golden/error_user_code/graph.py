"""Step code that needs mlrun, the graph, or the file run as a script."""
import mlrun
from mlrun.datastore import get_store_resource


class Publish:
    def do(self, event):
        get_store_resource(event["uri"])
        mlrun.get_or_create_ctx("publish").log_result("seen", event)
        return event


class Name:
    def do(self, event):
        return fn.metadata.name + SUFFIX


fn = mlrun.new_function("shop", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("Publish").to("Name").respond()

if __name__ == "__main__":
    SUFFIX = "!"
