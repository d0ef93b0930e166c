"""Read the ingredients that somebody asks for, by the code of search: misspelled, by initials, in Latin letters."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from recommender.search import words
from recommender.search.latin import is_latin
from recommender.search.texts import squeezed, words_of
from recommender.text.ingredients import MIN_RECIPES
from serving.runtime.snapshot import Snapshot


class AskedIngredient(NamedTuple):
    """An ingredient as it was ``written``, the ``text`` that was read instead, and its canonical ``name``.

    ``text`` is what was written where that needed no correction; a synonym needs none. Without ``is_known``, no recipe
    and no product has it, and all three are what was written.
    """

    written: str
    text: str
    name: str
    is_known: bool

    @property
    def did_you_mean(self) -> str | None:
        """What was read instead of what was written, if anything."""
        return None if self.text == self.written else self.text


@dataclass(frozen=True)
class AskedIngredients:
    """Several ingredients in the order in which they were asked for."""

    asked: tuple[AskedIngredient, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Canonical names of those that are known, each once."""
        return tuple(self.given)

    @property
    def given(self) -> dict[str, str]:
        """Canonical name to what it was asked for by, of those that are known; the name itself if it was among them."""
        known = [each for each in self.asked if each.is_known]
        texts = {each.name: each.text for each in reversed(known)}
        exact = {each.text for each in known}
        return {name: name if name in exact else texts[name] for name in dict.fromkeys(each.name for each in known)}

    @property
    def unknown(self) -> tuple[str, ...]:
        """Those that are not known, as they were written, each once."""
        return tuple(dict.fromkeys(each.written for each in self.asked if not each.is_known))

    @property
    def did_you_mean(self) -> str | None:
        """All of them, separated by commas, where something else was read instead of any."""
        if all(each.did_you_mean is None for each in self.asked):
            return None
        return ",".join(each.text for each in self.asked)


def read_ingredients(snapshot: Snapshot, written: Iterable[str]) -> AskedIngredients:
    """Read several ingredients, each by :func:`read_ingredient`."""
    return AskedIngredients(tuple(read_ingredient(snapshot, each) for each in written))


def read_ingredient(snapshot: Snapshot, written: str) -> AskedIngredient:
    """What is meant by an ingredient as somebody wrote it: the first reading of it that a recipe or product has."""
    doubtful: AskedIngredient | None = None
    for text in _readings(snapshot, written):
        name = snapshot.recipes.name_of(text)
        if snapshot.has_ingredient(name):
            asked = AskedIngredient(written, written if _is_same(written, text) else text, name, True)
            if not _is_misspelled(snapshot, text, name):
                return asked
            doubtful = doubtful or asked
    return doubtful or AskedIngredient(written, written, written, False)


def read_dish(snapshot: Snapshot, title: str) -> str:
    """The title of a dish as search reads it; empty where nothing of it is known."""
    reading = snapshot.recipes.index.reading(title, snapshot.knows)
    return "" if reading.doubtful else " ".join(reading.words)


def _is_same(written: str, text: str) -> bool:
    """Whether a text says nothing else than what was written: it is that or a synonym of it."""
    return squeezed(text) == squeezed(written) or text in words.synonyms().get(squeezed(written), ())


def _is_misspelled(snapshot: Snapshot, text: str, name: str) -> bool:
    """Whether a name that hardly any recipe uses, and no title, may be a slip of the pen in a recipe: 양퍄."""
    return snapshot.recipes.count(name) < MIN_RECIPES and not all(map(snapshot.knows, words_of(text)))


def _readings(snapshot: Snapshot, written: str) -> Iterator[str]:
    """What a text may mean, the most likely first: itself, as search reads it, and the name that is spelled like it."""
    yield written
    yield from words.synonyms().get(squeezed(written), ())
    for index in snapshot.indexes:
        reading = index.reading(written, snapshot.knows)
        # Without a word that is not understood, the rest may be something else: oyster of oyster sauce.
        if reading.left_out or any(map(is_latin, reading.words)):
            continue
        read = " ".join(reading.words)
        yield read
        yield from words.synonyms().get(squeezed(read), ())
    if not all(snapshot.knows(word) for word in words_of(written)):
        near = snapshot.recipes.ingredient_names.nearest(written)
        if near:
            yield near
