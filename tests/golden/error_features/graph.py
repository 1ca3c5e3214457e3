import mlrun
from mlrun.feature_store.steps import MLRunStep

STEPS = "mlrun.feature_store.steps."


class Own(MLRunStep):
    def _do_storey(self, event):
        return event


fn = mlrun.new_function("features", kind="serving")
graph = fn.set_topology("flow", engine="sync")
graph.to(STEPS + "SetEventMetadata", "given", id_path="x", full_event=True).to(
    STEPS + "SetEventMetadata", "without", id_path="x"
).to(STEPS + "MapValues", "nothing", with_original_features=True).to("Own", "own")
