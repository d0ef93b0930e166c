"""Products of the mall as the API keeps them in memory."""

from recommender.product_ref import KOK, ProductRef
from recommender.relations.facts import ProductFacts
from recommender.text.title_words import Kind
from serving.catalog.mall import KokItem


def kok_item(number: int, name: str, facts: ProductFacts | None = None) -> KokItem:
    """Listed food of which nothing is known but its name and ``facts``, by default those of a product ready to eat."""
    ref = ProductRef(KOK, number)
    facts = facts or ProductFacts(ref, name, "", Kind.READY, (), (), 0.0, 0)
    return KokItem(
        ref=ref,
        name=name,
        store="",
        thumbnail=None,
        list_price=None,
        price=None,
        price_kind="unknown",
        discount_rate=0,
        review_count=0,
        review_score=0.0,
        listed=True,
        is_food=True,
        is_ingredient=facts.kind is Kind.INGREDIENT,
        ingredients=facts.ingredients,
        item_id=None,
        facts=facts,
    )
