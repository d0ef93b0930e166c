"""Stand-in: a local server with the pages of the four sources, for development and tests."""
