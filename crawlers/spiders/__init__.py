"""Spiders, one module for each source and named after it."""
