"""Backup of both databases into files that any supported engine restores, with an inventory of the artifacts."""
