"""input_path and result_path: what a step gets of the body, and where its result goes."""
import mlrun


class Square:
    def do(self, value):
        return value * value


fn = mlrun.new_function("paths", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("Square", "square", input_path="side.length", result_path="area").to(
    name="text", handler="builtins.str", input_path="area"
).respond()
