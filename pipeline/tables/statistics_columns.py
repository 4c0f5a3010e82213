"""Columns of the statistics table: label, unit, figures; and which column of figures is the report's.

Besides 统计指标 | 单位 | 统计数 there are tables with a running number, with the table in two
halves side by side, and with several columns of figures (本级 下级 合计, 2016年 2017年).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Role = Literal["index", "label", "unit", "value", "remark"]

_ROLES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    ("index", re.compile(r"序号?|编号|行次|(?:指标)?代码")),
    ("label", re.compile(r"(?:统计|主要)?(?:指标|项目|内容|事项)(?:名称|内容)?|类别")),
    ("unit", re.compile(r"(?:计量)?单位")),
    ("remark", re.compile(r"备注|说明|填报说明|指标(?:说明|解释)")),
)
_LETTERS = re.compile(r"[甲乙丙丁ABCD]|\d{1,2}")
_YEAR = re.compile(r"(?<!\d)(20[0-3]\d)(?!\d)")
_OTHER_PERIOD = re.compile(r"上一?年|去年|同期|增长|增减|增幅|同比|环比|比上|比重|占比|比例|百分比|比率")
_SINCE_START = re.compile(r"历年|(?<![年度])累计")
_PART_OF_YEAR = re.compile(r"本期|本月|本季|季度|上半年|下半年|月份|\d月")
_SUM = re.compile(r"合计|总计|汇总|总数|共计|全[省市县区州]")
_PART = re.compile(
    r"本级|下级|机关|部门|乡镇|街道|镇街|直属|[省市县区州]直|[市县区]政府|单位|各[市县区镇]|政府系统"
)
_FIGURES = re.compile(r"(?:统计|上报|填报)?(?:数|数量|数据|数值|结果|情况)|本?年度?(?:统计|实际)?数?|统计值")
_LONGEST_CAPTION = 14
_BRACKETS = re.compile(r"[(（][^()（）]*[)）]")


@dataclass(frozen=True, slots=True)
class Caption:
    """What stands above a column of figures; `column` is the grid column, or the order among them."""

    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one half of a table.

    It begins at `start`, its labels at `label`. `aside` are columns of running numbers, codes
    and remarks. `has_index` tells that a number stands before the label, `has_code` behind it.
    """

    start: int
    label: int
    values: tuple[Caption, ...]
    aside: frozenset[int] = frozenset()
    has_index: bool = False
    has_code: bool = False


def plain(text: str) -> str:
    """Half-width, without white space."""
    return unicodedata.normalize("NFKC", "".join(text.split()))


@lru_cache(maxsize=4096)
def role_of(text: str) -> Role | None:
    """What a header cell stands above; None for a blank and for text that no header has."""
    bare = plain(text)
    for role, pattern in _ROLES:
        if pattern.fullmatch(_BRACKETS.sub("", bare)):
            return role
    return "value" if is_value_caption(bare) else None


def is_value_caption(text: str) -> bool:
    """Whether a header cell stands above figures: 统计数, 2016年, 合计 …"""
    bare = plain(text)
    kinds = (_YEAR, _OTHER_PERIOD, _SINCE_START, _PART_OF_YEAR, _SUM, _PART)
    if _FIGURES.fullmatch(_BRACKETS.sub("", bare)) or "累计" in bare:
        return True
    return len(bare) <= _LONGEST_CAPTION and any(kind.search(bare) for kind in kinds)


def is_letters(texts: Sequence[str]) -> bool:
    """The row 甲 乙 丙 1 2 that numbers the columns."""
    filled = [plain(text) for text in texts if text.strip()]
    is_all = all(_LETTERS.fullmatch(text) for text in filled)
    return is_all and len(filled) > 1 and any(not text.isdigit() for text in filled)


def chosen(captions: Sequence[Caption], year: int | None) -> Caption | None:
    """The column of the report's own year and of all bodies together; None where no one column is it.

    Without `year` the latest printed one is taken for the report's.
    """
    years = [int(found) for caption in captions for found in _YEAR.findall(caption.text)]
    year = max(years, default=None) if year is None else year
    left = [caption for caption in captions if _is_of_year(caption.text, year)]
    for unwanted in (_PART_OF_YEAR, _PART):
        sums = [caption for caption in left if _SUM.search(caption.text)]
        left = sums or left
        if len(left) > 1:
            left = [caption for caption in left if not unwanted.search(caption.text)]
    return left[0] if len(left) == 1 else None


def _is_of_year(text: str, year: int | None) -> bool:
    years = [int(found) for found in _YEAR.findall(text)]
    if years and year not in years:
        return False
    return not (_OTHER_PERIOD.search(text) or _SINCE_START.search(text))
