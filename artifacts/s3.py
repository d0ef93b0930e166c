"""Store in an S3 bucket. The server must honour ``If-Match`` and ``If-None-Match`` on writes, which is checked."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import boto3
import botocore.loaders
import botocore.session
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from artifacts.errors import Conflict, NotFound, StoreError
from artifacts.names import check_key, is_key
from artifacts.s3_errors import LOST, MISSING, NOT_IMPLEMENTED, error_code, no_bucket, store_error
from artifacts.store import UnfinishedUpload

PROBE: Final = ".conditional-writes"
"""Key of an object that no reader sees: shows whether the server honours conditions."""
ETAG_OF_NOTHING: Final = f'"{"0" * 32}"'


_service_models = botocore.loaders.create_loader()


def _new_session() -> boto3.Session:
    """Return a session with the credentials of the environment; parsing the models again would take 140 ms of CPU."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _service_models)
    return boto3.Session(botocore_session=session)


class S3Store:
    """Store under ``prefix`` of ``bucket``; ``endpoint_url`` is the URL of a server other than AWS."""

    def __init__(self, bucket: str, prefix: str, endpoint_url: str | None) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self.where = f"s3://{bucket}/{prefix}" + (f" at {endpoint_url}" if endpoint_url else "")
        self._honours_conditions = self._bucket_exists = False
        self._client = _new_session().client(
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
        self._require_conditions()
        try:
            with self._errors(key):
                written = self._put_if(key, data, etag)
        except StoreError as error:
            # If an answer is lost, boto3 sends the write again, which then fails because the first one was done.
            if not self._holds(key, data, error):
                if isinstance(error, NotFound):
                    raise Conflict(f"{key} was deleted by another writer: read it again and retry") from None
                raise
        else:
            with self._errors(key):
                self._verify(key, data, written)

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
        keys = {key.removeprefix(self.prefix): key for key in sorted(found) if key != self.prefix + PROBE}
        # Other programs may write keys that lead out of a folder when they are downloaded: they are none of ours.
        return {key: found[path] for key, path in keys.items() if is_key(key)}

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

    def empty_folders(self) -> Sequence[str]:
        return []

    def remove_folder(self, folder: str) -> None:
        """Do nothing: a bucket has no folders."""

    def unfinished_uploads(self, before: datetime) -> Sequence[UnfinishedUpload]:
        with self._errors(""):
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

    def _put_if(self, key: str, data: bytes, etag: str | None) -> str:
        """Write on the condition that the object has ``etag`` (None: does not exist); return its new entity tag."""
        path = self.prefix + key
        if etag is None:
            return self._client.put_object(Bucket=self.bucket, Key=path, Body=data, IfNoneMatch="*")["ETag"]
        return self._client.put_object(Bucket=self.bucket, Key=path, Body=data, IfMatch=etag)["ETag"]

    def _holds(self, key: str, data: bytes, failure: StoreError) -> bool:
        """Whether the object holds ``data`` after a write that failed; raise ``failure`` if that cannot be read."""
        try:
            return self.get(key) == data
        except NotFound:
            return False
        except StoreError:
            raise StoreError(f"{failure}; whether {key!r} was written is not known: run the command again") from failure

    def _require_conditions(self) -> None:
        """Raise ``StoreError`` if the server ignores conditions, with which two writers would overwrite each other."""
        if self._honours_conditions:
            return
        # The first request creates the object if it is missing.
        honoured = self._refuses_probe(None) or self._refuses_probe(None)
        if not (honoured and self._refuses_probe(ETAG_OF_NOTHING)):
            raise StoreError(
                f"{self.where} ignores conditions of writes (If-None-Match, If-Match), without which two writers "
                "overwrite each other: use a server that honours them, such as AWS S3, or MinIO or SeaweedFS of today, "
                "and no proxy before it that removes these headers"
            )
        self._honours_conditions = True

    def _refuses_probe(self, etag: str | None) -> bool:
        with self._errors(PROBE):
            try:
                self._put_if(PROBE, b"shows that conditions are honoured", etag)
            except ClientError as error:
                if error_code(error) in LOST:
                    return True
                if error_code(error) not in NOT_IMPLEMENTED:
                    raise
        return False

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        check_key(key)
        try:
            yield
        except (BotoCoreError, ClientError, S3UploadFailedError, ResponseParserError) as error:
            if isinstance(error, ClientError) and error_code(error) in MISSING:
                self._require_bucket(key)
            raise store_error(error, self.where, self.bucket, key) from error

    def _require_bucket(self, key: str) -> None:
        """Raise ``StoreError`` if not only an object is missing, but its bucket."""
        if self._bucket_exists:
            return
        try:
            self._client.head_bucket(Bucket=self.bucket)
        except ClientError as error:
            if error_code(error) in MISSING:
                raise no_bucket(self.where, self.bucket) from None
        except BotoCoreError as error:
            raise store_error(error, self.where, self.bucket, key) from error
        self._bucket_exists = True
