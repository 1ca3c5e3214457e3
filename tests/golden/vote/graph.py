"""A weighted vote of models, one of which has a hook."""
import mlrun


class Over(mlrun.serving.V2ModelServer):
    def load(self):
        self.limit = self.get_param("limit")

    def predict(self, body):
        return [int(value > self.limit) for value in body["inputs"]]


class Careful(Over):
    def preprocess(self, request, operation):
        request["inputs"] = [abs(value) for value in request["inputs"]]
        return request


fn = mlrun.new_function("majority", kind="serving")
fn.set_topology(
    "router",
    "mlrun.serving.VotingEnsemble",
    vote_type="classification",
    weights={"low": 0.5, "high": 0.25, "careful": 0.25},
)
fn.add_model("low", class_name="Over", model_path="", limit=1)
fn.add_model("high", class_name="Over", model_path="", limit=3)
fn.add_model("careful", class_name="Careful", model_path="", limit=2)
