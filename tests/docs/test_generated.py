"""The generated documents in the tree are those that the code gives."""

import pytest

from docs.generate import DOCS, DOCUMENTS


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_generated_document_is_up_to_date(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    assert text == DOCUMENTS[name](), f"docs/{name} is stale: run `make docs`"
