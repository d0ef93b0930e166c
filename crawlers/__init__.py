"""Crawls the four sources into the raw zone."""
