"""What two `graph.json` differ in: graphs, not texts. See `compare`."""
