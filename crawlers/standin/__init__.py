"""A local server with the pages of the four sources, for development and tests."""
