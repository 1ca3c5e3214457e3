"""Classes of MLRun and storey that the passes know by name."""

from __future__ import annotations

from ..runtime_names import PICKLE_MODEL
from .concurrent import CONCURRENT_STEPS
from .outgoing import OUTGOING
from .storey import STOREY_STEPS

V2_MODEL = "mlrun.serving.V2ModelServer"
MODELS = frozenset((V2_MODEL, PICKLE_MODEL))
VOTING = "mlrun.serving.VotingEnsemble"
PARALLEL = "mlrun.serving.routers.ParallelRun"
MERGE = "mlrun.serving.merger.Merge"
#: Classes of MLRun and storey that steps may name.
COMPILED = frozenset(
    (
        *MODELS,
        "mlrun.serving.ModelRouter",
        "mlrun.serving.VotingEnsemble",
        PARALLEL,
        MERGE,
        *OUTGOING,
        *CONCURRENT_STEPS,
        *STOREY_STEPS,
    )
)
ROUTERS = frozenset(
    (
        "mlrun.serving.ModelRouter",
        "mlrun.serving.VotingEnsemble",
        "mlrun.serving.routers.BaseModelRouter",
        PARALLEL,
    )
)
