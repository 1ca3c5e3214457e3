"""Names that would break a file if they were taken literally, and modules named like ours."""
import mlrun

import handler
import nuclio
import voting

fn = mlrun.new_function("Names_and More", kind="serving")
graph = fn.set_topology("flow", engine="async")
(
    graph.to("handler.Step", "fmt: off", text='"""; import os #')
    .to("nuclio.Step", "type: ignore", text="\\ {{ x }} {% y %} ${Z} '''")
    .to("voting.Step", 'a"; import os #', text="new\nline\ttab\x00nul\u2028sep")
    .to("handler.Step", "class", text="😀 é")
    .to("handler.Step", "self", text=b"\xff\x00")
    .to("handler.Step", "run", text=("one",))
    .to("handler.Step", "context", text={"a": {1, 2}, "b": frozenset()})
    .to("handler.Step", "a|b`c<d>", text=float("inf"))
    .respond()
)
