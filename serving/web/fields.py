"""Fields that bodies of several services share.

Their examples belong together: a mall product and a broadcast product that are potatoes, and a recipe for them.
"""

from datetime import date
from typing import Annotated

from pydantic import Field

ListPrice = Annotated[int, Field(description="Won, struck out; where unknown the price to pay", examples=[12000])]
Price = Annotated[int, Field(description="Won to pay, 0 when unknown", examples=[9000])]
PriceKind = Annotated[str, Field(description="`amount`, `consult` or `unknown`: why a price is 0", examples=["amount"])]
PriceCut = Annotated[int, Field(description="Percent between the two prices", examples=[25])]

MallId = Annotated[int, Field(description="The mall's own id", examples=[10048215])]
MallName = Annotated[str, Field(description="Without the store", examples=["햇감자 3kg"])]
MallStore = Annotated[str, Field(examples=["산지마을"])]
MallImage = Annotated[str, Field(examples=["https://img.example.com/10048215.jpg"])]
MallRate = Annotated[int, Field(description="Percent off, as the mall lists it", examples=[25])]

LiveId = Annotated[
    int, Field(description="A product in a show; stays the same when schedules are read again", examples=[7])
]
LiveDate = Annotated[date, Field(description="Day of the start in Korea", examples=["2025-08-06"])]
LiveStart = Annotated[str, Field(examples=["22:40:00"])]
LiveEnd = Annotated[str, Field(description="Of the next day where it is not after the start", examples=["23:50:00"])]
BroadcastId = Annotated[int, Field(description="The broadcaster's own id", examples=[2234340850])]
BroadcastName = Annotated[str, Field(examples=["강원 수미감자 5kg"])]
BroadcastStore = Annotated[str, Field(description="null where the broadcaster names none", examples=["평창농원"])]
BroadcastImage = Annotated[str, Field(examples=["https://img.example.com/7.jpg"])]

RecipeId = Annotated[int, Field(description="The recipe site's own id", examples=[9001])]
RecipeTitle = Annotated[str, Field(examples=["포슬포슬 감자조림"])]
Dish = Annotated[str, Field(description="The dish", examples=["감자조림"])]
Introduction = Annotated[str, Field(description="In the cook's words", examples=["짭조름한 밥반찬"])]
ScrapCount = Annotated[int, Field(description="How often it was saved on the recipe site", examples=[120])]
Servings = Annotated[str, Field(examples=["2인분"])]
RecipeImage = Annotated[str, Field(examples=["https://img.example.com/9001.jpg"])]
RecipeAddress = Annotated[str, Field(examples=["https://www.10000recipe.com/recipe/9001"])]
MaterialName = Annotated[str, Field(description="As the recipe writes it", examples=["감자"])]
IngredientNames = Annotated[list[str], Field(examples=[["감자", "양파", "간장"]])]

ReleaseVersion = Annotated[
    str, Field(description="Release in service when this was answered", examples=["20250806T030000Z-3f2a9c01d7"])
]
UserId = Annotated[int, Field(examples=[7])]
DidYouMean = Annotated[
    str | None,
    Field(
        description="What was searched for instead of the keyword: its misspellings corrected, its initials or Latin "
        "letters read as Korean; null where nothing was changed or found",
        examples=[None],
    ),
]
UnknownIngredients = Annotated[
    list[str],
    Field(description="Given names that no recipe or product has; they are left out", examples=[["감쟈칩"]]),
]
PageNumber = Annotated[int, Field(description="As asked for", examples=[1])]
