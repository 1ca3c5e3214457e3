"""Steps that choose which of the steps behind them get an event (storey 1.12, `Flow`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Callable


class Outlets:
    """The ways on from a step, by the names of the steps that they begin with.

    If a step names none of them the event goes everywhere; with `drops`, as behind a
    Choice, nowhere.
    """

    def __init__(
        self, step: str, ways: Mapping[str, Callable[..., Any]], drops: bool = False
    ) -> None:
        self._step = step
        self._ways = ways
        self._drops = drops

    def choose(self, names: Iterable[str] | None) -> list[Callable[..., Any]]:
        """The ways of these names, in their order; raises ValueError if one is wrong."""
        if not names and not self._drops:
            return list(self._ways.values())
        names = list(names)  # type: ignore[arg-type]  # None of a Choice is a TypeError
        if len(names) > 1 and len(set(names)) != len(names):
            raise ValueError(
                f"Invalid outlet selection for '{self._step}': duplicate outlet names "
                f"were provided ({', '.join(names)})."
            )
        try:
            return [self._ways[name] for name in names]
        except KeyError as exc:
            raise ValueError(
                f"Invalid outlet '{exc.args[0]}' for '{self._step}'. "
                f"Allowed outlets are: {', '.join(self._ways)}."
            ) from None
