"""A queue: a stream that a flow writes to (spec/serving.md 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import ir
from ..arguments import Arguments
from ..diagnostics import GraphError, Span
from ..frontend.values import EnvValue, OpenText, Unknown
from ..stream_drivers import SCHEMES, V3IO, drivers, known_scheme, problem_of, scheme_of
from .kafka_options import settings
from .mistakes import not_yet, unknown_value
from .step import StepBuilder

if TYPE_CHECKING:
    from .session import Session

#: What class_name says of a queue; a single ">" is that of older documents.
QUEUES = ("$queue", ">>", ">")


@dataclass(eq=False)
class QueueBuilder(StepBuilder):
    """A queue."""

    description = "a queue"

    def respond(self) -> Any:
        raise GraphError(
            "a queue answers nobody",
            help="call .respond() on a step that no other follows",
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
        options = dict(self.args)
        sharding = options.get("sharding_func", options.get("_sharding_func"))
        if sharding is not None:
            where = self.arg_spans.get("sharding_func", self.span)
            key = "_sharding_func" if "_sharding_func" in options else "sharding_func"
            sharding = arguments.argument(key, sharding, where)
        path = self._stream(options.get("path"))
        return ir.Queue(
            name=self.name,
            span=self.span,
            path=path,
            after=tuple(self.after),
            full_event=self.flag("full_event"),
            sharding=sharding,
            options=self._options(path),
            on_error=self.on_error,
            runs_in=self.runs_in,
            shards=self._option("shards"),
            retention_in_hours=self._option("retention_in_hours"),
            group=self.session.text(options.get("group") or "", "group", self._where("group")),
            trigger_args=self._option("trigger_args") or {},
        )

    def _where(self, option: str) -> Span:
        return self.arg_spans.get(option, self.span)

    def _option(self, name: str) -> Any:
        value = self.args.get(name)
        if isinstance(value, Unknown):
            raise unknown_value(value, self._where(name))
        return Arguments(self.session).value(value, self._where(name), opens=True)

    def _stream(self, path: Any) -> str | ir.EnvLookup | ir.OpenText | None:
        where = self.arg_spans.get("path", self.span)
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

    def _options(self, path: Any) -> ir.Args:
        """What the stream's driver is told besides the path."""
        scheme = known_scheme(path)
        brokers, producer = self._option("kafka_brokers"), self.args.get("kafka_producer_options")
        options: dict[str, Any] = {}
        if brokers:
            options["brokers"] = brokers
        if brokers or scheme == "kafka" or (scheme is None and producer):
            where = self._where("kafka_producer_options")
            if found := settings(self.session, producer, where):
                options["settings"] = found
        elif scheme is None or scheme in V3IO:
            for name in ("shards", "retention_in_hours", "batch_size"):
                if (value := self._option(name)) is not None:
                    options[name] = value
        return (*options.items(), *self._columns())

    def _columns(self) -> ir.Args:
        """What of a body is sent (spec/stream-steps.md 6.2)."""
        columns, where = self._option("columns") or [], self._where("columns")
        name = "infer_columns_from_data"
        infers = Arguments(self.session).flag(self.args.get(name), name, self._where(name))
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
    given = {
        "path": path,
        "shards": shards,
        "retention_in_hours": retention_in_hours,
        "trigger_args": trigger_args,
        "full_event": full_event,
        **options,
    }
    return queue(session, name, given, session.span)


def queue(session: Session, name: str, args: dict[str, Any], where: Span) -> QueueBuilder:
    """A queue with the options of a `to("$queue", ...)`; raises GraphError."""
    if "path" not in args:
        raise GraphError(
            "the queue names no stream",
            help="pass path=, the path or URL of the stream",
            span=where,
        )
    args = dict(args)
    return QueueBuilder(
        session,
        name,
        session.span,
        full_event=args.pop("full_event", None),
        args=args,
        arg_spans=dict(session.call_spans),
    )


def is_queue(value: Any) -> bool:
    """Does class_name ask for a queue?"""
    return isinstance(value, QueueBuilder) or (isinstance(value, str) and value in QUEUES)
