"""Drills: what an operator sees when things go wrong under the real scheduler, and what the data are afterwards.

``python -m tests.drills`` runs them and writes docs/drills.md; they are not a part of the test suite.
"""
