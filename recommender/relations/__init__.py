"""What goes with what: candidates, features and a learned ranker for each relation.

The same code ranks when a release is built, when it is judged, and for products that are new since the release.
"""
