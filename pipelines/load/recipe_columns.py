"""Values of a row under the columns of the header, also where a comma or a quote of its texts has moved them.

A reading of a row fits if every column of a fixed form (digits, a date, a word, a list of ingredients) holds that.
Values that a comma without quotes may have torn apart are joined. Where several ways fit, what they agree on is taken.
"""

import re

ID, TITLE, INGREDIENTS, REGISTERED = "RCP_SNO", "RCP_TTL", "CKG_MTRL_CN", "FIRST_REG_DT"
IMAGE = "RCP_IMG_URL"
MAX_SURPLUS = 20  # commas without quotes in one text

_COUNT, _WORD = re.compile(r"[0-9.]*"), re.compile(r"[^\s,]{0,20}")
FORMS = {
    ID: re.compile(r"\s*[0-9]+(?:\.0*)?\s*"),
    "INQ_CNT": _COUNT,
    "RCMM_CNT": _COUNT,
    "SRAP_CNT": _COUNT,
    "CKG_MTH_ACTO_NM": _WORD,
    "CKG_STA_ACTO_NM": _WORD,
    "CKG_MTRL_ACTO_NM": _WORD,
    "CKG_KND_ACTO_NM": _WORD,
    INGREDIENTS: re.compile(r"\s*\[.*", re.DOTALL),
    "CKG_INBUN_NM": _WORD,
    "CKG_DODF_NM": _WORD,
    "CKG_TIME_NM": _WORD,
    REGISTERED: re.compile(r"(?:[0-9]{14})?"),
    IMAGE: re.compile(r"(?:https?://\S*)?"),
}
TEXTS = {TITLE, "CKG_NM", "RGTR_ID", "RGTR_NM", "CKG_IPDC", INGREDIENTS, IMAGE}
"""Columns that may hold a comma."""


def fields_of(columns: list[str], readings: list[list[str]]) -> tuple[dict[str, str], bool]:
    """Return the fields by column name, and whether they are those of the columns.

    Fields on which the readings that fit do not agree are blank, but for the title. If none fits, a row of the right
    width is taken as it is, one that lacks columns at its end too; of any other the missing or surplus column is
    unknown, and an author's name may stand under a column that is kept, so only id, title and ingredients are taken.
    """
    fitting = next((ways for values in readings if (ways := _ways(columns, values))), [])
    if fitting:
        first, *others = fitting
        agreed = {name: value for name, value in first.items() if all(other[name] == value for other in others)}
        return dict.fromkeys(columns, "") | {TITLE: readings[0][columns.index(TITLE)]} | agreed, not others
    values = readings[0]
    fields = dict.fromkeys(columns, "") | dict(zip(columns, values, strict=False))
    if len(values) == len(columns) or fields.get(INGREDIENTS, "").lstrip().startswith("["):
        return fields, True
    ingredients = next((value for value in values[2:] if value.lstrip().startswith("[")), "")
    known = dict.fromkeys(columns, "") | {ID: fields[ID], TITLE: fields[TITLE], INGREDIENTS: ingredients}
    return known, False


def _ways(columns: list[str], values: list[str]) -> list[dict[str, str]]:
    """The fields of each way to read the values that fits: as they are, else with the surplus ones joined."""
    return _joined(columns, values, len(columns)) or (
        _joined(columns, values, len(columns) - 1) if columns[-1] == IMAGE else []
    )


def _joined(columns: list[str], values: list[str], width: int) -> list[dict[str, str]]:
    """The fitting ways to make ``width`` values of them by joining neighbours in one text."""
    surplus = len(values) - width
    if not 0 <= surplus <= MAX_SURPLUS:
        return []
    places = [place for place, name in enumerate(columns[:width]) if name in TEXTS] if surplus else [0]
    ways = []
    for place in places:
        end = place + surplus + 1
        joined = [*values[:place], ",".join(values[place:end]), *values[end:]]
        fields = dict.fromkeys(columns, "") | dict(zip(columns, joined, strict=False))
        if all(form.fullmatch(fields[name]) for name, form in FORMS.items() if name in fields):
            ways.append(fields)
    return ways
