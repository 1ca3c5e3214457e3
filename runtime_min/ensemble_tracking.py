"""Tracking of ensembles: a record of each vote (mlrun 1.12)."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, cast

from .ensembles import VotingEnsemble
from .tracking import Tracked, key_of, log_of


def tracked(cls: type[Tracked]) -> type[Tracked]:
    """The ensemble class, writing records. Its own methods come first, as they were."""
    bases = (_Tracked,) if issubclass(_Tracked, cls) else (cls, _Tracked)
    made: Any = type(cls.__name__, bases, {"__module__": cls.__module__})
    return cast("type[Tracked]", made)


class _Tracked(VotingEnsemble):
    def _finished(self, name: str, route: Any, event: Any) -> Any:
        log = log_of(self) if route is None and event.method != "GET" else None
        if log is None:
            return super()._finished(name, route, event)
        started = datetime.now(timezone.utc)
        request = dict(event.body)
        answer = super()._finished(name, route, event)
        request.setdefault("id", answer.body["id"])
        log.push(started, request, answer.body, None, key_of(self))
        return answer
