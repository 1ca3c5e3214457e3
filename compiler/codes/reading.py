"""GC001 to GC009: reading and evaluating the graph file."""

from .code import Code

READING = (
    Code(
        "GC001",
        "The file cannot be read, or is not Python.",
        """
        Also a module beside it that the graph imports. Files must be UTF-8.
        """,
        bad="""
        graph.to(name="double", handler="(event * 2)"
        """,
        good="""
        graph.to(name="double", handler="(event * 2)")
        """,
    ),
    Code(
        "GC002",
        "The file defines no serving function.",
        """
        Jobs and other kinds are none of graphc's. A function made inside a Python function that
        nothing calls is not seen, as running the file would not make it either.
        """,
        bad="""
        import mlrun

        job = mlrun.new_function("train", kind="job")
        """,
        good="""
        import mlrun

        fn = mlrun.new_function("shop", kind="serving")
        fn.set_topology("flow").to(name="double", handler="(event * 2)").respond()
        """,
    ),
    Code(
        "GC003",
        "Evaluation went past a bound: too many steps, too large or too deep a value.",
        """
        The file is evaluated, not run, and a build has to end: endless loops, `9**9**9` and
        recursion without an end are stopped. Compute such values elsewhere and write the result
        into the file, or compute them in a step's class, when the package starts.
        """,
        bad="""
        size = 9**9**9
        graph.to(name="double", handler="(event * 2)").respond()
        """,
        good="""
        size = 9**9
        graph.to(name="double", handler="(event * 2)").respond()
        """,
    ),
    Code(
        "GC004",
        "A line would raise an exception when the file is run.",
        """
        A name that is not defined, a key that is not there, a division by zero: running the file
        would end at this line, before the graph is complete.
        """,
        bad="""
        sizes = {"small": 1, "large": 10}
        graph.to(name="grow", handler=f"(event * {sizes['medium']})").respond()
        """,
        good="""
        sizes = {"small": 1, "large": 10}
        graph.to(name="grow", handler=f"(event * {sizes['large']})").respond()
        """,
    ),
    Code(
        "GC005",
        "A value that reaches the graph is not known at build time.",
        """
        The note says where it came from: a file that is read, the network, the clock, a library.
        Write the value into the file, compute it from constants, or give it with
        `--set 'EXPRESSION=VALUE'`, where the expression is spelled as in the file.

        Arguments of steps and models may stay open: they become environment variables, which
        function.yaml lists. Names, classes and paths into events decide what the package looks
        like, so they must be known.
        """,
        bad="""
        import requests

        class Limit:
            def do(self, event):
                return min(event, 3)

        name = requests.get("http://config/name").json()
        graph.to("Limit", name=name).respond()
        """,
        good="""
        class Limit:
            def do(self, event):
                return min(event, 3)

        graph.to("Limit", name="limit").respond()
        """,
    ),
    Code(
        "GC006",
        "Whether a graph call runs depends on a value that is not known at build time.",
        """
        There is an `if`, `for` or `while` on such a value around a call of the graph API. Both
        ways cannot be in one package. Of a generator it may not be known whether it yields, or how
        far it is gone through, and so what it does with a graph. The note names the value;
        `--env NAME=VALUE` settles those that come from the environment,
        `--set 'EXPRESSION=VALUE'` all others.
        """,
        bad="""
        import datetime

        step = graph.to(name="double", handler="(event * 2)")
        if datetime.date.today().year > 2025:
            step = step.to(name="more", handler="(event + 1)")
        step.respond()
        """,
        good="""
        step = graph.to(name="double", handler="(event * 2)")
        step = step.to(name="more", handler="(event + 1)")
        step.respond()
        """,
    ),
    Code(
        "GC007",
        "A graph is handed to something that the static reader does not evaluate.",
        """
        An asynchronous generator, a coroutine that nothing awaits, or the constructor of a class
        that inherits from a library would go on building it, and what it does would be lost. Build
        the graph at the top level of the file, in plain functions, or in methods.
        """,
        bad="""
        from pydantic import BaseModel

        class Builder(BaseModel):
            def __init__(self, graph):
                graph.to(name="double", handler="(event * 2)").respond()

        Builder(graph)
        """,
        good="""
        from pydantic import BaseModel

        class Builder(BaseModel):
            def build(self, graph):
                graph.to(name="double", handler="(event * 2)").respond()

        Builder().build(graph)
        """,
    ),
)
