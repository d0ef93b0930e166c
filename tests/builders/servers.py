"""Servers that tests start on loopback: the embedded PostgreSQL and an S3 server."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sql import embedded

S3_KEY, S3_SECRET, S3_BUCKET = "ukok-test", "ukok-test-secret", "ukok"


@contextmanager
def embedded_folder() -> Iterator[Path]:
    """Yield a folder for an embedded server, which is stopped at the end.

    It is not one of pytest's: the server may run as another user, who cannot enter those.
    """
    with tempfile.TemporaryDirectory(prefix="ukok-test-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        try:
            yield Path(folder)
        finally:
            embedded.stop(Path(folder))


def free_port() -> int:
    """Return a free loopback port below the range of outgoing connections, which could take it before the server."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Start an S3 server on loopback with one key and one bucket; yield its URL.

    It needs eight ports and is started again with others if one is taken.
    """
    with contextlib.ExitStack() as running:
        for attempt in range(3):
            process, endpoint, log = running.enter_context(_weed(folder / str(attempt)))
            if _make_bucket(endpoint, process, log):
                break
        else:
            pytest.fail(f"the S3 test server found no free ports:\n{log.read_text()[-2000:]}")
        yield endpoint


@contextmanager
def _weed(folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", str, Path]]:
    """Start a server; yield its process, its URL and its log."""
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert weed, "the S3 test server is missing from the virtual environment: run `make setup`"
    identity = {
        "name": "test",
        "credentials": [{"accessKey": S3_KEY, "secretKey": S3_SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    folder.mkdir()
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    grpc = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    command = [weed, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", "-filer"]
    command += [
        f"-s3.config={folder / 's3.json'}",
        "-volume.max=20",
        "-volume.preStopSeconds=0",
        # Fixed ports by default, on which two test runs would collide.
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.volumeSizeLimitMB=64",
    ]
    command += [f"-{name}.port={port}" for name, port in ports.items()]
    command += [f"-{name}.port.grpc={port}" for name, port in grpc.items()]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        yield process, f"http://127.0.0.1:{ports['s3']}", folder / "server.log"
    finally:
        process.kill()  # an orderly stop takes 15 s
        process.wait()


def _make_bucket(endpoint: str, process: "subprocess.Popen[bytes]", log: Path) -> bool:
    """Wait for the server and create the bucket; return False if a port was taken."""
    client = boto3.Session().client(
        "s3",
        endpoint_url=endpoint,
        config=Config(retries={"max_attempts": 0}, connect_timeout=2, read_timeout=5, s3={"addressing_style": "path"}),
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            client.create_bucket(Bucket=S3_BUCKET)
            client.put_object(Bucket=S3_BUCKET, Key="ready", Body=b"1")
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"].startswith("BucketAlready"):
                client.put_object(Bucket=S3_BUCKET, Key="ready", Body=b"1")
                return True
            output = log.read_text() if process.poll() is not None else ""
            if "address already in use" in output:
                return False
            if output or time.monotonic() > deadline:
                pytest.fail(f"the S3 test server did not start: {error}\n{log.read_text()[-2000:]}")
            time.sleep(0.1)
        else:
            return True
