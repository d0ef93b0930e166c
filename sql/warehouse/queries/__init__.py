"""Queries of the warehouse that answer common questions, to run as they are or to start from."""
