"""Findings at a name say where it was set, if one statement did."""
import mlrun

CLASS = "Pirce"
TWICE = "Nowhere"
HANDLER = "json.laods"
AFTER = (
    "nowhere"
)
TEXT = "日本", "(event +)"
EXPRESSION = TEXT[1]


class Price:
    def do(self, event):
        return event


fn = mlrun.new_function("shop", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(CLASS, "one").to(name="two", handler=HANDLER).to(name="three", handler=EXPRESSION)
TWICE = "Missing"
graph.to(TWICE, "four")
for name in ("Fife",):
    graph.to(name, "five")
