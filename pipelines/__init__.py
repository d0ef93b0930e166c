"""Batch steps as plain functions, and the command line over them."""
