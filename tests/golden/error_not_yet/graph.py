import mlrun

fn = mlrun.new_function("later", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("$queue", "q", path="kafka://b/t")
graph.to("storey.Batch", "batch", max_events=3)
graph.to(name="f", handler="(event)", function="child")
fn.add_child_function("child", "child.py", "image")
