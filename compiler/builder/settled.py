"""From `Settings`, as the file's calls left them, to what the graph holds: checked plain data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .. import ir
from ..diagnostics import GraphError, Span
from ..frontend.values import EnvValue, OpenText, Unknown
from .image_build import command_lines, requirement_lines
from .mistakes import unknown_value
from .nuclio_config import CONFIG, OWNED, RESERVED_NAMES
from .plain import field, plain
from .settings import ATTRIBUTES, Settings
from .settled_triggers import SettledTriggers
from .shapes import Path, Problem, checked

_Tree = dict[str, Any]
#: A Docker image reference: nothing in it can end a line or a word.
_IMAGE = re.compile(r"[a-z0-9][a-zA-Z0-9._/:@-]{0,254}")
_ATTRIBUTE_OF = {key: attribute for attribute, key in ATTRIBUTES.items()}


def settle(settings: Settings) -> ir.Settings:
    """The settings as data.

    Raises GraphError for values that no package can hold; what Nuclio would refuse or ignore is
    added to the session's diagnostics, all of it.
    """
    settling = Settling(settings)
    if settings.name in RESERVED_NAMES:
        settings.session.diagnostics.warning(
            "GC018",
            f"Nuclio does not deploy a function of the name {settings.name!r}: that is one of its "
            "own services",
            settings.span,
            help="name it otherwise, or change metadata.name when you deploy",
        )
    config = settling.config()
    build = settings.build
    return ir.Settings(
        image=settling.image(),
        requirements=tuple(
            requirement_lines(settings.session, build.requirements, settings.place("requirements"))
        ),
        commands=command_lines(
            settings.session,
            [*settling.commands, *build.commands],
            settings.place("commands"),
        ),
        config=config,
        deployed=settling.deployed,
        remarks=settling.remarks,
    )


class Settling:
    """One function's settings, on their way."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.session = settings.session
        #: Variables whose value comes from another one where the function is deployed.
        self.deployed: dict[str, str] = {}
        #: Comments, by the path of the key that they stand above.
        self.remarks: dict[Path, tuple[str, ...]] = {}
        self._image: Any = None
        self._triggers = SettledTriggers(self)
        self.commands: list[Any] = []

    def config(self) -> Mapping[str, Any]:
        """What the file says of the function's configuration, in Nuclio's own terms."""
        settings = self._settings
        tree: _Tree = {"metadata": {}, "spec": {}}
        metadata, spec = tree["metadata"], tree["spec"]
        for section, value in settings.base_spec.items():
            self._put(tree, section, value)
        for section in ("labels", "annotations"):
            if found := self._plain(getattr(settings.metadata, section), section):
                metadata[section] = found
        for attribute, key in ATTRIBUTES.items():
            value = settings.values.get(attribute)
            if value not in (None, "", [], {}):
                spec[key] = self._plain(value, attribute)
        spec["env"] = self._env()
        spec["volumes"] = self._volumes()
        for key, value in settings.config.items():
            self._put(tree, key, value)
        self._take_out_owned(tree)
        made, problems = checked(_without_nothing(tree), CONFIG)
        self.report(problems)
        if isinstance(triggers := made["spec"].get("triggers"), dict):
            made["spec"]["triggers"] = self._triggers.made(triggers, made["spec"])
        self._check_replicas(made["spec"])
        return {
            section: {key: value for key, value in found.items() if value not in ("", [], {})}
            for section in ("metadata", "spec")
            if (found := made[section])
        }

    def _plain(self, value: Any, name: str) -> Any:
        return plain(self.session, value, self._settings.place(name), name)

    def _put(self, tree: _Tree, key: str, value: Any) -> None:
        """`set_config`: dots part the key, except between backslashes (nuclio-jupyter)."""
        where, parts = self._settings.place(key), _parted(key)
        if parts[:2] == ["spec", "triggers"] and len(parts) > 2:
            value = self._triggers.opened((*parts[:3],), value)
        self._put_parts(tree, parts, plain(self.session, value, where, key), where)

    def _put_parts(self, tree: _Tree, parts: list[str], value: Any, where: Span) -> None:
        key = ".".join(parts)
        if parts in (["metadata"], ["spec"]):
            if not isinstance(value, dict):
                raise GraphError(f"{key} must be a mapping", span=where)
            for inner, item in value.items():
                self._put_parts(tree, [*parts, inner], item, where)
            return
        at: Any = tree
        for part in parts[:-1]:
            at = at.setdefault(part, {}) if isinstance(at, dict) else None
        if not isinstance(at, dict):
            raise GraphError(f"{key!r} lies inside a value that is no mapping", span=where)
        last = parts[-1]
        if parts == ["spec", "env"] and isinstance(value, list):
            names = [field(entry, "name") for entry in value]
            there = at.get("env", [])
            value = [one for one in there if field(one, "name") not in names] + value
        at[last] = value

    def _take_out_owned(self, tree: _Tree) -> None:
        """Take out what has a place of its own, and what the package decides."""
        build = tree["spec"].get("build")
        if isinstance(build, dict):
            self._image = build.pop("baseImage", None)
            commands = build.pop("commands", None)
            if commands is not None and not isinstance(commands, list):
                where = self._settings.place("spec.build.commands")
                raise GraphError("spec.build.commands must be a list", span=where)
            self.commands = commands or []
        for path, what in OWNED.items():
            at: Any = tree
            for key in path[:-1]:
                at = at.get(key) if isinstance(at, dict) else None
            if not isinstance(at, dict):
                continue
            for key in [key for key in at if key.lower() == path[-1]]:
                if at.pop(key) not in (None, ""):
                    name = ".".join((*path[:-1], key))
                    self.session.diagnostics.warning(
                        "GC032",
                        f"{name} has no effect: a package has {what}",
                        self.place((*path[:-1], key)),
                    )

    def _env(self) -> list[_Tree]:
        made: dict[Any, _Tree] = {}  # by name: of several entries the last one counts
        for entry in self._settings.environment.entries:
            name = field(entry, "name")
            where = self._settings.place(f"env.{name}")
            if isinstance(entry, Unknown):
                raise unknown_value(entry, where)
            # Known where the function is deployed: the package says what it is.
            match field(entry, "value"):
                case EnvValue(name=variable, default=default):
                    if variable != name:
                        self.deployed[str(name)] = variable
                    entry = {"name": name, "value": default}
                case Unknown(expression=text, why=why, reported=False):
                    self.deployed[str(name)] = text or why
                    entry = {"name": name}
                case OpenText(parts=parts):
                    self.deployed[str(name)] = "".join(map(_spelled, parts))
                    entry = {"name": name}
            found = plain(self.session, entry, where, "the variable")
            if isinstance(found, dict) and not isinstance(found.get("value"), str | None):
                found["value"] = str(found["value"])
            if isinstance(found, dict) and {"value", "valueFrom"} <= _without_nothing(found).keys():
                raise GraphError(
                    f"the variable {name!r} has a value and a place where it comes from", span=where
                )
            made[name if isinstance(name, str) else len(made)] = found
        return list(made.values())

    def _volumes(self) -> list[_Tree]:
        """Volumes with their mounts, which Nuclio keeps together; one path is mounted once."""
        settings = self._settings
        where = next(
            (
                settings.place(name)
                for name in ("volumes", "volume_mounts")
                if name in settings.places
            ),
            settings.span,
        )
        named = {}
        for one in self._plain(settings.volumes, "volumes"):
            if isinstance(one, dict) and set(one) == {"volume", "volumeMount"}:
                raise GraphError(
                    "spec.volumes holds volumes; their mounts belong into spec.volume_mounts",
                    span=where,
                )
            is_named = isinstance(one, dict) and isinstance(one.get("name"), str)
            if not is_named or len(one) != 2:
                raise GraphError(
                    "a volume must have a name and one source, such as "
                    '{"name": "models", "persistentVolumeClaim": {"claimName": "models"}}',
                    span=where,
                )
            named[one.get("name")] = one
        mounts = {}
        for one in self._plain(settings.volume_mounts, "volume_mounts"):
            if not all(isinstance(field(one, key), str) for key in ("name", "mountPath")):
                raise GraphError("a volume mount must have a name and a mountPath", span=where)
            mounts[one["mountPath"]] = one
        used = [field(mount, "name") for mount in mounts.values()]
        for name in [*used, *named]:
            if name not in named or name not in used:
                missing = "volume_mounts" if name in named else "volumes"
                raise GraphError(
                    f"{name!r} is in spec.volumes and spec.volume_mounts, or in neither",
                    span=where,
                    help=f"it is not in spec.{missing}: fn.spec.with_{missing}() adds it",
                )
        return [
            {"volume": named[name], "volumeMount": mount}
            for name, mount in zip(used, mounts.values(), strict=True)
        ]

    def _check_replicas(self, spec: _Tree) -> None:
        if (most := spec.pop("replicas", None)) is not None:
            spec["minReplicas"] = spec["maxReplicas"] = most
        least, most = spec.get("minReplicas"), spec.get("maxReplicas")
        if type(most) is int and type(least or 0) is int and (least or 0) > most:
            raise GraphError(
                f"{least} to {most} replicas are none that Nuclio can run",
                span=self.place(("spec", "maxReplicas")),
                help="max_replicas is at least min_replicas",
            )
        triggers = spec.get("triggers")
        named = triggers.values() if isinstance(triggers, dict) else ()  # else found already
        kinds = [trigger.get("kind") for trigger in named if isinstance(trigger, dict)]
        if "v3ioStream" in kinds and None not in (least, most) and least != most:
            raise GraphError(
                "a function that reads a V3IO stream has a fixed number of replicas, "
                f"not {least} to {most}",
                span=self.place(("spec", "maxReplicas")),
                help="give it as many as the stream has shards: fn.spec.replicas = ...",
            )
        if least == 0 and spec.get("disableDefaultHTTPTrigger") and "http" not in kinds:
            raise GraphError(
                "a function that scales to zero needs an HTTP trigger, which wakes it",
                span=self.place(("spec", "minReplicas")),
            )

    def image(self) -> str:
        """The base image, by MLRun's order of preference."""
        settings = self._settings
        image = self._image or settings.image or settings.build.base_image or ""
        name = next(
            (name for name in ("image", "base_image") if name in settings.places),
            "spec.build.baseImage",
        )
        where = settings.place(name)
        text = self.session.text(plain(self.session, image, where, "the image"), "image", where)
        if text and not _IMAGE.fullmatch(text.removeprefix(".")):
            raise GraphError(
                f"{text[:80]!r} is not the name of an image",
                code="GC018",
                span=where,
                help="an example: python:3.11-slim",
            )
        if text.startswith("."):
            self.session.diagnostics.warning(
                "GC032",
                f"{text!r} is in the registry of MLRun's service, which is not known; the package "
                "has the base image of packages",
                where,
                help=f"name it with its registry: image='registry.example.com/{text[1:]}'",
            )
        return text

    # -- findings

    def report(self, problems: Iterable[Problem]) -> None:
        diagnostics = self.session.diagnostics
        for problem in problems:
            report = diagnostics.error if problem.is_error else diagnostics.warning
            name = ".".join(problem.path)
            report(
                "GC010" if problem.is_error else "GC032",
                f"{name} {problem.message}",
                self.place(problem.path),
                help=problem.help,
            )

    def place(self, path: Path) -> Span:
        """Where what stands at a path of the configuration was set."""
        settings = self._settings
        if path[:2] == ("spec", "env") and len(path) > 2:
            env = settings.environment.entries
            entry = env[int(path[2])] if int(path[2]) < len(env) else None
            return settings.place(f"env.{field(entry, 'name')}")
        if len(path) > 1 and (attribute := _ATTRIBUTE_OF.get(path[1])) in settings.places:
            return settings.place(str(attribute))
        return settings.place(".".join(path))


def _spelled(part: str | EnvValue | Unknown) -> str:
    """A part of a text that is not all known, for people to read."""
    if isinstance(part, str):
        return part
    return f"${{{part.name if isinstance(part, EnvValue) else part.expression or part.why}}}"


def _parted(key: str) -> list[str]:
    """A dotted key's parts; between backslashes a dot is a dot."""
    quoted = key.split("\\")
    quoted[::2] = [text.replace(".", "\0") for text in quoted[::2]]
    return "".join(quoted).split("\0")


def _without_nothing(value: Any) -> Any:
    """The value without what is None in it."""
    if isinstance(value, dict):
        return {key: _without_nothing(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nothing(item) for item in value]
    return value
