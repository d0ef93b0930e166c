"""Rankers of the ingredients that complete a recipe, and of an ingredient's substitutes.

The same code is evaluated when a release is built and answers when it is served.
"""
