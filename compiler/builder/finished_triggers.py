"""A trigger's structure as function.yaml has it: what is decided the same way for each.

The handler acknowledges what streams bring, so kinds that allow it are set to that; a password is
never copied, but stands as `${NAME}` for whoever deploys to fill in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ..diagnostics import did_you_mean
from ..ir import ACKNOWLEDGED
from ..stream_drivers import GENERATED
from .nuclio_triggers import SECRETS, TRIGGERS
from .shapes import Path, Problem, checked
from .stream_triggers import Struct

#: A trigger's keys, in the order in which they are written.
_ORDER = ("name", "kind", "numWorkers")
_RABBITMQ = ("rabbit-mq", "rabbitMq")
#: What kinds promise that let nobody acknowledge (nuclio.md 2.3).
_PROMISES = {
    **dict.fromkeys(
        ("nats", "mqtt", "iotCoreMqtt"), "Nuclio acknowledges nothing here: at most once."
    ),
    **dict.fromkeys(
        _RABBITMQ, "Nuclio acknowledges a message as soon as a worker has it: at most once."
    ),
}
#: Lists that a trigger does not start without.
_NOT_EMPTY = frozenset("topics subscriptions shards partitions".split())
_URLS = {
    "nats": r"((nats|tls)://[^/,\s]+,?)+",
    **dict.fromkeys(_RABBITMQ, r"amqps?://\S+"),
    "mqtt": r"((tcp|ssl)://)?[^/@\s]+:(\d+|\$\{\w+\})",
}
_ACKNOWLEDGES = "The handler acknowledges what it has done: at least once."


@dataclass(slots=True)
class Finished:
    """A structure, and what is to be said of it."""

    struct: Struct
    problems: Sequence[Problem] = ()
    #: Comments above it.
    remarks: list[str] = field(default_factory=list)
    #: Names in place of passwords that the file has.
    secrets: list[str] = field(default_factory=list)
    #: An acknowledgement mode that the file asks for and that packages do not have.
    mode: str = ""

    @property
    def failed(self) -> bool:
        return any(problem.is_error for problem in self.problems)


def finish(name: str, struct: Mapping[str, Any]) -> Finished:
    """The structure of a trigger that is plain data, checked and complete."""
    path = ("spec", "triggers", name)
    kind = struct.get("kind")
    if not isinstance(kind, str) or kind not in TRIGGERS:
        hint = did_you_mean(str(kind), TRIGGERS)
        message = f"has the kind {kind!r}, which Nuclio does not know" if kind else "has no kind"
        return Finished(dict(struct), [Problem(path, message, hint)])
    made, problems = checked(struct, TRIGGERS[kind], path)
    done = Finished(made, problems)
    if done.failed:
        return done
    # Nuclio's processor looks at numWorkers alone (nuclio.md 1.5).
    workers = made.pop("maxWorkers", None)
    made["numWorkers"] = made.get("numWorkers") or workers or 1
    made["name"] = name
    if missing := _missing(kind, made):
        done.problems = [*problems, Problem(path, missing)]
        return done
    if kind in _RABBITMQ and made["numWorkers"] > 1:
        made["numWorkers"] = 1
        problem = Problem((*path, "numWorkers"), "is always 1 for RabbitMQ", is_error=False)
        done.problems = [*problems, problem]
    if kind in ACKNOWLEDGED:
        mode = made.pop("explicitAckMode", "explicitOnly")
        done.mode = "" if mode == "explicitOnly" else str(mode)
        made["explicitAckMode"] = "explicitOnly"
        attributes = made.setdefault("attributes", {})
        attributes["workerAllocationMode"] = "static"
        # Nuclio's own default, spelled out.
        attributes.setdefault("seekTo" if kind == "v3ioStream" else "initialOffset", "latest")
        made.setdefault("workerTerminationTimeout", "10s")
        done.remarks.append(_ACKNOWLEDGES)
    elif kind in _PROMISES:
        done.remarks.append(_PROMISES[kind])
    if kind == "v3ioStream" and made.get("password") == "${V3IO_ACCESS_KEY}":
        made["password"] = GENERATED
    if made.get("password") == GENERATED:
        done.remarks.append("Nuclio puts V3IO_ACCESS_KEY of the environment in place of $generate.")
    done.secrets = _without_secrets(name, made)
    if kind in _RABBITMQ:
        _put_into_url(made)
    first = {key: made.pop(key) for key in _ORDER}
    made["attributes"] = made.pop("attributes", {})  # the last
    done.struct = first | {key: value for key, value in made.items() if value != {}}
    return done


def open_names(value: object) -> list[str]:
    """The names that stand as `${NAME}` in a text, or in what a value holds."""
    return [*dict.fromkeys(re.findall(r"\$\{(\w+)\}", str(value)))]


def open_remark(names: Sequence[str]) -> str:
    """What whoever deploys has to do about names that stand for values."""
    shown = " ".join(f"${name}" for name in names)
    return f"Fill in before you deploy: envsubst '{shown}' < function.yaml"


def _missing(kind: str, struct: Struct) -> str:
    """What a kind needs besides what its shape says."""
    attributes, url = struct.get("attributes", {}), struct.get("url", "")
    for key, value in attributes.items():
        if value == [] and key in _NOT_EMPTY:
            return f"has no {key}"
    if (form := _URLS.get(kind)) and not re.fullmatch(form, url):
        return f"has the url {url!r}, which is none of that kind" if url else "has no url"
    if kind == "cron" and not {"interval", "schedule"} & set(attributes):
        return "has neither interval nor schedule"
    if kind in ("kafka-cluster", "kafka") and not (attributes.get("brokers") or url):
        return "names no brokers"
    if kind == "v3ioStream" and not (
        {"containerName", "streamPath", "consumerGroup"} <= set(attributes) or "@" in url
    ):
        return "does not say containerName, streamPath and consumerGroup"
    if kind in _RABBITMQ and bool(attributes.get("queueName")) == bool(attributes.get("topics")):
        return "takes either queueName or topics"
    if kind == "kinesis" and struct.get("numWorkers", 1) < len(attributes["shards"]):
        return "needs numWorkers of as many as there are shards: a worker reads one"
    return ""


def _without_secrets(name: str, struct: Struct) -> list[str]:
    """Put names in the place of passwords; the names."""
    names = []
    for path in SECRETS:
        at: Any = struct
        for key in path[:-1]:
            at = at.get(key, {})
        value = at.get(path[-1])
        is_name = isinstance(value, str) and value.startswith("$")
        # Nuclio takes the path of a mounted file in a key's place.
        is_file = path[-1] == "accessKey" and "-----" not in str(value)
        if not value or is_name or is_file:
            continue
        variable = _variable(name, path)
        at[path[-1]] = f"${{{variable}}}"
        names.append(variable)
    return names


def _put_into_url(struct: Struct) -> None:
    """Nuclio 1.14 takes who it is for RabbitMQ from the URL alone."""
    user, password = struct.pop("username", None), struct.pop("password", None)
    scheme, separator, rest = struct["url"].partition("://")
    if user and separator and "@" not in rest.partition("/")[0]:
        secret = f":{password}" if password else ""
        struct["url"] = f"{scheme}://{quote(user, safe='${}')}{secret}@{rest}"


def _variable(name: str, path: Path) -> str:
    """`KAFKA_SASL_PASSWORD` for the trigger `kafka`."""
    words = "_".join([name, *path]).replace("attributes_", "")
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", words)
    return re.sub(r"\W", "_", spaced).upper()
