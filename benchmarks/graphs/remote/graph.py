import os

import mlrun


def pre(body):
    return {"ask": {"inputs": body["inputs"]}}


def post(body):
    return {"outputs": body["answer"]["outputs"]}


fn = mlrun.new_function("remote", project="bench", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="pre", handler="pre").to(
    "$remote",
    "ask",
    url=os.environ["SERVICE_URL"],
    method="POST",
    input_path="ask",
    result_path="answer",
).to(name="post", handler="post").respond()
