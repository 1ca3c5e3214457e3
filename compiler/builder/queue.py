"""A queue: a stream that a flow writes to (spec/serving.md 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import ir
from ..arguments import Arguments
from ..diagnostics import GraphError, Span, did_you_mean
from ..frontend.values import EnvValue, OpenText, Unknown
from ..stream_drivers import SCHEMES, V3IO, drivers, known_scheme, problem_of, scheme_of
from . import mlrun_names
from .kafka_options import settings
from .mistakes import ATTRIBUTE_ERROR, not_yet, unknown_value
from .step import StepBuilder

if TYPE_CHECKING:
    from .session import Session

#: What class_name says of a queue; a single ">" is that of older documents.
QUEUES = ("$queue", ">>", ">")


#: What a queue has of its own in mlrun 1.12; all else that it is given is one of its `options`.
_OWN = ("path", "shards", "retention_in_hours", "trigger_args")


@dataclass(eq=False)
class QueueBuilder(StepBuilder):
    """A queue; `args` are its options, which a graph file may change in place."""

    description = "a queue"
    api = frozenset(
        (*"to error_handler respond after_step name after on_error options".split(), *_OWN)
    )
    known = mlrun_names.QUEUE
    path: Any = None
    shards: Any = None
    retention_in_hours: Any = None
    trigger_args: Any = None

    def respond(self) -> Any:
        raise GraphError(
            "a queue answers nobody",
            help="call .respond() on a step that no other follows",
            raises=ATTRIBUTE_ERROR,
        )

    @property
    def options(self) -> dict[str, Any]:
        return self.args

    def assign(self, name: str, value: Any) -> None:
        session = self.session
        if name in _OWN:
            setattr(self, name, value)
            self.arg_spans = {**self.arg_spans, name: session.span}
        elif name == "options":
            if not isinstance(value, dict):
                raise session.wrong_value(value, "options must be a dict", session.span)
            self.args = value
            self.arg_spans = {**self.arg_spans, **dict.fromkeys(value, session.span)}
        elif name in ("after", "on_error"):
            super().assign(name, value)
        else:
            known = (*_OWN, "options", "after", "on_error")
            raise GraphError(
                f"a queue has no setting {name!r}",
                code="GC011",
                help=did_you_mean(name, known)
                or f"all else is one of its options: .options[{name!r}]",
            )

    def to(self, /, class_name: Any = None, name: Any = None, *args: Any, **kwargs: Any) -> Any:
        """A step behind a queue runs in another function (mlrun 1.12, `QueueStep.to`)."""
        if not (kwargs.get("function") or args[2:3]):
            raise GraphError(
                f"step {name or class_name!r} follows queue {self.name!r}, so it runs in a "
                "function of its own, and names none",
                help="name a child function with function=, or let the step follow what the queue "
                "follows",
            )
        return super().to(class_name, name, *args, **kwargs)

    def freeze(self) -> ir.Queue:  # type: ignore[override]
        arguments = Arguments(self.session)
        if isinstance(unknown := self.args.get(""), Unknown):
            # The evaluator does not know what the options are in the end.
            raise unknown_value(unknown, self.span)
        sharding = self.args.get("sharding_func", self.args.get("_sharding_func"))
        if sharding is not None:
            key = "_sharding_func" if "_sharding_func" in self.args else "sharding_func"
            sharding = arguments.argument(key, sharding, self._where("sharding_func"))
        return ir.Queue(
            name=self.name,
            span=self.span,
            path=self._stream(),
            after=tuple(self.after),
            full_event=self._flag("full_event"),
            sharding=sharding,
            options=self._options(),
            on_error=self.on_error,
            runs_in=self.runs_in,
            shards=self._given("shards", self.shards),
            retention_in_hours=self._given("retention_in_hours", self.retention_in_hours),
            group=self.session.text(self.args.get("group") or "", "group", self._where("group")),
            trigger_args=self._given("trigger_args", self.trigger_args) or {},
        )

    def _where(self, name: str) -> Span:
        return self.arg_spans.get(name, self.span)

    def _given(self, name: str, value: Any) -> Any:
        if isinstance(value, Unknown):
            raise unknown_value(value, self._where(name))
        return Arguments(self.session).value(value, self._where(name), opens=True)

    def _option(self, name: str) -> Any:
        return self._given(name, self.args.get(name))

    def _flag(self, name: str) -> bool | None:
        return Arguments(self.session).flag(self.args.get(name), name, self._where(name))

    def _stream(self) -> str | ir.EnvLookup | ir.OpenText | None:
        path, where = self.path, self._where("path")
        if path is None or path == "":
            return None
        if isinstance(path, EnvValue | OpenText | Unknown):
            found = Arguments(self.session).value(path, where, opens=True)
            if isinstance(found, ir.EnvLookup | ir.OpenText):
                return found
            path = found
        text = self.session.text(path, "path", where)
        if not text.isprintable():
            raise GraphError("the path of a stream must be printable", code="GC018", span=where)
        if not self.args.get("kafka_brokers"):
            check_stream(text, where)
        return text

    def _options(self) -> ir.Args:
        """What the stream's driver is told besides the path."""
        scheme = known_scheme(self.path)
        brokers, producer = self._option("kafka_brokers"), self.args.get("kafka_producer_options")
        options: dict[str, Any] = {}
        if brokers:
            options["brokers"] = brokers
        if brokers or scheme == "kafka" or (scheme is None and producer):
            where = self._where("kafka_producer_options")
            if found := settings(self.session, producer, where):
                options["settings"] = found
        elif scheme is None or scheme in V3IO:
            told = {
                "shards": self.shards,
                "retention_in_hours": self.retention_in_hours,
                "batch_size": self.args.get("batch_size"),
            }
            for name, value in told.items():
                if (value := self._given(name, value)) is not None:
                    options[name] = value
        return (*options.items(), *self._columns())

    def _columns(self) -> ir.Args:
        """What of a body is sent (spec/stream-steps.md 6.2)."""
        columns, where = self._option("columns") or [], self._where("columns")
        name = "infer_columns_from_data"
        infers = self._flag(name)
        if not columns and not infers:
            return ()
        columns = [columns] if isinstance(columns, str) else columns
        if not isinstance(columns, list | tuple):
            raise self.session.wrong_value(columns, "columns must be a list of names", where)
        for column in columns:
            if isinstance(column, list | tuple):
                raise not_yet("types of columns of a queue", where)
            if not isinstance(column, str) or not column.partition("=")[0].strip("$"):
                raise self.session.wrong_value(column, "a column must be a name", where)
        found: dict[str, Any] = {"columns": list(columns)}
        if infers:
            found[name] = True
        return tuple(found.items())


def check_stream(path: str, where: Span) -> None:
    """Raises GraphError for a stream that no driver writes to."""
    scheme = scheme_of(path)
    if scheme == "ds":
        raise GraphError(
            "graphc does not compile datastore profiles (ds://): what they say is known to MLRun's "
            "service alone",
            code="GC016",
            span=where,
            help="give the stream's own URL",
        )
    if scheme != "dummy" and not drivers(path):
        raise GraphError(
            f"nothing writes to streams of the scheme {scheme!r}",
            span=where,
            help=f"those of {', '.join(SCHEMES)} are written to, and V3IO's as container/path",
        )
    if problem := problem_of(path):
        raise GraphError(problem, span=where)


def queue_step(
    session: Session,
    name: Any = None,
    path: Any = None,
    after: Any = None,
    shards: Any = None,
    retention_in_hours: Any = None,
    trigger_args: Any = None,
    full_event: Any = None,
    **options: Any,
) -> QueueBuilder:
    """`QueueStep(...)`: a queue that is in no graph yet."""
    if after:
        raise GraphError(
            "a queue that is in no graph yet follows no step",
            span=session.argument_span("after", 2),
            help="give after= to graph.add_step()",
        )
    name = session.text(name, "a queue's name", session.argument_span("name", 0)) if name else ""
    if full_event is not None:
        options["full_event"] = full_event
    own = {"shards": shards, "retention_in_hours": retention_in_hours, "trigger_args": trigger_args}
    return queue(session, name, {"path": path, **own, **options}, session.span)


def queue(session: Session, name: str, args: dict[str, Any], where: Span) -> QueueBuilder:
    """A queue with the arguments of a `to("$queue", ...)`; raises GraphError."""
    if "path" not in args:
        raise GraphError(
            "the queue names no stream",
            help="pass path=, the path or URL of the stream",
            span=where,
        )
    return QueueBuilder(
        session,
        name,
        session.span,
        args={key: value for key, value in args.items() if key not in _OWN},
        arg_spans=dict(session.call_spans),
        **{key: value for key, value in args.items() if key in _OWN},
    )


def is_queue(value: Any) -> bool:
    """Does class_name ask for a queue?"""
    return isinstance(value, QueueBuilder) or (isinstance(value, str) and value in QUEUES)
