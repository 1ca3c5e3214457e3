"""Triggers that a file sets by itself, as function.yaml has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..diagnostics import GraphError, Span
from ..frontend.values import EnvValue, Instance, OpenText, Unknown
from .finished_triggers import finish, open_remark
from .shapes import Path

if TYPE_CHECKING:
    from .settled import Settling

_Tree = dict[str, Any]


class SettledTriggers:
    """The section `triggers` of a function's settings, on its way."""

    def __init__(self, settling: Settling) -> None:
        self._settling = settling
        self._session = settling.session
        #: Names in the place of values, by the path of the trigger.
        self._opened: dict[Path, list[str]] = {}

    def opened(self, path: Path, value: Any) -> Any:
        """What is set of a trigger; `${NAME}` stands for what is known where it is deployed."""

        def inner(found: Any) -> Any:
            match found:
                case EnvValue(default=str(default)):
                    return default
                case EnvValue(name=name):
                    self._opened.setdefault(path, []).append(name)
                    return f"${{{name}}}"
                case OpenText(parts=parts) if not any(isinstance(p, Unknown) for p in parts):
                    return "".join(map(inner, parts))
                case list() | tuple():
                    return [inner(item) for item in found]
                case dict():
                    return {one: inner(item) for one, item in found.items()}
            return found

        return inner(value)

    def made(self, triggers: _Tree, spec: _Tree) -> _Tree:
        """The triggers; changes `spec` where one of them has its say there."""
        made: _Tree = {}
        for name, struct in triggers.items():
            path = ("spec", "triggers", name)
            where = self._settling.place(path)
            if not isinstance(struct, dict):
                continue
            if struct.pop("disabled", False):
                if struct.get("kind") == "http":
                    spec["disableDefaultHTTPTrigger"] = True
                self._session.diagnostics.warning(
                    "GC032",
                    f"trigger {name!r} is disabled, so it is left out: Nuclio would run it",
                    where,
                )
                continue
            found = self._trigger(name, struct, where)
            if found is None:
                continue
            made[name] = found
            if found["kind"] == "http" and found.get("attributes", {}).get("port"):
                # A port of every node: MLRun's functions have such a service by default.
                spec.setdefault("serviceType", "NodePort")
        if len(http := [name for name in made if made[name]["kind"] == "http"]) > 1:
            raise GraphError(
                f"there are two HTTP triggers, {http[0]!r} and {http[1]!r}; Nuclio takes one",
                span=self._settling.place(("spec", "triggers", http[1])),
                help=f"give one trigger all settings: with_http(trigger_name={http[0]!r}, ...)",
            )
        return made

    def _trigger(self, name: str, struct: _Tree, where: Span) -> _Tree | None:
        if _is_on(struct.pop("batch", None)):
            raise GraphError("graphc does not compile batches of events yet", code="GC016")
        warning = self._session.diagnostics.warning
        if struct.pop("mode", "sync") != "sync":
            struct.pop("async", None)
            warning(
                "GC032",
                "asynchronous workers need Nuclio 1.15.3; the package has synchronous ones",
                where,
            )
        found = finish(name, struct)
        self._settling.report(found.problems)
        if found.failed:
            return None
        if found.mode:
            warning(
                "GC032",
                f"trigger {name!r} does not have the mode {found.mode!r}: the handler "
                "acknowledges what it has done",
                where,
            )
        if found.secrets:
            warning(
                "GC032",
                f"a secret of trigger {name!r} is not copied into function.yaml",
                where,
                help=f"it has ${{{found.secrets[0]}}} there, for whoever deploys to fill in",
            )
        path = ("spec", "triggers", name)
        text = repr(found.struct)
        names = [
            name for name in dict.fromkeys(self._opened.get(path, ())) if f"${{{name}}}" in text
        ]
        opened = [*dict.fromkeys([*names, *found.secrets])]
        if names:
            warning(
                "GC032",
                f"trigger {name!r} has values that are known where it is deployed: "
                f"{', '.join(names)}",
                where,
                help=f"give them to the build, --env {names[0]}=VALUE, or fill in "
                f"${{{names[0]}}} in function.yaml",
            )
        remarks = [*found.remarks, *([open_remark(opened)] if opened else [])]
        if remarks:
            self._settling.remarks[path] = tuple(remarks)
        return found.struct


def _is_on(batch: Any) -> bool:
    match batch:
        case None:
            return False
        case dict():
            return str(batch.get("mode", "enable")) == "enable"
        case Instance():
            return True
    return bool(batch)
