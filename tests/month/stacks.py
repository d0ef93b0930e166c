"""Databases and artifacts that a month runs on."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from pipelines import tasks
from sql import embedded
from tests.builders.databases import new_database
from tests.builders.servers import S3_BUCKET, S3_KEY, S3_SECRET, embedded_folder, s3_server

StackName = Literal["embedded", "servers"]


@contextmanager
def new_stack(name: StackName) -> Iterator[dict[str, str]]:
    """Make empty databases at the newest schema, and artifacts; yield them as environment variables.

    ``embedded``: PostgreSQL from a wheel and a folder; ``servers``: MariaDB, PostgreSQL and an S3 server.
    """
    with ExitStack() as made:
        if name == "embedded":
            var = made.enter_context(embedded_folder())
            urls = embedded.start(var)
            env = {"UKOK_VAR_DIR": str(var), "UKOK_ARTIFACTS_URL": str(var / "artifacts")}
        else:
            var = Path(made.enter_context(tempfile.TemporaryDirectory(prefix="ukok-month-")))
            keys = {"AWS_ACCESS_KEY_ID": S3_KEY, "AWS_SECRET_ACCESS_KEY": S3_SECRET, "AWS_REGION": "us-east-1"}
            os.environ.update(keys)
            urls = {
                "service": made.enter_context(new_database("mariadb")),
                "warehouse": made.enter_context(new_database("postgresql")),
            }
            endpoint = made.enter_context(s3_server(var))
            env = keys | {
                "UKOK_VAR_DIR": str(var),
                "UKOK_S3_ENDPOINT_URL": endpoint,
                "UKOK_ARTIFACTS_URL": f"s3://{S3_BUCKET}/month",
            }
        env |= {"UKOK_SERVICE_DB_URL": urls["service"], "UKOK_WAREHOUSE_DB_URL": urls["warehouse"]}
        with environment(env):
            tasks.upgrade()
        yield env


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables meanwhile."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
