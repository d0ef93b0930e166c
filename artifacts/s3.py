"""Artifacts in an S3 bucket, over HTTP. The server must honour ``If-Match`` and ``If-None-Match`` on writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from artifacts.store import Conflict, NotFound, StoreError

MISSING = {"NoSuchKey", "404", "NotFound"}
LOST = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
REFUSED = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403", "ExpiredToken"}


class S3Store:
    """A store under ``prefix`` of ``bucket``; ``endpoint_url`` names a server other than Amazon's."""

    def __init__(self, bucket: str, prefix: str, endpoint_url: str | None) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self.where = f"s3://{bucket}/{prefix}" + (f" at {endpoint_url}" if endpoint_url else "")
        self._client = boto3.Session().client(
            "s3",
            endpoint_url=endpoint_url,
            config=Config(
                retries={"max_attempts": 5, "mode": "standard"},
                connect_timeout=5,
                read_timeout=60,
                s3={"addressing_style": "path"} if endpoint_url else {},
            ),
        )

    def put(self, key: str, data: bytes) -> None:
        with self._errors(key):
            self._client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data)

    def put_file(self, key: str, path: Path) -> None:
        with self._errors(key):
            self._client.upload_file(str(path), self.bucket, self.prefix + key)

    def put_if(self, key: str, data: bytes, etag: str | None) -> None:
        with self._errors(key):
            if etag is None:
                self._client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data, IfNoneMatch="*")
            else:
                self._client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data, IfMatch=etag)

    def get(self, key: str) -> bytes:
        return self.get_versioned(key)[0]

    def get_versioned(self, key: str) -> tuple[bytes, str]:
        with self._errors(key):
            answer = self._client.get_object(Bucket=self.bucket, Key=self.prefix + key)
            return answer["Body"].read(), answer["ETag"]

    def download(self, key: str, path: Path) -> None:
        with self._errors(key):
            self._client.download_file(self.bucket, self.prefix + key, str(path))

    def list(self, prefix: str) -> list[str]:
        with self._errors(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + prefix
            )
            keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return sorted(key.removeprefix(self.prefix) for key in keys)

    def exists(self, key: str) -> bool:
        try:
            self.size(key)
        except NotFound:
            return False
        return True

    def size(self, key: str) -> int:
        with self._errors(key):
            return int(self._client.head_object(Bucket=self.bucket, Key=self.prefix + key)["ContentLength"])

    def delete(self, key: str) -> None:
        with self._errors(key):
            self._client.delete_object(Bucket=self.bucket, Key=self.prefix + key)

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in MISSING:
                raise NotFound(f"there is no object {key!r} in {self.where}") from None
            if code in LOST:
                raise Conflict(f"{key} was changed by another writer: read it again and decide anew") from None
            if code in REFUSED:
                raise StoreError(
                    f"{self.where} refused the credentials ({code}); check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                ) from None
            raise StoreError(f"{self.where} answered {code} for {key!r}") from error
        except (BotoCoreError, S3UploadFailedError) as error:
            raise StoreError(
                f"{self.where} cannot be used: {error}; check UKOK_ARTIFACTS_URL and UKOK_S3_ENDPOINT_URL"
            ) from error
