"""Tracked models: those that have an endpoint write records."""
import mlrun


class Model(mlrun.serving.V2ModelServer):
    def load(self):
        self.set_metric("loaded", 1)

    def predict(self, body):
        return [sum(row) for row in body["inputs"]]


class Chosen(Model):
    def load(self):
        self.model_endpoint_uid = self.get_param("uid", None)

    def logged_results(self, request, response, op):
        return [[op]], ["secret"]


fn = mlrun.new_function("watched", kind="serving", project="shop")
fn.set_topology("router", "mlrun.serving.VotingEnsemble", name="all", model_endpoint_uid="u-all")
fn.add_model("one", class_name="Model", model_endpoint_uid="u1")
fn.add_model("two", class_name="Chosen", uid="u2")
fn.add_model("three", class_name="Model")
fn.set_tracking("dummy://{project}/log", sampling_percentage=100)
