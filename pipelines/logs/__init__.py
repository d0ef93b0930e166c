"""Events on their way from the landing table to the analysts."""
