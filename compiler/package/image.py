"""The image that a package is built on, and the Python in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .. import ir

_RUNTIME = "python:3.11"
#: MLRun's own images, from any registry: packages need nothing of what is in them.
_MLRUN = re.compile(
    r"([^/]+/)*mlrun/(mlrun|mlrun-gpu|mlrun-kfp|ml-base|ml-models|ml-models-gpu)([:@].*)?"
)


@dataclass(frozen=True, slots=True)
class Image:
    base: str
    #: Nuclio's name of the Python that the processor runs: `python:3.11`.
    runtime: str = _RUNTIME
    #: The image that the graph file names and that is not used.
    replaced: str = ""

    @property
    def python(self) -> str:
        """The version of that Python: `3.11`."""
        return self.runtime.partition(":")[2]


def image_of(function: ir.Function) -> Image:
    """The image to build on."""
    image = function.settings.image
    runtime = function.settings.spec.get("runtime", _RUNTIME)
    usual = f"{runtime}-slim"
    if not image or image.startswith(".") or _MLRUN.fullmatch(image):
        return Image(usual, runtime, image)
    return Image(image, runtime)
