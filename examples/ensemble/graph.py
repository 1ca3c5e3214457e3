import mlrun
from mlrun.serving import V2ModelServer


class PreProcess:
    """Turns a record into the features that the models know."""

    def __init__(self, some_arg):
        self.some_arg = some_arg

    def do(self, body):
        return {"inputs": [row["size"] for row in body["rows"]], "unit": self.some_arg}


class ModelClass(V2ModelServer):
    """Predicts whether something is larger than the model's limit."""

    def load(self):
        self.limit = self.get_param("limit")

    def predict(self, body):
        return [int(value > self.limit) for value in body["inputs"]]


class PostProcess:
    """What the caller sees."""

    def do(self, body):
        return {"large": [bool(vote) for vote in body["outputs"]], "by": body["model_name"]}


class ErrorCatch:
    """Answers callers whose request is not JSON."""

    def do(self, body):
        return {"refused": body.decode() if isinstance(body, bytes) else body}


function = mlrun.new_function("advanced", kind="serving")
graph = function.set_topology("flow", engine="async")

graph.to(name="loads", handler="json.loads").error_handler("catcher") \
     .to("storey.Filter", name="filter", _fn='(event["type"]=="infer")') \
     .to(class_name="PreProcess", name="pre-process", some_arg='abc')

# add an Ensemble router with two child models (routes), the "*" prefix mark it is a router class
router = graph.add_step("*mlrun.serving.VotingEnsemble", name="ensemble", after="pre-process")
router.add_route("m1", class_name="ModelClass", limit=10)
router.add_route("m2", class_name="ModelClass", limit=20)

# add the final step (after the router) which handles post processing and respond to the client
graph.add_step(class_name="PostProcess", name="final", after="ensemble").respond()

# add error handling state, run only when/if the "loads" state fail (keep after="")
graph.add_step(class_name="ErrorCatch", name="catcher", after="")

# plot the graph (using Graphviz) and run a test
graph.plot(rankdir='LR')

server = function.to_mock_server()
resp = server.test("/v2/models/infer", body='{"type": "infer", "rows": [{"size": 15}]}')
server.wait_for_completion()
