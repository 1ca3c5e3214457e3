import mlrun

fn = mlrun.new_function("later", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("$queue", "q", path="kafka://b/t")
graph.to("storey.Batch", "batch", max_events=3)

fn.add_child_function("child", "graph.py", "image").add_child_function("its", "graph.py")
