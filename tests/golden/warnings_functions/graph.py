import mlrun


def double(body):
    return body * 2


fn = mlrun.new_function("gaps", kind="serving")
graph = fn.set_topology("flow", engine="async")
first = graph.to(name="first", handler="double")
# A queue without a path connects nothing.
first.to("$queue", "nowhere", path="").to(name="second", handler="double", function="one")
# Nor does a step.
first.to(name="third", handler="double", function="one")
# What is said of one step is not said of the next.
first.to("$queue", "there", path="users/demo/there").to(
    name="fourth", handler="double", function="two"
).to(name="fifth", handler="double")
# It comes back.
graph.add_step("$queue", "again", path="users/demo/there", after="fourth")
for name in ("one", "two", "three"):
    fn.add_child_function(name, "graph.py", "mlrun/mlrun")

# All failures are caught, but what Nuclio cuts short is lost.
hasty = mlrun.new_function("hasty", kind="serving")
graph = hasty.set_topology("flow", engine="async")
graph.to("$queue", "todo", path="users/demo/todo").to(
    name="slow", handler="double", function="worker"
)
graph.steps["slow"].error_handler("failed", handler="double")
worker = hasty.add_child_function("worker", "graph.py", "mlrun/mlrun")
worker.set_config("spec.eventTimeout", "30s")

# A failure goes to no other function.
split = mlrun.new_function("split", kind="serving")
graph = split.set_topology("flow", engine="async")
graph.to(name="here", handler="double").to("$queue", "more", path="users/demo/more").to(
    name="there", handler="double", function="other"
)
graph.error_handler("caught", handler="double", function="other")
split.add_child_function("other", "graph.py", "mlrun/mlrun")
