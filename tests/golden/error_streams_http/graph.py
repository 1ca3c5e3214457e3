import os

import mlrun

other = mlrun.new_function("urls", kind="serving")
flow = other.set_topology("flow", engine="async")
flow.to("$queue", "url", path="http://host/a")
flow.to("$queue", "open", path=f"https://{os.environ['HOST']}/a")
