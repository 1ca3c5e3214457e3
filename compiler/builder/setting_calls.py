"""Methods of a function that concern its deployment: resources, pods, triggers, any key.

Arguments, defaults and structures are those of mlrun 1.12.1 (serving.md 1.4, 10.3).
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from ..frontend.values import HostFunction, Instance
from . import stream_triggers, triggers
from .environment import Environment
from .mistakes import not_yet
from .plain import field, plain

if TYPE_CHECKING:
    from .function import FunctionBuilder
    from .settings import Settings


class SettingCalls:
    """The methods, on one function's settings."""

    #: Methods that give the function back; as in MLRun, not all of them do.
    chained = Environment.chained | frozenset(
        """add_trigger set_config set_label with_annotations with_commands with_http
        with_requirements""".split()
    )
    names = (
        chained
        | Environment.answers
        | frozenset(
            """add_rabbitmq_trigger add_v3io_stream_trigger
            disable_default_http_trigger enable_default_http_trigger
            set_image_pull_configuration with_limits with_node_selection with_preemption_mode
            with_priority_class with_requests with_security_context with_service_type
            with_sidecar""".split()
        )
    )

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session = settings.session

    def call(self, name: str, function: FunctionBuilder) -> HostFunction:
        """The method `fn.<name>`."""
        of_environment = name in Environment.chained or name in Environment.answers
        made = getattr(self._settings.environment if of_environment else self, name)
        if name not in self.chained:
            return HostFunction(f"fn.{name}", made)

        @wraps(made)
        def chained(*args: Any, **kwargs: Any) -> FunctionBuilder:
            made(*args, **kwargs)
            return function

        return HostFunction(f"fn.{name}", chained)

    def _set(self, attribute: str, value: Any) -> None:
        self._settings.values[attribute] = value
        self._settings.places[attribute] = self._session.span

    # -- the image

    def with_requirements(
        self,
        requirements: Any = None,
        overwrite: Any = False,
        prepare_image_for_deploy: Any = True,
        requirements_file: Any = "",
    ) -> None:
        self._settings.build.with_requirements(requirements, requirements_file, overwrite)

    def with_commands(
        self, commands: Any, overwrite: Any = False, prepare_image_for_deploy: Any = True
    ) -> None:
        self._settings.build.with_commands(commands, overwrite)

    # -- pods

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
        resources = self._settings.values["resources"]
        if not isinstance(resources, dict):
            raise self._session.wrong_value(
                resources, "spec.resources must be a dict", self._settings.span
            )
        there = resources.get(section)
        resources[section] = {**there, **given} if patch and isinstance(there, dict) else given
        self._settings.places[f"spec.resources.{section}"] = self._session.span

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
            self._settings.no_place("add_templated_ingress_host_mode")

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
        name = name or f"{self._settings.name}-sidecar"
        numbers = ports if isinstance(ports, list) else [] if ports is None else [ports]
        short = self._session.text(name, "name", self._session.argument_span("name", 0))[:13]
        made = {
            "name": name,
            "image": image,
            "ports": [
                {"name": f"{short.rstrip('-_')}-{place}", "containerPort": port, "protocol": "TCP"}
                for place, port in enumerate(numbers)
            ],
            "command": [command] if isinstance(command, str) else command,
            "args": args if command else None,
            "resources": self._settings.values["resources"] or None,
        }
        self._settings.values["resources"] = {}
        there = self._settings.config.get("spec.sidecars")
        others = there if isinstance(there, list) else []
        others = [one for one in others if field(one, "name") != name]
        self.set_config("spec.sidecars", [*others, made])

    # -- triggers and everything else

    def add_trigger(self, name: Any, spec: Any) -> None:
        where = self._session.argument_span("name", 0)
        name = self._session.text(name, "the trigger's name", where)
        struct = triggers.structure(self._session, spec, self._session.argument_span("spec", 1))
        self.set_config(f"spec.triggers.{name}", struct)

    def add_v3io_stream_trigger(
        self,
        stream_path: Any,
        name: Any = "stream",
        group: Any = "serving",
        seek_to: Any = "earliest",
        shards: Any = 1,
        extra_attributes: Any = None,
        ack_window_size: Any = None,
        **kwargs: Any,
    ) -> None:
        """A V3IO stream's trigger; there are as many replicas as it has shards (mlrun 1.12.1)."""
        session = self._session
        path = session.text(stream_path, "stream_path", session.argument_span("stream_path", 0))
        extra = dict(extra_attributes) if isinstance(extra_attributes, dict) else extra_attributes
        if ack_window_size:
            extra = {**(extra or {}), "ackWindowSize": ack_window_size}
        kwargs.pop("consumer_group", None)
        struct = triggers.stream_structure(
            session,
            stream_triggers.v3io_stream,
            path,
            group=group,
            seek_to=seek_to,
            extra_attributes=extra,
            **kwargs,
        )
        shards = triggers.number(session, shards or 1, "shards", session.argument_span("shards", 4))
        self._set("min_replicas", shards)
        self._set("max_replicas", shards)
        self.add_trigger(name, struct)

    def add_rabbitmq_trigger(
        self,
        url: Any,
        exchange_name: Any = None,
        name: Any = "rabbitmq",
        queue_name: Any = None,
        topics: Any = None,
        username: Any = None,
        password: Any = None,
        prefetch_count: Any = None,
        durable_exchange: Any = None,
        durable_queue: Any = None,
        on_error: Any = None,
        requeue_on_error: Any = None,
        reconnect_duration: Any = None,
        reconnect_interval: Any = None,
        num_workers: Any = None,
        worker_termination_timeout: Any = None,
    ) -> None:
        if isinstance(url, str) and url.startswith("ds://"):
            raise not_yet("data store profiles (ds://)", self._session.argument_span("url", 0))
        struct = triggers.stream_structure(
            self._session,
            stream_triggers.rabbitmq,
            url,
            exchange_name,
            queue_name,
            topics,
            username,
            password,
            prefetch_count,
            durable_exchange,
            durable_queue,
            on_error,
            requeue_on_error,
            reconnect_duration,
            reconnect_interval,
            num_workers,
            worker_termination_timeout,
        )
        self.add_trigger(name, struct)

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
        session = self._session
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
        key = self._session.text(key, "the key", self._session.argument_span("key", 0))
        self._settings.config[key] = value
        self._settings.places[key] = self._session.span

    def with_annotations(self, annotations: Any) -> None:
        where = self._session.argument_span("annotations", 0)
        if not isinstance(annotations, dict):
            raise self._session.wrong_value(annotations, "annotations must be a dict", where)
        for key, value in plain(self._session, annotations, where, "the annotation").items():
            self._settings.metadata.annotations[key] = str(value)
            self._settings.places[f"metadata.annotations.{key}"] = where

    def set_label(self, key: Any, value: Any) -> None:
        where = self._session.argument_span("value", 1)
        key = self._session.text(key, "the label's name", self._session.argument_span("key", 0))
        self._settings.metadata.labels[key] = str(
            plain(self._session, value, where, "the label's value")
        )
        self._settings.places[f"metadata.labels.{key}"] = where


def _enabled(spec: Any) -> bool:
    """Is a `BatchingSpec` or `AsyncSpec` given, and not switched off?"""
    if spec is None:
        return False
    switch = spec.args[0] if isinstance(spec, Instance) and spec.args else field(spec, "enabled")
    return switch is None or bool(switch)
