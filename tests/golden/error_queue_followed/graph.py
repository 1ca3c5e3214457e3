import mlrun

fn = mlrun.new_function("queues", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("$queue", "q", path="a/b")
graph.add_step(name="behind", handler="(event)", after="q")
