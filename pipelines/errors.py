"""Base of the errors of pipeline steps."""


class PipelineError(RuntimeError):
    """A step refuses to go on; the message says in one line why, and what to do."""
