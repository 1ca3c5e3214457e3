"""The user's code that a function needs: from its classes and functions to files of its package.

In: top-level names (the roots). Out: for each user module that is reached, a file with the roots
and, transitively, the top-level names that they read, copied verbatim:

    import mlrun                                    from runtime_min.models import V2ModelServer
    import numpy as np                              import numpy as np


    class Model(mlrun.serving.V2ModelServer):  ->   class Model(V2ModelServer):
        def predict(self, body):                        def predict(self, body):
            return np.sum(body["inputs"])                   return np.sum(body["inputs"])


    fn = mlrun.new_function("x", kind="serving")

Statements that change a kept name in place are kept too; those that build the graph never are.
What is read by name at run time only (`getattr`, strings, `eval`) cannot be seen.
"""

from .data_files import DataUse as DataUse
from .result import RESERVED as RESERVED
from .result import Slice as Slice
from .result import SlicedFile as SlicedFile
from .result import module_name as module_name
from .search_paths import search_paths as search_paths
from .slicer import slice_code as slice_code
