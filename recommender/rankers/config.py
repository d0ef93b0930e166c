"""Parameters of the rankers, and weights of the blend. The manifest of a release stores them."""

from pydantic import BaseModel, ConfigDict


class RankerConfig(BaseModel):
    """Base of every ranker's parameters: immutable, and unknown names are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TitleFeaturesConfig(RankerConfig):
    """Character n-grams of titles: up to `max_length` letters, in at least `min_titles` titles."""

    max_length: int = 4
    min_titles: int = 2
    max_features: int = 4000


class EaseConfig(RankerConfig):
    """EASE on ingredients: its ridge `penalty`."""

    penalty: float = 20.0


class TitleEaseConfig(RankerConfig):
    """EASE on ingredients and title: title features count `title_scale` times."""

    penalty: float = 10.0
    title_scale: float = 2.0


class NearestConfig(RankerConfig):
    """Nearest recipes: the title has `title_weight` of the similarity, the ingredients the rest."""

    title_weight: float = 0.6
    neighbours: int = 50


class BlendConfig(RankerConfig):
    """The rankers of a blend; how many items of a case it compares; how many cases its weights are fitted on."""

    title_features: TitleFeaturesConfig = TitleFeaturesConfig()
    ease: EaseConfig = EaseConfig()
    title_ease: TitleEaseConfig = TitleEaseConfig()
    nearest: NearestConfig = NearestConfig()
    compared: int = 100
    max_weight_cases: int = 6000


class RankerWeight(RankerConfig):
    """Weights of a ranker's `standardised` scores and of their `logarithm`: some scores are like probabilities."""

    standardised: float = 0.0
    logarithm: float = 0.0


class RankerWeights(RankerConfig):
    """Weights of each ranker of a blend."""

    item_knn: RankerWeight = RankerWeight()
    ease: RankerWeight = RankerWeight()
    word2vec: RankerWeight = RankerWeight()
    nearest: RankerWeight = RankerWeight()
    title_ease: RankerWeight = RankerWeight()
    popularity: RankerWeight = RankerWeight()
    named: RankerWeight = RankerWeight()

    def by_name(self) -> dict[str, RankerWeight]:
        """The weights by ranker name."""
        return {name: getattr(self, name) for name in RankerWeights.model_fields}


class BlendWeights(RankerConfig):
    """Weights for cases with and without a title."""

    titled: RankerWeights
    untitled: RankerWeights
