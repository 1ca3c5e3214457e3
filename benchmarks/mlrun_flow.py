"""A graph as MLRun 1.12 deploys it: its own `init_context` and `handler`, not the mock server.

Needs mlrun, nuclio-jupyter, and MLRUN_DBPATH set to what plays the MLRun service (`mlrun_api.py`).
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import importlib.util
import inspect
import os
from typing import Any

from benchmarks.cases import GRAPHS, Case, Handler


def deployed(case: Case, context: Any) -> Handler:
    """The handler of a deployed function whose code is the graph's file, with `context` ready."""
    from mlrun.runtimes import nuclio_init_hook  # type: ignore[import-not-found]

    spec = importlib.util.spec_from_file_location("deployed", GRAPHS / case.name / "graph.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = module.fn
    # What the MLRun service sets when it deploys a function with models.
    function.spec.model_endpoint_creation_task_name = "endpoints-task"
    packed = gzip.compress(function._get_serving_spec().encode())
    os.environ["SERVING_SPEC_ENV"] = base64.b64encode(packed).decode()
    nuclio_init_hook(context, vars(module), "serving_v2")
    return handler


async def handler(context: Any, event: Any) -> Any:
    """The footer that nuclio-jupyter 0.13.2 puts under the user's code (`mlrun_footer`)."""
    result = context.mlrun_handler(context, event)
    if asyncio.iscoroutine(result):
        return await result
    if inspect.isgenerator(result) or inspect.isasyncgen(result):
        return context.Response(body=result)
    return result
