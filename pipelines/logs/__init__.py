"""Events from the landing table to the fact table, and their anonymisation."""
