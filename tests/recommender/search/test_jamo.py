import pytest

from recommender.search.jamo import initials, keys, letters, sounds, syllables, typed


def test_letters_are_keyboard_letters() -> None:
    assert letters("닭과 A") == "ㄷㅏㄹㄱㄱㅗㅏ A"
    assert letters("가힣ㅋ") == "ㄱㅏㅎㅣㅎㅋ"
    assert initials("감자전 3") == "ㄱㅈㅈ 3"


@pytest.mark.parametrize(
    ("one", "other"),
    [("찌개", "찌게"), ("떡볶이", "떡뽁이"), ("왜", "외"), ("왜", "웨"), ("예", "얘"), ("깻잎", "갯잎")],
)
def test_letters_that_sound_alike_are_one(one: str, other: str) -> None:
    assert sounds(one) == sounds(other)
    assert letters(one) != letters(other)


@pytest.mark.parametrize(
    ("latin", "korean"),
    [("rlacl", "김치"), ("ekfrqhRdmaxkd", "닭볶음탕"), ("ekfrrhk", "닭과"), ("dhkrl", "와기")],
)
def test_keys_of_one_keyboard_are_letters_of_the_other(latin: str, korean: str) -> None:
    assert typed(latin) == korean
    assert keys(typed(latin)) == latin.lower()


def test_letters_are_put_together_to_syllables() -> None:
    assert syllables("ㄷㅏㄹㄱㄱㅗㅏ") == "닭과"
    assert syllables("ㅋㅋ ㅏ") == "ㅋㅋ ㅏ"
