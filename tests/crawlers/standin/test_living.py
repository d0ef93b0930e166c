"""The living stand-in: what changes over time, what the pages show of it, and the clock."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import httpx
import pytest
from parsel import Selector

from crawlers.items import CATEGORIES
from crawlers.standin.living.content import LivingContent
from crawlers.standin.living.mall import Upset
from crawlers.standin.living.schedule import LAST_CHANGE
from crawlers.standin.living.server import LivingStandin, running_living_standin
from crawlers.standin.living.size import MONTH
from crawlers.standin.living.world import World
from ukok.korea import KST

NOON = datetime(2026, 3, 2, 12, tzinfo=KST)
TODAY = NOON.date()
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def world() -> World:
    return World(1)


@pytest.fixture(scope="module")
def standin(world: World) -> Iterator[LivingStandin]:
    with running_living_standin(world, NOON) as running:
        yield running


def rows(world: World, channel: int, day: date, at: datetime = NOON) -> int:
    return sum(len(show.products) for show in world.shows(channel, day, at))


def test_a_seed_determines_everything_at_every_instant(world: World) -> None:
    again, other = World(1), World(2)
    later = NOON + timedelta(days=20)
    assert again.shows(1, later.date(), later) == world.shows(1, later.date(), later)
    assert again.mall.on_sale("1611", later) == world.mall.on_sale("1611", later)
    assert other.mall.on_sale("1611", later) != world.mall.on_sale("1611", later)


def test_days_of_a_channel_differ_in_size(world: World) -> None:
    days = [TODAY + timedelta(days=ahead) for ahead in range(60)]
    plain = [day for day in days if world.schedules[1].holiday(day) is None]
    eve = {day: datetime.combine(day, NOON.timetz()) - timedelta(hours=13) for day in plain}
    sizes = {rows(world, 1, day, eve[day]) for day in plain}
    assert max(sizes) > 110
    assert min(sizes) < 40
    assert {schedule.holiday(day) for schedule in world.schedules.values() for day in days} == {None, "few", "none"}


def test_far_days_are_thin_and_fill_up(world: World) -> None:
    day = next(
        day for ahead in range(10, 30) if world.schedules[1].holiday(day := TODAY + timedelta(days=ahead)) is None
    )
    seen = [
        rows(world, 1, day, NOON.replace(year=day.year, month=day.month, day=day.day) - timedelta(days=ahead))
        for ahead in (9, 6, 3, 1)
    ]
    assert sorted(seen) == seen
    assert seen[0] < seen[-1] / 2


def test_shows_are_cancelled_return_and_move_in_time(world: World) -> None:
    days = [TODAY + timedelta(days=ahead) for ahead in range(60)]
    plans = [schedule.plan(day) for schedule in world.schedules.values() for day in days]
    kinds = Counter(change.kind for plan in plans for change in plan.changes)
    assert kinds.keys() == {"cancel", "restore", "swap", "move"}
    for plan in plans:
        for change in plan.changes:
            assert plan.bounds[change.place] - change.at >= LAST_CHANGE


def test_shows_follow_each_other_without_gaps(world: World) -> None:
    for channel, ahead in ((1, 0), (2, 1), (4, 2)):
        first, second = (world.schedules[channel].plan(TODAY + timedelta(days=ahead + n)) for n in (0, 1))
        assert first.bounds[-1] == second.bounds[0]
        assert all(start < end for start, end in zip(first.bounds, first.bounds[1:], strict=False))


def test_only_some_channels_drop_shows_that_are_over(world: World) -> None:
    assert all(show.ends_at > NOON for show in world.listed(1, TODAY, NOON))
    assert len(world.listed(1, TODAY, NOON)) < len(world.shows(1, TODAY, NOON))
    assert world.listed(2, TODAY, NOON) == world.shows(2, TODAY, NOON)


def test_the_day_of_a_source_begins_minutes_after_midnight(world: World) -> None:
    midnight = datetime(2026, 3, 3, tzinfo=KST)
    for channel in range(1, 6):
        assert world.sites_day(channel, midnight + timedelta(minutes=3)) == TODAY
        assert world.sites_day(channel, midnight + timedelta(minutes=10)) == midnight.date()
    assert world.listed(1, midnight.date() + timedelta(days=10), midnight) == ()


def test_products_come_go_return_and_change_their_price(world: World) -> None:
    weeks = [
        {product.number: product.price for product in world.mall.on_sale("1611", NOON + timedelta(days=day))}
        for day in range(28)
    ]
    ever = set().union(*weeks)
    shown = {number: [number in week for week in weeks] for number in ever}
    assert any(not days[0] and days[-1] for days in shown.values())
    assert any(days[0] and not days[-1] for days in shown.values())
    assert any(str(days).count("False, True") and days[0] for days in shown.values())
    assert any(len({week[number] for week in weeks if number in week}) > 2 for number in ever)


def test_a_category_of_full_pages_ends_with_an_empty_one(world: World, standin: LivingStandin) -> None:
    places = dict(zip(CATEGORIES, MONTH.categories, strict=True))
    full = [code for code, size in places.items() if size % 20 == 0]
    assert full
    for code in full:
        for day in range(20):
            assert len(world.mall.on_sale(code, NOON + timedelta(days=day))) == places[code]
    quiet = next(code for code in full if world.mall.upset(code, NOON) is None)
    page = Selector(listing(standin, quiet, places[quiet] // 20 + 1))
    (strip,) = page.css("[data-product-id]::attr(data-product-id)").getall()
    assert strip in (f"recent-{quiet}", f"evt-{quiet}")


def test_a_list_that_is_sorted_anew_hides_products(world: World) -> None:
    kinds: dict[Upset, tuple[str, datetime]] = {}
    for turn in range(400):
        at = NOON + 3 * turn * HOUR
        for code in CATEGORIES:
            kind = world.mall.upset(code, at)
            if kind and kind not in kinds:
                kinds[kind] = (code, at)
    hidden: dict[Upset, int] = {"sold out": 1, "inserted": 0, "sorted anew": 3}
    for kind, count in hidden.items():
        code, at = kinds[kind]
        content = LivingContent(world, at)
        pages = (content.category(code, number) for number in range(1, 10))
        listed = {row.product_id for page in pages for row in page}
        on_sale = {product.number for product in world.mall.on_sale(code, at)}
        assert len(on_sale - listed) == count, kind
        assert listed <= on_sale


def test_the_clock_is_set_by_a_request(standin: LivingStandin) -> None:
    page = "/www.hnsmall.com/display/tvschedule-list"
    query = {"broadDay": f"{TODAY:%Y%m%d}"}
    with httpx.Client(base_url=standin.url) as http:
        noon = http.get(page, params=query).text
        later = http.get(page, params=query, headers={"X-Clock": (NOON + 6 * HOUR).isoformat()}).text
        assert http.put("/clock", content=(NOON + 6 * HOUR).isoformat()).status_code == 200
        assert http.get("/clock").text == (NOON + 6 * HOUR).isoformat()
        assert http.get(page, params=query).text == later != noon
        assert http.put("/clock", content="noon").status_code == 400
        assert http.put("/clock", content="2026-03-02T12:00:00").status_code == 400
        http.put("/clock", content=NOON.isoformat())
        assert http.get(page, params=query).text == noon


def listing(standin: LivingStandin, code: str, page: int) -> str:
    path = f"/kok.uplus.co.kr/m/event/category/uplus/page?code={code}&page={page}&size=20"
    return httpx.get(f"{standin.url}{path}", headers={"X-Clock": NOON.isoformat()}).text
