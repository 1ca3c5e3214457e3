"""Classes of the user's own that derive from RemoteStep or BatchHttpRequests (mlrun 1.12.1).

In flows that await MLRun runs them as steps of storey: `do_event` is never called, and what happens
to an event is a matter of methods with an underscore. Those that make a request and read its answer
are there in packages, too; what storey does around them is not.
"""

from __future__ import annotations

from dataclasses import replace

from .. import ir
from ..code_index import CodeIndex, Symbol
from ..diagnostics import Diagnostics
from ..plan import Ours
from .facts import Facts, Selects
from .instantiation import Instantiation
from .outgoing import REMOTE

#: What runs them, and what of their inner life they may override.
_RUNNERS = {True: Ours("remote_own", "Remote"), False: Ours("remote_own", "Batch")}
_WAYS = {
    True: "_generate_request(), _process_event() or _get_data()",
    False: "_process_event(), _submit() or _get_data()",
}
#: Members of storey's flows and of MLRun's clients that packages do not have.
_INNER = frozenset(
    """_append_event_path _BACKOFF_MAX _check_outlets_by_names _cleanup _closeables
    _DEFAULT_MAX_IN_FLIGHT _do _do_and_recover _do_downstream _get_recovery_step _handle_completed
    _handle_unrecovered_error _headers_function_handler _init _inlets _join_from_response _lazy_init
    _lazy_init_complete _outlets _process_event_with_retries _q _queue_size _raised_by_storey_step
    _recovery_step _request_args _should_terminate _user_fn_output_to_event _worker
    _worker_awaitable""".split()
)


class Requesting:
    """Finds their facts; what they take that packages do not have is reported (GC016)."""

    def __init__(
        self, index: CodeIndex, diagnostics: Diagnostics, instantiation: Instantiation
    ) -> None:
        self._index = index
        self._diagnostics = diagnostics
        self._instantiation = instantiation

    def check(self, symbol: Symbol, base: str) -> None:
        """Nothing of the inner life of MLRun's class may be in its code."""
        cls = base.rpartition(".")[2]
        for owner in self._index.lineage(symbol):
            info = self._index.class_info(owner)
            if info is None:
                continue
            found = dict.fromkeys(info.attributes & _INNER, info.span)
            for method in info.methods.values():
                used = {method.name} & _INNER or method.names_read & _INNER
                found |= dict.fromkeys(used, method.span)
            for name, span in sorted(found.items()):
                self._diagnostics.error(
                    "GC016",
                    f"class {owner.name!r} uses {name} of {cls}, which packages do not have",
                    span,
                    help=f"override {_WAYS[base == REMOTE]}, or change the body in a step of its "
                    "own in front of this one or behind it",
                )

    def facts(
        self,
        target: ir.UserCode,
        symbol: Symbol,
        step: ir.Task | ir.Router | ir.Route,
        name: str,
        base: str,
    ) -> Facts:
        """Of a step of a flow that awaits."""
        is_remote = base == REMOTE
        if getattr(step, "full_event", None):
            message = f"{name!r} cannot have full_event: in MLRun every event fails"
            self._diagnostics.error("GC017", message, target.span, help="leave full_event out")
        idle = [method for method in ("do_event", "do") if self._defines(symbol, method)]
        for method in dict.fromkeys([*idle, *([step.method] if step.method else [])]):
            self._diagnostics.warning(
                "GC032",
                f"{method}() of {symbol.name} is not called in the async engine, as in MLRun",
                target.span,
                help=f"override {_WAYS[is_remote]}",
            )
        make = self._instantiation.make(target, symbol, step, name, False, False, frozenset())
        return Facts(
            "event",
            "do_event",
            True,
            make=replace(make, runner=_RUNNERS[is_remote]),
            imports=("aiohttp",),
            selects=Selects() if self._defines(symbol, "select_outlets") else None,
            waits=True,
        )

    def _defines(self, symbol: Symbol, method: str) -> bool:
        found = self._index.method(symbol, method)
        return found is not None and found[1] is not None
