"""The report of a release: one HTML page of what it learnt, what it answers, and what the gate made of it."""
