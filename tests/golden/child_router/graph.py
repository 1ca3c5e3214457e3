import mlrun
from mlrun.serving import V2ModelServer


class Linear(V2ModelServer):
    def load(self):
        self.factor = self.get_param("factor")

    def predict(self, request):
        return [value * self.factor for value in request["inputs"]]


def inputs(body):
    return {"inputs": body["values"]}


def log_failure(event):
    event.body = {"failed": event.origin_state, "inputs": event.body}
    return event


# Models in a container of their own, behind a queue; failures of the whole graph go to one stream.
fn = mlrun.new_function("scoring", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="inputs", handler="inputs").to("$queue", "to_models", path="kafka://kafka:9092/inputs")
models = graph.add_step("*mlrun.serving.ModelRouter", "models", after="to_models", function="models")
models.add_route("double", class_name="Linear", model_path="", factor=2)
models.add_route("triple", class_name="Linear", model_path="", factor=3)
graph.add_step("$queue", "scores", path="kafka://kafka:9092/scores", after="models")
graph.error_handler("log_failure", handler="log_failure", full_event=True)
graph.add_step("$queue", "failures", path="kafka://kafka:9092/failures", after="log_failure")
fn.add_child_function("models", "graph.py", "mlrun/mlrun", requirements=["numpy"])
