"""GC040 to GC049: the output, and what runs it."""

from .code import Code

PACKAGES = (
    Code(
        "GC040",
        "The output folder does not look like an earlier output of graphc.",
        """
        It would be replaced whole, so it must be new, empty, or one that graphc made. Sources may
        not lie inside it.
        """,
        bad="$ graphc build graph.py -o .",
        good="$ graphc build graph.py -o dist/",
    ),
    Code(
        "GC041",
        "The output cannot be written or read.",
        """
        The message has the system's reason.
        """,
        bad="$ graphc invoke dist/ships",
        good="$ graphc invoke dist/shop",
    ),
    Code(
        "GC042",
        "The interpreter that runs a package lacks something it needs.",
        """
        `serve` and `invoke` run packages with an interpreter of your choice, which has the
        package's requirements; they name all that is missing before anything starts.
        """,
        bad="$ graphc serve dist/ --python /usr/bin/python2",
        good="$ graphc serve dist/ --python .venv/bin/python",
    ),
    Code(
        "GC043",
        "A package cannot be served: it does not start, or its port or its streams cannot be had.",
        """
        The log above the message has the package's own error. Streams need a broker that answers,
        and the library that reads it, or a folder that can be written.
        """,
        bad="$ graphc serve dist/ --port 80",
        good="$ graphc serve dist/ --port 0",
    ),
    Code(
        "GC044",
        "The output is not what the graph file gives.",
        """
        `check` found files that differ, are missing or left over: the graph, the code beside it, or
        graphc itself changed since the build, or somebody edited the output. Build again and commit
        both.
        """,
        bad="$ graphc check graph.py -o dist/",
        good="$ graphc build graph.py -o dist/",
    ),
)
