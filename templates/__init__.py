"""The pages of a package, readable as the files they become."""
