"""`ukok lineage`: where an answer comes from."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.console import out, print_json

if TYPE_CHECKING:
    from rich.tree import Tree

    from pipelines.lineage import DatasetLink, FileLink, ProductLineage, ReleaseLineage, StepLink


def lineage(
    name: Annotated[str, typer.Argument(help="A product such as kok:1471015 or hmall:2234340850, a release, or live.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")] = False,
) -> None:
    """Show where an answer comes from: release, models, datasets, loads, crawls, raw files and pages.

    Of a product, the newest raw file of each dataset that shows it; of a dataset, the newest file of each source.

    Examples: `ukok lineage kok:1471015`, `ukok lineage live`.
    """
    from pipelines import tasks

    found = tasks.lineage(name)
    if as_json:
        print_json(found)
    else:
        out.print(_tree(found), soft_wrap=True)


def _tree(found: "ProductLineage | ReleaseLineage") -> "Tree":
    from pipelines.lineage import ReleaseLineage

    if isinstance(found, ReleaseLineage):
        return _release(found)
    tree = _node(f"{found.product} {found.name}")
    for file in found.files:
        tree.add(_file(file))
    if found.release:
        tree.add(_release(found.release))
    else:
        tree.add("not in the live release")
    return tree


def _release(release: "ReleaseLineage") -> "Tree":
    live = ", live" if release.is_live else ""
    tree = _node(f"release {release.version}{live}, built {release.built_at:%Y-%m-%d %H:%M} by {release.code_version}")
    _add_runs(tree, release.builds)
    for model in release.models:
        node = tree.add(_node(f"model {model.kind} {model.version}, trained by {model.code_version}"))
        _add_runs(node, model.training)
        for dataset in model.datasets:
            node.add(_dataset(dataset))
    for dataset in release.datasets:
        tree.add(_dataset(dataset))
    return tree


def _dataset(dataset: "DatasetLink") -> "Tree":
    tree = _node(f"dataset {dataset.name} {dataset.version}, from {dataset.raw_files:,} raw files")
    for stem in dataset.newest:
        tree.add(_node(stem))
    return tree


def _file(file: "FileLink") -> "Tree":
    loaded = f", loaded {file.loaded_at:%Y-%m-%d %H:%M}" if file.loaded_at else ""
    tree = _node(f"{file.raw_file}{loaded}")
    _add_runs(tree, file.loads)
    _add_runs(tree, file.crawl)
    tree.add(_node(f"{file.page_url} read {file.observed_at}"))
    return tree


def _add_runs(tree: "Tree", runs: "list[StepLink]") -> None:
    for run in runs:
        tree.add(_node(f"{run.step} {run.run_id} {run.status}"))


def _node(text: str) -> "Tree":
    from rich.text import Text
    from rich.tree import Tree

    return Tree(Text(text))
