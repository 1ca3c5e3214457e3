import mlrun

fn = mlrun.new_function("loop", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="one", handler="(event)").to(name="two", handler="(event)").to(name="three", handler="(event)")
graph["two"].after_step("three")
graph["one"].respond()
graph["two"].respond()

fn2 = mlrun.new_function("branches", kind="serving")
graph2 = fn2.set_topology("flow", engine="sync")
graph2.to(name="a", handler="(event)")
graph2.add_step(name="b", handler="(event)", after="a")
graph2.add_step(name="c", handler="(event)", after="a").error_handler("nowhere")
