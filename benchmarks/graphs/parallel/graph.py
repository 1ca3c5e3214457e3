import mlrun
from mlrun.serving.routers import ParallelRun


class Power:
    def __init__(self, name, power):
        self.name = name
        self.power = power

    def do(self, body):
        return {self.name: sum(value**self.power for value in body["values"])}


def extremes(body):
    return {"low": min(body["values"]), "high": max(body["values"])}


fn = mlrun.new_function("parallel", project="bench", kind="serving")
graph = fn.set_topology("router", ParallelRun(extend_event=True))
graph.add_route("total", class_name="Power", power=1)
graph.add_route("squares", class_name="Power", power=2)
graph.add_route("range", handler="extremes")
