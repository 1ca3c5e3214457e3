"""Where `get_model` finds a model: a file, or a folder with one (mlrun 1.12's rules)."""

from __future__ import annotations

import os
import shutil
from typing import Any

_MODEL_SUFFIXES = (".tar.gz", ".pkl", ".bin", ".pickle")
_SPEC_FILE = "model_spec.yaml"
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class ModelFile:
    """A file that came with a model: the part of MLRun's DataItem that local files need."""

    def __init__(self, key: str, path: str) -> None:
        self.key = key
        self.url = path
        self.suffix = os.path.splitext(path)[1]

    def local(self) -> str:
        return self.url

    def get(
        self, size: int | None = None, offset: int = 0, encoding: str | None = None
    ) -> Any:
        """The content: bytes, or text if an encoding is named."""
        with open(self.url, "rb") as file:
            file.seek(offset)
            data = file.read(size)
        return data.decode(encoding) if encoding else data

    def download(self, target_path: str) -> None:
        """Copy the file."""
        shutil.copyfile(self.url, target_path)

    def as_df(self, **kwargs: Any) -> Any:
        """The content as a DataFrame."""
        # In the package's requirements if a model asks for it.
        import pandas  # type: ignore[import-untyped,unused-ignore]

        if self.suffix == ".csv":
            return pandas.read_csv(self.url, **kwargs)
        if self.suffix in (".parquet", ".pq"):
            return pandas.read_parquet(self.url, **kwargs)
        if self.suffix == ".json":
            return pandas.read_json(self.url, **kwargs)
        raise ValueError(f"no DataFrame can be read from {self.url}")


class Feature:
    """An input or output of a model, as its specification describes it."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.name: str = fields["name"]
        self.value_type: str = fields.get("value_type") or "str"
        self._fields = fields

    def to_dict(self) -> dict[str, Any]:
        return dict(self._fields)


class ModelSpec:
    """The part of a `model_spec.yaml` that serving uses."""

    def __init__(self, path: str) -> None:
        import yaml  # only for models that have a specification

        with open(path, encoding="utf-8") as file:
            document = yaml.safe_load(file)
        spec = document.get("spec") or document
        self.model_file: str = spec["model_file"]
        self.inputs = [Feature(fields) for fields in spec.get("inputs") or []]
        self.outputs = [Feature(fields) for fields in spec.get("outputs") or []]
        self.parameters: dict[str, Any] = spec.get("parameters") or {}
        self.metrics: dict[str, Any] = spec.get("metrics") or {}
        self.extra_data: dict[str, str] = spec.get("extra_data") or {}


def find_model(
    path: str, suffix: str
) -> tuple[str, ModelSpec | None, dict[str, ModelFile]]:
    """`(file, specification, extra files)` of a model path.

    A path that leads nowhere from the working directory is looked up in the package's
    folder `models`. Raises ValueError if there is no model, or if it is not here.
    """
    scheme, separator, rest = path.partition("://")
    if separator and scheme != "file":
        raise ValueError(
            f"the model is at {path}, and this function downloads none: mount its files "
            "or ship them with the package, and give the local path as model_path"
        )
    path = _locate(rest if separator else path)
    if path.lower().endswith(".yaml"):
        return _from_spec(path)
    if path.endswith(suffix) if suffix else path.lower().endswith(_MODEL_SUFFIXES):
        return path, None, {}

    if not os.path.isdir(path):
        raise ValueError(f"cant resolve model file for {path}: there is no such folder")
    names = sorted(os.listdir(path))
    if _SPEC_FILE in names:
        return _from_spec(os.path.join(path, _SPEC_FILE))
    suffix = suffix or ".pkl"
    for name in names:
        if name.endswith(suffix):
            extra = {key: ModelFile(key, os.path.join(path, key)) for key in names}
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


def _from_spec(path: str) -> tuple[str, ModelSpec, dict[str, ModelFile]]:
    spec = ModelSpec(path)
    folder = os.path.dirname(path)
    extra = {
        key: ModelFile(key, os.path.join(folder, name))
        for key, name in spec.extra_data.items()
    }
    return os.path.join(folder, spec.model_file), spec, extra
