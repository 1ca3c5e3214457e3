"""Where `get_model` finds a model: a file, or a folder with one (mlrun 1.12's rules)."""

from __future__ import annotations

import os
import posixpath
import tempfile
from typing import Any

from .data_item import DataItem, remedy

_MODEL_SUFFIXES = (".tar.gz", ".pkl", ".bin", ".pickle")
_SPEC_FILE = "model_spec.yaml"
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Feature:
    """An input or output of a model, as its specification describes it."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = {"name": fields.get("name"), **fields}
        self._fields["value_type"] = fields.get("value_type") or "str"
        self.name: str = self._fields["name"]
        self.value_type: str = self._fields["value_type"]

    def __getattr__(self, name: str) -> Any:
        return self.__dict__.get("_fields", {}).get(name)

    def to_dict(self) -> dict[str, Any]:
        return dict(self._fields)


class Features(list):  # type: ignore[type-arg]
    """The inputs or outputs of a model."""

    def to_dict(self) -> list[dict[str, Any]]:
        return [feature.to_dict() for feature in self]


class ModelSpec:
    """What a `model_spec.yaml` says: MLRun's model artifact, as far as files go."""

    kind = "model"

    def __init__(self, text: Any) -> None:
        import yaml  # only for models that have a specification

        document = yaml.safe_load(text) or {}
        metadata = document.get("metadata") or {}
        spec = document.get("spec") or document
        self.key: str = metadata.get("key") or document.get("key") or ""
        self.labels: dict[str, Any] = metadata.get("labels") or {}
        self.model_file: str = spec.get("model_file") or ""
        self.inputs = Features(Feature(fields) for fields in spec.get("inputs") or [])
        self.outputs = Features(Feature(fields) for fields in spec.get("outputs") or [])
        self.parameters: dict[str, Any] = spec.get("parameters") or {}
        self.metrics: dict[str, Any] = spec.get("metrics") or {}
        self.extra_data: dict[str, str] = spec.get("extra_data") or {}
        self.framework: str | None = spec.get("framework")
        self.algorithm: str | None = spec.get("algorithm")
        self.feature_vector: str | None = spec.get("feature_vector")
        self.feature_weights: Any = spec.get("feature_weights")
        self.feature_stats: Any = spec.get("feature_stats")


def find_model(
    path: str, suffix: str
) -> tuple[str, ModelSpec | None, dict[str, DataItem]]:
    """`(local file, specification, extra files)` of a model path.

    A path that leads nowhere from the working directory is looked up in the package's
    folder `models`; a file behind an http(s) URL is downloaded. Raises ValueError if
    there is no model, or if it is out of reach.
    """
    scheme, separator, rest = path.partition("://")
    if separator and scheme.lower() not in ("file", "http", "https"):
        raise ValueError(f"the model is at {path}: {remedy(scheme)}")
    remote = bool(separator) and scheme.lower() != "file"
    if not remote:
        path = _locate(rest if separator else path)

    if path.lower().endswith(".yaml"):
        return _from_spec(path, suffix)
    if suffix and path.endswith(suffix):
        return _here(path, suffix), None, {}
    found = [ending for ending in _MODEL_SUFFIXES if path.lower().endswith(ending)]
    if not suffix and found:
        return _here(path, found[0]), None, {}
    suffix = suffix or ".pkl"
    if remote:
        raise ValueError(
            f"cant resolve model file for {path} suffix{suffix}: a server lists no files; "
            "give the URL of the model's file, or of its model_spec.yaml"
        )
    if not os.path.isdir(path):
        raise ValueError(f"cant resolve model file for {path}: there is no such folder")
    names = sorted(os.listdir(path))
    if _SPEC_FILE in names:
        return _from_spec(os.path.join(path, _SPEC_FILE), suffix)
    for name in names:
        if name.endswith(suffix):
            extra = {key: DataItem(key, os.path.join(path, key)) for key in names}
            return os.path.join(path, name), None, extra
    raise ValueError(f"cant resolve model file for {path} suffix{suffix}")


def _locate(path: str) -> str:
    """The path, or where the package carries what was there at build time."""
    if os.path.exists(path):
        return path
    parts = os.path.normpath(path).replace(os.sep, "/").split("/")
    inside = [part for part in parts if part not in ("", ".", "..")]
    bundled = os.path.join(_PACKAGE, "models", *inside)
    return bundled if os.path.exists(bundled) else path


def _from_spec(path: str, suffix: str) -> tuple[str, ModelSpec, dict[str, DataItem]]:
    spec = ModelSpec(DataItem("spec", path).get())
    if not spec.model_file:
        raise ValueError(f"cant resolve model file for {path}: it names no model_file")
    extra = {
        key: DataItem(key, _beside(path, name)) for key, name in spec.extra_data.items()
    }
    return _here(_beside(path, spec.model_file), suffix or ".pkl"), spec, extra


def _beside(path: str, name: str) -> str:
    """A name in a specification: absolute, or from the folder of the specification."""
    if name.startswith("/") or "://" in name or ":\\" in name:
        return name
    return posixpath.join(posixpath.dirname(path), name)


def _here(path: str, suffix: str) -> str:
    """The path of a local file with what is at a path or URL."""
    item = DataItem("model", path)
    if item.kind == "file":
        return item.local()
    handle, copy = tempfile.mkstemp(suffix)
    os.close(handle)
    item.download(copy)
    return copy
