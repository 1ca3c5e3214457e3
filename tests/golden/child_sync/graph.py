import mlrun


def word(body):
    return {"word": body["text"].strip()}


def known(body):
    if not body["word"].isalpha():
        raise ValueError(body["word"])
    return body


def shout(body):
    return {**body, "upper": body.get("word", "").upper()}


def sorry(event):
    event.body = {"unknown": event.body["word"]}
    return event


# The sync engine ends at a queue with a path, and answers None; the child goes on.
fn = mlrun.new_function("reader", kind="serving")
graph = fn.set_topology("flow", engine="sync")
graph.to(name="word", handler="word").to("$queue", "words", path="users/demo/words").to(
    name="known", handler="known", function="checker"
).to(name="upper", handler="shout", function="checker").to(
    "$queue", "checked", path="users/demo/checked"
)
graph["known"].error_handler("sorry", handler="sorry", full_event=True)
fn.add_child_function("checker", "graph.py", "mlrun/mlrun")
