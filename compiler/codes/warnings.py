"""GC030 to GC039: warnings. The packages are written, but are perhaps not what was meant."""

from .code import Code

WARNINGS = (
    Code(
        "GC030",
        "A responder that other steps follow does not respond.",
        """
        As in MLRun 1.12: callers get the event's id. Call `.respond()` on the last step.
        """,
        bad="""
        graph.to(name="double", handler="(event * 2)").respond()
        graph.add_step(name="more", handler="(event + 1)", after="double")
        """,
        good="""
        graph.to(name="double", handler="(event * 2)")
        graph.add_step(name="more", handler="(event + 1)", after="double").respond()
        """,
    ),
    Code(
        "GC031",
        "The first step parses JSON that is parsed already.",
        """
        MLRun parses bodies whose content type is JSON or missing, so `json.loads` gets a dict and
        fails. Leave the step out, or have callers send `Content-Type: text/plain`.
        """,
        bad="""
        graph.to(name="loads", handler="json.loads").to(
            name="double", handler="(event['amount'] * 2)"
        ).respond()
        """,
        good="""
        graph.to(name="double", handler="(event['amount'] * 2)").respond()
        """,
    ),
    Code(
        "GC032",
        "An argument or a setting has no effect.",
        """
        MLRun ignores it, or the package has no place for it.
        """,
        bad="""
        import mlrun

        fn = mlrun.new_function("shop", kind="serving")
        graph = fn.set_topology("flow", engin="async")
        graph.to(name="double", handler="(event * 2)").respond()
        """,
        good="""
        import mlrun

        fn = mlrun.new_function("shop", kind="serving")
        graph = fn.set_topology("flow", engine="async")
        graph.to(name="double", handler="(event * 2)").respond()
        """,
    ),
    Code(
        "GC033",
        "Models lie at a path that is not part of the package.",
        """
        Mount them at that path, or build with `--bundle-models`, which copies local ones. Models
        behind http(s) are fetched when the package starts; other URLs it cannot read.
        """,
        bad="""
        import mlrun

        class Model(mlrun.serving.V2ModelServer):
            def load(self):
                path, _ = self.get_model(".txt")
                self.factor = int(open(path).read())

            def predict(self, request):
                return [value * self.factor for value in request["inputs"]]

        fn = mlrun.new_function("shop", kind="serving")
        fn.set_topology("router")
        fn.add_model("m1", class_name="Model", model_path="./models/m1")
        """,
        good="""
        import mlrun

        class Model(mlrun.serving.V2ModelServer):
            def load(self):
                self.factor = self.get_param("factor")

            def predict(self, request):
                return [value * self.factor for value in request["inputs"]]

        fn = mlrun.new_function("shop", kind="serving")
        fn.set_topology("router")
        fn.add_model("m1", class_name="Model", model_path="", factor=3)
        """,
    ),
    Code(
        "GC034",
        "User code makes up names at run time.",
        """
        `globals()[name]`, `eval(text)`, `sys.modules[__name__]`: what is read cannot be seen, so
        all of the file is kept, with every package that it imports. Modules that are imported by a
        made-up name cannot be found at all.
        """,
        bad="""
        def double(event):
            return event * 2

        def call(event):
            return globals()[event["function"]](event["value"])

        graph.to(name="call", handler="call").respond()
        """,
        good="""
        def double(event):
            return event * 2

        FUNCTIONS = {"double": double}

        def call(event):
            return FUNCTIONS[event["function"]](event["value"])

        graph.to(name="call", handler="call").respond()
        """,
    ),
    Code(
        "GC035",
        "A data file that user code reads is not part of the package.",
        """
        Files that code names from `__file__`, or as resources of a package, are copied to the same
        place beside the module. A file that is not there, that lies above the folder of the graph
        file, or whose name is made up at run time cannot be.
        """,
        bad="""
        from pathlib import Path

        def label(event):
            return (Path(__file__).parent / "labels.json").read_text()[event]

        graph.to(name="label", handler="label").respond()
        """,
        good="""
        def label(event):
            return "abc"[event]

        graph.to(name="label", handler="label").respond()
        """,
    ),
    Code(
        "GC036",
        "A file of declared packages is not understood.",
        """
        Versions come from requirements.txt, constraints.txt, pyproject.toml, Pipfile, setup.cfg,
        environment.yml and lock files beside the graph file, and from those that are named with
        `--requirements`. What makes no sense in them is passed over; the rest counts.
        """,
        bad="""
        $ echo '???' > requirements.txt && graphc build graph.py
        """,
        good="""
        $ echo 'numpy==1.26.4' > requirements.txt && graphc build graph.py
        """,
    ),
    Code(
        "GC037",
        "A function writes the stream that it reads.",
        """
        What it writes comes back to it as its next event, for ever.
        """,
        bad="""
        graph.to("$queue", "todo", path="kafka://broker:9092/todo").to(
            name="double", handler="(event * 2)", function="doubling"
        ).to("$queue", "done", path="kafka://broker:9092/todo")
        doubling = fn.add_child_function("doubling", "graph.py", "mlrun/mlrun")
        doubling.spec.error_stream = "kafka://broker:9092/failed"
        """,
        good="""
        graph.to("$queue", "todo", path="kafka://broker:9092/todo").to(
            name="double", handler="(event * 2)", function="doubling"
        ).to("$queue", "done", path="kafka://broker:9092/done")
        doubling = fn.add_child_function("doubling", "graph.py", "mlrun/mlrun")
        doubling.spec.error_stream = "kafka://broker:9092/failed"
        """,
    ),
    Code(
        "GC038",
        "The address of a function that is called by its name is read when the package starts.",
        """
        MLRun asks its service where a function is; a package has none to ask. It reads the variable
        that the finding names, from the environment or from `fn.set_env`. Or write the address.
        """,
        bad="""
        graph.to("$remote", "rank", url="ranking").respond()
        """,
        good="""
        graph.to("$remote", "rank", url="http://nuclio-ranking:8080").respond()
        """,
    ),
    Code(
        "GC039",
        "A step or a function gets no events from the graph.",
        """
        A step runs in the function that it names with `function=`; without one, in the graph's own.
        An event gets from one function to another through a queue with a path. Where there is none
        between them, MLRun's graph ends without a word, and so does the package's. A failure goes
        to no other function at all: an error handler without `function=` runs where a step fails.
        """,
        bad="""
        graph.to(name="double", handler="(event * 2)").respond()
        fn.add_child_function("pricing", "graph.py", "mlrun/mlrun")
        """,
        good="""
        graph.to(name="double", handler="(event * 2)").respond()
        """,
    ),
)
