"""Loads into one dataset wait for each other."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, select

from pipelines.load.ledger import increment_version, lock_service
from sql.service.catalog import DataVersion

LOADS, TIMES = 4, 10


def test_loads_of_several_broadcasters_wait_for_each_other(service: Engine) -> None:
    def load(_: int) -> None:
        for _ in range(TIMES):
            with service.begin() as conn:
                lock_service(conn, ["schedule"])
                increment_version(conn, "schedule")

    with ThreadPoolExecutor(LOADS) as pool:
        list(pool.map(load, range(LOADS)))
    with service.connect() as conn:
        assert conn.scalar(select(DataVersion.version)) == LOADS * TIMES
