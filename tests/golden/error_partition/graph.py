import mlrun


def double(body):
    return body * 2


# What only the whole shows.
fn = mlrun.new_function("mill", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="start", handler="double", function="pricing")
graph.error_handler("failed", handler="double")
graph.add_step(name="behind", handler="double", after="failed", function="paying")
graph.add_step("$queue", "q", path="dummy://q", after="start")
graph.add_step(name="one", handler="double", after="q", function="pricing")
graph.add_step("mlrun.serving.merger.Merge", "both", after=["one", "q"], function="pricing")
fn.add_child_function("pricing", "graph.py", "mlrun/mlrun")
fn.add_child_function("paying", "graph.py", "mlrun/mlrun")
