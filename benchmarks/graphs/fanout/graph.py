import mlrun


class Longest:
    def __init__(self, least):
        self.least = least

    def do(self, body):
        return {"longest": max(self.least, *map(len, body["text"].split()))}


def tidy(body):
    return {"text": body["text"].strip(), "by": body["by"]}


def letters(body):
    return {"letters": sum(map(str.isalpha, body["text"]))}


def signed(body):
    body["text"] += f" -- {body['by']}"
    return body


def combine(parts):
    return {key: value for part in parts for key, value in part.items()}


fn = mlrun.new_function("fanout", project="bench", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="tidy", handler="tidy")
graph.add_step("Longest", name="longest", least=2, after="tidy")
graph.add_step(name="letters", handler="letters", after="tidy")
graph.add_step(name="signed", handler="signed", after="tidy")
graph.add_step("mlrun.serving.merger.Merge", name="merge", after=["longest", "letters", "signed"])
graph.add_step(name="combine", handler="combine", after="merge").respond()
