"""Coroutines make the handler one; branches of them run side by side."""
import asyncio

import mlrun


async def fetch(body):
    await asyncio.sleep(0)
    return {**body, "fetched": True}


class Slow:
    async def do(self, body):
        await asyncio.sleep(0)
        return {"slow": body}


class Quick:
    def do(self, body):
        return {"quick": body}


async def wanted(body):
    return bool(body)


fn = mlrun.new_function("waiting", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("storey.Filter", name="wanted", _fn="wanted").to(name="fetch", handler="fetch")
graph.add_step("Slow", name="slow", after="fetch")
graph.add_step("Quick", name="quick", after="fetch")
graph.add_step("mlrun.serving.merger.Merge", name="merge", after=["slow", "quick"]).respond()
