"""The function configuration of Nuclio 1.14, as far as a graph file may set it (nuclio.md 1, 2).

Keys that a package decides itself (its handler, its code, its image) are not here but in `OWNED`.
"""

from __future__ import annotations

from collections.abc import Mapping

from .shapes import (
    FLAG,
    NAME,
    TEXT,
    Free,
    Items,
    Record,
    Scalar,
    Table,
    one_of,
    pattern,
    whole,
)

_LABEL = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_QUALIFIED = rf"([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_LABEL}"
LABEL_KEY = pattern("a Kubernetes label's name", _QUALIFIED)
LABEL_VALUE = pattern(
    "a label's value: at most 63 letters, digits, `-`, `_` and `.`", rf"({_LABEL})?"
)
ENV_NAME = pattern("the name of an environment variable", r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_QUANTITY_TEXT = pattern(
    "", r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?"
)
QUANTITY = Scalar(
    'an amount, such as "500m", "512Mi" or 2',
    lambda value: type(value) in (int, float) or _QUANTITY_TEXT.test(value),
)
DURATION = pattern(
    'a duration, such as "30s" or "1h30m"', r"([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+"
)
TRIGGER_NAME = pattern(
    "a trigger's name: letters, digits, `-` and `_`",
    r"[A-Za-z0-9]([-A-Za-z0-9_]{0,61}[A-Za-z0-9])?",
)
#: What runs on 1.14.1, whose images bring wheels for them (nuclio.md 7).
RUNTIMES = ("python:3.11", "python:3.10", "python:3.9")

#: Names of functions that Nuclio keeps for its own services.
RESERVED_NAMES = frozenset(("controller", "dashboard", "dlx", "scaler"))

_ANY = Free(dict)
_MANY = Free(list)

_KEY_OF = Record({"name": NAME, "key": NAME, "optional": FLAG}, required=("name", "key"))
ENV = Record(
    {
        "name": ENV_NAME,
        "value": TEXT,
        "valueFrom": Record(
            {
                "secretKeyRef": _KEY_OF,
                "configMapKeyRef": _KEY_OF,
                "fieldRef": Record(
                    {"apiVersion": TEXT, "fieldPath": NAME}, required=("fieldPath",)
                ),
                "resourceFieldRef": _ANY,
            },
            is_choice=True,
        ),
    },
    required=("name",),
)
#: Only the names of volumes are looked at: sources are Kubernetes' and many.
VOLUME = Record(
    {
        "volume": _ANY,
        "volumeMount": Record(
            {
                "name": NAME,
                "mountPath": NAME,
                "subPath": TEXT,
                "subPathExpr": TEXT,
                "readOnly": FLAG,
                "mountPropagation": TEXT,
                "recursiveReadOnly": TEXT,
            },
            required=("name", "mountPath"),
        ),
    },
    required=("volume", "volumeMount"),
)

CONFIG = Record(
    {
        "metadata": Record(
            {
                "labels": Table(LABEL_KEY, LABEL_VALUE),
                "annotations": Table(LABEL_KEY, TEXT),
                "namespace": LABEL_VALUE,
            }
        ),
        "spec": Record(
            {
                "description": TEXT,
                "runtime": one_of(*RUNTIMES),
                "env": Items(ENV),
                "envFrom": _MANY,
                "imagePullSecrets": TEXT,
                "imagePullPolicy": one_of("Always", "IfNotPresent", "Never"),
                "replicas": whole(),
                "minReplicas": whole(),
                "maxReplicas": whole(1),
                "targetCPU": whole(1),
                "resources": Record(
                    {
                        "requests": Table(LABEL_KEY, QUANTITY),
                        "limits": Table(LABEL_KEY, QUANTITY),
                    }
                ),
                "volumes": Items(VOLUME),
                "loggerSinks": Items(
                    Record({"level": one_of("debug", "info", "warn", "error"), "sink": TEXT})
                ),
                "readinessTimeoutSeconds": whole(1),
                "waitReadinessTimeoutBeforeFailure": FLAG,
                "eventTimeout": DURATION,
                "disableDefaultHTTPTrigger": FLAG,
                "securityContext": _ANY,
                "serviceAccount": NAME,
                "serviceType": one_of("ClusterIP", "NodePort"),
                "nodeName": NAME,
                "nodeSelector": Table(LABEL_KEY, LABEL_VALUE),
                "affinity": _ANY,
                "tolerations": _MANY,
                "priorityClassName": NAME,
                "preemptionPolicy": one_of("Never", "PreemptLowerPriority"),
                "preemptionMode": one_of("allow", "constrain", "prevent", "none"),
                "deploymentStrategy": _ANY,
                "hostIPC": FLAG,
                "sidecars": _MANY,
                "initContainers": _MANY,
                "scaleToZero": _ANY,
                "autoScaleMetrics": _MANY,
                "customScalingMetricSpecs": _MANY,
                "platform": _ANY,
                "devices": _MANY,
                "runRegistry": TEXT,
                "runtimeAttributes": _ANY,
                "disableSensitiveFieldsMasking": FLAG,
                # Each is checked against the record of its kind.
                "triggers": Table(TRIGGER_NAME, _ANY),
                "build": Record(
                    {
                        "onbuildImage": TEXT,
                        "registry": TEXT,
                        "baseImageRegistry": TEXT,
                        "noBaseImagesPull": FLAG,
                        "noCache": FLAG,
                        "noCleanup": FLAG,
                        "offline": FLAG,
                        "args": Table(NAME, TEXT),
                        "flags": Items(TEXT),
                        "buildTimeoutSeconds": whole(),
                        "builderServiceAccount": TEXT,
                    }
                ),
            }
        ),
    }
)

#: Keys that the package decides, in lower case, and why.
OWNED: Mapping[tuple[str, ...], str] = {
    ("metadata", "name"): "the name it is made with",
    ("spec", "handler"): "a handler of its own",
    ("spec", "image"): "an image of its own",
    ("spec", "build", "path"): "a folder of its own",
    ("spec", "build", "functionsourcecode"): "files of its own",
    ("spec", "build", "codeentrytype"): "files of its own",
    ("spec", "build", "codeentryattributes"): "files of its own",
    ("spec", "build", "directives"): "build commands, which replace directives",
    ("spec", "build", "mode"): "a build of its own",
}
