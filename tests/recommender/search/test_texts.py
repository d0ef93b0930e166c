from recommender.search.texts import normal, squeezed, words_of
from recommender.text.titles import plain


def test_text_is_normalised_to_one_form() -> None:
    assert normal("\u1100\u1161Ｂ㎏") == "가bkg"
    assert normal("감ㅈ ㅋㅋ ㄳ") == "감ㅈ ㅋㅋ ㄳ"
    assert squeezed(" 김치  찌개\n") == "김치찌개"
    assert words_of("[김치] 찌개, 김치!") == ["김치", "찌개"]


def test_invisible_characters_are_no_part_of_the_normal_form() -> None:
    assert normal("김\u200b치\ufeff") == normal("김\u00ad치") == plain("김\u2060치") == "김치"
    assert words_of("김\u200b치\u3164찌개") == ["김치", "찌개"]
