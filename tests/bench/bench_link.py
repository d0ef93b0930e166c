"""How right linking is on real titles, and how fast on many.

``python -m tests.bench.bench_link`` (part of ``make bench``). Reads real products from ``UKOK_SHARED_DATA`` (default:
``../shared/data``). ``tests/resources/item_pairs.csv`` holds pairs of their ids that a person judged by reading both
titles: linked pairs, and pairs of similar titles that are not. Rules may be tuned on one half of them; the other half,
chosen by a hash of the ids, is only measured on, and its precision is not to fall below the limit. Recall is the share
of the judged pairs that are the same and found; pairs with dissimilar titles were not judged. Figures go to
``var/bench/link.json``.
"""

import csv
import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

from pipelines.link.items import Link, Listing, link, listing, same_item
from tests.conftest import ROOT

LABELS: Final = ROOT / "tests" / "resources" / "item_pairs.csv"
HALVES: Final = ("tuned on", "held out")
MIN_PRECISION: Final = 0.95
COPIES: Final = 25

Key = tuple[str, int]


def main() -> None:
    """Measure, print and keep; exit code 1 when the held-out precision is below the limit."""
    shared = Path(os.environ.get("UKOK_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not shared.is_dir():
        sys.exit(f"no real data at {shared}: set UKOK_SHARED_DATA to the folder that holds kok_products.jsonl")
    listings = real_listings(shared)
    results: dict[str, Any] = judge(listings) | {"items": _items(link(list(listings.values())))}
    results["time"] = _time(list(listings.values()))
    target = ROOT / "var" / "bench" / "link.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(results, ensure_ascii=False, indent=2), encoding="utf-8")
    console = Console()
    for name, figures in results.items():
        console.print(_table(name, figures))
    console.print(f"written to {target}")
    if results["held out"]["precision"] < MIN_PRECISION:
        sys.exit(f"held-out precision {results['held out']['precision']:.3f} is below {MIN_PRECISION}")


def real_listings(shared: Path) -> dict[Key, Listing]:
    """The real products of mall and broadcasts, by source and id."""
    found: dict[Key, Listing] = {}
    for row in _lines(shared / "kok_products.jsonl"):
        key = ("kok", row["product_id"])
        found[key] = listing(*key, row["product_name"], row["store_name"], row["list_price"])
    for row in _lines(shared / "broadcasts.jsonl"):
        # The file names a source for each channel, e.g. hmall_dtv.
        key = (row["source"].split("_")[0], row["product_id"])
        found[key] = listing(*key, row["product_name"], None, row["dc_price"] or row["sale_price"])
    return dict(sorted(found.items()))


def judge(listings: Mapping[Key, Listing]) -> dict[str, dict[str, Any]]:
    """Precision with its 95 % interval (Wilson), and recall, on either half of the labelled pairs."""
    counts: dict[str, Counter[str]] = {half: Counter() for half in HALVES}
    with LABELS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            pair = (row["source_a"], row["id_a"], row["source_b"], row["id_b"])
            half = HALVES[hashlib.sha256(" ".join(pair).encode()).digest()[0] % 2]
            found = same_item(listings[pair[0], int(pair[1])], listings[pair[2], int(pair[3])]) is not None
            counts[half][("linked" if found else "not linked") + (", same" if row["same"] == "1" else ", other")] += 1
    return {half: _figures(count) for half, count in counts.items()}


def _figures(count: Counter[str]) -> dict[str, Any]:
    right, wrong, missed = count["linked, same"], count["linked, other"], count["not linked, same"]
    interval = binomtest(right, right + wrong).proportion_ci(method="wilson")
    return {
        "pairs": count.total(),
        "linked": right + wrong,
        "wrong links": wrong,
        "precision": right / (right + wrong),
        "precision, from": float(interval.low),
        "precision, to": float(interval.high),
        "same": right + missed,
        "recall": right / (right + missed),
    }


def _items(links: Sequence[Link]) -> dict[str, int]:
    """How many real products share an item with others, and which sources with which."""
    members: dict[str, list[str]] = {}
    for each in links:
        members.setdefault(each.item_id, []).append(each.listing.source)
    shared = [sorted(set(sources)) for sources in members.values() if len(sources) > 1]
    together = Counter(" + ".join(sources) for sources in shared)
    counted = {"products": len(links), "items": len(members), "items with several listings": len(shared)}
    return counted | {f"of {sources}": number for sources, number in sorted(together.items())}


def _time(listings: Sequence[Listing]) -> dict[str, float]:
    """Seconds to link the real products, and many times as many: each in several flavours."""
    many = [_flavoured(each, n) for each in listings for n in range(COPIES)]
    seconds = {}
    for group in (listings, many):
        began = time.monotonic()
        link(group)
        seconds[f"seconds for {len(group):,} products"] = round(time.monotonic() - began, 1)
    return seconds


def _flavoured(each: Listing, number: int) -> Listing:
    word = f"{number}번맛"
    title = replace(each.title, words=(*each.title.words, word), text=each.title.text + word)
    return replace(each, product_id=each.product_id * COPIES + number, title=title)


def _table(title: str, figures: Mapping[str, Any]) -> Table:
    table = Table(title=title, show_header=False)
    for name, value in figures.items():
        table.add_row(name, f"{value:,.3f}" if isinstance(value, float) else f"{value:,}")
    return table


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
