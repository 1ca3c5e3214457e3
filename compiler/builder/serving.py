"""Settings that change answers: what MLRun puts into a serving function's spec (serving.md 1.4)."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

from .. import ir
from ..arguments import Arguments, target_of
from ..diagnostics import GraphError, Span
from ..frontend.values import EnvValue, HostFunction, Unknown
from .mistakes import INVALID_ARGUMENT, not_yet, unknown_value
from .queue import check_stream

if TYPE_CHECKING:
    from .session import Session


class Serving:
    """What a function's calls and `fn.spec` say about how events and failures are handled."""

    #: Methods of functions that end here.
    calls = frozenset(("set_tracking", "with_secrets"))
    #: Attributes of `fn.spec` that end here.
    attributes = frozenset(
        """default_class default_content_type error_stream graph_initializer load_mode parameters
        secret_sources track_models""".split()
    )
    _load_modes: ClassVar[tuple[str, ...]] = ("sync", "async")

    def __init__(self, session: Session, span: Span) -> None:
        self.session = session
        self.span = span
        self.default_class: Any = None
        self.parameters: Any = {}
        self.verbose: Any = False
        self.default_content_type: Any = None
        self.error_stream: Any = None
        self.graph_initializer: Any = None
        self.load_mode: Any = None
        self.secret_sources: Any = []
        self.track_models: Any = False
        #: Where each was set.
        self._spans: dict[str, Span] = {}

    def call(self, name: str, function: Any) -> HostFunction:
        """The method `fn.<name>`."""
        if name == "set_tracking":
            return HostFunction("fn.set_tracking", self.set_tracking)

        @wraps(self.with_secrets)
        def chained(*args: Any, **kwargs: Any) -> Any:
            self.with_secrets(*args, **kwargs)
            return function

        return HostFunction("fn.with_secrets", chained)

    def assign(self, name: str, value: Any) -> None:
        """`fn.spec.<name> = value`"""
        self._spans[name] = self.session.span
        setattr(self, name, value)

    def with_secrets(self, kind: Any, source: Any = None) -> None:
        sources = self._list(self.secret_sources, "secret_sources")
        self._spans["secret_sources"] = self.session.span
        sources.append({"kind": kind, "source": source})

    def set_tracking(
        self,
        stream_path: Any = None,
        sampling_percentage: Any = 100,
        stream_args: Any = None,
        enable_tracking: Any = True,
        **more: Any,
    ) -> None:
        session = self.session
        where = session.argument_span("sampling_percentage", 1)
        if not isinstance(sampling_percentage, (int, float)):
            raise session.wrong_value(sampling_percentage, "a percentage is a number", where)
        if not 0 < sampling_percentage <= 100:
            raise GraphError(
                f"{sampling_percentage} is no percentage of requests to track",
                span=where,
                help="it is greater than 0 and at most 100",
                raises=INVALID_ARGUMENT,
            )
        self._spans["track_models"] = session.span
        self.track_models = enable_tracking
        parameters = self._parameters()
        parameters["sampling_percentage"] = sampling_percentage
        if stream_path:
            parameters["log_stream"] = stream_path
        if stream_args:
            parameters["stream_args"] = stream_args

    def _parameters(self) -> dict[Any, Any]:
        if not isinstance(self.parameters, dict):
            where = self._where("parameters")
            raise self.session.wrong_value(self.parameters, "spec.parameters must be a dict", where)
        return self.parameters

    def _where(self, name: str) -> Span:
        return self._spans.get(name, self.span)

    def _list(self, value: Any, what: str) -> list[Any]:
        if not isinstance(value, list):
            raise self.session.wrong_value(value, f"{what} must be a list", self._where(what))
        return value

    def _text(self, name: str) -> str:
        value = getattr(self, name)
        return self.session.text(value, f"spec.{name}", self._where(name)) if value else ""

    # -- the end

    def freeze(self) -> ir.Serving:
        """The settings as data; raises GraphError."""
        arguments = Arguments(self.session)
        where = self._where
        initializer = None
        if self.graph_initializer is not None:
            initializer = target_of(
                self.session, self.graph_initializer, where("graph_initializer"), "the initializer"
            )
        load_mode = self._text("load_mode") or None
        if load_mode not in (None, *self._load_modes):
            raise GraphError(
                f"{load_mode!r} is no load mode",
                span=where("load_mode"),
                help='use "sync" or "async"',
            )
        stream = self.error_stream
        if not isinstance(stream, EnvValue):
            stream = self._text("error_stream") or None
            if stream is not None:
                check_stream(stream, where("error_stream"))
        log = self._parameters().get("log_stream")
        if isinstance(log, str):
            check_stream(log, where("track_models"))
        return ir.Serving(
            parameters=tuple(
                (
                    self.session.text(key, "a parameter's name", where("parameters")),
                    arguments.value(value, where("parameters"), opens=True),
                )
                for key, value in self._parameters().items()
            ),
            verbose=bool(arguments.flag(self.verbose, "verbose", where("verbose"))),
            content_type=self._text("default_content_type"),
            initializer=initializer,
            load_mode=load_mode,
            secrets=tuple(
                made
                for source in self._list(self.secret_sources, "secret_sources")
                if (made := self._secrets(source)) is not None
            ),
            error_stream=arguments.value(stream, where("error_stream")),
            tracking=where("track_models") if self.track_models else None,
        )

    def _secrets(self, given: Any) -> ir.Secrets | None:
        """One source of secrets: what kind it is, and where they are."""
        where = self._where("secret_sources")
        if not isinstance(given, dict):
            raise self.session.wrong_value(given, "a source of secrets must be a dict", where)
        kind, source, prefix = given.get("kind"), given.get("source"), given.get("prefix") or ""
        for value in (kind, source, prefix):
            if isinstance(value, Unknown):
                raise unknown_value(value, where)
        prefix = self.session.text(prefix, "the prefix of secrets", where)
        if kind == "inline":
            return ir.Secrets("inline", self._inline(source, where), prefix)
        if kind == "env":
            names = self.session.text(source, "the names of variables", where)
            return ir.Secrets("env", tuple(name.strip() for name in names.split(",")), prefix)
        if kind == "file":
            return ir.Secrets(
                "file", self.session.text(source, "the path of secrets", where), prefix
            )
        if kind == "kubernetes":
            return None  # context.get_secret finds a project's secrets without being told
        if kind in ("vault", "azure_vault"):
            raise not_yet(
                f"secrets of kind {kind!r}",
                where,
                help='mount them as environment variables, and use with_secrets("env", "NAME,...")',
            )
        raise GraphError(
            f"{kind!r} is no kind of secrets", span=where, help='use "inline", "file" or "env"'
        )

    def _inline(self, source: Any, where: Span) -> Mapping[str, Any]:
        if isinstance(source, str):
            try:
                source = ast.literal_eval(source)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                source = None
        if not isinstance(source, dict) or not all(isinstance(key, str) for key in source):
            raise GraphError("inline secrets must be a dict of texts", span=where)
        for value in source.values():
            if isinstance(value, Unknown):
                raise unknown_value(value, where)
        self.session.diagnostics.warning(
            "GC032",
            "inline secrets stand in the package as plain text",
            where,
            help='use with_secrets("env", "NAME,...") and give the variables when you deploy',
        )
        found = {}
        for key, value in source.items():
            frozen = Arguments(self.session).value(value, where)
            found[key] = frozen if isinstance(frozen, ir.EnvLookup) else str(frozen)
        return found
