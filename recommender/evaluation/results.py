"""Results of an evaluation: what the manifest of a release and the warehouse store.

Fields named ``..._at_k`` are written as ``...@k``.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Result(BaseModel):
    """Base of all results: immutable, and unknown names are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True)


class RankingFigures(Result):
    """Share of cases whose held-out item is in the first 10 or 50, and mean reciprocal rank."""

    hit_at_10: float = Field(alias="hit@10")
    hit_at_50: float = Field(alias="hit@50")
    mrr: float


class HitDifference(Result):
    """Difference in hit@10 with its 95 % interval."""

    hit_at_10: float = Field(alias="hit@10")
    low: float
    high: float


class CompletionEvaluation(Result):
    """Completion of recipes, by method; ``blend_against`` is the blend minus each other method.

    Without cases there are no figures: ``methods`` and ``blend_against`` are empty.
    """

    cases: int
    candidates: int
    methods: dict[str, RankingFigures] = {}
    blend_against: dict[str, HitDifference] = {}


class IndexEvaluation(Result):
    """Share of the exact ten nearest texts that the text index returns."""

    recall_at_10: float = Field(alias="recall@10")


class TitleSearchFigures(Result):
    """Search of a title among the ingredient lists of so many recipes."""

    recipes: int
    recall_at_10: float = Field(alias="recall@10")
    mrr: float


class MeanDifference(Result):
    """Difference of two means over the same cases with its 95 % interval."""

    mean: float
    low: float
    high: float


class EncoderComparison(Result):
    """The encoder against letters in one relation: the mean of a metric by method, on texts that none has learnt from.

    ``uses_encoder``: the encoder, or its sum with letters, is better than letters alone beyond chance.
    """

    metric: str
    cases: int
    methods: dict[str, float] = {}
    against_letters: dict[str, MeanDifference] = {}
    uses_encoder: bool = False


class BertFigures(Result):
    """Figures of an encoder that learnt from all but the test part: title search before and after, and each relation.

    The encoder that is released goes on to learn from everything.
    """

    untrained: TitleSearchFigures
    trained: TitleSearchFigures
    relations: dict[str, EncoderComparison] = {}

    @property
    def uses_encoder(self) -> frozenset[str]:
        """The relations in which the encoder may be used."""
        return frozenset(name for name, comparison in self.relations.items() if comparison.uses_encoder)


class Word2VecFigures(Result):
    """Ingredients with a vector, and recipes in the training part."""

    ingredients: int
    recipes: int


class NextItemFigures(Result):
    """Share of the items that are new to a person that are among the first 20, and nDCG of the first 20."""

    recall_at_20: float = Field(alias="recall@20")
    ndcg_at_20: float = Field(alias="ndcg@20")


class Item2VecFigures(Result):
    """What item2vec learnt from, and how it and simpler rankers find what people take up next, by method.

    ``tested`` people took up something new after the cut in time; without any there are no ``methods``.
    """

    events: int
    people: int
    sessions: int
    items: int
    tested: int
    methods: dict[str, NextItemFigures] = {}


class PersonalFigures(Result):
    """What the personal model learnt from, and how well it finds what people took next.

    ``chosen_on`` people of the slice before the cut its weights were chosen on, ``tested`` people came back after the
    cut, ``learnt_until`` (Unix time). ``repeated``: share of what they took then that they had taken before.
    """

    events: int
    products: int
    chosen_on: int
    tested: int
    learnt_until: float
    repeated: float
    served: NextItemFigures


class ModelFigures(Result):
    """Figures of the models that a release was built from."""

    word2vec: Word2VecFigures
    bert: BertFigures


class Difference(Result):
    """Mean difference of two rankings over so many cases, with its 95 % interval."""

    cases: int
    mean: float
    low: float
    high: float


class RelevanceFigures(Result):
    """Lists against judgements; a query with a good candidate is ``answerable``.

    Over the first five items: nDCG and the share whose first item is of the best grade (``first``) over the answerable
    queries, the share of wrong items over all. ``abstain``: share of the others that get an empty list; ``empty``: that
    of the answerable ones. ``unjudged``: share of the items that nobody has graded. None where there is nothing to
    count.
    """

    queries: int
    answerable: int
    ndcg_at_5: float | None = Field(alias="ndcg@5")
    wrong_at_5: float | None = Field(alias="wrong@5")
    first: float | None
    abstain: float | None
    empty: float | None
    unjudged: float | None


class RankerFigures(Result):
    """Relevance by judgements, each query answered by a ranker that has not learnt from it."""

    cross_validated: dict[str, RelevanceFigures]


class ListFigures(Result):
    """The first ten answers to queries from the whole catalog.

    ``diversity``: distinct items over places, or over all candidates if these are fewer; ``concentration``: share of
    the places that the ten most shown items take. Counted: items that are ``repeated`` in a list, the query's ``own``,
    ``unknown`` to the catalog, with a score that is ``not_finite``. Shares: of ``unsorted`` lists, whose scores rise,
    of lists with ``tied`` scores, of ``false_reasons``, which the catalog contradicts. None without scores or reasons.
    """

    asked: int
    answered: float | None
    diversity: float | None
    concentration: float | None
    repeated: int
    own: int
    unknown: int
    not_finite: int = 0
    unsorted: float | None
    tied: float | None
    false_reasons: float | None


class AgreementFigures(Result):
    """Mean Jaccard similarity of the lists of two releases, over the queries that both answer."""

    queries: int
    jaccard_at_10: float | None = Field(alias="jaccard@10")


class RelationEvaluation(Result):
    """What a relation answers.

    ``basis``: whether people's judgements or a rule decide what is good. ``ahead_of``: nDCG of the release minus that
    of each rival, of its own lists reversed (``reversed``) and of the live release (``live``). ``agreement`` is that
    with the live release.
    """

    basis: Literal["judgements", "rule"]
    served: RelevanceFigures
    rivals: dict[str, RelevanceFigures] = {}
    ahead_of: dict[str, Difference] = {}
    lists: ListFigures | None = None
    agreement: AgreementFigures | None = None


class ServedCompletion(Result):
    """Completion of held-out recipes as the API asks for it, with and without the recipe's title.

    ``ahead_of``: hit@10 with title minus that of ``popularity`` and of the live release (``live``).
    """

    cases: int
    titled: RankingFigures | None = None
    untitled: RankingFigures | None = None
    popularity: RankingFigures | None = None
    ahead_of: dict[str, Difference] = {}


class EncoderEvaluation(Result):
    """The sentence encoder of a release.

    ``understood``: share of titles with a vector; ``cosine``: mean cosine of different titles, 1 if all texts are the
    same to it; ``found``: share of recipe titles, with brackets and pack sizes added, that find their recipe first;
    ``search``: titles among the ingredient lists of recipes spread over the whole catalog; ``index_cosine``: mean
    cosine of a title's vector to its row in the text index.
    """

    titles: int
    understood: float | None
    cosine: float | None
    found: float | None
    search: TitleSearchFigures
    index_cosine: float | None


class VectorEvaluation(Result):
    """The ingredient vectors of a release.

    ``covered``: share of the ingredient lines of recipes whose ingredient has a vector. How far above those of shuffled
    names, in standard deviations: input times output of pairs that share a recipe (``together``), and the cosine of
    pairs of a section of the lexicon (``alike``). ``recipes``: share of recipes that the sum of their ingredients'
    vectors finds, or one with the same ingredients, among the nearest ten.
    """

    ingredients: int
    covered: float | None
    recipes: float | None
    together: float | None
    alike: float | None


class PersonalEvaluation(Result):
    """Products for ``people`` who came back after a cut in time, by what they had taken before it.

    ``served`` is a model like the released one that has not learnt what came after the cut; ``released`` has, and can
    only be better. ``ahead_of``: recall@20 of ``served`` minus that of each rival, and of the released model minus that
    of ``served`` (``held_out``).
    """

    people: int
    served: NextItemFigures
    released: NextItemFigures
    rivals: dict[str, NextItemFigures] = {}
    ahead_of: dict[str, Difference] = {}


class NamingFigures(Result):
    """Share of titles that name one of their ingredients."""

    titles: int
    named: float | None


class ContentEvaluation(Result):
    """Whether the files hold what they should: ``problems`` of arrays and indexes, rows that the catalog lacks
    (``stale``) and rows of the catalog that the release lacks (``missing``), and whether titles name their ingredients.
    """

    files: int
    problems: tuple[str, ...] = ()
    stale: int = 0
    missing: int = 0
    products: NamingFigures
    recipes: NamingFigures


class Evaluation(Result):
    """Everything that was measured of a release; also a row's column in the warehouse, without the manifest.

    ``schema_version`` is raised when a figure is added, removed or measured in another way, and that of the manifest
    with it. Rows of different versions are not compared. ``live`` is the release that it was compared with.
    """

    schema_version: Literal[2] = 2
    completion: CompletionEvaluation
    index: IndexEvaluation
    models: ModelFigures
    content: ContentEvaluation
    relations: dict[str, RelationEvaluation] = {}
    served_completion: ServedCompletion
    encoder: EncoderEvaluation
    vectors: VectorEvaluation
    personal: PersonalEvaluation | None = None
    live: str | None = None


def unmeasured(models: ModelFigures) -> Evaluation:
    """The evaluation of a release that nobody has measured yet."""
    nothing = NamingFigures(titles=0, named=None)
    search = TitleSearchFigures(recipes=0, recall_at_10=0.0, mrr=0.0)
    return Evaluation(
        completion=CompletionEvaluation(cases=0, candidates=0),
        index=IndexEvaluation(recall_at_10=0.0),
        models=models,
        content=ContentEvaluation(files=0, products=nothing, recipes=nothing),
        served_completion=ServedCompletion(cases=0),
        encoder=EncoderEvaluation(titles=0, understood=None, cosine=None, found=None, search=search, index_cosine=None),
        vectors=VectorEvaluation(ingredients=0, covered=None, recipes=None, together=None, alike=None),
    )
