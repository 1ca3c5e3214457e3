"""Everything of a package that is not the handler, and how packages reach the disk."""
