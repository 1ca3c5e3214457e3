"""The steps of MLRun's feature store, in a flow that serves."""
import mlrun
from mlrun.feature_store.steps import DateExtractor, DropFeatures, MapValues, OneHotEncoder, SetEventMetadata

STEPS = "mlrun.feature_store.steps."

fn = mlrun.new_function("features", kind="serving", image="mlrun/mlrun")
graph = fn.set_topology("flow", engine="async")
graph.to(SetEventMetadata(id_path="order.id", random_id=False)).to(
    STEPS + "Imputer", "fill", method="avg", default_value=0, mapping={"color": "none"}
).to(OneHotEncoder({"color": ["red", "light blue"], "size": [1, 2]}), "encode").to(
    MapValues(
        mapping={"age": {"ranges": {"child": ["-inf", 18], "adult": [18, "inf"]}}},
        with_original_features=True,
        suffix="group",
    )
).to(DateExtractor(parts=["hour", "day_of_week"], timestamp_col="when"), "dates").to(
    class_name="DropFeatures", name="drop", features=["age", "order"], bogus=1
).respond()
