"""Trains two scikit-learn classifiers on the iris data and writes them below models/."""

from pathlib import Path

import cloudpickle
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

iris = load_iris()
for name, model in {
    "logistic": LogisticRegression(max_iter=1000),
    "tree": DecisionTreeClassifier(random_state=0),
}.items():
    folder = Path(__file__).parent / "models" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.pkl").write_bytes(cloudpickle.dumps(model.fit(iris.data, iris.target)))
    print(
        f"wrote {folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder}"
    )
