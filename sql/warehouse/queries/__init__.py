"""Example queries of the warehouse for common questions."""
