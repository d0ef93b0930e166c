"""Steps that change labels: each writes the table, then has the titles resolved again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TextIO

from sqlalchemy import Engine

from artifacts.store import Store
from pipelines.errors import PipelineError
from pipelines.labels.label import ProductLabel, parse_label
from pipelines.labels.label_file import RejectedLine, read_labels_file, write_labels_file
from pipelines.labels.table import ProductTitle, older_labels, read_labels, read_titles, remove_labels, write_labels
from pipelines.load.ledger import lock_service
from pipelines.load.products import resolve_titles
from pipelines.report import Report, record
from recommender.product_ref import ProductRef, item_name

DATASETS = ("kok", "schedule")


class UnknownProduct(PipelineError):
    """The catalog has no such product; the message names it."""


def label_title(
    service: Engine, warehouse: Engine, store: Store, ref: ProductRef, said: Mapping[str, object]
) -> list[Report]:
    """Label the present title of a product; ``said`` are the other fields of a label.

    Raises :class:`UnknownProduct` and :class:`~pipelines.labels.label.InvalidLabel`.
    """
    with record(warehouse, store, "label_title") as report:
        report.read = 1
        with service.connect() as conn:
            titles = read_titles(conn, [ref])
        if ref not in titles:
            raise UnknownProduct(f"the service database has no product {item_name(ref)}")
        named = {"source": ref.source, "product_id": ref.product_id, "title": titles[ref].title}
        _write(service, [parse_label({**said, **named})], report)
    return [report, resolve_titles(service, warehouse, store)]


def import_labels(
    service: Engine, warehouse: Engine, store: Store, path: Path, labelled_by: str, now: datetime
) -> list[Report]:
    """Write the labels of a CSV file; invalid lines are rejected.

    Raises :class:`~pipelines.labels.label_file.NotALabelFile`.
    """
    with record(warehouse, store, "import_title_labels") as report:
        labels = []
        for row in read_labels_file(path, labelled_by, now):
            report.read += 1
            if isinstance(row, RejectedLine):
                report.reject(row.fields, row.reason, row.detail)
            else:
                labels.append(row)
        _write(service, labels, report)
    return [report, resolve_titles(service, warehouse, store)]


def remove_product_labels(service: Engine, warehouse: Engine, store: Store, refs: Sequence[ProductRef]) -> list[Report]:
    """Delete the labels of products; raises :class:`UnknownProduct` if one has none."""
    with record(warehouse, store, "remove_title_labels") as report:
        report.read = len(refs)
        with service.begin() as conn:
            lock_service(conn, DATASETS)
            labelled = read_labels(conn, refs)
            missing = [item_name(ref) for ref in refs if ref not in labelled]
            if missing:
                raise UnknownProduct(f"no label of {', '.join(missing)}: `ukok titles export` lists all")
            report.written = remove_labels(conn, refs)
    return [report, resolve_titles(service, warehouse, store)]


def export_labels(service: Engine, file: TextIO) -> int:
    """Write all labels as CSV, each with its state; return how many there are."""
    with service.connect() as conn:
        labels = read_labels(conn)
        titles = read_titles(conn, labels)
    return write_labels_file(file, [(label, label.state(_title(titles, ref))) for ref, label in labels.items()])


def _write(service: Engine, labels: Sequence[ProductLabel], report: Report) -> None:
    with service.begin() as conn:
        lock_service(conn, DATASETS)
        older = older_labels(conn, labels)
        counts = write_labels(conn, [label for label in labels if label not in older])
        titles = read_titles(conn, [label.ref for label in labels])
    for label in older:
        detail = f"{item_name(label.ref)}: the stored label is newer than {label.labelled_at.isoformat()}"
        report.reject(label.model_dump(mode="json"), "older than the stored label", detail)
    report.written, report.unchanged = counts.written, counts.unchanged
    if early := sum(label.ref not in titles for label in labels):
        report.details["doubts"] = {"labels of products that are not loaded": early}


def _title(titles: Mapping[ProductRef, ProductTitle], ref: ProductRef) -> str | None:
    return titles[ref].title if ref in titles else None
