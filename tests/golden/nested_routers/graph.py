"""Routers as routes, and what a route may be: models, classes, functions, step objects."""
import mlrun
from mlrun.serving import ModelRouter, RouterStep, TaskStep
from mlrun.serving.routers import ParallelRun


class Scale(mlrun.serving.V2ModelServer):
    def load(self):
        self.factor = self.get_param("factor", 1)

    def predict(self, body):
        return [value * self.factor for value in body["inputs"]]


class Words:
    def __init__(self, context, name=None, joint="-"):
        self.name, self.joint = name, joint

    def do(self, body):
        return {self.name: self.joint.join(body["words"])}

    def count(self, body):
        return {"count": len(body["words"])}


def upper(body, context):
    context.logger.debug("upper")
    return {"upper": [word.upper() for word in body]}


fn = mlrun.new_function("regions", kind="serving")
graph = fn.set_topology("router", ModelRouter(url_prefix="/api"))
north = graph.add_route("north", RouterStep(class_args={"url_prefix": "model"}))
north.add_route("double", class_name="Scale", factor=2)
text = graph.add_route("text", RouterStep(ParallelRun, {"url_prefix": "run", "executor_type": "array"}))
text.add_route("joined", TaskStep("Words", {"joint": "+"}, name="another"))
text.add_route("counted", class_name="Words", handler="count")
text.add_route("upper", TaskStep(handler="upper", input_path="words", result_path="result", name="u"))
fn.add_model("as-object", class_name=Scale("m", factor=3))
