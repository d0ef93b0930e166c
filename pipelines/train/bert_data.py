"""What the sentence encoder learns from: recipes, food products, and titles with a category."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ValidationError

from recommender.models.recipe_corpus import TRAIN, RecipeCorpus, hash_fraction
from recommender.rankers.bert import ingredient_text
from recommender.relations.facts import ProductFacts
from recommender.text.titles import normalise_title


class CategoryTitle(BaseModel):
    """A product title with its category in some shop; other fields of a line are ignored."""

    title: str
    category: str | None = None

    @cached_property
    def text(self) -> str:
        """The text that the encoder reads, as for a product."""
        return normalise_title(self.title)


@dataclass(frozen=True)
class TrainingData:
    """Recipes, food products and titles with a category."""

    recipes: RecipeCorpus
    products: tuple[ProductFacts, ...] = ()
    titles: tuple[CategoryTitle, ...] = ()

    def train(self) -> "TrainingData":
        """All but the test part."""
        return TrainingData(
            self.recipes.train(),
            tuple(product for product in self.products if not is_tested(product.text)),
            tuple(title for title in self.titles if not is_tested(title.text)),
        )

    def test(self) -> "TrainingData":
        """The part that is used for evaluation only."""
        return TrainingData(
            self.recipes.test(),
            tuple(product for product in self.products if is_tested(product.text)),
            tuple(title for title in self.titles if is_tested(title.text)),
        )

    def product_texts(self) -> list[str]:
        """Titles of products, with and without an ingredient or category."""
        return [*(product.text for product in self.products), *(title.text for title in self.titles)]

    def texts(self) -> list[str]:
        """Every title, and every list of ingredients."""
        return [*self.recipes.titles, *map(ingredient_text, self.recipes.baskets), *self.product_texts()]

    def documents(self) -> Iterator[str]:
        """Each title together with its ingredients, in which word pieces occur together."""
        for title, basket in zip(self.recipes.titles, self.recipes.baskets, strict=True):
            yield f"{title} {ingredient_text(basket)}"
        for product in self.products:
            yield f"{product.text} {ingredient_text(product.ingredients)}"
        yield from (title.text for title in self.titles)


def is_tested(text: str) -> bool:
    """Whether a title belongs to the test part: titles that differ by blanks, packs or brackets fall together."""
    return hash_fraction("title", "".join(text.split())) >= TRAIN


def read_titles(path: Path | None) -> tuple[CategoryTitle, ...]:
    """Titles with a category from a file of JSON lines; none without a file.

    Raises ValueError with the line that is no such title.
    """
    if path is None:
        return ()
    titles = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                title = CategoryTitle.model_validate(json.loads(line))
            except (ValidationError, ValueError) as error:
                raise ValueError(f"{path}, line {number}: no JSON object with a title: {error}") from None
            if title.category and title.text:
                titles.append(title)
    return tuple(titles)
