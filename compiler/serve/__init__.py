"""Packages run on this machine as the Nuclio processor would run them, for trying them out.

In goes a folder that `graphc build` wrote, out comes HTTP (`serve`) or one answer (`invoke`). The
packages run in processes of their own, under the interpreter that the user names. Streams between
them are files, or topics of a Kafka broker.
"""

from .events import Answer
from .invocation import invoke
from .server import Endpoint, Server, serve, write_line
from .streams import Streams

__all__ = ["Answer", "Endpoint", "Server", "Streams", "invoke", "serve", "write_line"]
