"""GC050 to GC059: built, but events of streams may get lost or be in vain."""

from .code import Code

STREAMS = (
    Code(
        "GC050",
        "Events of a stream that fail are only logged.",
        """
        A stream has no caller who could be told. Without an error stream, and without a catcher for
        every step, an event that fails is logged with its place in the stream, as MLRun does, and
        then it is done: it does not come again.
        """,
        bad="""
        graph.to("$queue", "todo", path="kafka://broker:9092/todo").to(
            name="double", handler="(event * 2)", function="doubling"
        )
        fn.add_child_function("doubling", "graph.py", "mlrun/mlrun")
        """,
        good="""
        graph.to("$queue", "todo", path="kafka://broker:9092/todo").to(
            name="double", handler="(event * 2)", function="doubling"
        )
        doubling = fn.add_child_function("doubling", "graph.py", "mlrun/mlrun")
        doubling.spec.error_stream = "kafka://broker:9092/failed"
        """,
    ),
    Code(
        "GC051",
        "A time limit on events makes a function lose events of its stream.",
        """
        Nuclio ends a worker whose event takes longer than `eventTimeout`, and starts another. What
        the ended one had not confirmed is passed by when the new one acknowledges a later event. A
        worker that waits for a broker needs a minute and more.
        """,
        bad="""
        graph.to("$queue", "todo", path="kafka://broker:9092/todo").to(
            name="double", handler="(event * 2)", function="doubling"
        )
        doubling = fn.add_child_function("doubling", "graph.py", "mlrun/mlrun")
        doubling.spec.error_stream = "kafka://broker:9092/failed"
        doubling.set_config("spec.eventTimeout", "30s")
        """,
        good="""
        graph.to("$queue", "todo", path="kafka://broker:9092/todo").to(
            name="double", handler="(event * 2)", function="doubling"
        )
        doubling = fn.add_child_function("doubling", "graph.py", "mlrun/mlrun")
        doubling.spec.error_stream = "kafka://broker:9092/failed"
        """,
    ),
)
