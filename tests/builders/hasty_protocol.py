"""The protocol of the API with short bounds: ``--http tests.builders.hasty_protocol:HastyProtocol``."""

from serving.web.http_protocol import BoundedHttpProtocol


class HastyProtocol(BoundedHttpProtocol):
    """Waits for a second at most."""

    head_seconds = 1.0
    body_seconds = 1.0
    read_seconds = 1.0
