"""Numbers as reports write them: `5090`, `4200余`, `六百多`, `百余`, `32.1万`, `1，234`.

A numeral is found with the words that bound it (余, 近, 约, 以上 …). Its value is
that of the words as printed; the bound says how the true figure may differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from pipeline.document import Span
from pipeline.fact import Bound

_FULL_WIDTH = str.maketrans("０１２３４５６７８９．，", "0123456789.,")
_DIGITS = {"〇": 0, "○": 0, "零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5}
_DIGITS |= {"六": 6, "七": 7, "八": 8, "九": 9, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5}
_DIGITS |= {"陆": 6, "柒": 7, "捌": 8, "玖": 9}
_UNITS = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_MYRIADS = {"万": 10_000, "亿": 100_000_000}

_AT_LEAST_BEFORE = ("超过", "突破", "不少于", "不低于", "至少", "逾", "超")
_AT_MOST_BEFORE = ("接近", "将近", "不足", "不到", "至多", "少于", "近")
_ABOUT_BEFORE = ("大约", "大概", "约为", "约")
_AT_LEAST_AFTER = ("余", "多", "几", "来")

_BEFORE = "|".join((*_AT_LEAST_BEFORE, *_AT_MOST_BEFORE, *_ABOUT_BEFORE))
_ARABIC = r"[0-9０-９]{1,3}(?:[,，][0-9０-９]{3})+(?![0-9０-９])|[0-9０-９]{1,3}(?: [0-9０-９]{3})+(?![0-9０-９])|[0-9０-９]+"
_CHINESE = r"[〇○零一二两三四五六七八九十百千壹贰叁肆伍陆柒捌玖拾佰仟]+(?:万[零一二两三四五六七八九十百千]+(?![余多]?[万亿]))?"

# Digits with a unit in characters: 2千, 3百, 2万3千.
_MIXED = r"[0-9０-９]+(?:[.．][0-9０-９]+)?[百千](?![分])|[0-9０-９]+万[0-9０-９]+千"

NUMERAL = re.compile(
    rf"(?:(?P<before>{_BEFORE}|上(?=[百千万])) ?)?"
    rf"(?P<number>(?:{_MIXED}|(?:{_ARABIC})(?:[.．][0-9０-９]+)?|{_CHINESE})(?P<inner>[余多几来])?(?P<myriad>(?: ?[万亿])*)"
    rf"|(?<=[上近逾超数])万)"
    r"(?P<after>[余多几]?)"
)
_TRAILING = re.compile(r"(?P<at_least>以上|之多)|(?P<about>左右|上下)|(?P<at_most>以内|以下)")


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number in a text: `span` covers the words that bound it before and behind."""

    value: int | float
    bound: Bound
    span: Span


def chinese_value(text: str) -> int | None:
    """The value of a numeral in Chinese characters, None if it is none.

    Both ways of writing are read: by units (六百二十) and digit by digit (二〇一七).
    """
    if not text or any(char not in _DIGITS and char not in _UNITS for char in text):
        return None
    if all(char in _DIGITS for char in text):
        return int("".join(str(_DIGITS[char]) for char in text))
    return _by_units(text)


def _by_units(text: str) -> int | None:
    total, digit, last_unit = 0, None, 10_000
    for char in text:
        if char in _DIGITS:
            if digit not in (None, 0):
                return None
            digit = _DIGITS[char]
            continue
        unit = _UNITS[char]
        if unit >= last_unit:
            return None
        total += unit * (1 if digit is None or digit == 0 else digit)
        digit, last_unit = None, unit
    return total + (digit or 0)


_LONGEST_NUMERAL = 40
_PLAIN = re.compile(r"[0-9]{1,28}")  # most figures; of more digits the decimal below keeps 28
_MIXED_NUMBER = re.compile(r"(?:([0-9０-９]+)万)?([0-9０-９]+(?:[.．][0-9０-９]+)?)([百千])")


@lru_cache(maxsize=4096)
def number_value(text: str) -> int | float | None:
    """The value of digits with separators, decimals, or Chinese characters, then 万 or 亿.

    >>> number_value("32.1万"), number_value("六百"), number_value("1，234")
    (321000, 600, 1234)
    """
    if len(text) > _LONGEST_NUMERAL:
        return None
    if _PLAIN.fullmatch(text):
        return int(text)
    text = re.sub(r"[余多几来]", "", text)
    mixed = _MIXED_NUMBER.fullmatch(text)
    if mixed is not None:
        thousands = Decimal(mixed[2].translate(_FULL_WIDTH)) * _UNITS[mixed[3]]
        return int(thousands + 10_000 * int((mixed[1] or "0").translate(_FULL_WIDTH)))
    high, _, low = text.partition("万")
    if high and low and chinese_value(low) is not None and chinese_value(high) is not None:
        return (chinese_value(high) or 0) * 10_000 + (chinese_value(low) or 0)
    factor = Decimal(1)
    core = re.sub(r"(?<=[0-9０-９])? (?=[万亿])", "", text)
    while core and core[-1] in _MYRIADS:
        factor *= _MYRIADS[core[-1]]
        core = core[:-1]
    plain = core.translate(_FULL_WIDTH).replace(",", "").replace(" ", "")
    if re.fullmatch(r"\d+(\.\d+)?", plain):
        number = Decimal(plain)
    elif core == "" and factor > 1:
        number = Decimal(1)
    else:
        value = chinese_value(core)
        if value is None:
            return None
        number = Decimal(value)
    product = number * factor
    return int(product) if product == product.to_integral_value() else float(product)


def _bound(before: str | None, inner: str, trailing: str) -> Bound:
    if before in _ABOUT_BEFORE or trailing in ("左右", "上下"):
        return "about"
    if before in _AT_MOST_BEFORE or trailing in ("以内", "以下"):
        return "at_most"
    if before in (*_AT_LEAST_BEFORE, "上") or inner or trailing in ("以上", "之多"):
        return "at_least"
    return "exact"


_LOOSE = re.compile(r"[一两二三四五六七八九]{2}")
_FROM, _RANGE_REACH = re.compile(r"[0-9０-９一二三四五六七八九十] ?[-—~～至] ?$"), 5
_UP_TO = re.compile(r" ?[-—~～至到] ?[0-9０-９一二三四五六七八九十]+ ?[\u4e00-\u9fff]")
_UP_TO_DATE = re.compile(r" ?[至到-] ?[0-9０-９]+[年月日]")


def _is_range(text: str, match: re.Match[str]) -> bool:
    """`一两件`, `3-5 件`, `3 至 5 件` are no one number."""
    if _LOOSE.fullmatch(match["number"]):
        return True
    before = text[max(0, match.start() - _RANGE_REACH) : match.start()]
    return _FROM.search(before) is not None or (
        _UP_TO.match(text, match.end()) is not None and _UP_TO_DATE.match(text, match.end()) is None
    )


def find_numerals(text: str, start: int = 0, end: int | None = None) -> Iterator[Numeral]:
    """Every numeral of `text[start:end]` in order; positions count from the start of `text`.

    `以上`, `左右` and the like belong to the numeral when they follow it directly;
    behind a measure word they are the caller's to look for (`trailing_bound`).
    """
    for match in NUMERAL.finditer(text, start, len(text) if end is None else end):
        value = number_value(match["number"])
        if value is None or _is_range(text, match):
            continue
        trailing = _TRAILING.match(text, match.end())
        stop = trailing.end() if trailing else match.end()
        inner = (match["inner"] or "") + (match["after"] or "")
        bound = _bound(match["before"], inner, trailing.group() if trailing else "")
        yield Numeral(value, bound, Span(match.start(), stop))


def trailing_bound(text: str, position: int) -> tuple[Bound, int] | None:
    """The bound said by 以上, 左右 … that begin at `position`, and where they end."""
    match = _TRAILING.match(text, position)
    return (_bound(None, "", match.group()), match.end()) if match else None
