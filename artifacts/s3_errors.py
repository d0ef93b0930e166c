"""Errors of an S3 server as errors of a store, which say what to check."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError, NoCredentialsError

from artifacts.errors import Conflict, NotFound, StoreError

MISSING = {"NoSuchKey", "404", "NotFound"}
NO_BUCKET = {"NoSuchBucket"}
LOST = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
REFUSED = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403", "ExpiredToken"}
SKEWED = {"RequestTimeTooSkewed", "RequestExpired"}
OTHER_REGION = {"PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
NOT_IMPLEMENTED = {"NotImplemented", "501"}
MAX_SKEW = timedelta(minutes=15)  # what AWS allows between the clocks


def error_code(error: ClientError) -> str:
    """Return the code of an error, or the HTTP status of an answer without one."""
    return str(error.response.get("Error", {}).get("Code", ""))


def store_error(error: Exception, where: str, bucket: str, key: str) -> StoreError:
    """Return the error to raise for ``error``, which an operation on ``key`` of the store ``where`` met."""
    # boto3 wraps the error of a file upload and repeats only its text.
    cause = error if isinstance(error, ClientError) else error.__context__
    if isinstance(cause, ClientError):
        return _answered(cause, where, bucket, key)
    if isinstance(error, NoCredentialsError):
        return StoreError(f"{where} needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    return StoreError(f"{where} cannot be used: {error}; check UKOK_ARTIFACTS_URL and UKOK_S3_ENDPOINT_URL")


def no_bucket(where: str, bucket: str) -> StoreError:
    """Return the error of a bucket that does not exist."""
    return StoreError(
        f"{where}: there is no bucket {bucket!r}. Make it, e.g. with `aws s3 mb s3://{bucket}` (and --endpoint-url for "
        "a server other than AWS), or check UKOK_ARTIFACTS_URL and UKOK_S3_ENDPOINT_URL"
    )


def _answered(error: ClientError, where: str, bucket: str, key: str) -> StoreError:
    code = error_code(error)
    if code in MISSING:
        return NotFound(f"there is no object {key!r} in {where}")
    if code in LOST:
        return Conflict(f"{key} was changed by another writer: read it again and retry")
    if code in NO_BUCKET:
        return no_bucket(where, bucket)
    return StoreError(f"{where} {_refusal(error, code, key)}")


def _refusal(error: ClientError, code: str, key: str) -> str:
    if code in SKEWED or (code in REFUSED and _skew(error) > MAX_SKEW):
        return f"refused the request because the clocks differ: {_times(error)}; set this one right"
    if code in REFUSED:
        return f"refused the credentials ({code}); check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if code in OTHER_REGION:
        region = _headers(error).get("x-amz-bucket-region") or error.response["Error"].get("Region", "another region")
        return f"says that the bucket is in {region} ({code}); set AWS_DEFAULT_REGION or check UKOK_S3_ENDPOINT_URL"
    return f"answered {code} for {key!r}: {error.response['Error'].get('Message', 'no message')}"


def _headers(error: ClientError) -> dict[str, Any]:
    return error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})


def _server_time(error: ClientError) -> datetime | None:
    """Time of the answer by the clock of the server."""
    try:
        at = parsedate_to_datetime(_headers(error)["date"])
    except (KeyError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _skew(error: ClientError) -> timedelta:
    """How far the clocks are apart; 0 if the answer does not say."""
    server = _server_time(error)
    return abs(datetime.now(UTC) - server) if server else timedelta()


def _times(error: ClientError) -> str:
    """Both clocks as the answer names them, else by its date and the clock here."""
    answer = error.response["Error"]
    here = answer.get("RequestTime") or f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    server = _server_time(error)
    there = answer.get("ServerTime") or (f"{server:%Y-%m-%dT%H:%M:%SZ}" if server else "not said")
    return f"{here} here, {there} at the server"
