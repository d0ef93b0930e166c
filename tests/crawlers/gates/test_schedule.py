"""Gate of a channel's day: held back for what it lost itself, never for the size of another day."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from artifacts.open import open_store
from artifacts.store import Store
from crawlers.gates.holds import accept, read_holds
from crawlers.run_report import GateResult, read_crawl_report
from tests.builders.raw_runs import DAY, Item, gate_of, kst, put, put_shows, scope, show

SIZES = (104, 83, 130, 56, 95, 46, 70, 30, 77, 34, 50)  # rows of a real channel on days that follow each other
MAIN_AND_SUBS = 4


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


def day(ahead: int) -> date:
    return DAY + timedelta(days=ahead)


def programme(ahead: int) -> list[Item]:
    """Return the rows of a whole day: as many as a real one has, in shows that follow each other."""
    number = SIZES[ahead % len(SIZES)] // MAIN_AND_SUBS
    starts = [24 * 60 * place // number for place in range(number)]
    ends = [*starts[1:], 24 * 60]
    return [
        show(_clock(start), _clock(end), 1000 * ahead + 10 * place + sub, day=day(ahead), slot="sub" if sub else "main")
        for place, (start, end) in enumerate(zip(starts, ends, strict=True))
        for sub in range(MAIN_AND_SUBS)
    ]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def held(gate: GateResult) -> dict[str, str]:
    """Return the first reason for each day that is held back."""
    return {str(scope.key["day"]): scope.reasons[0] for scope in gate.held}


def crawl(store: Store, at: datetime, rows: Mapping[int, Sequence[Item]], empty: Sequence[int] = ()) -> GateResult:
    """Write a crawl of some days, each with its rows, and return what the gates found."""
    scopes = [scope(complete=True, items=len(rows[ahead]), channel_id=1, day=day(ahead).isoformat()) for ahead in rows]
    lacking = [scope(complete=False, channel_id=1, day=day(ahead).isoformat()) for ahead in empty]
    scopes += [each.model_copy(update={"empty": True, "reason": "the page lists no shows"}) for each in lacking]
    run = put(store, "hnsmall", "schedule", at, [row for each in rows.values() for row in each], scopes)
    return gate_of(store, run)


def test_days_of_very_different_size_are_never_held_back(store: Store) -> None:
    """For six days: far days fill up, aired shows are dropped, one show in sixty is cancelled, one in sixty moves."""
    for turn in range(6 * 4):
        at = kst("01:07") + timedelta(hours=6 * turn)
        today = (at + timedelta(hours=9)).date()
        rows = {}
        for ahead in range((today - DAY).days, (today - DAY).days + 11):
            until = ahead - (today - DAY).days
            listed = [row for row in programme(ahead) if row["source_product_id"] // 10 % 11 >= until - 1]
            listed = [row for row in listed if row["ends_at"] > at or ahead % 2]  # some pages keep what has aired
            listed = [row for row in listed if not (row["source_product_id"] // 10 % 60 == 7 and turn % 5 > 2)]
            rows[ahead] = [_moved(row) if row["source_product_id"] // 10 % 60 == turn else row for row in listed]
        assert held(crawl(store, at, rows)) == {}, at


def _moved(row: Item) -> Item:
    return row | {name: row[name] + timedelta(minutes=10) for name in ("starts_at", "ends_at")}


@pytest.mark.parametrize("ahead", [0, 1, 3, 7, 9])
@pytest.mark.parametrize(("first", "last"), [("00:00", "14:00"), ("14:00", "24:00"), ("00:00", "03:00")])
def test_a_day_whose_hours_break_off_is_held_back(store: Store, ahead: int, first: str, last: str) -> None:
    """The other days of the file are not."""
    whole = {number: programme(number) for number in range(11)}
    crawl(store, kst("02:00"), whole)
    left = [row for row in whole[ahead] if kst(first, day(ahead)) <= row["starts_at"] < kst(last, day(ahead))]
    found = held(crawl(store, kst("05:00"), whole | {ahead: left}))
    assert list(found) == [day(ahead).isoformat()]
    assert "nothing is listed from" in found[day(ahead).isoformat()]


def test_aired_shows_that_a_page_drops_are_no_loss(store: Store) -> None:
    crawl(store, kst("10:07"), {0: programme(0)})
    left = [row for row in programme(0) if row["starts_at"] >= kst("13:07")]
    assert held(crawl(store, kst("13:07"), {0: left})) == {}
    assert held(crawl(store, kst("23:50"), {0: programme(0)[-4:]})) == {}


def test_a_day_that_became_empty_is_held_back(store: Store) -> None:
    crawl(store, kst("02:00"), {0: programme(0), 1: programme(1)})
    gate = crawl(store, kst("05:00"), {0: programme(0)}, empty=[1, 2])
    assert list(held(gate)) == [day(1).isoformat()]  # the other one never had a show


def test_cancelled_shows_do_not_hold_a_day_back(store: Store) -> None:
    crawl(store, kst("02:00"), {0: programme(0)})
    left = [row for row in programme(0) if row["source_product_id"] // 10 not in (9, 10, 20)]
    assert held(crawl(store, kst("05:00"), {0: left})) == {}


def test_a_new_programme_in_the_same_hours_is_no_loss(store: Store) -> None:
    crawl(store, kst("02:00"), {9: programme(9)[::2]})
    other = [row | {"source_product_id": row["source_product_id"] + 5} for row in programme(9)[::2]]
    assert held(crawl(store, kst("05:00"), {9: other})) == {}


def test_sub_products_that_vanish_at_once_hold_a_day_back(store: Store) -> None:
    crawl(store, kst("02:00"), {1: programme(1)})
    found = held(crawl(store, kst("05:00"), {1: [row for row in programme(1) if row["slot"] == "main"]}))
    assert found[day(1).isoformat()] == "60 of the 80 products of shows to come are no longer listed"


def test_a_thin_day_that_never_was_full_is_no_loss(store: Store) -> None:
    """A holiday is announced before its programme is."""
    for hour in (2, 5, 8):
        assert held(crawl(store, kst(f"{hour:02}:00"), {5: programme(5)[:2]})) == {}


def test_a_field_that_most_shows_lose_holds_a_day_back(store: Store) -> None:
    crawl(store, kst("02:00"), {1: programme(1), 2: programme(2)})
    bare = [row | {"price": None, "price_kind": "unknown"} for row in programme(2)]
    found = held(crawl(store, kst("05:00"), {1: programme(1), 2: bare}))
    assert found == {day(2).isoformat(): "128 of 128 shows that had a price have none"}


def test_a_loss_is_believed_when_the_third_crawl_shows_it(store: Store) -> None:
    whole, left = programme(1), programme(1)[:40]
    crawl(store, kst("02:00"), {1: whole})
    for clock in ("05:00", "08:00"):
        assert list(held(crawl(store, kst(clock), {1: left}))) == [day(1).isoformat()]
    gate = crawl(store, kst("11:00"), {1: left})
    assert held(gate) == {}
    assert [key["day"] for key in gate.confirmed] == [day(1).isoformat()]
    assert held(crawl(store, kst("14:00"), {1: left})) == {}  # it is the new level
    assert held(crawl(store, kst("17:00"), {1: left[:20]})) != {}


def test_three_crawls_within_hours_confirm_nothing(store: Store) -> None:
    crawl(store, kst("02:00"), {1: programme(1)})
    for clock in ("03:00", "04:00", "05:00"):
        assert held(crawl(store, kst(clock), {1: programme(1)[:40]}))


def test_different_losses_confirm_nothing(store: Store) -> None:
    crawl(store, kst("02:00"), {1: programme(1)})
    for clock, left in (("05:00", 60), ("08:00", 40), ("11:00", 20)):
        assert held(crawl(store, kst(clock), {1: programme(1)[:left]}))


def test_an_empty_day_is_believed_in_the_third_crawl_too(store: Store) -> None:
    crawl(store, kst("02:00"), {0: programme(0), 1: programme(1)})
    found = [crawl(store, kst(clock), {0: programme(0)}, empty=[1]) for clock in ("05:00", "08:00", "11:00")]
    assert [len(gate.held) for gate in found] == [1, 1, 0]
    assert [key["day"] for key in found[-1].confirmed] == [day(1).isoformat()]


def test_an_accepted_loss_sets_the_new_level(store: Store) -> None:
    put_shows(store, kst("02:00"), programme(1), days=[day(1)])
    run = put_shows(store, kst("05:00"), programme(1)[:40], days=[day(1)])
    holds = read_holds(store, run, read_crawl_report(store, run))
    assert len(holds.scopes) == 1
    accept(store, run, holds, holds.scopes, kst("06:00"))
    assert not read_holds(store, run, read_crawl_report(store, run))
    assert held(crawl(store, kst("08:00"), {1: programme(1)[:40]})) == {}


def test_a_day_is_compared_with_its_last_sound_crawl(store: Store) -> None:
    """Not with one that was held back, or that could not read it."""
    crawl(store, kst("02:00"), {1: programme(1)})
    crawl(store, kst("05:00"), {1: programme(1)[:40]})
    put_shows(store, kst("08:00"), programme(1)[:10], days=[day(1)], complete=False)
    assert held(crawl(store, kst("11:00"), {1: programme(1)})) == {}
    assert held(crawl(store, kst("14:00"), {1: programme(1)[:40]}))


def test_a_damaged_earlier_file_proves_nothing(store: Store) -> None:
    run = put_shows(store, kst("02:00"), programme(1), days=[day(1)])
    store.put(f"{run.stem}.jsonl.gz", b"no gzip")
    assert held(crawl(store, kst("05:00"), {1: programme(1)[:40]})) == {}


def test_a_show_on_air_without_a_start_fills_its_time(store: Store) -> None:
    rows: dict[str, Any] = {"source_product_id": 7}
    crawl(store, kst("02:00"), {0: programme(0)})
    on_air = show(None, "06:00", **rows)
    left = [row for row in programme(0) if row["starts_at"] >= kst("06:00")]
    assert held(crawl(store, kst("05:00"), {0: [on_air, *left]})) == {}
