"""Settings of the serving function that change answers."""
import os

import mlrun


def setup(server):
    server.context.known = {"project": server.project, "uri": server.function_uri}


class Model(mlrun.serving.V2ModelServer):
    def load(self):
        self.token = self.context.get_secret("TOKEN")
        self.pin = self.context.get_secret("my-pin")

    def predict(self, body):
        return [self.token, self.pin, self.context.known, self.get_param("region")]


fn = mlrun.new_function("guarded", kind="serving", project="shop", tag="v2")
fn.spec.graph_initializer = setup
fn.spec.default_content_type = "application/json"
fn.spec.load_mode = "async"
fn.spec.parameters = {"region": os.getenv("REGION", "north"), "a b": [1, 2]}
fn.with_secrets("env", "TOKEN, OTHER").with_secrets("kubernetes", ["DB"])
fn.spec.secret_sources.append({"kind": "inline", "source": {"pin": 17}, "prefix": "my-"})
fn.verbose = True
fn.set_topology("router")
fn.spec.default_class = "Model"
fn.add_model("m")
