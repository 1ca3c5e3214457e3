"""Environment variables of a function: `fn.set_env` and its like, and `.env` files."""

from __future__ import annotations

import io
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import dotenv

from ..diagnostics import GraphError
from ..frontend.values import EnvValue, OpenText, Unknown
from .mistakes import INVALID_ARGUMENT
from .plain import field, plain

if TYPE_CHECKING:
    from .settings import Settings


class Environment:
    """The variables, as mappings or objects of `kubernetes.client`; a name stands there once."""

    #: Methods of functions that end here and give the function back.
    chained = frozenset("set_env set_env_from_secret set_env_from_secret_ref set_envs".split())
    #: Those that give a value.
    answers = frozenset(("get_env", "is_env_exists"))

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session = settings.session
        #: `fn.spec.env`
        self.entries: Any = []

    def set_env(self, name: Any, value: Any = None, value_from: Any = None) -> None:
        where = self._session.argument_span("value", 1)
        if value_from is not None:
            entry = {"valueFrom": value_from}
        elif isinstance(value, EnvValue | OpenText | Unknown) or value is None:
            entry = {"value": value}
        else:
            entry = {"value": str(plain(self._session, value, where, "the variable's value"))}
        self.put(name, entry)

    def put(self, name: Any, entry: dict[str, Any]) -> None:
        """Set a variable; one of that name keeps its place."""
        where = self._session.argument_span("name", 0)
        name = self._session.text(name, "the variable's name", where)
        entry = {"name": name, **entry}
        self._settings.places[f"env.{name}"] = self._session.span
        for place, there in enumerate(self.entries):
            if field(there, "name") == name:
                self.entries[place] = entry
                return
        self.entries.append(entry)

    def set_envs(self, env_vars: Any = None, file_path: Any = None) -> None:
        where = self._session.argument_span("env_vars", 0)
        if bool(env_vars) == bool(file_path):
            raise GraphError(
                "set_envs() takes either env_vars or file_path",
                span=where,
                raises=INVALID_ARGUMENT,
            )
        if file_path:
            env_vars = self._env_file(file_path)
        if not isinstance(env_vars, dict):
            raise self._session.wrong_value(env_vars, "env_vars must be a dict", where)
        for name, value in env_vars.items():
            if isinstance(value, dict) and "valueFrom" in value:
                self.set_env(name, value_from=value["valueFrom"])
            else:
                self.set_env(name, value)

    def _env_file(self, path: Any) -> dict[str, str]:
        where = self._session.argument_span("file_path", 1)
        if not isinstance(path, str | PurePosixPath):
            raise self._session.wrong_value(path, "file_path must be a path", where)
        text = self._session.tree.text(str(path), where)
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
        self.put(name, {"valueFrom": {"secretKeyRef": reference}})

    def set_env_from_secret_ref(self, secret_name: Any) -> None:
        where = self._session.argument_span("secret_name", 0)
        name = self._session.text(secret_name, "the secret's name", where)
        self._settings.values["env_from"].append({"secretRef": {"name": name}})

    def get_env(self, name: Any, default: Any = None) -> Any:
        value = self.value(name)
        return default if value is None else value

    def is_env_exists(self, name: Any) -> bool:
        return any(field(entry, "name") == name for entry in self.entries)

    def value(self, name: Any) -> Any:
        """The value of a variable, or where it comes from; None if it has none."""
        for entry in self.entries:
            if field(entry, "name") == name:
                for key in ("value", "value_from", "valueFrom"):
                    if (value := field(entry, key)) is not None:
                        return value
        return None
