"""A synchronous flow that ends in a queue: an empty body is not sent, lists are split."""
import os

import mlrun


def rows(body):
    return body["rows"]


fn = mlrun.new_function("sync-queue", kind="serving")
graph = fn.set_topology("flow", engine="sync")
graph.to(name="rows", handler="rows").to("$queue", "out", path=os.environ["OUT_STREAM"])
