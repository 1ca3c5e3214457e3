"""Routers of the user's own: one derived from MLRun's, inside a flow, and one with a vote."""
import mlrun
from mlrun.serving import ModelRouter
from mlrun.serving.routers import VotingEnsemble


class Gate(ModelRouter):
    def __init__(self, context=None, name=None, routes=None, allowed=3, **kwargs):
        super().__init__(context, name, routes, **kwargs)
        self.allowed = allowed

    def preprocess(self, event):
        if len(event.body.get("inputs", [])) > self.allowed:
            raise ValueError("too many")
        return event


class Least(VotingEnsemble):
    def logic(self, predictions, weights):
        return [min(row) for row in predictions]


class Negate(mlrun.serving.V2ModelServer):
    def load(self):
        pass

    def predict(self, body):
        return [-value for value in body["inputs"]]


fn = mlrun.new_function("gated", kind="serving")
graph = fn.set_topology("flow", engine="async")
gate = graph.to("*Gate", name="gate", allowed=2)
gate.add_route("negate", class_name="Negate")
gate.to(name="outputs", handler='({"inputs": event["outputs"]})')
least = graph.add_step("*Least", name="least", after="outputs").respond()
for name in ("one", "two"):
    least.add_route(name, class_name="Negate")
