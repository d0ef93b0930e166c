"""`ukok release`: what the API recommends from."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.console import out, print_json, table_console
from pipelines.cli.errors import fail
from pipelines.cli.maintenance import Apply, print_reports
from pipelines.cli.options import GivenVersion, Version, wall_clock

app = typer.Typer(no_args_is_help=True, help="Build, verify, promote and roll back what the API recommends from.")


@app.command()
def build(
    accept_fewer: Annotated[
        bool, typer.Option("--accept-fewer", help="Accept a catalog that is much smaller than the live release's.")
    ] = False,
) -> None:
    """Build a release from the service database and the newest models, evaluate it, and upload it. It is not live yet.

    Its figures are in releases/VERSION/manifest.json and in the warehouse table release; `ukok release report` shows
    them. With UKOK_JUDGEMENTS_DIR it is evaluated by the graded judgements in that folder.
    """
    from pipelines import tasks
    from pipelines.release.gate import failed_checks

    manifest = tasks.build(wall_clock(), accept_fewer=accept_fewer)
    out.print(manifest.version)
    if not manifest.gate.passed:
        out.print(f"the gate refuses it: {failed_checks(manifest.gate)}", markup=False)


@app.command()
def verify(version: Version = None) -> None:
    """Download a release, check every file against its manifest, open it as the API does and run a query."""
    from pipelines import tasks

    chosen = version or _newest()
    tasks.verify(chosen)
    out.print(f"{chosen} is intact")


@app.command()
def promote(version: Version = None) -> None:
    """Make a release live; running APIs load it within seconds. Refused when the release did not pass its gate."""
    from pipelines import tasks

    chosen = version or _newest()
    tasks.promote(chosen, wall_clock())
    out.print(f"{chosen} is live")


@app.command()
def diff(
    before: GivenVersion,
    after: GivenVersion,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")] = False,
) -> None:
    """Show what differs between two releases: counts, parameters, figures, checks, and the lists that changed most."""
    from pipelines import tasks
    from pipelines.cli.release_diff import print_diff

    found = tasks.diff_releases(before, after)
    if as_json:
        print_json(found)
    else:
        print_diff(found)


@app.command()
def report(
    version: Version = None,
    output: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the page to this file.")] = None,
) -> None:
    """Say how the gate judged a release, and where its report is: one HTML file that needs no network.

    The report has learning curves, maps of the embeddings, figures of each relation and slice beside those of rivals
    and of the live release, lists that changed, the rankers' weights, and what each part of them is worth.

    Example: `ukok release report --output report.html`.
    """
    from artifacts.open import open_store, store_url
    from artifacts.release import read_manifest
    from pipelines.release.gate import failed_checks
    from pipelines.release.report.storage import read_report, report_key
    from recommender.manifest import Manifest

    store, chosen = open_store(), version or _newest()
    page = read_report(store, chosen)
    if output is not None:
        output.write_bytes(page)
    out.print(f"report: {output or f'{store_url()}/{report_key(chosen)}'}", markup=False)
    # The page of a release whose manifest cannot be read any more can still be.
    gate = read_manifest(store, chosen, Manifest).gate
    outcome = "passed the gate" if gate.passed else f"refused by the gate: {failed_checks(gate)}"
    out.print(f"{chosen}: {outcome}", markup=False)


@app.command()
def canary(
    version: Version = None,
    share: Annotated[
        float, typer.Option(min=0.001, max=0.999, help="Share of the visitors; a larger one only adds some.")
    ] = 0.1,
) -> None:
    """Serve a release to a share of the visitors, the others the live one; `ukok release watch` decides between them.

    Running APIs follow within seconds. Refused when the release is damaged or did not pass its gate.
    """
    from pipelines import tasks

    started = tasks.start_canary(version or _newest(), share, wall_clock())
    out.print(f"{started.version} is served to {started.share:.1%} of the visitors, {started.baseline} to the others")


@app.command()
def watch() -> None:
    """Compare the canary with the live release, and promote it, roll it back, or wait.

    Without a canary, a release that was promoted in the last UKOK_CANARY_HOURS is compared with the one before it, and
    rolled back if its click-through fell. Run it every hour. Decisions are in the warehouse table release_watch.
    """
    from pipelines import tasks

    watched = tasks.watch_release(wall_clock())
    nothing = "there is no canary, and no release went live a short time ago"
    out.print(str(watched) if watched else nothing, markup=False)


@app.command()
def rollback() -> None:
    """End the canary, if one runs; else make the previous live release live again."""
    from pipelines import tasks

    done = tasks.rollback(wall_clock())
    outcome = "serves everybody: the canary has ended" if done.ended_canary else "is live"
    out.print(f"{done.version} {outcome}")


@app.command()
def prune(apply: Apply = False) -> None:
    """List the releases, models and datasets that are kept no longer, and delete them with --apply.

    Kept are the newest UKOK_KEEP_RELEASES, the live one, those for rollback, a canary, and what they came from.
    """
    from pipelines import tasks

    reports = tasks.maintenance(wall_clock(), dry_run=not apply, kinds=("releases", "models", "datasets"))
    print_reports(reports, apply=apply)


@app.command("list")
def list_releases() -> None:
    """List the uploaded releases, newest first: who gets it, its contents, its evaluation."""
    from rich.table import Table

    from artifacts.open import open_store
    from pipelines.release import publish
    from pipelines.status.schemas import release_figures

    table, store = Table("version", "served", "recipes", "products", "hit@10", "gate"), open_store()
    problems = list(publish.pointer_problems(store))
    for release in reversed(publish.list_releases(store)):
        live = release.served
        if release.manifest is None:
            table.add_row(release.version, live, "", "", "", "unreadable")
            problems.append(release.problem or "")
            continue
        figures = release_figures(release.manifest)
        table.add_row(
            release.version,
            live,
            f"{figures.recipes:,}",
            f"{figures.products:,}",
            "" if figures.hit_at_10 is None else f"{figures.hit_at_10:.3f}",
            "passed" if figures.gate_passed else f"refused by {', '.join(figures.failed) or 'no check'}",
        )
    table_console().print(table)
    for problem in dict.fromkeys(problems):
        out.print(problem, markup=False)


def _newest() -> str:
    from artifacts.open import open_store
    from artifacts.release import list_releases

    versions = list_releases(open_store())
    if not versions:
        fail("there is no release yet: run `ukok release build`")
    return versions[-1]
