"""Classes of the graph's own that send requests, and that could not work."""
import mlrun
from mlrun.serving.remote import BatchHttpRequests, RemoteStep


class Joined(RemoteStep):
    async def _handle_completed(self, event, response):
        event.body["answer"] = await response.json()
        await self._do_downstream(event)


class Patient(RemoteStep):
    _BACKOFF_MAX = 10


class Signed(RemoteStep):
    def do_event(self, event):
        event.body["signed"] = True
        return super().do_event(event)

    def sign(self, body):
        return body


class Prices(BatchHttpRequests):
    pass


fn = mlrun.new_function("wrong", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("Joined", "joined", url="http://a").to("Patient", "patient", url="http://a").to("Signed", "signed")
graph.add_step("Signed", "whole", after="signed", url="http://a", full_event=True)
graph.add_step("Signed", "named", after="whole", url="http://a", handler="sign").respond()

sync = mlrun.new_function("sync", kind="serving")
sync.set_topology("flow", engine="sync").to("Prices", "prices", url="http://a")
