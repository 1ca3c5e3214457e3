"""Classes that need more of MLRun than a package has: each finding says what to write instead."""
import mlrun
from mlrun.frameworks.lgbm import LGBMModelServer


class Text(mlrun.frameworks.huggingface.HuggingFaceModelServer):
    pass


fn = mlrun.new_function("frameworks", kind="serving")
graph = fn.set_topology("flow")
graph.add_step("*mlrun.serving.routers.EnrichmentVotingEnsemble", name="vote", feature_vector_uri="v")
graph.add_step("mlrun.feature_store.steps.FeaturesetValidator", name="check", after="vote")
fn.add_model("net", class_name="mlrun.frameworks.onnx.ONNXModelServer", model_path="net")
fn.add_model("text", class_name="Text")
fn.add_model("trees", class_name=LGBMModelServer, model_path="s3://trees")
graph.add_step("storey.Fliter", name="near", _fn="(event)")
graph.add_step("mlrun.serving.merger.Mrege", name="nearer", after="near")
