"""The model class of `mlrun.frameworks.sklearn` and `.xgboost` (1.12): pickled models."""

from __future__ import annotations

from typing import Any

from .models import V2ModelServer


class PickleModelServer(V2ModelServer):
    """A pickled model with the API of scikit-learn."""

    def load(self) -> None:
        """Unpickle the model."""
        import cloudpickle  # type: ignore[import-untyped,unused-ignore]
        import numpy

        model_file, _ = self.get_model(".pkl")
        with open(model_file, "rb") as file:
            self.model = cloudpickle.load(file)
        self._array = numpy.asarray

    def predict(self, request: Any) -> Any:
        """The prediction for each input: a row of values, or columns by name."""
        inputs = request["inputs"]
        if inputs and isinstance(inputs[0], dict):
            import pandas  # type: ignore[import-untyped,unused-ignore]

            return self.model.predict(pandas.DataFrame(inputs[0])).tolist()
        return self.model.predict(self._array(inputs)).tolist()

    def explain(self, request: Any) -> Any:
        """The name of the model, as MLRun explains it."""
        return f"A model server named '{self.name}'"
