import mlrun


class Model(mlrun.serving.V2ModelServer):
    def load(self):
        self.factor = self.get_param("factor", 1)

    def predict(self, body):
        return [value * self.factor for value in body["inputs"]]


fn = mlrun.new_function("router", project="bench", kind="serving")
fn.set_topology("router")
fn.add_model("m1", class_name="Model", model_path="", factor=1)
fn.add_model("m2", class_name="Model", model_path="", factor=3)
