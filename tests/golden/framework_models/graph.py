"""MLRun's class of pickled models, by some of its names; and one derived from it."""
import mlrun
from mlrun.frameworks.sklearn import SklearnModelServer
from mlrun.frameworks.xgboost import XGBoostModelServer


class Labelled(SklearnModelServer):
    def postprocess(self, response):
        response["labels"] = [f"class {value}" for value in response["outputs"]]
        return response


fn = mlrun.new_function("frameworks", kind="serving", image="mlrun/mlrun")
fn.spec.load_mode = "async"
fn.set_topology("router", "mlrun.serving.routers.VotingEnsemble")
fn.add_model("a", "https://models.example/a.pkl", class_name="mlrun.frameworks.sklearn.SKLearnModelServer")
fn.add_model("b", "https://models.example/b.pkl", class_name=XGBoostModelServer)
fn.add_model("c", "https://models.example/c.pkl", class_name=Labelled)
