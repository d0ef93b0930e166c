from recommender.search.texts import normal, squeezed, words_of


def test_text_is_normalised_to_one_form() -> None:
    assert normal("\u1100\u1161Ｂ㎏") == "가bkg"
    assert normal("감ㅈ ㅋㅋ ㄳ") == "감ㅈ ㅋㅋ ㄳ"
    assert squeezed(" 김치  찌개\n") == "김치찌개"
    assert words_of("[김치] 찌개, 김치!") == ["김치", "찌개"]
