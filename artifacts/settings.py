"""Location of the artifact store."""

from ukok.settings import Settings


class ArtifactSettings(Settings):
    """A folder or ``s3://bucket/prefix`` (default: ``artifacts`` in ``var_dir``).

    S3 credentials are in the usual AWS variables.
    """

    artifacts_url: str | None = None
    s3_endpoint_url: str | None = None
