import mlrun


def double(body):
    return body * 2


fn = mlrun.new_function("shop", kind="serving")
graph = fn.set_topology("flow", engine="async")
first = graph.to(name="first", handler="double")
queue = first.to("$queue", "orders", path="users/demo/orders")
queue.to(name="price", handler="double", function="priceing")
queue.to(name="own", handler="double", function="shop")
queue.to(name="unknown", handler="double", function="billing")
graph.add_step(name="nobody", handler="double", after="orders")
graph.add_step(name="everybody", handler="double", after="orders", function="*")
graph.add_step("$queue", "copy", path="users/demo/copy", after="orders")
queue.to(name="caught", handler="double", function="pricing").error_handler(
    "caught_elsewhere", handler="double", function="paying"
)
fn.add_child_function("pricing", "graph.py", "mlrun/mlrun")
fn.add_child_function("paying", "graph.py", "mlrun/mlrun")

