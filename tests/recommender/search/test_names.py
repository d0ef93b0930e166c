"""Where names contain a word."""

from recommender.search.names import ASIDE, ENDS, STARTS, TASTE, USE, WHOLE, Names


def test_an_occurrence_says_how_a_name_contains_a_word() -> None:
    names = Names(
        ["해남 고구마 3kg", "꿀고구마", "고구마말랭이", "젤리(고구마맛)", "죽 (고구마/호박)", "고구마용 칼", "감자"]
    )
    found = names.find("고구마")
    assert found.positions.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.traits.tolist() == [WHOLE, ENDS, STARTS, STARTS | ASIDE | TASTE, WHOLE | ASIDE, STARTS | USE]
    assert found.level.argmax() == 0
    assert found.level.argmin() == 3


def test_blanks_are_ignored_and_the_best_occurrence_counts() -> None:
    names = Names(["호박고구마 김치 찌개 김치", "김치찌개"])
    assert names.find("김치찌개").positions.tolist() == [0, 1]
    assert names.find("김치").traits.tolist() == [WHOLE, STARTS]


def test_a_number_ends_a_word() -> None:
    assert Names(["고구마3kg"]).find("고구마").traits.tolist() == [WHOLE]
    assert len(Names([]).find("고구마").positions) == 0


def test_a_word_is_not_put_together_of_ends_of_others() -> None:
    names = Names(["최초 밥상", "연어 초 밥", "새우초 밥상", "초밥", "모둠초밥 세트"])
    assert names.find("초밥").positions.tolist() == [1, 3, 4]


def test_a_synonym_stands_apart_from_unknown_letters() -> None:
    names = Names(["캐비어 50g", "흑맥비어", "비어 6캔", "생 비어"])
    assert names.find("비어").positions.tolist() == [0, 1, 2, 3]
    assert names.find_apart("비어", {"흑맥"}.__contains__).positions.tolist() == [1, 2, 3]
