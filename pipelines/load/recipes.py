"""Load recipes: from the official CSV into the raw zone, and from there into the service database."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, String, Table, Text, bindparam, delete, func, insert, or_, select

from artifacts.raw import RawRun, RunReport, instant_of, list_runs, new_run_id, read_items, write_run
from artifacts.store import Store
from pipelines.load.crawl_batch import CrawlBatch, Target, load_pending
from pipelines.load.ledger import increment_version, lock_service, table_of
from pipelines.load.products import resolve_titles
from pipelines.load.recipe_csv import NotARecipeFile, Recipe, RecipeFile, Rejected
from pipelines.load.row_counts import RowCounts
from pipelines.report import Report, record
from recommender.text.cleaning import fit
from recommender.text.ingredient_lines import ingredient_lines
from recommender.text.ingredients import canonical_name
from recommender.text.titles import tokens
from sql.service import catalog
from sql.service import recipes as model
from sql.upsert import Counts, upsert
from ukok.korea import KST

SOURCE = DATASET = "recipes"
CHUNK = 500

RECIPE, LINE = table_of(model.Recipe), table_of(model.RecipeIngredient)
INGREDIENT, SYNONYM = table_of(model.Ingredient), table_of(model.IngredientSynonym)
DOCUMENT, LEDGER = table_of(catalog.SearchDocument), table_of(catalog.LoadedFile)


def import_recipes(service: Engine, warehouse: Engine, store: Store, path: Path, now: datetime) -> list[Report]:
    """Write the CSV at ``path`` to the raw zone, load all recipe files missing in the ledger, resolve product titles.

    ``now`` names the raw file. Rows without an id or a readable title are written to the rejects. Raises
    :class:`NotARecipeFile`.
    """
    with record(warehouse, store, "import_recipes") as report:
        doubts = _write_raw(store, path, now, report)
        row_counts = RowCounts()
        apply = partial(_apply, store, row_counts, doubts)
        target = Target(service, LEDGER, partial(lock_service, datasets=[DATASET]), apply)
        load_pending(target, store, SOURCE, [DATASET])
        report.details["doubts"] = {doubt: count for doubt, count in doubts.items() if count}
        report.written, report.unchanged = row_counts.written, row_counts.unchanged(RECIPE)
        report.details["rows"] = row_counts.details()
    return [report, resolve_titles(service, warehouse, store)]


def _write_raw(store: Store, path: Path, now: datetime, report: Report) -> Counter[str]:
    """Write the rows of a file to the raw zone; return how many of them are in doubt, by reason."""
    file = RecipeFile(path)
    # The last import wins, even if an earlier one was given a later ``now``.
    now = max([now, *(instant_of(run) + timedelta(microseconds=1) for run in list_runs(store, SOURCE, DATASET))])
    run = RawRun(new_run_id(now), SOURCE, DATASET, now.astimezone(KST).date())
    raw_report = RunReport(run_id=run.run_id, source=SOURCE, dataset=DATASET, day=run.day, items=0)
    write_run(store, run, _accepted(file, report), raw_report)
    report.details |= {
        "file": os.fsencode(path.name).decode(errors="replace"),
        "encodings": dict(file.encodings),
    }
    return file.notes


def _accepted(file: RecipeFile, report: Report) -> Iterator[dict[str, Any]]:
    accepted = 0
    for row in file:
        report.read += 1
        if isinstance(row, Rejected):
            item = {"recipe_id": row.recipe_id, "title": row.title, "line": row.line}
            report.reject(item, row.reason, f"line {row.line} of {file.path.name}")
        else:
            accepted += 1
            yield row.model_dump(mode="json")
    if not accepted:
        raise NotARecipeFile(f"{file.path} holds no row with an id and a title ({report.read} rows read)")


def _apply(store: Store, row_counts: RowCounts, doubts: Counter[str], conn: Connection, batch: CrawlBatch) -> None:
    loader = _Loader(conn)
    for run in batch.runs:
        items = read_items(store, run)
        while recipes := [Recipe.model_validate(item) for item in islice(items, CHUNK)]:
            loader.load(recipes)
    doubts["damaged rows, in whose place the stored ones were kept"] += loader.kept
    if loader.row_counts.written:
        increment_version(conn, DATASET)
    row_counts += loader.row_counts


class _Loader:
    """Writes recipes in chunks; caches the ids of ingredients.

    ``kept`` counts the stored recipes that a damaged row did not replace.
    """

    def __init__(self, conn: Connection) -> None:
        self.row_counts = RowCounts()
        self.kept = 0
        self._conn = conn
        self._ingredient_ids: dict[str, int] = dict(
            conn.execute(select(INGREDIENT.c.name, INGREDIENT.c.ingredient_id)).all()
        )
        self._variants: set[str] = set()

    def load(self, recipes: Sequence[Recipe]) -> None:
        """Write recipes of different ids with their ingredient lines and search tokens.

        A recipe with characters that could not be decoded does not replace one without.
        """
        intact = self._intact({recipe.recipe_id for recipe in recipes if recipe.is_damaged})
        self.kept += len(intact)
        recipes = [recipe for recipe in recipes if recipe.recipe_id not in intact]
        self._upsert(RECIPE, [_recipe_row(recipe) for recipe in recipes])
        rows = [row for recipe in recipes for row in _line_rows(recipe)]
        names = {row["name"]: canonical_name(row["name"]) for row in rows}
        self._write_ingredients(names)
        for row in rows:
            name = names[row["name"]]
            row["ingredient_id"] = self._ingredient_ids[name] if name else None
        self._upsert(LINE, rows)
        self._delete_surplus_lines(recipes, rows)
        self._upsert(DOCUMENT, [_document(recipe) for recipe in recipes])

    def _intact(self, recipe_ids: set[int]) -> set[int]:
        """Those of the stored recipes without a character that could not be decoded."""
        if not recipe_ids:
            return set()
        intact = set(self._conn.scalars(select(RECIPE.c.recipe_id).where(RECIPE.c.recipe_id.in_(recipe_ids))))
        for table in (RECIPE, LINE):
            texts = [column for column in table.columns if isinstance(column.type, String | Text)]
            undecoded = or_(*(column.contains("\ufffd") for column in texts))
            found = select(table.c.recipe_id).where(table.c.recipe_id.in_(recipe_ids), undecoded)
            intact -= set(self._conn.scalars(found))
        return intact

    def _upsert(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        keys = set(table.primary_key.columns.keys())
        columns = [column.name for column in table.columns if column.name not in keys]
        self.row_counts.add(table, upsert(self._conn, table, rows, update_columns=columns))

    def _write_ingredients(self, names: dict[str, str | None]) -> None:
        """Write new ingredients, and spellings that differ from the canonical name."""
        new = sorted({name for name in names.values() if name} - self._ingredient_ids.keys())
        if new:
            self._conn.execute(insert(INGREDIENT), [{"name": name} for name in new])
            found = self._conn.execute(
                select(INGREDIENT.c.name, INGREDIENT.c.ingredient_id).where(INGREDIENT.c.name.in_(new))
            )
            self._ingredient_ids |= dict(found.all())
            self.row_counts.add(INGREDIENT, Counts(inserted=len(new)))
        fresh = {variant: name for variant, name in names.items() if variant not in self._variants}
        self._variants |= fresh.keys()
        spellings = [
            {"variant": variant, "ingredient_id": self._ingredient_ids[name]}
            for variant, name in fresh.items()
            if name and name != variant
        ]
        self._upsert(SYNONYM, spellings)
        other = [variant for variant, name in fresh.items() if not name or name == variant]
        gone = self._conn.execute(delete(SYNONYM).where(SYNONYM.c.variant.in_(other)))
        self.row_counts.add(SYNONYM, Counts(), deleted=gone.rowcount)

    def _delete_surplus_lines(self, recipes: Sequence[Recipe], rows: Sequence[dict[str, Any]]) -> None:
        """Delete stored lines beyond the end of the current ingredient lists."""
        length = {recipe.recipe_id: 0 for recipe in recipes}
        for row in rows:
            length[row["recipe_id"]] += 1
        stored = self._conn.execute(
            select(LINE.c.recipe_id, func.max(LINE.c.position))
            .where(LINE.c.recipe_id.in_(list(length)))
            .group_by(LINE.c.recipe_id)
        )
        longer = [{"id": number, "length": length[number]} for number, last in stored if last >= length[number]]
        if longer:
            statement = delete(LINE).where(LINE.c.recipe_id == bindparam("id"), LINE.c.position >= bindparam("length"))
            gone = self._conn.execute(statement, longer)
            self.row_counts.add(LINE, Counts(), deleted=gone.rowcount)


def _recipe_row(recipe: Recipe) -> dict[str, Any]:
    lengths = {column.name: getattr(column.type, "length", None) for column in RECIPE.columns}
    values = recipe.model_dump(exclude={"ingredients"})
    return {name: fit(value, lengths[name]) if isinstance(value, str) else value for name, value in values.items()}


def _line_rows(recipe: Recipe) -> Iterator[dict[str, Any]]:
    for position, line in enumerate(ingredient_lines(recipe.ingredients)):
        yield {
            "recipe_id": recipe.recipe_id,
            "position": position,
            "section": fit(line.section, 100),
            "name": fit(line.name, 255),
            "amount": fit(line.amount, 255),
            "unit": fit(line.unit, 100),
            "note": line.note,
        }


def _document(recipe: Recipe) -> dict[str, Any]:
    words = tokens(f"{recipe.title} {recipe.dish or ''}")
    return {"source": SOURCE, "document_id": recipe.recipe_id, "tokens": " ".join(dict.fromkeys(words))}
