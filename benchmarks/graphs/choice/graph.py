import mlrun


class BySize:
    def do(self, body):
        return {"size": body["width"] * body["height"]}

    def select_outlets(self, body):
        return ["large" if body["size"] > 100 else "small"]


def large(body):
    return {"large": body["size"]}


def small(body):
    return {"small": body["size"]}


def labelled(body):
    return {"labels": list(body)}


fn = mlrun.new_function("choice", project="bench", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("BySize", "by-size")
graph.add_step(name="large", handler="large", after="by-size")
graph.add_step(name="small", handler="small", after="by-size")
graph.add_step(name="labelled", handler="labelled", after=["large", "small"]).respond()
