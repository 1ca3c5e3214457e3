"""The passes over the graph, one a module; `pipeline.PASSES` has their order."""
