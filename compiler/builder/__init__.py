"""The graph API: the one place that knows what `new_function`, `to`, `add_route` ... mean.

The evaluator calls these objects with the values it knows; `Session.graph()` freezes what was built
into the IR. Rules and defaults: spec/serving.md 1 (mlrun 1.12.1), the seed's older forms included
(1.6). Mistakes raise `GraphError`; the evaluator adds the place of the call.
"""

from .session import HUB_CLASS, HUB_MODULE, Session

__all__ = ["HUB_CLASS", "HUB_MODULE", "Session"]
