"""A router with models of several kinds: with and without hooks, a plain class, a function."""
import mlrun
from mlrun.serving import V2ModelServer


class Scaler(V2ModelServer):
    """Multiplies every input by a factor."""

    def load(self):
        self.factor = self.get_param("factor", 1)

    def predict(self, body):
        return [value * self.factor for value in body["inputs"]]


class Checked(Scaler):
    def validate(self, request, operation):
        if operation == "infer" and not request.get("inputs"):
            raise mlrun.errors.MLRunNotFoundError("nothing to do")
        return request


class Plain:
    def do(self, body):
        return {"got": body}


def echo(body):
    return body


fn = mlrun.new_function("scaling", kind="serving", image="mlrun/mlrun", requirements=["numpy==1.26.4"])
fn.set_topology("router")
fn.add_model("double", class_name="Scaler", model_path="", factor=2)
fn.add_model("times:v1", class_name=Checked, model_path="", factor=10)
fn.spec.graph.add_route("plain", class_name="Plain")
fn.spec.graph.add_route("echo", handler="echo")
fn.spec.parameters = {"factor": 4, "names": ["a", "b"]}
fn.set_env("LEVEL", "info: all")
