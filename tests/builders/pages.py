"""What every HTML report has to be."""

import xml.etree.ElementTree as ET


def self_contained(page: str) -> ET.Element:
    """The document of a page that is well-formed and asks for nothing outside it, with plots that are described."""
    document = ET.fromstring(page)  # noqa: S314 (our own page)
    ids = [element.attrib["id"] for element in document.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    for element in document.iter():
        name = element.tag.rpartition("}")[2]
        assert name not in {"script", "link", "img", "iframe", "object", "base", "form"}
        assert not {attribute for attribute in element.attrib if attribute.startswith("on") or attribute == "src"}
        references = (value for key, value in element.attrib.items() if key.endswith("href") and name != "a")
        assert all(reference.startswith("#") for reference in references)
    assert "@import" not in page
    assert "url(http" not in page
    assert "#00000" not in page.partition("</style>")[2]  # every colour is one of the page
    for svg in document.iter("{http://www.w3.org/2000/svg}svg"):
        title, described = list(svg)[:2]
        assert svg.attrib["aria-labelledby"].split() == [title.attrib["id"], described.attrib["id"]]
        assert title.text
        assert described.text
    return document
