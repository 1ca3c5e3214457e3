"""GC060 to GC069: what the build takes to be installed where the graph file runs."""

from .code import Code

IMPORTS = (
    Code(
        "GC060",
        "The graph depends on whether a package is installed.",
        """
        The file goes on without the package (`except ImportError`), with another graph. MLRun's
        graph depends on the machine that runs the file; graphc takes imports to succeed. A
        declared package, and what mlrun itself requires, counts as installed.
        """,
        bad="""
        try:
            import torch
        except ImportError:
            torch = None

        graph.to(name="double", handler="(event * 2)" if torch else "(event + event)")
        """,
        good="""
        try:
            import torch
        except ImportError:
            torch = None

        fn.with_requirements(["torch"])
        graph.to(name="double", handler="(event * 2)" if torch else "(event + event)")
        """,
    ),
)
