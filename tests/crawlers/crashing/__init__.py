"""A spider with faults of its own, for tests of what becomes of them."""
