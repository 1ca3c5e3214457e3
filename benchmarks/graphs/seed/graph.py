import mlrun


class PreProcess:
    def __init__(self, some_arg):
        self.some_arg = some_arg

    def do(self, body):
        return {"inputs": body["inputs"], "pre": self.some_arg}


class Model(mlrun.serving.V2ModelServer):
    def load(self):
        self.factor = self.get_param("factor", 1)

    def predict(self, body):
        return [value * self.factor for value in body["inputs"]]


class PostProcess:
    def do(self, body):
        return {"final": body["outputs"], "by": body["model_name"]}


class Catch:
    def do(self, event):
        event.body = {"error": type(event.error).__name__, "from": event.origin_state}
        return event


fn = mlrun.new_function("seed", project="bench", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="loads", handler="json.loads").error_handler(
    name="catcher", class_name="Catch", full_event=True
).to("storey.Filter", name="filter", _fn='(event["type"]=="infer")').to(
    class_name="PreProcess", name="pre-process", some_arg="abc"
)
router = graph.add_step("*mlrun.serving.VotingEnsemble", name="ensemble", after="pre-process")
router.add_route("m1", class_name="Model", model_path="", factor=1)
router.add_route("m2", class_name="Model", model_path="", factor=3)
graph.add_step(class_name="PostProcess", name="final", after="ensemble").respond()
