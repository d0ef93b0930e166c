"""Store in an S3 bucket. The server must honour ``If-Match`` and ``If-None-Match`` on writes."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import boto3
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from artifacts.errors import Conflict, NotFound, StoreError
from artifacts.store import UnfinishedUpload

MISSING = {"NoSuchKey", "404", "NotFound"}
LOST = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
REFUSED = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403", "ExpiredToken"}


class S3Store:
    """Store under ``prefix`` of ``bucket``; ``endpoint_url`` is the URL of a server other than AWS."""

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
                # By default boto3 sends checksums in aws-chunked bodies, which other servers store as content.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put(self, key: str, data: bytes) -> None:
        with self._errors(key):
            answer = self._client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data)
            self._verify(key, data, answer["ETag"])

    def put_file(self, key: str, path: Path) -> None:
        with self._errors(key):
            self._client.upload_file(str(path), self.bucket, self.prefix + key)
        self._verify_size(key, path.stat().st_size, self.size(key))

    def put_if(self, key: str, data: bytes, etag: str | None) -> None:
        with self._errors(key):
            if etag is None:
                answer = self._client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data, IfNoneMatch="*")
            else:
                answer = self._client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data, IfMatch=etag)
            self._verify(key, data, answer["ETag"])

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
        return list(self.sizes(prefix))

    def sizes(self, prefix: str) -> dict[str, int]:
        with self._errors(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + prefix
            )
            found = {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}
        return {key.removeprefix(self.prefix): found[key] for key in sorted(found)}

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

    def unfinished_uploads(self, before: datetime) -> Sequence[UnfinishedUpload]:
        with self._errors(self.prefix):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket, Prefix=self.prefix
            )
            found = [upload for page in pages for upload in page.get("Uploads", []) if upload["Initiated"] < before]
            return [
                UnfinishedUpload(
                    upload["UploadId"],
                    upload["Key"].removeprefix(self.prefix),
                    self._uploaded(upload["Key"], upload["UploadId"]),
                )
                for upload in found
            ]

    def discard_upload(self, upload: UnfinishedUpload) -> None:
        with self._errors(upload.key), suppress(self._client.exceptions.NoSuchUpload):
            self._client.abort_multipart_upload(
                Bucket=self.bucket, Key=self.prefix + upload.key, UploadId=upload.upload_id
            )

    def _uploaded(self, key: str, upload_id: str) -> int:
        """Return the bytes of an unfinished upload."""
        pages = self._client.get_paginator("list_parts").paginate(Bucket=self.bucket, Key=key, UploadId=upload_id)
        return sum(part["Size"] for page in pages for part in page.get("Parts", []))

    def _verify(self, key: str, data: bytes, etag: str) -> None:
        """Raise ``StoreError`` if the server stored something else; without MD5 entity tags, compare the sizes."""
        if etag.strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest():
            return
        head = self._client.head_object(Bucket=self.bucket, Key=self.prefix + key)
        if head["ETag"] == etag:  # else another writer has replaced the object since
            self._verify_size(key, len(data), head["ContentLength"])

    def _verify_size(self, key: str, sent: int, stored: int) -> None:
        if stored != sent:
            raise StoreError(
                f"{self.where} stored {stored} bytes for {key!r} where {sent} were sent: the server, or a proxy before "
                "it, changes uploads; check UKOK_S3_ENDPOINT_URL"
            )

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in MISSING:
                raise NotFound(f"there is no object {key!r} in {self.where}") from None
            if code in LOST:
                raise Conflict(f"{key} was changed by another writer: read it again and retry") from None
            if code in REFUSED:
                raise StoreError(
                    f"{self.where} refused the credentials ({code}); check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                ) from None
            raise StoreError(f"{self.where} answered {code} for {key!r}") from error
        except (BotoCoreError, S3UploadFailedError) as error:
            raise StoreError(
                f"{self.where} cannot be used: {error}; check UKOK_ARTIFACTS_URL and UKOK_S3_ENDPOINT_URL"
            ) from error
