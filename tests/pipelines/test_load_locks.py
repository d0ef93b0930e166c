"""Loads that write the same dataset wait for one another."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, select

from pipelines.load.ledger import DATA_VERSION, increment_version, lock_service

LOADS = 40


def test_loads_of_a_dataset_at_once_wait_for_one_another(service: Engine) -> None:
    def load(_: int) -> None:
        with service.begin() as conn:
            lock_service(conn, ["schedule"])
            increment_version(conn, "schedule")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(load, range(LOADS)))
    with service.connect() as conn:
        assert conn.execute(select(DATA_VERSION.c.version)).scalars().all() == [LOADS]
