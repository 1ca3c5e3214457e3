"""Models that are served elsewhere, beside one that is served here."""
import mlrun


class Count(mlrun.serving.V2ModelServer):
    def load(self):
        pass

    def predict(self, request):
        return [len(row) for row in request["inputs"]]


fn = mlrun.new_function("spread", kind="serving")
router = fn.set_topology("router")
fn.add_model("count", class_name="Count", model_path="")
fn.add_model("sums", model_url="http://elsewhere/v2/models/sums", subpath="$path", method="POST")
router.add_route("echo", class_name="$remote", url="http://elsewhere/echo", headers={"X-From": "spread"})

vote = mlrun.new_function("vote", kind="serving")
vote.set_topology("router", "mlrun.serving.VotingEnsemble", vote_type="regression")
vote.add_model("near", class_name="Count", model_path="")
vote.add_model("far", model_url="http://elsewhere/v2/models/far/infer", retries=0, timeout=0.2)
