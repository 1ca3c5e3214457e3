"""Parts of a Merge that come one by one, each by a stream."""
import mlrun
from mlrun.serving.merger import Merge


class Joined(Merge):
    def merge_function(self, last_event, events):
        return events


fn = mlrun.new_function("mill", kind="serving", image="mill")
graph = fn.set_topology("flow", engine="async")
graph.to(name="start", handler="(event)")
graph.add_step("$queue", "left", path="a/left", after="start").to(name="price", handler="(event)", function="shop")
graph.add_step("$queue", "right", path="a/right", after="start").to(name="stock", handler="(event)", function="shop")
graph.add_step("mlrun.serving.merger.Merge", name="both", after=["price", "stock"], function="shop")
graph.add_step("Joined", name="own", after=["price", "stock"], function="shop")
graph.add_step("Joined", name="at_once", after=["left", "right"], function="shop")
graph.add_step("Joined", name="by_key", after=["price", "stock"], key_path="event['order']", function="shop")
graph.add_step(name="twice", handler="(event)", after="price", function="shop")
graph.add_step("Joined", name="of_one", after=["price", "twice"], function="shop")
fn.add_child_function("shop", "graph.py", "mill")
