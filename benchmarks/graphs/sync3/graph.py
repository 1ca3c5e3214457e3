import mlrun


class Scale:
    def __init__(self, factor):
        self.factor = factor

    def do(self, body):
        return {"x": [value * self.factor for value in body["x"]]}


def pre(body):
    return {"x": body["inputs"]}


def post(body):
    return {"outputs": body["x"]}


fn = mlrun.new_function("sync3", project="bench", kind="serving")
graph = fn.set_topology("flow", engine="sync")
graph.to(name="pre", handler="pre").to("Scale", name="scale", factor=3).to(
    name="post", handler="post"
)
