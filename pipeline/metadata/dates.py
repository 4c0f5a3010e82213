"""Dates, years and periods as printed; a damaged one is read only as far as it is certain.

Dates are ISO 8601 in values. Forms read: `2018年1月31日`, `2018-01-31`, `2018/1/31`,
`二○一七年二月二十日`, also with 0, O or 〇 among the Chinese digits. A year with digits too
many (`202020年`) and a day without its month (`2018年11日`) are no dates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from pipeline.document import Document, Span
from pipeline.numerals import chinese_value
from pipeline.printed import Packed, Printed, pack

_ZEROS = "〇○零0OoОоΟο◯Ｏ"
_CHINESE_DIGITS = "一二三四五六七八九"
_NUMERALS = f"{_ZEROS}{_CHINESE_DIGITS}\\d"
YEAR = rf"(?<![{_NUMERALS}])(?:(?:19|20)\d\d|[一二][{_ZEROS}{_CHINESE_DIGITS}]{{3}})"
_MONTH = rf"(?:\d{{1,2}}|[{_CHINESE_DIGITS}十]{{1,2}})"
_DAY = rf"(?:\d{{1,2}}(?!\d)|[{_CHINESE_DIGITS}十]{{1,3}})"
_MARKED = r"(?<!\d)(?:19|20)\d\d(?P<mark>[-/.．])\d{1,2}(?P=mark)\d{1,2}(?!\d)"
DATE = rf"(?:(?:{YEAR})年{_MONTH}月{_DAY}[日号]?|{_MARKED})"
_DATE = re.compile(DATE)
# Not behind a numbered year: such a date is whole, or its year is damaged.
_MONTH_DAY = re.compile(rf"(?<![{_NUMERALS}])(?<![{_NUMERALS}]年){_MONTH}月{_DAY}[日号]")
_YEAR_BEFORE = re.compile(rf"({YEAR})年")
_YEAR = re.compile(rf"{YEAR}(?![{_NUMERALS}])")
_PARTS = re.compile(rf"([{_NUMERALS}]+)(?:年|[-/.．])({_MONTH})(?:月|[-/.．])({_DAY})")

_INHERITED_YEAR_REACH = 30  # characters between 2014年 and a 1月1日 that belongs to it
_CUE = re.compile(r"统计|数据|起止|时限")
_CUE_REACH = 25
_TOPIC = re.compile(r"公开|本报告|工作")
_TO = r"(?:至|到|止|[—–―－~～-]+)"
_BETWEEN = re.compile(rf"(?:\d{{1,2}}[时点])?(?:[起始])?[,，]?{_TO}(?:同年|当年|本年|次年)?")
_GOES_ON = re.compile(rf"(?:\d{{1,2}}[时点])?起?[,，]?{_TO}[\d一二]")
_UP_TO = re.compile(r"(?:统计|数据)[^。；;]{0,12}?截[止至](?:时间|日期)?[：:]?[到于至为]?$")
_YEARLY = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """A day of the calendar and where it is printed."""

    value: date
    span: Span


@dataclass(frozen=True, slots=True)
class Period:
    """The edges of a statistics period; one is None where it is not printed or not legible."""

    start: PrintedDate | None
    end: PrintedDate | None


def year_value(text: str) -> int | None:
    """The year that `text` begins with, in Arabic or Chinese digits; None if it is none."""
    match = _YEAR.match(text)
    return int(_arabic(match.group())) if match else None


def _arabic(text: str) -> str:
    for zero in _ZEROS:
        text = text.replace(zero, "0")
    for digit, char in enumerate(_CHINESE_DIGITS, start=1):
        text = text.replace(char, str(digit))
    return text


def _small(text: str) -> int:
    """A month or day in Arabic or Chinese numerals; 0 if it is none."""
    return int(text) if text.isdecimal() else chinese_value(text) or 0


def date_value(text: str) -> date | None:
    """The day that `text`, printed as one of the forms above, means; None if there is no such day.

    >>> date_value("二○一七年二月二十日"), date_value("2018年2月30日")
    (datetime.date(2017, 2, 20), None)
    """
    match = _PARTS.match(text)
    year = year_value(match.group(1)) if match else None
    if match is None or year is None:
        return None
    return _day(year, _small(match.group(2)), _small(match.group(3)))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def find_dates(packed: Packed) -> Iterator[PrintedDate]:
    """Every complete date of a packed text, in order."""
    for match in _DATE.finditer(packed.text):
        value = date_value(match.group())
        if value is not None:
            yield PrintedDate(value, packed.span(*match.span()))


def find_years(packed: Packed) -> Iterator[tuple[int, Printed]]:
    """Every certain year that 年 follows, with the print of its digits."""
    for match in _YEAR_BEFORE.finditer(packed.text):
        year = year_value(match.group(1))
        printed = packed.group(match, 1)
        if year is not None and printed is not None:
            yield year, printed


@dataclass(frozen=True, slots=True)
class _Token:
    """A date in a packed text: `start` and `end` are characters of that text."""

    value: date
    start: int
    end: int


def _tokens(text: str) -> list[_Token]:
    """Full dates, and months with a day that take the year printed shortly before them."""
    found = []
    for match in _DATE.finditer(text):
        value = date_value(match.group())
        if value is not None:
            found.append(_Token(value, *match.span()))
    for match in _MONTH_DAY.finditer(text):
        year = _inherited_year(text, match.start())
        month, _, rest = match.group().partition("月")
        value = _day(year, _small(month), _small(rest[:-1])) if year is not None else None
        if value is not None:
            found.append(_Token(value, *match.span()))
    return sorted(found, key=lambda token: token.start)


def _inherited_year(text: str, position: int) -> int | None:
    start = max(0, position - _INHERITED_YEAR_REACH)
    before = list(_YEAR_BEFORE.finditer(text, start, position))
    return year_value(before[-1].group(1)) if before else None


def find_period(document: Document) -> Period | None:
    """The period that the report itself gives for its figures, None if it gives none.

    A range that the words 统计 or 数据 introduce goes before any other range; one without
    them has to cover half a year at least. Where an edge is damaged only the other is read.
    """
    paragraphs = [pack(document.text, block.span) for block in document.blocks if block.table is None]
    readers = (_cued_range, _single_edge, _plain_range)
    return next((period for reader in readers if (period := _first(paragraphs, reader)) is not None), None)


def _first(paragraphs: Sequence[Packed], reader: Callable[[Packed], Period | None]) -> Period | None:
    return next((period for packed in paragraphs if (period := reader(packed)) is not None), None)


def _ranges(text: str) -> Iterator[tuple[_Token, _Token]]:
    for first, second in pairwise(_tokens(text)):
        if _BETWEEN.fullmatch(text[first.end : second.start]) and first.value < second.value:
            yield first, second


def _is_cued(text: str, token: _Token) -> bool:
    before = text[max(0, token.start - _CUE_REACH) : token.start]
    return _CUE.search(re.split(r"[。；;]", before)[-1]) is not None


def _edge(packed: Packed, token: _Token) -> PrintedDate:
    return PrintedDate(token.value, packed.span(token.start, token.end))


def _cued_range(packed: Packed) -> Period | None:
    for first, second in _ranges(packed.text):
        if _is_cued(packed.text, first):
            return Period(_edge(packed, first), _edge(packed, second))
    return None


def _plain_range(packed: Packed) -> Period | None:
    for first, second in _ranges(packed.text):
        sentence = packed.text[max(0, first.start - _CUE_REACH) : second.end + _CUE_REACH]
        if second.value - first.value >= _YEARLY and _TOPIC.search(sentence):
            return Period(_edge(packed, first), _edge(packed, second))
    return None


def _single_edge(packed: Packed) -> Period | None:
    """`统计截止12月31日`, or a range of which one side cannot be read."""
    text = packed.text
    for token in _tokens(text):
        before = text[max(0, token.start - _CUE_REACH) : token.start]
        if _UP_TO.search(before):
            return Period(None, _edge(packed, token))
        if not _is_cued(text, token):
            continue
        if _GOES_ON.match(text, token.end):
            return Period(_edge(packed, token), None)
        if re.search(rf"[\d日年]起?[,，]?{_TO}$", before):
            return Period(None, _edge(packed, token))
    return None
