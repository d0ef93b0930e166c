"""Texts without characters that nobody sees."""

import sys
import unicodedata

import pytest

from ukok.text import clean, visible


def test_no_format_character_and_no_exotic_blank_stays() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    left = {character for character in visible(every) if unicodedata.category(character) in {"Cf", "Zs", "Zl", "Zp"}}
    assert left == {" "}


@pytest.mark.parametrize("invisible", "\u200b\u200d\u200e\u202e\u061c\ufe0f\ufe0e\U000e0100")
def test_invisible_characters_are_dropped(invisible: str) -> None:
    assert clean(f"양{invisible}파{invisible} 2개") == "양파 2개"


@pytest.mark.parametrize("blank", "\u2003\u2009\u2028\u202f\u0085\u3000")
def test_a_blank_of_any_kind_is_a_plain_one(blank: str) -> None:
    assert clean(f"양파{blank}{blank}2개{blank}") == "양파 2개"


def test_what_is_visible_stays() -> None:
    text = "다진 마늘\U0001f955 ½컵, ガーリック é 味噌"
    assert clean(text) == text
