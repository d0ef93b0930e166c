"""Versioned objects: the raw zone, dataset snapshots and releases, in a local folder or in S3 behind one interface."""
