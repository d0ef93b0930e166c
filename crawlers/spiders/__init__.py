"""One spider for each source."""
