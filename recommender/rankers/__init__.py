"""Rankers of the ingredients that complete a recipe, and of the recipes that use an ingredient.

numpy and scipy only: the same code is judged when a release is built and answers when it is served.
"""
