"""Settings of the deployment: what becomes function.yaml, the Dockerfile and the requirements."""

from __future__ import annotations

from functools import wraps
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from .. import ir
from ..diagnostics import GraphError, Span
from ..frontend.values import HostFunction, Unknown
from .mistakes import not_yet, unknown_value

if TYPE_CHECKING:
    from .session import Session


class Settings:
    """What a function's calls and `fn.spec` say about where and how it runs (serving.md 1.4)."""

    #: Settings that packages have no place for yet.
    _without_place: ClassVar[frozenset[str]] = frozenset(
        """set_config set_env_from_secret set_label set_source_archive with_annotations
        with_commands with_http with_limits with_node_selection with_preemption_mode
        with_priority_class with_requests with_security_context with_source_archive""".split()
    )
    #: Methods of functions that end here; each gives the function back.
    calls = _without_place | {"set_env", "set_envs", "with_requirements"}
    #: Attributes of `fn.spec` that end here.
    attributes = frozenset(("image", "min_replicas", "max_replicas", "description"))

    def __init__(self, session: Session, span: Span) -> None:
        self.session = session
        self.span = span
        self.image: Any = ""
        self.description: Any = ""
        self.requirements: list[str] = []
        self.env: dict[str, str] = {}
        self.min_replicas: Any = None
        self.max_replicas: Any = None

    def call(self, name: str, function: Any) -> HostFunction:
        """The method `fn.<name>`."""
        if name in self._without_place:

            def made(*args: Any, **kwargs: Any) -> None:
                self._reported(f"{name}()")
        else:
            made = getattr(self, name)

        @wraps(made)
        def chained(*args: Any, **kwargs: Any) -> Any:
            made(*args, **kwargs)
            return function

        return HostFunction(f"fn.{name}", chained)

    def read(self, name: str) -> Any:
        """`fn.spec.<name>`"""
        return getattr(self, name)

    def assign(self, name: str, value: Any) -> None:
        """`fn.spec.<name> = value`"""
        if name == "replicas":
            self.min_replicas = self.max_replicas = value
        elif name in self.attributes:
            setattr(self, name, value)
        else:
            self._reported(f"the setting spec.{name}")

    def _reported(self, what: str) -> None:
        self.session.diagnostics.warning(
            "GC032",
            f"{what} is not carried into the package yet",
            self.session.call_span,
            help="set it in the package's function.yaml when you deploy",
        )

    def with_requirements(
        self,
        requirements: Any = None,
        overwrite: bool = False,
        prepare_image_for_deploy: bool = True,
        requirements_file: str = "",
    ) -> None:
        if overwrite:
            self.requirements.clear()
        where = self.session.argument_span("requirements", 0)
        lines = self._lines(requirements, where)
        lines += self._lines(requirements_file, self.session.argument_span("requirements_file"))
        for line in lines:
            if line not in self.requirements:
                self.requirements.append(line)

    def _lines(self, value: Any, where: Span) -> list[str]:
        """Requirements: a list of them, or the path of a file with one on each line."""
        if value is None or value == "":
            return []
        if isinstance(value, str | PurePosixPath):
            found = (
                line.partition(" #")[0].strip()
                for line in self.session.tree.text(str(value), where).splitlines()
            )
            return [line for line in found if line and not line.startswith("#")]
        if not isinstance(value, list | tuple | set):
            raise self.session.wrong_value(value, "requirements must be a list", where)
        lines = [self.session.text(line, "a requirement", where) for line in value]
        for line in lines:
            if not line.isprintable():
                raise GraphError(f"{line[:80]!r} is no requirement", code="GC018", span=where)
        return lines

    def set_env(self, name: Any, value: Any = None, value_from: Any = None) -> None:
        where = self.session.argument_span("value", 1)
        if isinstance(value, Unknown):
            raise unknown_value(value, where)
        if value_from is not None:
            self._reported("set_env(value_from=...)")
            return
        text = self.session.text(str(value), "the variable's value", where)
        self.env[self.session.text(name, "the variable's name", where)] = text

    def set_envs(self, env_vars: Any = None, file_path: Any = None) -> None:
        if not isinstance(env_vars, dict):
            raise not_yet("environment files")
        for name, value in env_vars.items():
            self.set_env(name, value)

    def freeze(self) -> ir.Settings:
        """The settings as data; raises GraphError."""
        least = self._whole(self.min_replicas, "min_replicas")
        most = self._whole(self.max_replicas, "max_replicas")
        if most is not None and (most == 0 or (least or 0) > most):
            raise GraphError(
                f"{least or 1} to {most} replicas are none that Nuclio can run",
                help="max_replicas is at least 1, and at least min_replicas",
            )
        return ir.Settings(
            image=self.session.text(self.image, "image", self.span),
            requirements=tuple(self.requirements),
            env=tuple(sorted(self.env.items())),
            min_replicas=least,
            max_replicas=most,
            description=self.session.text(self.description, "description", self.span),
        )

    def _whole(self, value: Any, what: str) -> int | None:
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
            return value
        raise self.session.wrong_value(value, f"{what} must be a whole number", self.span)
