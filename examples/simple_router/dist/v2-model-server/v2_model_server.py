"""The model class of `hub://v2_model_server`: pickled models with a scikit-learn API."""

from __future__ import annotations

from typing import Any

import numpy as np
from cloudpickle import load

from runtime_min.models import V2ModelServer


class ClassifierModel(V2ModelServer):
    def load(self) -> None:
        """Unpickle the model."""
        model_file, _ = self.get_model(".pkl")
        with open(model_file, "rb") as file:
            self.model = load(file)

    def predict(self, body: Any) -> list[Any]:
        """The model's prediction for each of the inputs."""
        return self.model.predict(np.asarray(body["inputs"])).tolist()
