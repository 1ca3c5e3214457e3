"""Graphs that are built, and perhaps not what was meant."""
import mlrun


class Model(mlrun.serving.V2ModelServer):
    def load(self):
        path, _ = self.get_model(".txt")
        self.factor = int(open(path).read())

    def predict(self, request):
        return [value * self.factor for value in request["inputs"]]


fn = mlrun.new_function("loads", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="loads", handler="json.loads").to(name="double", handler="(event * 2)").respond()

fn2 = mlrun.new_function("models", kind="serving")
fn2.set_topology("router")
fn2.add_model("near", class_name="Model", model_path="./models/near")
fn2.add_model("far", class_name="Model", model_path="s3://models/far")
