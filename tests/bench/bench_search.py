"""Recall and speed of recipe search on misspelled queries.

``python -m tests.bench.bench_search`` (part of ``make bench``). Names of dishes, from the ends of real titles, are
misspelled by a fixed seed: a vowel that sounds alike, a missing final consonant, a missing syllable, an extra space. A
query is answered if one of the first ten recipes names the dish. Plain substring search and nonsense queries are
measured in the same run. Recipes come from ``UKOK_SHARED_DATA`` (default: ``../shared/data``); figures are written to
``var/bench/search.json``.
"""

import json
import os
import random
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from recommender.search.documents import Document
from recommender.search.index import SearchIndex
from recommender.search.texts import squeezed
from recommender.search.weights import load_weights
from recommender.text.titles import tokens
from tests.conftest import ROOT

QUERIES, MIN_TITLES, FIRST = 400, 3, 10
MIN_ANSWERED, MAX_NONSENSE = 0.9, 0.05
_FIRST, _VOWELS, _CODAS = 0xAC00, 21, 28
_SIMILAR: Final = {1: 5, 5: 1, 3: 7, 7: 3, 10: 15, 15: 10, 11: 10}  # ㅐ ㅔ, ㅒ ㅖ, ㅙ ㅞ, ㅚ, by number of the vowel
Mistake = Callable[[str, random.Random], str]

console = Console()


def main() -> None:
    """Measure, print and write the figures."""
    shared = Path(os.environ.get("UKOK_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not shared.is_dir():
        sys.exit(f"no real data at {shared}: set UKOK_SHARED_DATA to the folder that holds recipes.jsonl")
    with (shared / "recipes.jsonl").open(encoding="utf-8") as lines:
        titles = [str(json.loads(line)["title"]) for line in lines]
    started = time.perf_counter()
    documents = [Document(title, tokens=" ".join(tokens(title))) for title in titles]
    analysed = time.perf_counter()
    index = SearchIndex(documents, load_weights("recipes"))
    figures: dict[str, Any] = {
        "recipes": len(titles),
        "seconds to analyse": analysed - started,
        "seconds to index": time.perf_counter() - analysed,
    }
    dishes = dishes_of(titles)
    for name, mistake in MISTAKES.items():
        figures[name] = measure(index, titles, dishes, mistake)
    figures["nonsense"] = nonsense(index)
    report = ROOT / "var" / "bench" / "search.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(figures, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    table = Table("typed", "queries", "answered", "plain search", "ms, median", "ms, worst of 100")
    for name in MISTAKES:
        found = figures[name]
        shares = (f"{found['answered']:.3f}", f"{found['plain']:.3f}")
        table.add_row(name, str(found["queries"]), *shares, f"{found['median_ms']:.2f}", f"{found['p99_ms']:.2f}")
    console.print(table)
    console.print(
        f"nonsense that finds a recipe: {figures['nonsense']:.3f} (at most {MAX_NONSENSE} expected); "
        f"answered: at least {MIN_ANSWERED} expected; {len(titles)} recipes; written to {report}",
        soft_wrap=True,
    )


def dishes_of(titles: Sequence[str]) -> list[str]:
    """Words of three syllables and more at the end of at least three titles, in a fixed random order."""
    last = Counter(words[-1] for title in titles if (words := title.split()))
    known = sorted(word for word, count in last.items() if count >= MIN_TITLES and len(word) >= 3 and _is_korean(word))
    random.Random(5).shuffle(known)
    return known[:QUERIES]


def measure(index: SearchIndex, titles: Sequence[str], dishes: Sequence[str], mistake: Mistake) -> dict[str, float]:
    """Share of misspelled dishes that are found; dishes that the mistake does not change are left out."""
    rng = random.Random(11)
    texts = [squeezed(title) for title in titles]
    answered = plain = 0
    seconds = []
    typed = [(dish, wrong) for dish in dishes if (wrong := mistake(dish, rng)) != dish or mistake is _unchanged]
    for dish, wrong in typed:
        began = time.perf_counter()
        found = index.find(wrong, index.knows).positions
        seconds.append(time.perf_counter() - began)
        answered += any(dish in texts[position] for position in found[:FIRST])
        plain += any(wrong in title and dish in squeezed(title) for title in titles)
    seconds.sort()
    return {
        "queries": len(typed),
        "answered": answered / len(typed),
        "plain": plain / len(typed),
        "median_ms": seconds[len(seconds) // 2] * 1000,
        "p99_ms": seconds[len(seconds) * 99 // 100] * 1000,
    }


def nonsense(index: SearchIndex) -> float:
    """Share of random letters and syllables that find a recipe."""
    rng = random.Random(13)
    syllables = ["".join(chr(_FIRST + rng.randrange(11172)) for _ in range(rng.randrange(3, 7))) for _ in range(100)]
    letters = ["".join(rng.choice("qwrtzxcvbnm") for _ in range(rng.randrange(5, 10))) for _ in range(100)]
    return sum(bool(index.find(word, index.knows).positions) for word in syllables + letters) / 200


def _is_korean(word: str) -> bool:
    return all("가" <= character <= "힣" for character in unicodedata.normalize("NFC", word))


def _parts(syllable: str) -> tuple[int, int, int]:
    number = ord(syllable) - _FIRST
    return number // (_VOWELS * _CODAS), number // _CODAS % _VOWELS, number % _CODAS


def _syllable(onset: int, vowel: int, coda: int) -> str:
    return chr(_FIRST + (onset * _VOWELS + vowel) * _CODAS + coda)


def _unchanged(word: str, _: random.Random) -> str:
    return word


def _like_vowel(word: str, rng: random.Random) -> str:
    """Replace a vowel by one that sounds alike, if the word has one."""
    places = [place for place, syllable in enumerate(word) if _parts(syllable)[1] in _SIMILAR]
    if not places:
        return word
    place = rng.choice(places)
    onset, vowel, coda = _parts(word[place])
    return word[:place] + _syllable(onset, _SIMILAR[vowel], coda) + word[place + 1 :]


def _missing_coda(word: str, rng: random.Random) -> str:
    places = [place for place, syllable in enumerate(word) if _parts(syllable)[2]]
    if not places:
        return word
    place = rng.choice(places)
    onset, vowel, _ = _parts(word[place])
    return word[:place] + _syllable(onset, vowel, 0) + word[place + 1 :]


def _missing_syllable(word: str, rng: random.Random) -> str:
    """Drop a syllable of a word that keeps three."""
    if len(word) < 4:
        return word
    place = rng.randrange(1, len(word) - 1)
    return word[:place] + word[place + 1 :]


def _split(word: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word))
    return f"{word[:place]} {word[place:]}"


def _split_and_like_vowel(word: str, rng: random.Random) -> str:
    wrong = _like_vowel(word, rng)
    return _split(wrong, rng) if wrong != word else word


MISTAKES: Final[dict[str, Mistake]] = {
    "unchanged": _unchanged,
    "a vowel that sounds alike": _like_vowel,
    "a missing final consonant": _missing_coda,
    "a missing syllable": _missing_syllable,
    "an extra space": _split,
    "an extra space and a vowel": _split_and_like_vowel,
}


if __name__ == "__main__":
    main()
