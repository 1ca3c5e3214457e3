"""A service that a synchronous flow calls by the name of its function."""
import mlrun

fn = mlrun.new_function("caller", kind="serving")
graph = fn.set_topology("flow", engine="sync")
graph.to(name="ask", handler="ask").to(
    "$remote",
    "rank",
    url="shop/ranking:v2",
    subpath="v2/models/rank/infer",
    method="POST",
    input_path="ask",
    result_path="ranked",
    max_in_flight=2,
    timeout=1.5,
).error_handler(name="offline", handler="offline")


def ask(body):
    return {"ask": {"inputs": body["lines"]}}


def offline(body):
    return {"ranked": None, **body}
