"""Spiders that try to be faster than the settings allow, each in its own way."""
