"""GC010 to GC029: the graph, its steps, and the user's code."""

from .code import Code

GRAPHS = (
    Code(
        "GC010",
        "A call of the graph API has wrong arguments.",
        """
        Unknown keywords, missing names, values of the wrong type, a flow without steps: mlrun
        would refuse the call, or accept it and fail when the function starts.
        """,
        bad="""
        graph.to(name="double").respond()
        """,
        good="""
        graph.to(name="double", handler="(event * 2)").respond()
        """,
    ),
    Code(
        "GC011",
        "A graph name is not there: a step, a function, a file or an attribute.",
        """
        `after`, `before`, error handlers and `graph["..."]` name steps that exist; files exist
        beside the graph file.
        """,
        bad="""
        graph.to(name="double", handler="(event * 2)")
        graph.add_step(name="more", handler="(event + 1)", after="doubel").respond()
        """,
        good="""
        graph.to(name="double", handler="(event * 2)")
        graph.add_step(name="more", handler="(event + 1)", after="double").respond()
        """,
    ),
    Code(
        "GC012",
        "A class, function or module that a step names is not found.",
        """
        Names are searched in the function's own file, then in the graph file; anything else needs
        its full dotted name, as `json.loads` does.
        """,
        bad="""
        class Double:
            def do(self, event):
                return event * 2

        graph.to("Duoble").respond()
        """,
        good="""
        class Double:
            def do(self, event):
                return event * 2

        graph.to("Double").respond()
        """,
    ),
    Code(
        "GC013",
        "Steps follow each other in a circle.",
        """
        A flow must end. A catcher whose `before` leads back to the step that failed counts, too.
        """,
        bad="""
        graph.to(name="double", handler="(event * 2)").to(name="more", handler="(event + 1)")
        graph["double"].after_step("more")
        """,
        good="""
        graph.to(name="double", handler="(event * 2)").to(name="more", handler="(event + 1)")
        """,
    ),
    Code(
        "GC014",
        "More than one step is marked as responder.",
        """
        One step answers the caller. Branches that do more run beside it and answer nobody.
        """,
        bad="""
        graph.to(name="double", handler="(event * 2)").respond()
        graph.add_step(name="more", handler="(event + 1)", after="").respond()
        """,
        good="""
        graph.to(name="double", handler="(event * 2)").respond()
        graph.add_step(name="more", handler="(event + 1)", after="")
        """,
    ),
    Code(
        "GC015",
        "The synchronous engine runs chains only.",
        """
        No branches, no storey steps, no coroutines but the last step: use `engine="async"`, which
        is also what MLRun takes when nothing is said.
        """,
        bad="""
        import mlrun

        fn = mlrun.new_function("shop", kind="serving")
        graph = fn.set_topology("flow", engine="sync")
        graph.to(name="double", handler="(event * 2)")
        graph.add_step(name="more", handler="(event + 1)", after="double")
        graph.add_step(name="less", handler="(event - 1)", after="double")
        """,
        good="""
        import mlrun

        fn = mlrun.new_function("shop", kind="serving")
        graph = fn.set_topology("flow", engine="async")
        graph.to(name="double", handler="(event * 2)")
        graph.add_step(name="more", handler="(event + 1)", after="double").respond()
        graph.add_step(name="less", handler="(event - 1)", after="double")
        """,
    ),
    Code(
        "GC016",
        "Something that graphc does not compile (yet).",
        """
        MLRun accepts it, and the message names it. Nothing is left out in silence: a graph either
        compiles as a whole or not at all.
        """,
        bad="""
        graph.to("storey.Batch", "batch", max_events=3).respond()
        """,
        good="""
        class Batch:
            def do(self, events):
                return [events[at : at + 3] for at in range(0, len(events), 3)]

        graph.to("Batch", "batch").respond()
        """,
    ),
    Code(
        "GC017",
        "A step's class or function cannot be called the way the graph calls it.",
        """
        Missing or misspelled constructor arguments, a class without `do`, a function that needs
        more than one argument.
        """,
        bad="""
        class Limit:
            def __init__(self, most):
                self.most = most

            def do(self, event):
                return min(event, self.most)

        graph.to("Limit", mots=20).respond()
        """,
        good="""
        class Limit:
            def __init__(self, most):
                self.most = most

            def do(self, event):
                return min(event, self.most)

        graph.to("Limit", most=20).respond()
        """,
    ),
    Code(
        "GC018",
        "A name cannot be used where it has to stand.",
        """
        Functions become Kubernetes objects, arguments Python keywords, images lines of a
        Dockerfile, modules files beside those of a package.
        """,
        bad="""
        import mlrun

        fn = mlrun.new_function("shop/v2", kind="serving")
        fn.set_topology("flow").to(name="double", handler="(event * 2)").respond()
        """,
        good="""
        import mlrun

        fn = mlrun.new_function("shop-v2", kind="serving")
        fn.set_topology("flow").to(name="double", handler="(event * 2)").respond()
        """,
    ),
    Code(
        "GC019",
        "An expression of a step is not valid.",
        """
        `"(...)"` sees `event`, the body, and Python's builtins; nothing else.
        """,
        bad="""
        import math

        graph.to(name="root", handler="(math.sqrt(event))").respond()
        """,
        good="""
        import math

        def root(event):
            return math.sqrt(event)

        graph.to(name="root", handler="root").respond()
        """,
    ),
    Code(
        "GC020",
        "A value cannot be written into the package.",
        """
        Arguments become Python text in `handler.py`. Pass numbers, texts, lists and dicts, and
        make objects in the step's class.
        """,
        bad="""
        import threading

        class Count:
            def __init__(self, lock):
                self.lock = lock

            def do(self, event):
                return event

        graph.to("Count", lock=threading.Semaphore(3)).respond()
        """,
        good="""
        import threading

        class Count:
            def __init__(self, most):
                self.lock = threading.Semaphore(most)

            def do(self, event):
                return event

        graph.to("Count", most=3).respond()
        """,
    ),
    Code(
        "GC021",
        "User code uses mlrun or storey in a way that has no counterpart.",
        """
        Packages do not have mlrun. `context.logger` replaces MLRun's logger, `context.get_param`
        its parameters, and `V2ModelServer` is there as it is. Nor do they have
        IPython: `names = !ls` of a notebook is refused in code that a step runs, too.
        """,
        bad="""
        class Double:
            def do(self, event):
                mlrun.get_or_create_ctx("double").log_result("seen", event)
                return event * 2

        graph.to("Double").respond()
        """,
        good="""
        class Double:
            def __init__(self, context):
                self.context = context

            def do(self, event):
                self.context.logger.info(f"seen: {event}")
                return event * 2

        graph.to("Double").respond()
        """,
    ),
    Code(
        "GC022",
        "User code cannot be sliced as it stands.",
        """
        Code of a step uses a name that the graph API made, such as the function object, or one
        that is defined only when the file is run as a script. A package has neither.
        """,
        bad="""
        class Name:
            def do(self, event):
                return fn.metadata.name

        graph.to("Name").respond()
        """,
        good="""
        class Name:
            def __init__(self, shop):
                self.shop = shop

            def do(self, event):
                return self.shop

        graph.to("Name", shop="shop").respond()
        """,
    ),
)
