"""Members of the context that need MLRun's service, in code that steps run."""
import mlrun


class Lookup:
    def __init__(self, context, name=None):
        self.context = context
        self.rates = context.get_store_resource("store://rates")

    def do(self, body):
        url = self.context.get_remote_endpoint("other")
        return {"url": url, "project": self.context.project_obj}


def unused(context):
    return context.get_table("t")


fn = mlrun.new_function("lookup", kind="serving")
fn.set_topology("flow").to("Lookup", "lookup").respond()
