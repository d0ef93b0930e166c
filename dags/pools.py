"""Pools of Airflow: which tasks wait for one another.

`python -m dags.pools` creates those that are missing, and leaves those that exist as they are. It must have run once
after `airflow db migrate`, and again when a source was added: Airflow never starts a task whose pool does not exist.
"""

MEMORY = "memory"
MEMORY_SLOTS = 4
"""A crawl takes one slot, the training of the sentence encoder all: they never run at the same time."""


def pools() -> dict[str, tuple[int, str]]:
    """Return the slots and the description of each pool: one of each source, and the one for memory."""
    from pipelines.tasks import sources

    memory = f"Crawls take 1 slot each, train_bert all {MEMORY_SLOTS}: it never runs beside a crawl"
    return {name: (1, f"Loads of {name}: one at a time") for name in sources()} | {MEMORY: (MEMORY_SLOTS, memory)}


def main() -> None:
    """Create the missing pools."""
    from airflow.models.pool import Pool

    for name, (slots, description) in pools().items():
        if Pool.get_pool(name) is None:
            Pool.create_or_update_pool(name, slots=slots, description=description, include_deferred=False)


if __name__ == "__main__":
    main()
