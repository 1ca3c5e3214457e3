"""graphc: compiles MLRun serving graphs into Nuclio packages."""

__version__ = "0.1.0"
