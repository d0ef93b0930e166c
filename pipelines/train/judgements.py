"""Judged relevance: graded candidates of queries, a file of tab-separated lines for each relation."""

from pathlib import Path


def read_judgements(path: Path) -> dict[str, dict[str, int]]:
    """Grades of the candidates of each query; none if there is no such file.

    A line is `query<TAB>candidate<TAB>grade`; raises ValueError for any other.
    """
    judgements: dict[str, dict[str, int]] = {}
    if not path.is_file():
        return judgements
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        parts = line.split("\t")
        if len(parts) != 3 or parts[2] not in {"0", "1", "2"}:
            raise ValueError(f"{path}, line {number}: {line!r} is not query, candidate and a grade from 0 to 2")
        judgements.setdefault(parts[0], {})[parts[1]] = int(parts[2])
    return judgements
