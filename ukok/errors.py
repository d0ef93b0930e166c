"""Base of the errors that trying again does not mend."""


class PermanentError(Exception):
    """An error that comes back until a person changes something; a scheduler must not retry it."""
