import mlrun


class Scale:
    def __init__(self, factor):
        self.factor = factor

    def do(self, value):
        return value * self.factor


def total(values):
    return sum(values)


def words(text):
    return len(text.split())


fn = mlrun.new_function("paths", project="bench", kind="serving")
graph = fn.set_topology("flow", engine="sync")
graph.to(name="total", handler="total", input_path="data.values", result_path="stats.total").to(
    "Scale", "scale", factor=3, input_path="stats.total", result_path="stats.scaled"
).to(name="words", handler="words", input_path="text", result_path="words")
