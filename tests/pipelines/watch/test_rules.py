"""Rules of the watch: what is promoted, what is rolled back, and what is waited for."""

from datetime import UTC, datetime, timedelta

from pipelines.watch.figures import Arm, Visitors
from pipelines.watch.rules import Limits, Outcome, decide

START = datetime(2025, 8, 6, 3, tzinfo=UTC)
LIMITS = Limits(timedelta(hours=24), 1000)


def arm(*groups: Visitors, hours: float = 24, version: str = "new") -> Arm:
    return Arm(version, START, START + timedelta(hours=hours), groups)


def clicking(shown: int, clicked: int, *, hours: float = 24, simpler: int = 0, failed: int = 0) -> Arm:
    """An arm whose visitors were shown one answer each."""
    return arm(
        Visitors(clicked, 1, 1, 0, 0),
        Visitors(simpler, 1, 0, 1, 0),
        Visitors(shown - clicked - simpler, 1, 0, 0, 0),
        Visitors(failed, 0, 0, 0, 1),
        hours=hours,
    )


LIVE = clicking(20_000, 2_000)


def outcome(new: Arm, live: Arm = LIVE, refusals: int = 0, *, is_canary: bool = True) -> Outcome:
    return decide(new, live, refusals, LIMITS, is_canary=is_canary).outcome


def test_an_equal_canary_is_promoted_after_its_hours() -> None:
    assert outcome(clicking(2_000, 200)) is Outcome.PROMOTE
    assert outcome(clicking(2_000, 260)) is Outcome.PROMOTE
    assert outcome(clicking(2_000, 200, hours=23.9)) is Outcome.WAIT
    assert outcome(clicking(2_000, 200), is_canary=False) is Outcome.WAIT, "it is live already"


def test_too_few_answers_of_either_release_are_waited_for() -> None:
    assert outcome(clicking(999, 100)) is Outcome.WAIT
    assert outcome(clicking(2_000, 200), clicking(999, 100)) is Outcome.WAIT
    assert outcome(clicking(150, 0, hours=2)) is Outcome.WAIT
    decision = decide(clicking(999, 100), LIVE, 0, LIMITS, is_canary=True)
    assert "999 of 1,000 independent answers" in decision.reason
    for new, live in ((arm(), LIVE), (LIVE, arm()), (arm(), arm())):
        assert decide(new, live, 0, LIMITS, is_canary=True).p_value is None
        assert outcome(new, live) is Outcome.WAIT


def test_without_any_click_nothing_is_promoted() -> None:
    decision = decide(clicking(1_500, 0), clicking(9_000, 0), 0, LIMITS, is_canary=True)
    assert (decision.outcome, decision.p_value) == (Outcome.WAIT, None)
    assert decision.reason.startswith("no click names an impression after 24.0 h: click-through 0.00% of 1,500")
    assert outcome(clicking(1_500, 0, failed=40), clicking(9_000, 0)) is Outcome.ROLL_BACK


def test_a_worse_click_through_is_rolled_back_at_once() -> None:
    assert outcome(clicking(500, 20, hours=2)) is Outcome.ROLL_BACK
    assert outcome(clicking(500, 20, hours=2), is_canary=False) is Outcome.ROLL_BACK
    assert outcome(clicking(500, 45, hours=2)) is Outcome.WAIT


def test_a_live_release_may_be_a_little_below_other_days() -> None:
    live = clicking(1_000_000, 100_000)
    assert outcome(clicking(200_000, 18_400, hours=9), live) is Outcome.ROLL_BACK
    assert outcome(clicking(200_000, 18_400, hours=9), live, is_canary=False) is Outcome.WAIT
    assert outcome(clicking(200_000, 17_000, hours=9), live, is_canary=False) is Outcome.ROLL_BACK


def test_a_canary_in_doubt_is_neither_promoted_nor_rolled_back() -> None:
    decision = decide(clicking(2_000, 173), LIVE, 0, LIMITS, is_canary=True)
    assert decision.p_value is not None
    assert 0.005 < decision.p_value < 0.05
    assert decision.outcome is Outcome.WAIT


def test_answers_to_one_visitor_count_as_alike() -> None:
    """The same shares, but of few visitors who were shown much: that may be chance."""
    assert outcome(arm(Visitors(60, 1, 1, 0, 0), Visitors(940, 1, 0, 0, 0), hours=9)) is Outcome.ROLL_BACK
    assert outcome(arm(Visitors(1, 60, 60, 0, 0), Visitors(9, 104, 0, 0, 0), hours=9)) is Outcome.WAIT
    for crowd in (1, 2, 20):
        assert outcome(arm(Visitors(crowd, 2_000, 0, 0, 0), Visitors(crowd, 2_000, 400, 0, 0))) is Outcome.WAIT


def test_errors_are_rolled_back_whatever_is_clicked() -> None:
    assert outcome(clicking(0, 0, hours=0.1, failed=3)) is Outcome.ROLL_BACK, "it answers nothing"
    assert outcome(clicking(2_000, 400, failed=40)) is Outcome.ROLL_BACK
    assert outcome(clicking(2_000, 400, failed=1)) is Outcome.PROMOTE
    assert outcome(arm(*clicking(2_000, 400).groups, Visitors(1, 0, 0, 0, 500))) is Outcome.PROMOTE, "one visitor"
    assert outcome(clicking(2_000, 200, failed=4), clicking(20_000, 2_000, failed=40)) is Outcome.PROMOTE


def test_a_release_that_cannot_be_loaded_is_rolled_back() -> None:
    decision = decide(clicking(2_000, 200, hours=1), LIVE, 2, LIMITS, is_canary=True)
    assert (decision.outcome, decision.reason) == (
        Outcome.ROLL_BACK,
        "2 processes of the API could not load it",
    )


def test_more_empty_answers_are_rolled_back_beyond_a_margin() -> None:
    live = clicking(20_000, 2_000, simpler=2_000)
    assert outcome(clicking(2_000, 200, simpler=260), live) is Outcome.PROMOTE
    assert outcome(clicking(2_000, 200, simpler=600, hours=1), live) is Outcome.ROLL_BACK
