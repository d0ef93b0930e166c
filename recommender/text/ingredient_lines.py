"""The ingredient list of a recipe, cut into lines of name, amount, unit and note.

``[재료] … [양념] …`` are sections, items are split on ``|``. Inside an item the newer files split name, amount,
unit and note by BEL; the older ones run them together (``어묵 2개``, ``설탕1/2큰술``, ``소금 약간``). What is neither
name nor amount goes to the note, so that a name holds no amount and no lone unit.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from recommender.text import lexicon
from recommender.text.amounts import DECIMAL, VAGUE, FoundAmount, find_amounts, plain_amounts
from recommender.text.cleaning import LONGEST_TEXT
from recommender.text.units import SPELLINGS, find_unit, unit_pattern
from ukok.text import clean, visible

BEL = "\x07"
LONGEST_ITEM: Final = 1000  # characters that are read; the others go to the note

_HEADING: Final = re.compile(rf"(?<![^\s|])\[{BEL}?([^\[\]{BEL}]{{0,40}})\]")
_HEADED: Final = re.compile(rf"{_HEADING.pattern}(?P<after>[^|\[]*)")
# Brackets of any kind around a remark, as in 감자 {2개}.
_BRACKETS: Final = re.compile(r"[\[{<‹《〈「『【〔]([^\[\]{}<>‹›《》〈〉「」『』【】〔〕|]{0,40})[\]}>›》〉」』】〕]")
_LINE_BREAK: Final = re.compile(r"<br\s*/?>", re.IGNORECASE)
_PARENTHESES: Final = re.compile(r"\(([^()]*)\)")
_LETTER: Final = re.compile(r"[^\W\d_]")
_CIRCLED: Final = re.compile("[\u2460-\u2473\u2776-\u277f]")
_EDGES: Final = " .,~?!:;*+/=&-_·\u318d\u00d7•●○■□▶▷☆★♥※✔✓…→"
# Words around an amount that are no part of the name.
_ABOUT: Final = frozenset(
    ("약", "총", "각", "각각", "대략", "정도", "가량", "쯤", "내외", "씩", "이상", "이하", "기준", "분량")
)
_LAST_WORD: Final = re.compile(r"(?P<name>.*[^\s/.,~:?\-])[\s/.,~:?\-]+(?P<word>[^\s/.,~:?\-]+)", re.DOTALL)
_SPACED: Final = re.compile(rf"(?P<name>.*\S)\s+(?P<word>{unit_pattern(s for s in SPELLINGS if '_' in s)})", re.DOTALL)
_OF_FIXED_SIZE: Final = ("gram", "millilitre")
_GLUED: Final = re.compile(
    rf"(?P<name>.*[가-힣)])(?P<word>{unit_pattern(s for s in SPELLINGS if re.fullmatch('[A-Za-z]+', s))}|"
    rf"{unit_pattern(s for s, unit in SPELLINGS.items() if unit.alone and unit.sort in _OF_FIXED_SIZE)})",
    re.DOTALL,
)
# Numbers in names: 2배식초 and 7분도미 begin with one, 카카오 99% 초콜릿 holds one that describes the next word, and
# 비타민B1 is a code.
_SAYS_WHAT: Final = re.compile(
    r"(?:(?:^|(?<=[ (:>]))\d[\d.,~+]{0,9}[가-힣]{1,9}|(?<![\d.,~+])\d[\d.,~+]{0,9}%)"
    rf"\s+(?!(?:{'|'.join(sorted(_ABOUT))})(?![가-힣]))\S{{0,30}}[A-Za-z가-힣]"
)
_BEGINS: Final = re.compile(r"\d[\d.,~+]*(?:\s?%\s?)?(?=[^\W\d_])")
# How something is cut, from behind the length to the name: 2cm 두께로 썬 감자.
_MANNER: Final = re.compile(
    r"\s?(?:두께|크기|길이|굵기|간격|정도|사방|폭)?(?:의|짜리|씩|(?:으로|로)(?:\s채)?\s\S{1,9})?(?=\s+\S)"
)
_CODE: Final = re.compile(r"(?<![A-Za-z])[A-Za-z]+-?\d+[A-Za-z]*|오메가-?\s?\d|비타민\s?[A-Z]\d*|\d+up", re.IGNORECASE)
# What may follow a number without a unit.
_BARE_NUMBER_ENDS: Final = re.compile(
    r"\s*(?:$|[(),/+]|(?:씩|정도|가량|쯤|내외)(?![가-힣])|:\s?[가-힣A-Za-z ]{1,20}\d)"  # 간장2:설탕1
)
_GLUED_TO_AMOUNT: Final = re.compile(
    rf"^(?:{DECIMAL}|\d{{1,3}}/\d{{1,3}})\s?"
    rf"(?P<unit>{unit_pattern(s for s, unit in SPELLINGS.items() if unit.sort in ('whole', 'part'))})"
    r"(?P<name>[가-힣]{1,9})(?![가-힣])"
)
# A heading that stands in an item: 반죽재료) 강력분, <주재료> 감자, 양념간장: 물. Of words with a colon only some head.
_HEADS: Final = "(?<=재료|양념|소스|육수|토핑|밑간|크림|간장|추장|레싱)"
_ITEM_HEADING: Final = re.compile(
    rf"^\s*<?(?P<heading>[A-Za-z가-힣 ]{{1,14}}?)\s*(?:[)>]|{_HEADS}\s*:)\s*(?=[A-Za-z가-힣])"
)
_LIST_NUMBER: Final = re.compile(r"^\(?\d{1,2}[.)]\s*(?=[^\d\s])")


class Line(NamedTuple):
    """One line of a list; what it does not say is None. ``amount`` is a number, a range or a word (``약간``)."""

    section: str | None
    name: str
    amount: str | None
    unit: str | None
    note: str | None


class _Item(NamedTuple):
    """An item without its section; the name is empty where the item is only an amount or a remark."""

    name: str
    amount: str | None = None
    unit: str | None = None
    note: str | None = None


def ingredient_lines(text: str) -> Iterator[Line]:
    """Yield the lines of a list in order.

    An item without a name goes to the note of the line before or after it; an amount that is alone in its section has
    the heading as its name. Of an item only ``LONGEST_ITEM`` characters are read, of a note ``LONGEST_TEXT`` are kept.
    """
    first, *rest = _HEADING.split(_HEADED.sub(_inline, _LINE_BREAK.sub(" ", visible(text))))
    for section, items in [("", first), *zip(rest[::2], rest[1::2], strict=True)]:
        yield from _section_lines(clean(section) or None, items.split("|"))


def _inline(headed: re.Match[str]) -> str:
    """A heading and its first item; one inside an item, in parentheses: ``감자 [2개]``, ``두부 [부침용] 1모``."""
    before = headed.string[max(headed.start() - LONGEST_ITEM, 0) : headed.start()]
    before = before[max(before.rfind("|"), before.rfind("]")) + 1 :]
    inside, after = headed[1], headed["after"]
    if not _LETTER.search(before):
        return headed[0]
    if _is_amount(inside):
        return f"({inside}){after}"
    if BEL not in before and _is_amount(after) and not _has_amount(before):
        return f"{after} ({inside})"
    return headed[0]


def _has_amount(text: str) -> bool:
    return any(found.unit for found in find_amounts(clean(plain_amounts(text))))


def _is_amount(text: str) -> bool:
    """Whether a text is an amount with its unit and nothing else; not one of servings, as in ``[2인분]``."""
    plain = clean(plain_amounts(text))
    found = next(find_amounts(plain), None)
    unit = found.unit if found else None
    return bool(found and unit and unit.name != "인분" and (found.start, found.end) == (0, len(plain)))


def _section_lines(section: str | None, items: Iterable[str]) -> Iterator[Line]:
    line: Line | None = None
    notes: list[str | None] = []
    for written in items:
        heading, item = _read_headed(written[:LONGEST_ITEM])
        if item.name and line:
            yield line._replace(note=_note(notes))
        if item.name:
            line, notes = Line(heading or section, *item[:3], None), [] if line else notes
        notes += [item.note, clean(written[LONGEST_ITEM:])]
    remark = _note(notes)
    if line:
        yield line._replace(note=remark)
    elif section and _is_amount(remark or ""):
        item = _read_item(f"{section} {remark}")
        if item.name:
            yield Line(section, *item)


def _read_headed(written: str) -> tuple[str | None, _Item]:
    """The heading that stands in an item, if any does, and the item."""
    headed = _ITEM_HEADING.match(written)
    item = _read_item(written[headed.end() :]) if headed else None
    return (clean(headed["heading"]), item) if headed and item and item.name else (None, _read_item(written))


def _note(remarks: Iterable[str | None]) -> str | None:
    note = _join(*remarks)
    return note[:LONGEST_TEXT].rstrip() if note else None


@lru_cache(maxsize=1 << 16)
def _read_item(item: str) -> _Item:
    fields = [_BRACKETS.sub(_parenthesise, clean(plain_amounts(field))) for field in item.split(BEL)]
    if len(fields) > 1 and fields[0]:
        name, amount, unit, *notes = [*fields, ""]
        return _read_fields(name, amount, unit, clean(" ".join(notes)))
    return _read_text(_LIST_NUMBER.sub("", clean(" ".join(fields)), count=1))


def _parenthesise(bracketed: re.Match[str]) -> str:
    return f"({bracketed[1]})" if _has_amount(bracketed[1]) else bracketed[0]


def _read_fields(name: str, amount: str, unit: str, note: str) -> _Item:
    """An item of the newer form. Its amount may hold the unit as well (``75g(3/4모)``), or its unit a remark."""
    measured = _read_text(f"{amount} {unit}".strip(), has_name=False)
    if not measured.amount and re.fullmatch(r"[A-Za-z가-힣]+", unit):
        measured = _read_text(amount, has_name=False)._replace(unit=unit)  # a unit of its own: 2 바구니
    if not (measured.amount or measured.unit):
        named = _read_text(name)
        return named._replace(note=_join(named.note, measured.note, note))
    whole = name
    name, remarks, _ = _split_name(name, measured.unit)
    if not _LETTER.search(name) or name in _ABOUT:
        return _Item("", note=_join(whole, amount, unit, note))
    return _Item(name, measured.amount, measured.unit, _join(remarks, measured.note, note))


def _read_text(text: str, *, has_name: bool = True) -> _Item:
    """An item whose parts run together; without ``has_name`` what is no amount is a remark."""
    before, inside, after, amount, unit = _split_amount(_separate(text), has_name=has_name)
    if not has_name:
        if amount and not unit and find_unit(before.strip() or "?"):
            before, unit = "", before.strip()
        if not amount and find_unit(text):
            return _Item("", None, text)
        return _Item("", amount, unit, _join(before, inside, after))
    if amount and not _LETTER.search(before):
        before, after = after, before  # 200g 돼지고기
    name, remarks, last = _split_name(before, unit)
    if not _LETTER.search(name) or name in _ABOUT:
        return _Item("", note=_join(text))
    if amount and last and not unit and not VAGUE.fullmatch(amount):
        unit, remarks = last, _join(*[part for part in [remarks] if part != last]) or ""
    return _Item(name, amount, unit, _join(remarks, inside, after.lstrip(": ")))


def _separate(text: str) -> str:
    """``text`` with a blank between an amount that it begins with and a known name: ``1개당근``, but not ``1대파``."""
    known = lexicon.ingredients().canonical
    begins = _GLUED_TO_AMOUNT.match(text)
    if begins and begins["name"] in known and begins["unit"] + begins["name"] not in known:
        return f"{text[: begins.end('unit')]} {text[begins.start('name') :]}"
    return text


class _Split(NamedTuple):
    """A text around its amount; ``inside`` is what stands in parentheses with it."""

    before: str
    inside: str
    after: str
    amount: str | None
    unit: str | None


def _split_amount(text: str, *, has_name: bool) -> _Split:
    found = _choose(text, has_name=has_name)
    if found:
        return _Split(*_around(text, found.start, found.end), found.amount.text, found.amount.unit)
    vague = VAGUE.search(text)
    if vague:
        of_what = text.startswith("의 ", vague.end())  # 약간의 소금
        if vague.start() or of_what or not has_name:
            return _Split(*_around(text, vague.start(), vague.end() + of_what), vague[0], None)
    return _Split(text, "", "", None, None)


def _around(text: str, start: int, end: int) -> tuple[str, str, str]:
    """What stands before ``text[start:end]``, with it in its parentheses, and after it."""
    before, after = text[:start], text[end:]
    opening = before.rfind("(")
    if opening <= before.rfind(")"):
        return before, "", after
    rest, _, after = after.partition(")")
    return before[:opening], f"{before[opening + 1 :]} {rest}", after


def _choose(text: str, *, has_name: bool) -> FoundAmount | None:
    """The amount of an item: one outside parentheses before one inside, one with a unit before a bare number.

    A length counts only where there is nothing else (``다시마 5cm 2장``), and so does a size (``200g짜리 1캔``).
    """
    ranked: list[tuple[int, int, FoundAmount]] = []
    amounts = [found for found in find_amounts(text) if not (found.unit and found.unit.sort == "label")]
    for found in amounts:
        before, after = text[: found.start], text[found.end :]
        inside = before.count("(") > before.count(")")
        is_bare = found.unit is None
        if is_bare and not (_BARE_NUMBER_ENDS.match(after) and (_LETTER.search(before) or not has_name)):
            continue
        if inside and _lists_parts(text, found, amounts):
            continue
        weak = (found.unit is not None and found.unit.sort == "length") or after.lstrip().startswith("짜리")
        first = has_name and not _LETTER.search(before) and found is not amounts[-1]
        ranked.append((4 * weak + 2 * inside + is_bare + first, found.start, found))
    return min(ranked)[2] if ranked else None


def _lists_parts(text: str, found: FoundAmount, amounts: Sequence[FoundAmount]) -> bool:
    """Whether the parentheses around an amount hold several things: ``물녹말(녹말가루 10g, 물 10g)``."""
    start = text.rfind("(", 0, found.start)
    end = text.find(")", found.end)
    within = [other.start for other in amounts if start < other.start and (end < 0 or other.start < end)]
    return len(within) > 1 and bool(_LETTER.search(text[start : within[0]]))


def _split_name(text: str, unit: str | None) -> tuple[str, str, str | None]:
    """The name in a text, the remarks that are cut off it, and its last word where that is a unit.

    Cut off are parentheses with a number or a unit, lone units, words about an amount, and what follows a number.
    """
    remarks: list[str] = []

    def cut(found: re.Match[str]) -> str:
        if _is_remark(found[1]) and _LETTER.search(found.string[: found.start()]):
            remarks.append(found[1])
            return ""
        return found[0]

    text, previous = _close(text), ""
    while previous != text:
        previous, text = text, _PARENTHESES.sub(cut, text)
    lead = next(find_amounts(text), None)
    if (
        lead
        and lead.unit
        and lead.unit.sort != "label"
        and not _LETTER.search(text[: lead.start])
        and _LETTER.search(text[lead.end :])
    ):
        manner = _MANNER.match(text, lead.end) if lead.unit.sort == "length" else None
        end = manner.end() if manner and _LETTER.search(text[manner.end() :]) else lead.end
        remarks.append(text[:end])
        text = text[end:]
    remarks += _CIRCLED.findall(text)
    name, rest = _before_number(_CIRCLED.sub("", text).strip(_EDGES))
    remarks.append(rest)
    last: str | None = None
    while True:
        shorter, word = _without_last_word(name)
        if not word:
            break
        name, last = shorter.rstrip(_EDGES), word if find_unit(word) else last
        remarks.insert(0, word)
    return clean(name).strip(_EDGES), _join(*remarks) or "", None if unit else last


def _is_remark(inside: str) -> bool:
    words = re.findall(r"[^\s,/~.]+", inside)
    return bool(
        not words or re.search(r"\d", inside) or VAGUE.search(inside) or all(_is_unit_word(word) for word in words)
    )


def _is_unit_word(word: str) -> bool:
    unit = find_unit(word)
    return word in _ABOUT or (unit is not None and unit.sort != "label" and (unit.alone or len(word) == 1))


def _close(text: str) -> str:
    """``text`` with its parentheses closed, without one too many at the end; ``양념) 간장`` is a label and stays."""
    missing = text.count("(") - text.count(")")
    while missing < 0 and text.rstrip(_EDGES).endswith(")"):
        text, missing = text.rstrip(_EDGES)[:-1], missing + 1
    return text + ")" * missing


def _without_last_word(name: str) -> tuple[str, str]:
    """A name without the lone unit or the word about an amount that it ends in, and that word ("" without one)."""
    if name.replace(" ", "") in lexicon.ingredients().canonical:
        return name, ""
    spaced = _SPACED.fullmatch(name)
    if spaced and _stands_alone(spaced["word"]):
        return spaced["name"], spaced["word"]
    last = _LAST_WORD.fullmatch(name)
    if last and (last["word"] in _ABOUT or VAGUE.fullmatch(last["word"]) or _stands_alone(last["word"])):
        return last["name"], last["word"]
    glued = _GLUED.fullmatch(name)
    if glued and not name.endswith("비타민C"):
        known = glued["name"].replace(" ", "") in lexicon.ingredients().canonical
        if known or glued["word"].isascii():
            return glued["name"], glued["word"]
    return name, ""


def _stands_alone(word: str) -> bool:
    unit = find_unit(word)
    return unit is not None and unit.alone


def _before_number(name: str) -> tuple[str, str]:
    """A name up to the first number that is no part of it, and the rest; a number before the name is rest, too."""
    parts = [found.span() for pattern in (_CODE, _SAYS_WHAT) for found in pattern.finditer(name)]
    begins = _BEGINS.match(name)
    parts += [begins.span()] if begins else []
    for found in re.finditer(r"\d+", name):
        if any(start <= found.start() < end for start, end in parts):
            continue
        first = _LETTER.search(name)
        if first and first.start() > found.start():
            shorter, rest = _before_number(name[first.start() :])
            return shorter, f"{name[: first.start()]} {rest}"
        return name[: found.start()].rstrip(_EDGES + "("), name[found.start() :]
    return name, ""


def _join(*parts: str | None) -> str | None:
    """Remarks as one, without empty ones and without the parentheses around a whole one."""
    found = []
    for part in parts:
        text = _close(clean(part).strip(" ,~"))
        whole = _PARENTHESES.fullmatch(text)
        text = (whole[1] if whole else text).strip(" .,~-=/")
        if re.search(r"[^\W_]|[^\x00-\x7f]", text):
            found.append(text)
    return " ".join(found) or None
