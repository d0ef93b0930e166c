"""The mall U+콕."""
