"""Gates of fields: values that are missing where they were known, or far more often than in earlier files."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from statistics import median

from crawlers.gates.history import COMPARED, Item, Row
from crawlers.run_report import ContractCheck

MIN_KNOWN = 8  # values of a field in a scope, below which a share of them is not judged
MIN_ITEMS = 20  # items of a file, below which a share of them is not judged
MIN_FILES = 3  # earlier files that make a share usual
MIN_SHARE_OF_USUAL = 0.5


def lost_fields(pairs: Sequence[tuple[Row, Row]], what: str) -> list[str]:
    """Return the fields that most rows had the last time and lack now; ``pairs``: the same row then and now."""
    reasons = []
    for name in COMPARED:
        known = [now for before, now in pairs if name in before.filled]
        lost = sum(name not in now.filled for now in known)
        if len(known) >= MIN_KNOWN and lost > MIN_SHARE_OF_USUAL * len(known):
            reasons.append(f"{lost} of {len(known)} {what} that had a {name} have none")
    return reasons


def sparse_fields(
    items: Iterable[Item], checks: Sequence[ContractCheck], judged: Container[int] | None
) -> Iterator[str]:
    """Yield the fields of product pages that are filled less than half as often as in earlier files.

    ``checks``: those of earlier files. ``judged``: the products that count; None for all.
    """
    past = [check for check in checks if check.items >= MIN_ITEMS]
    usual = {
        name: median(shares)
        for name in sorted({name for check in past for name in check.fill if "." not in name})
        if len(shares := [check.fill[name] for check in past if name in check.fill]) >= MIN_FILES
    }
    read, lacking, first = Counter[str](), Counter[str](), dict[str, str]()
    for item in items if usual else ():
        if judged is None or item["kok_product_id"] in judged:
            for name in usual.keys() - set(item.get("unread", ())):  # what was not read is not written either
                read[name] += 1
                if not _is_filled(item, name):
                    lacking[name] += 1
                    first.setdefault(name, item["page_url"])
    for name, share in usual.items():
        count, found = read[name], read[name] - lacking[name]
        if share * count >= MIN_ITEMS and found < MIN_SHARE_OF_USUAL * share * count:
            yield (
                f"{name} is filled in {found / count:.1%} of {count} items, usually {share:.1%}, first on {first[name]}"
            )


def _is_filled(item: Item, name: str) -> bool:
    value = item.get(name)
    if isinstance(value, dict):
        return any(value.values())
    return isinstance(value, bool) or bool(value) or (name == "price" and item.get("price_kind") == "consult")
