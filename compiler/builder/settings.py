"""Settings of the deployment: what becomes function.yaml, the Dockerfile and the requirements.

Calls of the graph file change a `Settings` as they do an MLRun function (serving.md 1.4, 10.3);
`settled.py` makes of it what the graph holds.
"""

from __future__ import annotations

import io
from functools import wraps
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import dotenv

from ..diagnostics import GraphError, Span, did_you_mean
from ..frontend.values import (
    EnvValue,
    External,
    HostFunction,
    HostObject,
    Instance,
    OpenText,
    Unknown,
)
from ..requirements import wanted_lines
from . import triggers
from .mistakes import not_yet
from .plain import plain

if TYPE_CHECKING:
    from .function import FunctionBuilder
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
_OTHERS = frozenset(("base_spec", "build", "config", "env", "image", "volumes", "volume_mounts"))
#: Those that calls add to.
_CONTAINERS: dict[str, type[Any]] = {
    **dict.fromkeys(("env", "env_from", "volumes", "volume_mounts"), list),
    **dict.fromkeys(("base_spec", "config", "node_selector", "resources"), dict),
}
#: Attributes of `fn.spec` that mean something only to MLRun's service or client.
_MEANINGLESS = frozenset(
    """allow_empty_resources args auth auto_mount_injected_env_names clone_target_dir command
    default_handler disable_auto_mount entry_points function_handler function_kind mode
    mount_otlp_secret pythonpath rundb serving_spec source state_thresholds workdir
    add_templated_ingress_host_mode""".split()
)


class Settings:
    """What a function's calls and `fn.spec` say about where and how it runs."""

    #: Methods of functions that give the function back.
    _chained = frozenset(
        """add_trigger set_config set_env set_env_from_secret set_env_from_secret_ref set_envs
        set_label with_annotations with_commands with_http with_requirements""".split()
    )
    #: Methods of functions that end here; those not chained give a value or None.
    calls = _chained | frozenset(
        """disable_default_http_trigger enable_default_http_trigger get_env is_env_exists
        set_image_pull_configuration with_limits with_node_selection with_preemption_mode
        with_priority_class with_requests with_security_context with_service_type
        with_sidecar""".split()
    )
    #: Methods of `fn.spec`.
    of_spec = frozenset(("with_volumes", "with_volume_mounts", "update_vols_and_mounts"))
    #: Attributes of `fn.spec` that end here.
    attributes = frozenset(ATTRIBUTES) | _OTHERS | of_spec | {"replicas"}

    def __init__(self, session: Session, name: str, span: Span) -> None:
        self.session = session
        self.name = name
        self.span = span
        #: By attribute of `fn.spec`, as the file assigned it.
        self.values: dict[str, Any] = {"resources": {}, "node_selector": {}, "env_from": []}
        self.image: Any = ""
        self.env: Any = []
        self.volumes: Any = []
        self.volume_mounts: Any = []
        #: `set_config` and triggers, by dotted key.
        self.config: Any = {}
        self.base_spec: Any = {}
        self.build = Build(self)
        self.metadata = Metadata(self)
        self.places: dict[str, Span] = {}

    # -- how the function reaches it

    def call(self, name: str, function: FunctionBuilder) -> HostFunction:
        """The method `fn.<name>`; as in MLRun, not all of them can be chained."""
        made = getattr(self, name)
        if name not in self._chained:
            return HostFunction(f"fn.{name}", made)

        @wraps(made)
        def chained(*args: Any, **kwargs: Any) -> FunctionBuilder:
            made(*args, **kwargs)
            return function

        return HostFunction(f"fn.{name}", chained)

    def read(self, name: str) -> Any:
        """`fn.spec.<name>`"""
        if name in self.of_spec:
            return HostFunction(f"fn.spec.{name}", getattr(self, name))
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
        elif name == "build":
            raise not_yet("another build specification", help="set the attributes of spec.build")
        elif name in _OTHERS:
            setattr(self, name, value)
        elif name == "no_cache":
            self.config["spec.build.noCache"] = value
        elif name == "base_image_pull":
            self.config["spec.build.noBaseImagesPull"] = not value
        elif name in _MEANINGLESS:
            self.no_place(f"the setting spec.{name}")
        else:
            self.session.diagnostics.warning(
                "GC032",
                f"a function's spec has no setting {name!r}; it has no effect, as in MLRun",
                self.session.call_span,
                help=did_you_mean(name, {*self.attributes, *_MEANINGLESS, "no_cache"}),
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

    def _set(self, name: str, value: Any) -> None:
        self.values[name] = value
        self.places[name] = self.session.span

    # -- the image

    def with_requirements(
        self,
        requirements: Any = None,
        overwrite: Any = False,
        prepare_image_for_deploy: Any = True,
        requirements_file: Any = "",
    ) -> None:
        span = self.session.argument_span
        lines = self._lines(requirements_file, span("requirements_file", 3))
        lines += self._lines(requirements, span("requirements", 0))
        if overwrite:
            self.build.requirements = []
        for line in lines:
            if line not in self.build.requirements:
                self.build.requirements.append(line)

    def _lines(self, value: Any, where: Span) -> list[Any]:
        """Requirements: a list of them, or the path of a file with one on each line."""
        if value is None or value == "":
            return []
        if isinstance(value, str | PurePosixPath):
            value = self._file_lines(str(value), where)
        if not isinstance(value, list | tuple | set):
            raise self.session.wrong_value(value, "requirements must be a list", where)
        return requirement_lines(self.session, value, where)

    def _file_lines(self, path: str, where: Span) -> list[str]:
        """The lines of a requirements file, with those of files that it includes."""

        def read(inner: str) -> str | None:
            try:
                return self.session.tree.text(inner, where)
            except GraphError:
                if inner == path:
                    raise
                return None

        return wanted_lines(read, path)

    def with_commands(
        self, commands: Any, overwrite: Any = False, prepare_image_for_deploy: Any = True
    ) -> None:
        where = self.session.argument_span("commands", 0)
        if not isinstance(commands, list | tuple):
            raise self.session.wrong_value(commands, "commands must be a list", where)
        self.places["commands"] = where
        if overwrite:
            self.build.commands = []
        for command in commands:
            if command not in self.build.commands:
                self.build.commands.append(command)

    # -- the environment

    def set_env(self, name: Any, value: Any = None, value_from: Any = None) -> None:
        where = self.session.argument_span("value", 1)
        if value_from is not None:
            entry = {"valueFrom": value_from}
        elif isinstance(value, EnvValue | OpenText | Unknown) or value is None:
            entry = {"value": value}
        else:
            entry = {"value": str(plain(self.session, value, where, "the variable's value"))}
        self.put_env(name, entry)

    def put_env(self, name: Any, entry: dict[str, Any]) -> None:
        """Set a variable; one of that name keeps its place."""
        where = self.session.argument_span("name", 0)
        name = self.session.text(name, "the variable's name", where)
        entry = {"name": name, **entry}
        self.places[f"env.{name}"] = self.session.span
        for place, there in enumerate(self.env):
            if field(there, "name") == name:
                self.env[place] = entry
                return
        self.env.append(entry)

    def set_envs(self, env_vars: Any = None, file_path: Any = None) -> None:
        where = self.session.argument_span("env_vars", 0)
        if bool(env_vars) == bool(file_path):
            raise GraphError("set_envs() takes either env_vars or file_path", span=where)
        if file_path:
            env_vars = self._env_file(file_path)
        if not isinstance(env_vars, dict):
            raise self.session.wrong_value(env_vars, "env_vars must be a dict", where)
        for name, value in env_vars.items():
            if isinstance(value, dict) and "valueFrom" in value:
                self.set_env(name, value_from=value["valueFrom"])
            else:
                self.set_env(name, value)

    def _env_file(self, path: Any) -> dict[str, str]:
        where = self.session.argument_span("file_path", 1)
        if not isinstance(path, str | PurePosixPath):
            raise self.session.wrong_value(path, "file_path must be a path", where)
        text = self.session.tree.text(str(path), where)
        # MLRun fills in ${NAME} from the machine that deploys; nothing does that here.
        found = dotenv.dotenv_values(stream=io.StringIO(text), interpolate=False)
        made: dict[str, str] = {}
        for name, value in found.items():
            if value is None:
                raise GraphError(f"{path}: the line of {name!r} is not NAME=VALUE", span=where)
            if "${" in value:
                raise GraphError(
                    f"{path}: the value of {name!r} refers to other variables",
                    code="GC020",
                    span=where,
                    help="write the value out",
                )
            made[name] = value
        return made

    def set_env_from_secret(self, name: Any, secret: Any = None, secret_key: Any = None) -> None:
        reference = {"name": secret, "key": secret_key or name}
        self.put_env(name, {"valueFrom": {"secretKeyRef": reference}})

    def set_env_from_secret_ref(self, secret_name: Any) -> None:
        where = self.session.argument_span("secret_name", 0)
        name = self.session.text(secret_name, "the secret's name", where)
        self.values["env_from"].append({"secretRef": {"name": name}})

    def get_env(self, name: Any, default: Any = None) -> Any:
        value = self.env_value(name)
        return default if value is None else value

    def is_env_exists(self, name: Any) -> bool:
        return any(field(entry, "name") == name for entry in self.env)

    def env_value(self, name: Any) -> Any:
        """The value of a variable, or where it comes from; None if it has none."""
        for entry in self.env:
            if field(entry, "name") == name:
                for key in ("value", "value_from", "valueFrom"):
                    if (value := field(entry, key)) is not None:
                        return value
        return None

    # -- resources, volumes, pods

    def with_limits(
        self,
        mem: Any = None,
        cpu: Any = None,
        gpus: Any = None,
        gpu_type: Any = "nvidia.com/gpu",
        patch: Any = False,
    ) -> None:
        self._resources("limits", {gpu_type: gpus, "memory": mem, "cpu": cpu}, patch)

    def with_requests(self, mem: Any = None, cpu: Any = None, patch: Any = False) -> None:
        self._resources("requests", {"memory": mem, "cpu": cpu}, patch)

    def _resources(self, section: str, amounts: dict[Any, Any], patch: Any) -> None:
        given = {key: value for key, value in amounts.items() if value}
        resources = self.values["resources"]
        if not isinstance(resources, dict):
            raise self.session.wrong_value(resources, "spec.resources must be a dict", self.span)
        there = resources.get(section)
        resources[section] = {**there, **given} if patch and isinstance(there, dict) else given
        self.places[f"spec.resources.{section}"] = self.session.span

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

    def with_node_selection(
        self,
        node_name: Any = None,
        node_selector: Any = None,
        affinity: Any = None,
        tolerations: Any = None,
    ) -> None:
        if node_name:
            self._set("node_name", node_name)
        for name, value in (
            ("node_selector", node_selector),
            ("affinity", affinity),
            ("tolerations", tolerations),
        ):
            if value is not None:
                self._set(name, value)

    def with_priority_class(self, name: Any = None) -> None:
        self._set("priority_class_name", name)

    def with_preemption_mode(self, mode: Any) -> None:
        self._set("preemption_mode", mode)

    def with_security_context(self, security_context: Any) -> None:
        self._set("security_context", security_context)

    def with_service_type(
        self, service_type: Any, add_templated_ingress_host_mode: Any = None
    ) -> None:
        self._set("service_type", service_type)
        if add_templated_ingress_host_mode is not None:
            self.no_place("add_templated_ingress_host_mode")

    def set_image_pull_configuration(
        self, image_pull_policy: Any = None, image_pull_secret_name: Any = None
    ) -> None:
        if image_pull_policy is not None:
            self._set("image_pull_policy", image_pull_policy)
        if image_pull_secret_name is not None:
            self._set("image_pull_secret", image_pull_secret_name)

    def with_sidecar(
        self,
        name: Any = None,
        image: Any = None,
        ports: Any = None,
        command: Any = None,
        args: Any = None,
    ) -> None:
        """A container beside the function's, which then has the resources (mlrun 1.12.1)."""
        name = name or f"{self.name}-sidecar"
        numbers = ports if isinstance(ports, list) else [] if ports is None else [ports]
        short = self.session.text(name, "name", self.session.argument_span("name", 0))[:13]
        made = {
            "name": name,
            "image": image,
            "ports": [
                {"name": f"{short.rstrip('-_')}-{place}", "containerPort": port, "protocol": "TCP"}
                for place, port in enumerate(numbers)
            ],
            "command": [command] if isinstance(command, str) else command,
            "args": args if command else None,
            "resources": self.values["resources"] or None,
        }
        self.values["resources"] = {}
        there = self.config.setdefault("spec.sidecars", [])
        there[:] = [one for one in there if field(one, "name") != name] + [made]
        self.places["spec.sidecars"] = self.session.span

    # -- triggers and everything else

    def add_trigger(self, name: Any, spec: Any) -> None:
        where = self.session.argument_span("name", 0)
        name = self.session.text(name, "the trigger's name", where)
        struct = triggers.structure(self.session, spec, self.session.argument_span("spec", 1))
        self.set_config(f"spec.triggers.{name}", struct)

    def with_http(
        self,
        workers: Any = None,
        port: Any = None,
        host: Any = None,
        paths: Any = None,
        canary: Any = None,
        secret: Any = None,
        worker_timeout: Any = None,
        gateway_timeout: Any = None,
        trigger_name: Any = None,
        annotations: Any = None,
        extra_attributes: Any = None,
        batching_spec: Any = None,
        async_spec: Any = None,
    ) -> None:
        """The HTTP trigger: 8 workers where the file gives no number (serving.md 10.3)."""
        session = self.session
        if _enabled(batching_spec):
            raise not_yet("batches of events", session.argument_span("batching_spec", 11))
        if _enabled(async_spec):
            session.diagnostics.warning(
                "GC032",
                "asynchronous workers need Nuclio 1.15.3; the package has synchronous ones",
                session.argument_span("async_spec", 12),
                help="say how many with workers=; one that waits takes no other event",
            )
        workers = 8 if workers is None else workers
        struct = triggers.http_trigger(
            session, workers, port, host, paths, canary, secret, annotations, extra_attributes
        )
        triggers.set_timeouts(session, struct, worker_timeout, gateway_timeout)
        self.add_trigger(trigger_name or "http", struct)

    def disable_default_http_trigger(self) -> None:
        self._set("disable_default_http_trigger", True)

    def enable_default_http_trigger(self) -> None:
        self._set("disable_default_http_trigger", False)

    def set_config(self, key: Any, value: Any) -> None:
        key = self.session.text(key, "the key", self.session.argument_span("key", 0))
        self.config[key] = value
        self.places[key] = self.session.span

    def with_annotations(self, annotations: Any) -> None:
        where = self.session.argument_span("annotations", 0)
        if not isinstance(annotations, dict):
            raise self.session.wrong_value(annotations, "annotations must be a dict", where)
        for key, value in plain(self.session, annotations, where, "the annotation").items():
            self.metadata.annotations[key] = str(value)
            self.places[f"metadata.annotations.{key}"] = where

    def set_label(self, key: Any, value: Any) -> None:
        where = self.session.argument_span("value", 1)
        key = self.session.text(key, "the label's name", self.session.argument_span("key", 0))
        self.metadata.labels[key] = str(plain(self.session, value, where, "the label's value"))
        self.places[f"metadata.labels.{key}"] = where


class Build(HostObject):
    """`fn.spec.build`"""

    description = "a build specification"
    _kept = frozenset(("base_image", "commands", "requirements"))
    api = _kept | {"with_commands", "with_requirements"}

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.base_image: Any = ""
        self.commands: Any = []
        self.requirements: Any = []

    def assign(self, name: str, value: Any) -> None:
        settings = self._settings
        settings.places[name] = settings.session.span
        if name in ("commands", "requirements"):
            value = container(settings.session, value, f"spec.build.{name}", list)
        if name in self._kept:
            setattr(self, name, value)
        else:
            settings.no_place(f"the setting spec.build.{name}", did_you_mean(name, self._kept))

    def with_commands(self, commands: Any, overwrite: Any = False) -> None:
        self._settings.with_commands(commands, overwrite)

    def with_requirements(
        self, requirements: Any = None, requirements_file: Any = "", overwrite: Any = False
    ) -> None:
        self._settings.with_requirements(
            requirements, overwrite, requirements_file=requirements_file
        )


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


def container(session: Session, value: Any, what: str, kind: type[Any]) -> Any:
    """A list or dict that later calls may change; raises GraphError for other values."""
    if value is None:
        return kind()
    if kind is list and isinstance(value, tuple):
        return list(value)
    if isinstance(value, kind):
        return value
    raise session.wrong_value(value, f"{what} must be a {kind.__name__}", session.span)


def requirement_lines(session: Session, lines: Any, where: Span) -> list[str]:
    """The lines without comments; raises GraphError for what is no single line."""
    made = []
    for line in lines:
        text = session.text(line, "a requirement", where).strip().partition(" #")[0].strip()
        if not text.isprintable():
            raise GraphError(f"{text[:80]!r} is no requirement", code="GC018", span=where)
        if text and not text.startswith("#"):
            made.append(text)
    return made


def field(entry: Any, name: str) -> Any:
    """A field of a mapping, or of an object of `kubernetes.client` (by its own spelling)."""
    match entry:
        case dict():
            return entry.get(name)
        case Instance(cls=External(), kwargs=kwargs):
            return kwargs.get(name)
    return None


def _enabled(spec: Any) -> bool:
    """Is a `BatchingSpec` or `AsyncSpec` given, and not switched off?"""
    if spec is None:
        return False
    switch = spec.args[0] if isinstance(spec, Instance) and spec.args else field(spec, "enabled")
    return switch is None or bool(switch)
