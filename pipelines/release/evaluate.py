"""The second half of a build: measure the files that were written, let the gate decide, and upload them."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import structlog

from artifacts import release as releases
from artifacts.errors import StoreError
from artifacts.release import MANIFEST, CorruptRelease
from artifacts.store import Store
from pipelines.release.asks import AskedRelease
from pipelines.release.gate import check_gate, refuse_unreadable
from pipelines.release.measure import HeldOutModels, measure
from pipelines.release.questions import Questions, prepare
from pipelines.release.report.content import ReleaseReport, Training, collect
from pipelines.release.report.storage import report_key
from pipelines.release.steps import step
from pipelines.release.thresholds import read_thresholds
from recommender.evaluation.catalog import Catalog
from recommender.evaluation.judgements import read_judgements
from recommender.loaded_release import LoadedRelease
from recommender.manifest import Manifest

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class GateOptions:
    """What a release is judged by, and what a person accepts.

    ``judgements``: folder of graded judgements; without one, rules of each relation judge. ``purchases``: file of
    purchases that products for users are judged by, beside events. ``allow_unjudged``: names of
    checks that may be without cases. ``accept_fewer``: the catalog may be much smaller than that of the live release.
    """

    judgements: Path | None = None
    purchases: Path | None = None
    allow_unjudged: frozenset[str] = frozenset()
    accept_fewer: bool = False


DEFAULT_OPTIONS: Final = GateOptions()


def ask_about(catalog: Catalog, options: GateOptions) -> Questions:
    """The questions to a release of ``catalog``, with the judgements that the options name."""
    return prepare(catalog, read_judgements(options.judgements) if options.judgements else {})


def evaluate_and_upload(
    store: Store,
    folder: Path,
    draft: Manifest,
    questions: Questions,
    options: GateOptions,
    held_out: HeldOutModels,
    training: Training = MappingProxyType({}),
) -> Manifest:
    """Evaluate the files in ``folder``, which bears the version's name, and upload them with the finished manifest.

    ``held_out`` are models like the released ones that have not learnt from the test part of the recipes. The release
    is opened with the manifest that it gets, so ``draft`` is written into the folder first. The report is uploaded
    before the manifest, so that every release has one; ``training`` is what it shows of the models.
    """
    from pipelines.release.report.page import render

    (folder / MANIFEST).write_text(draft.model_dump_json(indent=2), encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="ukok-live-") as scratch:
        synonyms, opened_live = questions.catalog.synonyms, _open_live(store, Path(scratch))
        live = AskedRelease.of(opened_live, synonyms) if opened_live else None
        try:
            release = AskedRelease.of(LoadedRelease.open(folder), synonyms)
        except CorruptRelease as error:
            manifest = draft.model_copy(update={"gate": refuse_unreadable(error)})
            page = render(ReleaseReport(manifest, training, None))
        else:
            manifest = evaluate(folder, release, questions, live, options, held_out)
            with step("write the report"):
                page = render(collect(manifest, release, questions, live, held_out, training))
    with step("upload the files"):
        store.put(report_key(manifest.version), page.encode())
        releases.publish(store, folder, manifest)
    return manifest


def evaluate(
    folder: Path,
    release: AskedRelease,
    questions: Questions,
    live: AskedRelease | None,
    options: GateOptions,
    held_out: HeldOutModels,
) -> Manifest:
    """The manifest with the evaluation of the open ``release`` in ``folder`` and what the gate makes of it."""
    evaluation = measure(folder, release, questions, live, held_out)
    draft = release.release.manifest.model_copy(update={"evaluation": evaluation})
    gate = check_gate(
        draft,
        live.release.manifest if live else None,
        read_thresholds(),
        allow_unjudged=options.allow_unjudged,
        accept_fewer=options.accept_fewer,
    )
    return draft.model_copy(update={"gate": gate})


def _open_live(store: Store, cache: Path) -> LoadedRelease | None:
    """The live release; None without one, or if it cannot be read."""
    live = releases.current(store)
    try:
        return LoadedRelease.open(releases.fetch(store, live, cache)) if live else None
    except StoreError as error:
        log.warning("live_release_not_compared", version=live, reason=str(error))
        return None
