import mlrun


def double(body):
    return body * 2


# Two graphs with a child function of the same name: the second one's folder is named in full.
for name in ("first", "second"):
    fn = mlrun.new_function(name, kind="serving")
    graph = fn.set_topology("flow", engine="async")
    graph.to("$queue", "q", path=f"kafka://kafka:9092/{name}").to(name="double", handler="double", function="Twice_it")
    fn.add_child_function("Twice_it", "graph.py", "python:3.12")
    graph["double"].error_handler("failed", handler="double")
