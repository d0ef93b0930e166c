"""Word lists of search: synonyms, misspellings, English names, concepts, filler words and the ends of dish names."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def synonyms() -> Mapping[str, tuple[str, ...]]:
    """Word -> the other words of its groups, in the order of the list."""
    found: dict[str, dict[str, None]] = {}
    for line in _lines("synonyms.txt"):
        group = [_squeezed(word) for word in line.split(",")]
        for word in group:
            found.setdefault(word, {}).update(dict.fromkeys(other for other in group if other != word))
    return {word: tuple(others) for word, others in found.items()}


@cache
def misspellings() -> Mapping[str, str]:
    """Misspelled word -> the word that is meant."""
    return {_squeezed(wrong): _squeezed(right) for wrong, right in _pairs("misspellings.txt")}


@cache
def english() -> Mapping[str, str]:
    """Latin name, without blanks and hyphens -> Korean word."""
    return {
        _squeezed(name).replace("-", ""): word.strip()
        for word, names in _pairs("english.txt")
        for name in names.split(",")
    }


@cache
def concepts() -> Mapping[str, tuple[str, ...]]:
    """Word for a need or a wide kind -> the words that goods for it use, itself included."""
    return {
        _squeezed(name): tuple(_squeezed(word) for word in words.split(",")) for name, words in _pairs("concepts.txt")
    }


@cache
def fillers() -> frozenset[str]:
    """Words that say little about what is wanted."""
    return frozenset(word for line in _lines("fillers.txt") for word in line.split())


@cache
def forms() -> Mapping[str, int]:
    """The end of a dish's name -> the number of its line: ends of one line are alike."""
    return {form: number for number, line in enumerate(_lines("forms.txt")) for form in line.split()}


def _pairs(name: str) -> Iterator[tuple[str, str]]:
    for line in _lines(name):
        left, _, right = line.partition("=")
        yield left.strip(), right.strip()


def _lines(name: str) -> list[str]:
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _squeezed(word: str) -> str:
    return "".join(word.split()).casefold()
