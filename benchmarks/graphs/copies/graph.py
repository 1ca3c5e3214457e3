import mlrun


class Total:
    def __init__(self, rate):
        self.rate = rate

    def do(self, body):
        body["amounts"].append(sum(body["amounts"]))
        return {"total": body["amounts"][-1] * self.rate}


def largest(body):
    body["amounts"].sort()
    return {"largest": body["amounts"].pop()}


def signed(body):
    body["by"] = body["by"].upper()
    return body


def combine(parts):
    return {key: value for part in parts for key, value in part.items()}


fn = mlrun.new_function("copies", project="bench", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="start", handler="(event)")
graph.add_step("Total", name="total", rate=2, after="start")
graph.add_step(name="largest", handler="largest", after="start")
graph.add_step(name="signed", handler="signed", after="start")
graph.add_step("mlrun.serving.merger.Merge", name="merge", after=["total", "largest", "signed"])
graph.add_step(name="combine", handler="combine", after="merge").respond()
