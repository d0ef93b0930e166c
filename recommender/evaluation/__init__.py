"""Metrics of rankers, of the encoder, and of the answers that a release serves."""
