"""Routers that MLRun does not start."""
import mlrun


class Unloaded(mlrun.serving.V2ModelServer):
    def predict(self, body):
        return body["inputs"]


class Parts(mlrun.serving.merger.Merge):
    def merge_function(self, last_event, events):
        return last_event


fn = mlrun.new_function("routes", kind="serving")
router = fn.set_topology("router", "mlrun.serving.routers.ParallelRun", executor_type="fibre")
router.add_route("model", class_name="Unloaded")

fn2 = mlrun.new_function("in-turn", kind="serving")
fn2.set_topology("flow", engine="sync").to("Parts", "parts")

fn3 = mlrun.new_function("no-star", kind="serving")
inner = fn3.set_topology("flow", engine="async").to("mlrun.serving.VotingEnsemble", "vote")
inner.respond()

fn4 = mlrun.new_function("inner", kind="serving")
outer = fn4.set_topology("router")
outer.add_route("vote", class_name="mlrun.serving.VotingEnsemble")
outer.add_route("merge", class_name="mlrun.serving.merger.Merge")
