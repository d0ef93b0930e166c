"""Search of products and recipes: documents in, ranked answers out."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recommender.search.documents import Answer, Document
from recommender.search.jamo import sounds
from recommender.search.letters import Letters
from recommender.search.mentions import Mentions
from recommender.search.names import NOWHERE, TRAITS, Names, Occurrences, best_of
from recommender.search.parts import Splitter
from recommender.search.postings import NONE, Grams, Positions, Substrings, postings_of
from recommender.search.query import Query, QueryWord, Spelled, read_query
from recommender.search.reading import Reader, Reading, corrected
from recommender.search.texts import squeezed, words_of
from recommender.search.tokens import Tokens
from recommender.search.weights import FEATURES, Weights
from recommender.text.titles import BRACKETS

_COLUMNS: Final = {name: column for column, name in enumerate(FEATURES)}
# Whether a word is spelled correctly.
Knows = Callable[[str], bool]
Features = NDArray[np.float32]

NO_SYNONYMS: Final[Mapping[str, str]] = MappingProxyType({})
# Weighted share of a query's letter trigrams that a name must contain to be a fuzzy match. Short queries have so few
# that chance has the half of them.
MIN_GRAM_SHARE, MIN_SHORT_GRAM_SHARE = 0.6, 0.85
SHORT: Final = 10
# A word in at least this many documents is spelled correctly.
MIN_FREQUENCY: Final = 2
# A query of at least this many letters is matched fuzzily even if all its words are spelled correctly.
MIN_FUZZY_LENGTH: Final = 6
# Of a recipe's list the first ingredients are what it is made of.
MAIN_INGREDIENTS: Final = 3
# How much the similarity to a synonym counts beside that to the word itself: who types a word sees it first.
SYNONYM_SIMILARITY: Final = 0.8
# Of a word that is looked for in names.
LEAST_LETTERS: Final = 2
# Where names with the key word are fewer, others of the same form are candidates.
FEW: Final = 10
# Share of a query's tokens, weighted, that makes a document a candidate.
MIN_TOKEN_SHARE: Final = 0.5


class SearchIndex:
    """Finds documents by a query and ranks them.

    Documents are given best first and found by their position. ``synonyms`` maps spellings of ingredients to canonical
    names; ``weights`` rank documents of this kind.
    """

    def __init__(
        self, documents: Iterable[Document], weights: Weights, synonyms: Mapping[str, str] = NO_SYNONYMS
    ) -> None:
        rows = list(documents)
        self._weights = weights
        self._size = len(rows)
        self._splitter = Splitter({squeezed(variant): squeezed(name) for variant, name in synonyms.items()})
        names = [corrected(_without_store(row.title, row.store)) for row in rows]
        words = [words_of(name) for name in names]
        self._names = Names(names)
        self._stores = Substrings([f"\t{squeezed(row.store)}\t" if row.store else "" for row in rows])
        self._has_stores = any(row.store for row in rows)
        self._letters = Letters(words)
        self._tokens = Tokens(row.tokens for row in rows)
        self._mentions = Mentions(rows, names, self._splitter)
        self._main = postings_of(map(squeezed, row.ingredients[:1]) for row in rows)
        self._listed = postings_of(map(squeezed, row.ingredients[1:MAIN_INGREDIENTS]) for row in rows)
        self._food = np.array([row.is_food for row in rows], np.bool_)
        self._resolved = np.array([bool(row.ingredients) for row in rows], np.bool_)
        self._raw = np.array([row.is_ingredient for row in rows], np.bool_)
        popularity = np.log1p(np.array([max(row.popularity, 0.0) for row in rows], np.float32))
        self._popularity = popularity / max(float(popularity.max(initial=0.0)), 1.0)
        self._grams = Grams([sounds(squeezed(name)) for name in names], 3)
        self._frequency = Counter(
            chain.from_iterable({*row_words, *row.tokens.split()} for row_words, row in zip(words, rows, strict=True))
        )
        if rows:
            self._reader  # noqa: B018 - made now instead of by the first query

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self._frequency, self._splitter, self._occurs)

    def knows(self, word: str) -> bool:
        """Whether a word is spelled correctly: frequent enough, or the name of an ingredient or dish."""
        return self._frequency[word] >= MIN_FREQUENCY or self._splitter.knows(word)

    def find(self, keyword: str, knows: Knows) -> Answer:
        """The documents that match, best first, without duplicates.

        A word for which ``knows`` is true is never corrected; it may cover more than this index.
        """
        if not self._size:
            return Answer([])
        reading = self._reader.read(keyword, knows)
        query = read_query(reading.words, self._splitter, self._occurs)
        if query is None and keyword.isascii():
            # Every name has a sign such as % or "." somewhere.
            return Answer([])
        if query is None:
            # Signs alone, such as 🍣, are looked for as they are.
            return Answer(self._names.find(squeezed(keyword)).positions.tolist())
        candidates, features = self.candidates(query)
        found = candidates[self._weights.rank(features)]
        stores = self._of_store(query)
        if len(stores):
            found = np.concatenate([found, np.setdiff1d(stores, found)])
        if not len(found) and (reading.doubtful or len(query.phrase) >= MIN_FUZZY_LENGTH):
            found = self._fuzzy(query.phrase)
        return Answer(found.tolist(), reading.did_you_mean if len(found) else None)

    def candidates(self, query: Query) -> tuple[Positions, Features]:
        """Documents that may answer a query, ascending, and their features (n, features)."""
        key = self._occurrences(query.key)
        phrase = self._names.find(query.phrase) if query.phrase != query.key.text else key
        ingredients = query.key.ingredients
        main = self._union(self._main, ingredients)
        mentioned = self._union(self._mentions.ingredients, ingredients)
        tokens = self._tokens.scores(query.tokens)
        found = np.zeros(self._size, np.bool_)
        found[key.positions] = found[phrase.positions] = True
        if not query.forms or len(key.positions) < FEW:
            found[main] = found[mentioned] = True
        if len(key.positions) < FEW:
            found |= (tokens >= MIN_TOKEN_SHARE) | ((self._mentions.forms & query.forms) > 0)
        if query.ingredients or query.forms:
            found &= self._food
        candidates = np.flatnonzero(found).astype(np.int32)
        features = _Features(found, candidates)
        traits = np.zeros(self._size, np.uint8)
        traits[key.positions] = key.traits
        for name, bit in TRAITS.items():
            features.set(f"key_{name}", (traits[candidates] & bit) > 0)
        features.put("key", key.positions, key.level)
        features.put("phrase", phrase.positions, phrase.level)
        for word in query.words:
            if word is not query.key:
                occurrences = self._occurrences(word)
                share = np.float32(word.weight / (query.weight - query.key.weight))
                features.add("others", occurrences.positions, occurrences.level * share)
        features.put("main", main, 1)
        features.put("mentioned", mentioned, 1)
        features.put("listed", self._union(self._listed, ingredients), 1)
        heads = [*ingredients, *(spelled.text for spelled in query.key.spelled)]
        features.put("head", self._union(self._mentions.heads, heads), 1)
        features.set("letters", self._similarity(query, candidates))
        features.set("tokens", tokens[candidates])
        features.set("popularity", self._popularity[candidates])
        features.set("bias", 1)
        self._compare(features, query, candidates)
        return candidates, features.values

    def _compare(self, features: "_Features", query: Query, candidates: Positions) -> None:
        """Set the features that tell whether what candidates are agrees with what is asked for."""
        raw, forms = self._raw[candidates], self._mentions.forms[candidates]
        agrees = features.has("main") | features.has("listed") | features.has("mentioned")
        absent = ~features.has("key") & ~agrees
        features.set("absent", absent)
        if query.key.ingredients:
            other = self._resolved[candidates] & ~features.has("main") & ~features.has("listed")
            features.set("other_made", other)
            features.set("other_raw", other & raw)
            features.set("modifier", other & raw & ~features.has("head"))
        if query.forms:
            same = (forms & query.forms) > 0
            features.set("form", same)
            features.set("other_form", (forms > 0) & ~same)
            features.set("other_dish", ~same & ~features.has("key"))
            return
        if query.is_dish:
            features.set("other_dish", ~features.has("key"))
        if query.key.ingredients:
            features.set("raw", raw)
            features.set("dish", (forms > 0) & ~raw)

    def reading(self, keyword: str, knows: Knows) -> Reading:
        """How the words of a keyword are understood."""
        return self._reader.read(keyword, knows)

    def did_you_mean(self, keyword: str, knows: Knows) -> str | None:
        """What is searched for instead of a keyword, if anything."""
        return self._reader.read(keyword, knows).did_you_mean

    def read(self, keyword: str, knows: Knows) -> Query | None:
        """The query as it is understood; None without a word."""
        return read_query(self._reader.read(keyword, knows).words, self._splitter, self._occurs)

    def _union(self, postings: Mapping[str, Positions], names: Iterable[str]) -> Positions:
        """The documents of any of some names; some may come several times."""
        found = [postings[name] for name in dict.fromkeys(names) if name in postings]
        return np.concatenate(found) if len(found) > 1 else found[0] if found else NONE

    def _similarity(self, query: Query, candidates: Positions) -> NDArray[np.float32]:
        """Cosine of the letters of candidates with those of the query, or less with those of its synonyms."""
        asked = self._letters.cosines(query.texts)[candidates]
        if len(query.texts) > 1 and self._occurs(query.phrase):
            asked = np.maximum(asked, self._letters.cosines([query.phrase])[candidates])
        for texts in query.rewritten(self._occurs):
            asked = np.maximum(asked, np.float32(SYNONYM_SIMILARITY) * self._letters.cosines(texts)[candidates])
        return asked

    def _occurrences(self, word: QueryWord) -> Occurrences:
        """Where the names contain a word or what stands for it; the best of them in each document."""
        found = [(self._spelled(spelled, word.text), spelled.weight) for spelled in word.spelled]
        found = [(each, weight) for each, weight in found if len(each.positions)] or found[:1]
        if len(found) == 1:
            return found[0][0].weighted(found[0][1])
        return best_of([each.weighted(weight) for each, weight in found])

    def _spelled(self, spelled: Spelled, asked: str) -> Occurrences:
        if len(spelled.text) == LEAST_LETTERS and spelled.text != asked:
            return self._names.find_apart(spelled.text, self._splitter.covers)
        return self._in_names(spelled.text)

    def _in_names(self, word: str) -> Occurrences:
        # A single syllable is part of too many other words.
        return self._names.find(word) if len(word) >= LEAST_LETTERS else self._mentions.singles.get(word, NOWHERE)

    def _occurs(self, word: str) -> bool:
        return len(self._in_names(word).positions) > 0

    def _of_store(self, query: Query) -> Positions:
        """Documents of the store that is named by the whole query, or whose name begins with it."""
        if not self._has_stores:
            return NONE
        exactly = self._stores.holding(f"\t{query.phrase}\t")
        return exactly if len(exactly) or query.ingredients else self._stores.holding(f"\t{query.phrase}")

    def _fuzzy(self, piece: str) -> Positions:
        """Documents with most of the letter trigrams of a text, best match first."""
        sound = sounds(piece)
        shares = self._grams.containment(sound)
        matches = np.flatnonzero(shares >= (MIN_GRAM_SHARE if len(sound) >= SHORT else MIN_SHORT_GRAM_SHARE))
        return matches[np.argsort(-shares[matches], kind="stable")].astype(np.int32)


class _Features:
    """Features of candidates, filled column by column. ``found`` marks the candidates among all documents."""

    def __init__(self, found: NDArray[np.bool_], candidates: Positions) -> None:
        self._found = found
        self._rows = np.empty(len(found), np.int32)
        self._rows[candidates] = np.arange(len(candidates), dtype=np.int32)
        self.values = np.zeros((len(candidates), len(FEATURES)), np.float32, order="F")

    def set(self, name: str, values: NDArray[Any] | float) -> None:
        """Set a feature of all candidates."""
        self.values[:, _COLUMNS[name]] = values

    def put(self, name: str, positions: Positions, values: NDArray[Any] | float) -> None:
        """Set a feature of the candidates among some documents."""
        which = self._found[positions]
        rows = self._rows[positions[which]]
        self.values[rows, _COLUMNS[name]] = values if isinstance(values, int | float) else values[which]

    def add(self, name: str, positions: Positions, values: NDArray[np.float32]) -> None:
        """Add to a feature of the candidates among some documents."""
        which = self._found[positions]
        self.values[self._rows[positions[which]], _COLUMNS[name]] += values[which]

    def has(self, name: str) -> NDArray[np.bool_]:
        """Which candidates have a feature."""
        held: NDArray[np.bool_] = self.values[:, _COLUMNS[name]] > 0
        return held


def _without_store(title: str, store: str) -> str:
    """``title`` without brackets that hold nothing but the store."""
    name = squeezed(store)
    if not name:
        return title
    return BRACKETS.sub(lambda found: " " if squeezed(found[0][1:-1]) in name else found[0], title)
