"""Maintenance: find what is kept no longer, list it in a dry run, and delete it."""
