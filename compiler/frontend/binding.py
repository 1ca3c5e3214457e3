"""Which parameter of a user's function gets which argument, by Python's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import libcst as cst

from .signals import Native
from .values import Unknown, UserFunction, Value


def bind(
    function: UserFunction,
    positional: Sequence[Value],
    named: Mapping[str, Value],
    more: Unknown | None,
) -> dict[str, Value]:
    """The values of the parameters; raises Native (TypeError) as Python would.

    With `more`, arguments that are not there may be among those that are not known.
    """
    parameters = function.node.params
    only = [parameter.name.value for parameter in parameters.posonly_params]
    both = [parameter.name.value for parameter in parameters.params]
    keyword = [parameter.name.value for parameter in parameters.kwonly_params]
    star = parameters.star_arg
    rest = star.name.value if isinstance(star, cst.Param) else None
    others = parameters.star_kwarg.name.value if parameters.star_kwarg else None
    slots = only + both

    values = dict(zip(slots, positional, strict=False))
    if rest is not None:
        values[rest] = more if more is not None else tuple(positional[len(slots) :])
    elif len(positional) > len(slots):
        required = sum(name not in function.defaults for name in slots)
        raise _error(function, _too_many(required, len(slots), len(positional)))
    extra: dict[str, Value] = {}
    for name, value in named.items():
        if name in both or name in keyword:
            if name in values:
                raise _error(function, f"got multiple values for argument {name!r}")
            values[name] = value
        elif others is None:
            raise _error(function, f"got an unexpected keyword argument {name!r}")
        else:
            extra[name] = value
    if others is not None:
        values[others] = more if more is not None else extra
    _fill(function, slots, keyword, values, more)
    return values


def _fill(
    function: UserFunction,
    slots: Sequence[str],
    keyword: Sequence[str],
    values: dict[str, Value],
    more: Unknown | None,
) -> None:
    """Gives the parameters that are left their defaults."""
    for kind, names in (("positional", slots), ("keyword-only", keyword)):
        missing = []
        for name in names:
            if name in values:
                continue
            if more is not None:
                values[name] = more
            elif name in function.defaults:
                values[name] = function.defaults[name]
            else:
                missing.append(name)
        if missing:
            plural = "s" if len(missing) > 1 else ""
            raise _error(
                function,
                f"missing {len(missing)} required {kind} argument{plural}: {_listed(missing)}",
            )


def _listed(names: Sequence[str]) -> str:
    quoted = [repr(name) for name in names]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return ", ".join(quoted[:-1]) + ", and " + quoted[-1]


def _too_many(required: int, takes: int, given: int) -> str:
    bound = f"from {required} to {takes}" if required < takes else str(takes)
    plural = "" if takes == 1 else "s"
    verb = "was" if given == 1 else "were"
    return f"takes {bound} positional argument{plural} but {given} {verb} given"


def _error(function: UserFunction, text: str) -> Native:
    return Native(TypeError(f"{function.name}() {text}"))
