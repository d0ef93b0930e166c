"""An S3 server over https that tests can make deviate, and a store on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.retries.standard import ExponentialBackoff

from artifacts.open import open_store
from artifacts.store import Store
from tests.builders.plain_s3 import PlainS3, running_plain_s3


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlainS3]:
    with running_plain_s3(tmp_path) as s3:
        monkeypatch.setenv("UKOK_S3_ENDPOINT_URL", s3.url)
        # Retries at once: the pauses between them take seconds.
        monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        yield s3


@pytest.fixture
def plain(server: PlainS3) -> Store:
    return open_store("s3://bucket/prefix")
