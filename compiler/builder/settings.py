"""Settings of the deployment: what becomes function.yaml, the Dockerfile and the requirements.

A graph file changes a `Settings` as it does an MLRun function (serving.md 1.4): by attributes of
`fn.spec` and `fn.metadata` here, by methods of the function in `setting_calls.py`. `settled.py`
makes of it what the graph holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..diagnostics import Span, did_you_mean
from ..frontend.values import HostFunction, HostObject
from .environment import Environment
from .image_build import Build
from .mistakes import not_yet
from .plain import container

if TYPE_CHECKING:
    from .session import Session

#: Attributes of `fn.spec`, and their keys in Nuclio's `spec`.
ATTRIBUTES = {
    "description": "description",
    "nuclio_runtime": "runtime",
    "min_replicas": "minReplicas",
    "max_replicas": "maxReplicas",
    "resources": "resources",
    "readiness_timeout": "readinessTimeoutSeconds",
    "readiness_timeout_before_failure": "waitReadinessTimeoutBeforeFailure",
    "disable_default_http_trigger": "disableDefaultHTTPTrigger",
    "security_context": "securityContext",
    "service_account": "serviceAccount",
    "service_type": "serviceType",
    "image_pull_policy": "imagePullPolicy",
    "image_pull_secret": "imagePullSecrets",
    "node_name": "nodeName",
    "node_selector": "nodeSelector",
    "affinity": "affinity",
    "tolerations": "tolerations",
    "priority_class_name": "priorityClassName",
    "preemption_mode": "preemptionMode",
    "custom_scaling_metric_specs": "customScalingMetricSpecs",
    "env_from": "envFrom",
}
#: Attributes of `fn.spec` that are not written as they are.
_OTHERS = frozenset(("base_spec", "build", "config", "image", "volumes", "volume_mounts"))
#: Those that calls add to.
_CONTAINERS: dict[str, type[Any]] = {
    **dict.fromkeys(("env", "env_from", "volumes", "volume_mounts"), list),
    **dict.fromkeys(("base_spec", "config", "node_selector", "resources"), dict),
}
#: Attributes of `fn.spec` that mean something only to MLRun's service or client.
MEANINGLESS = frozenset(
    """allow_empty_resources args auth auto_mount_injected_env_names clone_target_dir command
    default_handler disable_auto_mount entry_points function_handler function_kind mode
    mount_otlp_secret pythonpath rundb serving_spec source state_thresholds workdir
    add_templated_ingress_host_mode""".split()
)


class Settings:
    """What a function's calls and `fn.spec` say about where and how it runs."""

    #: Methods of `fn.spec`.
    of_spec = frozenset(("with_volumes", "with_volume_mounts", "update_vols_and_mounts"))
    #: Attributes of `fn.spec` that end here.
    attributes = frozenset(ATTRIBUTES) | _OTHERS | of_spec | {"env", "replicas"}

    def __init__(self, session: Session, name: str, span: Span) -> None:
        self.session = session
        self.name = name
        self.span = span
        #: By attribute of `fn.spec`, as the file assigned it.
        self.values: dict[str, Any] = {"resources": {}, "node_selector": {}, "env_from": []}
        self.image: Any = ""
        self.volumes: Any = []
        self.volume_mounts: Any = []
        #: `set_config` and triggers, by dotted key.
        self.config: Any = {}
        self.base_spec: Any = {}
        self.environment = Environment(self)
        self.build = Build(self)
        self.metadata = Metadata(self)
        self.places: dict[str, Span] = {}

    def read(self, name: str) -> Any:
        """`fn.spec.<name>`"""
        if name in self.of_spec:
            return HostFunction(f"fn.spec.{name}", getattr(self, name))
        if name == "env":
            return self.environment.entries
        if name in _OTHERS:
            return getattr(self, name)
        defaults = {"min_replicas": 1, "max_replicas": 4, "description": ""}
        return self.values.get(name, defaults.get(name))

    def assign(self, name: str, value: Any) -> None:
        """`fn.spec.<name> = value`"""
        self.places[name] = self.session.span
        if name in _CONTAINERS:
            value = container(self.session, value, f"spec.{name}", _CONTAINERS[name])
        if name == "replicas":
            self.values["min_replicas"] = self.values["max_replicas"] = value
        elif name in ATTRIBUTES:
            self.values[name] = value
        elif name == "env":
            self.environment.entries = value
        elif name == "build":
            raise not_yet("another build specification", help="set the attributes of spec.build")
        elif name in _OTHERS:
            setattr(self, name, value)
        elif name == "no_cache":
            self.config["spec.build.noCache"] = value
        elif name == "base_image_pull":
            self.config["spec.build.noBaseImagesPull"] = not value
        elif name in MEANINGLESS:
            self.no_place(f"the setting spec.{name}")
        else:
            self.session.diagnostics.warning(
                "GC032",
                f"a function's spec has no setting {name!r}; it has no effect, as in MLRun",
                self.session.call_span,
                help=did_you_mean(name, {*self.attributes, *MEANINGLESS, "no_cache"}),
            )

    def place(self, key: str) -> Span:
        """Where a setting was made: an attribute of spec, or a dotted key."""
        while key:
            if key in self.places:
                return self.places[key]
            key = key.rpartition(".")[0]
        return self.span

    def no_place(self, what: str, help: str = "") -> None:
        """Report something understood that packages have no place for."""
        self.session.diagnostics.warning(
            "GC032", f"{what} has no place in a package", self.session.call_span, help=help
        )

    def mount(
        self, name: Any, source: dict[str, Any], path: Any, more: dict[str, Any] | None = None
    ) -> None:
        """A volume and where it is mounted."""
        self.with_volumes({"name": name, **source})
        self.with_volume_mounts({"mountPath": path, "name": name, **(more or {})})

    def with_volumes(self, volumes: Any) -> None:
        self.volumes.extend(volumes if isinstance(volumes, list | tuple) else [volumes])
        self.places["volumes"] = self.session.span

    def with_volume_mounts(self, volume_mounts: Any) -> None:
        many = isinstance(volume_mounts, list | tuple)
        self.volume_mounts.extend(volume_mounts if many else [volume_mounts])
        self.places["volumes"] = self.session.span

    def update_vols_and_mounts(self, volumes: Any, volume_mounts: Any) -> None:
        self.with_volumes(volumes or [])
        self.with_volume_mounts(volume_mounts or [])


class Metadata(HostObject):
    """`fn.metadata`"""

    description = "a function's metadata"
    _kept = frozenset(("annotations", "labels"))
    api = _kept | {"name"}

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.labels: Any = {}
        self.annotations: Any = {}

    def read(self, name: str) -> Any:
        if name == "name":
            return self._settings.name
        return super().read(name)

    def assign(self, name: str, value: Any) -> None:
        settings = self._settings
        settings.places[name] = settings.session.span
        if name in self._kept:
            setattr(self, name, container(settings.session, value, f"metadata.{name}", dict))
        elif name == "name":
            raise not_yet("functions that are renamed", help="name it where it is made")
        else:
            settings.no_place(f"the setting metadata.{name}", did_you_mean(name, self.api))
