"""What mlrun's and storey's names are called here: one name for each thing, and its counterpart.

`canonical` reduces the many places a class can be imported from to the one its documentation uses;
`counterpart` says which module of runtime_min stands in for it in a package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from .diagnostics import did_you_mean

#: Packages that no generated package imports.
REPLACED = frozenset({"mlrun", "storey", "graphc"})

#: `mlrun.serving` exports these from its modules (mlrun 1.12 `serving/__init__.py`).
_MLRUN_SERVING = {
    "routers": {"ModelRouter", "VotingEnsemble"},
    "server": {"GraphContext", "GraphServer", "create_graph_server"},
    "states": {
        "ErrorStep", "QueueStep", "RouterStep", "TaskStep", "MonitoringApplicationStep",
        "ModelRunnerStep", "ModelRunner", "Model", "ModelSelector", "ModelRunnerSelector",
        "MonitoredStep", "LLModel",
    },
    "otel": {"OTelMetricsExporter"},
    "v1_serving": {"MLModelServer", "new_v1_model_server"},
    "v2_serving": {"V2ModelServer"},
}  # fmt: skip

#: `storey` exports these from its modules (storey 1.12 `__init__.py`).
_STOREY = frozenset({
    "AggregateByKey", "QueryByKey", "ReduceToDataFrame", "ToDataFrame", "Driver", "NoopDriver",
    "V3ioDriver", "EmissionType", "EmitAfterDelay", "EmitAfterMaxEvent", "EmitAfterPeriod",
    "EmitAfterWindow", "EmitEveryEvent", "EmitPolicy", "Event", "FieldAggregator", "FixedWindows",
    "FixedWindowType", "LateDataHandling", "SlidingWindows", "StreamingError", "Batch", "Choice",
    "Complete", "ConcurrentExecution", "Context", "Extend", "Filter", "FlatMap", "Flow",
    "FlowError", "HttpRequest", "HttpResponse", "JoinWithTable", "JoinWithV3IOTable", "Map",
    "MapClass", "MapWithState", "ParallelExecution", "ParallelExecutionMechanisms",
    "ParallelExecutionRunnable", "Recover", "Reduce", "Rename", "RunnableExecutor", "SendToHttp",
    "build_flow", "OTelMetricsExporter", "AsyncEmitSource", "CSVSource", "DataframeSource",
    "ParquetSource", "SQLSource", "SyncEmitSource", "SQLDriver", "Collector", "Flatten", "ForEach",
    "SampleWindow", "Table", "CSVTarget", "KafkaTarget", "NoSqlTarget", "ParquetTarget",
    "StreamTarget", "TSDBTarget", "TimescaleDBTarget",
})  # fmt: skip

#: One class under many names: that of pickled models (mlrun 1.12 `frameworks/_ml_common`).
PICKLE_MODEL = "mlrun.frameworks.sklearn.SKLearnModelServer"
_PICKLE_MODELS = frozenset(
    f"mlrun.frameworks.{name}"
    for name in (
        "_ml_common.PickleModelServer",
        "_ml_common.pkl_model_server.PickleModelServer",
        "sklearn.PickleModelServer",
        "sklearn.SKLearnModelServer",
        "sklearn.SklearnModelServer",
        "xgboost.PickleModelServer",
        "xgboost.XGBModelServer",
        "xgboost.XGBoostModelServer",
    )
)

#: What `mlrun.feature_store.steps` has for a serving graph.
_FEATURE_STEPS = (
    "OneHotEncoder", "Imputer", "MapValues", "DateExtractor", "DropFeatures", "SetEventMetadata",
)  # fmt: skip

#: Documented name -> (module of runtime_min, name in it).
_COUNTERPARTS = {
    "mlrun.serving.V2ModelServer": ("models", "V2ModelServer"),
    "mlrun.serving.ModelRouter": ("routers", "ModelRouter"),
    "mlrun.serving.routers.BaseModelRouter": ("routers", "BaseModelRouter"),
    "mlrun.serving.routers.ParallelRun": ("ensembles", "ParallelRun"),
    "mlrun.serving.VotingEnsemble": ("ensembles", "VotingEnsemble"),
    "mlrun.serving.merger.Merge": ("merger", "Merge"),
    "mlrun.serving.remote.RemoteStep": ("remote_steps", "RemoteStep"),
    "mlrun.serving.remote.BatchHttpRequests": ("remote_batch", "BatchHttpRequests"),
    "mlrun.serving.GraphContext": ("context", "GraphContext"),
    "mlrun.get_secret_or_env": ("secrets", "get_secret_or_env"),
    "mlrun.secrets.get_secret_or_env": ("secrets", "get_secret_or_env"),
    "mlrun.utils.logger": ("logger", "logger"),
    PICKLE_MODEL: ("pickle_model", "PickleModelServer"),
    "storey.HttpRequest": ("http_messages", "HttpRequest"),
    "storey.HttpResponse": ("http_messages", "HttpResponse"),
    "mlrun.serving.steps.ChoiceByField": ("steps", "ChoiceByField"),
    "storey.Choice": ("steps", "Choice"),
    "storey.MapClass": ("steps", "MapClass"),
    "storey.Rename": ("steps", "Rename"),
    "storey.flow.DropColumns": ("steps", "DropColumns"),
    "storey.flow.ReifyMetadata": ("steps", "ReifyMetadata"),
    "storey.steps.Partition": ("steps", "Partition"),
    **{f"mlrun.feature_store.steps.{name}": ("features", name) for name in _FEATURE_STEPS},
}

#: Of mlrun.errors, what step code raises and catches; every other name there is refused.
_ERRORS = frozenset({
    "MLRunBaseError", "MLRunHTTPError", "MLRunHTTPStatusError", "MLRunUnauthorizedError",
    "MLRunAccessDeniedError", "MLRunNotFoundError", "MLRunBadRequestError",
    "MLRunMethodNotAllowedError", "MLRunUnprocessableEntityError", "MLRunInvalidArgumentError",
    "MLRunModelLimitExceededError", "MLRunInvalidArgumentTypeError", "MLRunConflictError",
    "MLRunPreconditionFailedError", "MLRunIncompatibleVersionError", "MLRunInternalServerError",
    "MLRunNotImplementedServerError", "MLRunServiceUnavailableError", "MLRunRuntimeError",
    "MLRunMissingDependencyError", "MLRunTimeoutError", "MLRunTaskNotReadyError",
    "MLRunValueError", "MLRunFatalFailureError", "MLRunTaskCancelledError",
    "MLRunPaginationEndOfResultsError", "MLRunMissingProjectError", "MLRunRetryExhaustedError",
    "err_to_str", "err_for_status_code", "raise_for_status",
})  # fmt: skip

#: Bases that say how a step is written to a function spec, and nothing at run time.
IDLE_BASES = frozenset({
    "mlrun.serving.utils.StepToDict",
    "mlrun.serving.utils.RouterToDict",
    "mlrun.serving.utils.MonitoringApplicationToDict",
})  # fmt: skip

#: What makes functions, projects and graphs: a name assigned from it is no part of a step.
_GRAPH_API = frozenset({
    "mlrun.new_function", "mlrun.code_to_function", "mlrun.import_function",
    "mlrun.function_to_module", "mlrun.get_or_create_project", "mlrun.new_project",
    "mlrun.load_project", "mlrun.get_current_project", "mlrun.set_environment",
    "mlrun.run_function", "mlrun.build_function", "mlrun.deploy_function", "mlrun.get_run_db",
    "mlrun.auto_mount", "mlrun.mount_v3io", "mlrun.serving.GraphServer",
    "mlrun.serving.create_graph_server", "mlrun.serving.TaskStep", "mlrun.serving.RouterStep",
    "mlrun.serving.QueueStep", "mlrun.serving.ErrorStep", "mlrun.serving.states.FlowStep",
    "mlrun.serving.states.RootFlowStep", "storey.build_flow",
})  # fmt: skip

_HELP = {
    "mlrun.get_or_create_ctx": "take `context` as a parameter of the class or function instead",
    "mlrun.get_current_project": "take what the step needs as arguments of its class",
    "mlrun.get_dataitem": "read it with the store's own library, or mount it",
    "mlrun.run.get_dataitem": "read it with the store's own library, or mount it",
    "mlrun.artifacts.get_model": "use get_model() of V2ModelServer",
    "mlrun.get_model": "use get_model() of V2ModelServer",
    "mlrun.mlconf": "read it from the environment",
    "mlrun.config": "read it from the environment",
    "mlrun.utils.now_date": "use datetime.now(timezone.utc)",
    "mlrun.feature_store.steps.FeaturesetValidator": "it reads a feature set from MLRun's service, "
    "which packages do without: check the fields in a step of your own",
    "mlrun.feature_store": "query the feature store's service with an HTTP client",
    **dict.fromkeys(
        (
            "mlrun.serving.routers.EnrichmentModelRouter",
            "mlrun.serving.routers.EnrichmentVotingEnsemble",
        ),
        "it needs MLRun's feature store, which packages do without: look the features up in the "
        "`preprocess` of a router class of your own, or in a step in front of the router",
    ),
    **{
        f"mlrun.frameworks.{name}": f"it needs MLRun's model handlers: write a class "
        f"with V2ModelServer as its base that {what}"
        for name, what in {
            "lgbm.LGBMModelServer": "loads the model with lightgbm or cloudpickle",
            "onnx.ONNXModelServer": "keeps an onnxruntime.InferenceSession",
            "pytorch.PyTorchModelServer": "loads the model with torch.load",
            "tf_keras.TFKerasModelServer": "loads the model with keras.models.load_model",
            "huggingface.HuggingFaceModelServer": "keeps a transformers.pipeline",
        }.items()
    },
}


#: Members of `context` that only MLRun can give, and what to do without them.
CONTEXT_NEEDS = {
    "get_remote_endpoint": "it asks the MLRun service: give the step the URL as an argument",
    "get_store_resource": "it reads MLRun's artifact store: read the files in the step instead",
    "get_table": "it reads MLRun's feature store: keep a client of the database in the step",
    "project_obj": "it asks the MLRun service: context.project is the project's name",
}


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A name of runtime_min."""

    module: str
    name: str


def canonical(dotted: str) -> str:
    """The documented name of a class or function of mlrun or storey; other names unchanged."""
    match dotted.split("."):
        case ["mlrun", "serving", module, name, *rest] if name in _MLRUN_SERVING.get(module, ()):
            return ".".join(["mlrun", "serving", name, *rest])
        case ["storey", _, *inner]:
            for index, part in enumerate(inner):
                if part in _STOREY:
                    return ".".join(["storey", *inner[index:]])
        case ["mlrun", "frameworks", *_] if dotted in _PICKLE_MODELS:
            return PICKLE_MODEL
        case ["mlrun", name] if name in ("MLRunInvalidArgumentError", "MLRunNotFoundError"):
            return f"mlrun.errors.{name}"
        case ["mlrun", "utils", "helpers", "logger"]:
            return "mlrun.utils.logger"
    return dotted


def counterparts() -> list[Counterpart]:
    """Everything that slices may import from runtime_min."""
    errors = [Counterpart("errors", name) for name in sorted(_ERRORS)]
    return [Counterpart(*item) for item in _COUNTERPARTS.values()] + errors


def counterpart(dotted: str) -> Counterpart | None:
    """What stands in for a name of mlrun or storey, by any of its spellings."""
    name = canonical(dotted)
    if name in _COUNTERPARTS:
        return Counterpart(*_COUNTERPARTS[name])
    front, _, last = name.rpartition(".")
    if front == "mlrun.errors" and last in _ERRORS:
        return Counterpart("errors", last)
    return None


def is_replaced(dotted: str) -> bool:
    """Is this mlrun, storey, or something in them?"""
    return dotted.partition(".")[0] in REPLACED


def builds_graph(dotted: str) -> bool:
    """Does calling this make a function, a project or a part of a graph?"""
    name = canonical(dotted)
    return name in _GRAPH_API or name.startswith(("mlrun.projects.", "graphc."))


def subject(dotted: str) -> str:
    """The class or function in `mlrun.utils.logger.info`: the name that is to blame."""
    parts = dotted.split(".")
    for length in range(1, len(parts) + 1):
        name = ".".join(parts[:length])
        if parts[length - 1][0].isupper() or canonical(name) in _HELP or name in _GRAPH_API:
            return name
    return dotted


def known_remedy(dotted: str) -> str:
    """What to do about a class or function that is not compiled; empty if there is no advice."""
    name = canonical(dotted)
    if name in _HELP or name in _documented():
        return _HELP.get(name, "")
    front, _, last = name.rpartition(".")
    beside = [known.rpartition(".")[2] for known in _documented() if known.startswith(f"{front}.")]
    return did_you_mean(last, beside, cutoff=0.7)


@cache
def _documented() -> frozenset[str]:
    """Names of classes and functions that mlrun and storey have."""
    serving = {f"mlrun.serving.{name}" for names in _MLRUN_SERVING.values() for name in names}
    return frozenset(
        {*_COUNTERPARTS, *KNOWN_CLASSES, *serving, *(f"storey.{name}" for name in _STOREY)}
    )


def remedy(dotted: str) -> str:
    """What to do about a use that has no counterpart."""
    name = canonical(dotted)
    for known, text in _HELP.items():
        if name == known or name.startswith(known + "."):
            return text
    return "step code runs without mlrun and storey: do this without them, or outside of the step"


# -- what their constructors take


@dataclass(frozen=True, slots=True)
class KnownClass:
    """Of a class of mlrun or storey: positional parameters, required ones, methods."""

    parameters: tuple[str, ...]
    required: tuple[str, ...] = ()
    #: None: it may define anything.
    methods: frozenset[str] | None = None


_MODEL = (
    "context", "name", "model_path", "model", "protocol", "input_path", "result_path",
    "shard_by_endpoint",
)  # fmt: skip
_MODEL_METHODS = frozenset({
    "__init__", "post_init", "get_param", "set_metric", "get_model", "load", "do_event",
    "logged_results", "validate", "preprocess", "postprocess", "predict", "explain",
    "_load_and_update_state", "_check_readiness", "_pre_event_processing_actions",
})  # fmt: skip
_ROUTER = (
    "context", "name", "routes", "protocol", "url_prefix", "health_prefix", "input_path",
    "result_path",
)  # fmt: skip
_ROUTER_METHODS = frozenset({
    "__init__", "parse_event", "post_init", "get_metadata", "preprocess", "postprocess", "do_event",
})  # fmt: skip
_FLOW = ("recovery_step", "termination_result_fn", "context", "max_iterations", "name",
         "full_event", "input_path", "result_path")  # fmt: skip

_KEPT = ("context", "name", "full_event")
_REQUESTING = frozenset({
    "__init__", "post_init", "do_event", "select_outlets", "_process_event", "_generate_request",
    "_get_event_or_body", "_get_data",
})  # fmt: skip

#: All of these take further keywords (`**kwargs`).
KNOWN_CLASSES: Mapping[str, KnownClass] = {
    "mlrun.serving.V2ModelServer": KnownClass(_MODEL, methods=_MODEL_METHODS),
    PICKLE_MODEL: KnownClass(_MODEL, methods=_MODEL_METHODS),
    "mlrun.serving.ModelRouter": KnownClass(_ROUTER, methods=_ROUTER_METHODS),
    "mlrun.serving.routers.BaseModelRouter": KnownClass(_ROUTER, methods=_ROUTER_METHODS),
    "mlrun.serving.routers.ParallelRun": KnownClass(
        (*_ROUTER, "extend_event", "executor_type"),
        methods=_ROUTER_METHODS | {"merger"},
    ),
    "mlrun.serving.VotingEnsemble": KnownClass(
        (*_ROUTER[:6], "vote_type", "weights", "executor_type",
         "format_response_with_col_name_flag", "prediction_col_name", "shard_by_endpoint",
         "input_path", "result_path"),
        methods=_ROUTER_METHODS | {"merger", "logic", "validate", "extract_results_from_response"},
    ),
    "mlrun.serving.merger.Merge": KnownClass(
        ("full_event", "key_path", "max_behind", "expected_num_events", "context", "name"),
        methods=frozenset({"__init__", "get_join_key", "merge_function"}),
    ),
    "mlrun.serving.remote.RemoteStep": KnownClass(
        ("url", "subpath", "method", "headers", "url_expression", "body_expression",
         "return_json", "input_path", "result_path", "max_in_flight", "retries", "backoff_factor",
         "timeout", "headers_expression", *_KEPT),
        required=("url",),
        methods=_REQUESTING,
    ),
    "mlrun.serving.remote.BatchHttpRequests": KnownClass(
        ("url", "subpath", "method", "headers", "url_expression", "body_expression",
         "return_json", "input_path", "result_path", "retries", "backoff_factor", "timeout",
         "max_in_flight", *_KEPT),
        methods=_REQUESTING - {"do_event", "_generate_request"} | {"_submit"},
    ),
    "storey.Flow": KnownClass(_FLOW),
    "storey.Choice": KnownClass(_FLOW, methods=frozenset({"__init__", "select_outlets"})),
    "mlrun.serving.steps.ChoiceByField": KnownClass(
        ("field_name", *_FLOW), ("field_name",), frozenset({"__init__", "select_outlets"})
    ),
    "storey.MapClass": KnownClass(
        ("long_running", *_FLOW), methods=frozenset({"__init__", "do", "filter"})
    ),
    "storey.Map": KnownClass(("fn", "long_running", *_FLOW), required=("fn",)),
    "storey.Filter": KnownClass(("fn", "long_running", *_FLOW), required=("fn",)),
    "storey.FlatMap": KnownClass(("fn", "long_running", *_FLOW), required=("fn",)),
    "storey.Extend": KnownClass(("fn", "long_running", *_FLOW), required=("fn",)),
    "storey.MapWithState": KnownClass(
        ("initial_state", "fn", "group_by_key", *_FLOW), required=("initial_state", "fn")
    ),
    "storey.Reduce": KnownClass(("initial_value", "fn", *_FLOW), required=("initial_value", "fn")),
    "storey.Complete": KnownClass(_FLOW),
    "mlrun.feature_store.steps.OneHotEncoder": KnownClass(("mapping",), ("mapping",)),
    "mlrun.feature_store.steps.Imputer": KnownClass(("method", "default_value", "mapping")),
    "mlrun.feature_store.steps.MapValues": KnownClass(
        ("mapping", "with_original_features", "suffix"), ("mapping",)
    ),
    "mlrun.feature_store.steps.DateExtractor": KnownClass(("parts", "timestamp_col"), ("parts",)),
    "mlrun.feature_store.steps.DropFeatures": KnownClass(("features",), ("features",)),
    "mlrun.feature_store.steps.SetEventMetadata": KnownClass(("id_path", "key_path", "random_id")),
    **{name: KnownClass((), methods=frozenset({"to_dict"})) for name in IDLE_BASES},
}  # fmt: skip
