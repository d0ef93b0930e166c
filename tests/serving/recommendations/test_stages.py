"""Stages: the first that yields anything answers alone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from typing import cast

from recommender.loaded_release import LoadedRelease
from serving.recommendations import relations
from serving.recommendations.requests import PopularRequest
from serving.recommendations.stages import Candidate, Generator, Relation, Stage, recommend
from serving.runtime.snapshot import Snapshot

NOON = datetime(2025, 8, 6, 3, tzinfo=UTC)


def empty(_: Snapshot, __: PopularRequest) -> Iterator[Candidate[int]]:
    yield from ()


def endless(_: Snapshot, __: PopularRequest) -> Iterator[Candidate[int]]:
    return (Candidate(number, "counted") for number in count())


def broken(_: Snapshot, __: PopularRequest) -> Iterator[Candidate[int]]:
    raise AssertionError("a stage ran although an earlier one had answered")


def test_later_stages_do_not_run_once_one_has_answered() -> None:
    relation: Relation[PopularRequest, int] = (
        Generator(Stage.RELEASE, empty),
        Generator(Stage.RESOLVED, endless),
        Generator(Stage.POPULAR, broken),
    )
    found = recommend(Snapshot(), relation, PopularRequest(3, NOON))
    assert [(entry.item, entry.reason, entry.stage) for entry in found.items] == [
        (0, "counted", Stage.RESOLVED),
        (1, "counted", Stage.RESOLVED),
        (2, "counted", Stage.RESOLVED),
    ]
    assert (found.stage, found.fallback) == (Stage.RESOLVED, True)


def test_a_release_decides_that_nothing_fits() -> None:
    relation: Relation[PopularRequest, int] = (
        Generator(Stage.RELEASE, empty, decides=True),
        Generator(Stage.RESOLVED, endless),
    )
    in_service = Snapshot(release=cast("LoadedRelease", SimpleNamespace(version="v1")))
    assert recommend(in_service, relation, PopularRequest(1, NOON)).items == ()
    assert recommend(Snapshot(), relation, PopularRequest(1, NOON)).stage is Stage.RESOLVED


def test_a_release_that_does_not_decide_may_yield_nothing() -> None:
    relation: Relation[PopularRequest, int] = (Generator(Stage.RELEASE, empty), Generator(Stage.RESOLVED, endless))
    in_service = Snapshot(release=cast("LoadedRelease", SimpleNamespace(version="v1")))
    assert recommend(in_service, relation, PopularRequest(1, NOON)).stage is Stage.RESOLVED


def test_what_is_popular_is_offered_under_its_own_name() -> None:
    named = {name: relation for name, relation in vars(relations).items() if isinstance(relation, tuple)}
    popular = {name for name, relation in named.items() if Stage.POPULAR in {each.stage for each in relation}}
    assert popular == {"POPULAR_RECIPES", "POPULAR_SHOWS", "POPULAR_PRODUCTS"}


def test_a_recommendation_without_items_has_no_stage() -> None:
    found = recommend(Snapshot(), (Generator(Stage.RELEASE, empty),), PopularRequest(3, NOON))
    assert (found.items, found.stage, found.fallback) == ((), None, True)


def test_only_what_is_simpler_than_the_release_is_a_fallback() -> None:
    relations = [(Generator(stage, endless),) for stage in Stage]
    found = {
        relation[0].stage: recommend(Snapshot(), relation, PopularRequest(1, NOON)).fallback for relation in relations
    }
    assert found == {Stage.RELEASE: False, Stage.TEXT: False, Stage.RESOLVED: True, Stage.POPULAR: True}
