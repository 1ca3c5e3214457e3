"""Source text to builder calls: static evaluation of graph files. Nothing of the user's is run."""
