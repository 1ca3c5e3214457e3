import mlrun


class Model(mlrun.serving.V2ModelServer):
    def load(self):
        self.factor = self.get_param("factor", 1)

    def predict(self, body):
        return [value * self.factor for value in body["inputs"]]


fn = mlrun.new_function("voting", project="bench", kind="serving")
router = fn.set_topology("router", "mlrun.serving.VotingEnsemble")
router.add_route("m1", class_name="Model", model_path="", factor=1)
router.add_route("m2", class_name="Model", model_path="", factor=3)
router.add_route("m3", class_name="Model", model_path="", factor=3)
