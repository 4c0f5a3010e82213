"""Stocks over the years, told apart from the figures of one year."""

from __future__ import annotations

import re

SHARE = re.compile(
    r"^[，、]?(?:其中)?(?:仅)?(?:本年度?|当年|今年|年内|20[0-9]{2}年度?)(?:又|新|就)*(?:新增|公开|发布|增加|主动公开)+(?:了|信息)?$"
)
STOCK_FIELDS = ("proactive.total", "proactive.cumulative_total")
OVER_THE_YEARS = re.compile(r"历年(?:来)?累计|(?:施行|实施|开通|建成)[^，。；]{0,6}来[^，。；]{0,4}累计")
_SINCE = re.compile(r"自[^。；]{2,24}(?:到|至|以来)[^。；]{0,14}(?:累计|总共|已)")
_UP_TO_NOW = re.compile(
    r"(?:截至|截止|到)[^，。；]{0,4}年?[^，。；]{0,8}(?:底|末|止|日)[，]?[^，。；]{0,12}(?:累计|已)"
)
_SHARE_OF_YEAR = re.compile(
    r"(?:其中)?[^，。；]{0,6}(?:本年|今年|当年|年内|本年度)[^，。；]{0,6}(?:新增|公开|增加)|自[^，。；）]{2,14}起"
)


def is_cumulative(before: str, after: str) -> bool:
    """A stock at the year's end: told by what goes on to say the year's share of it."""
    span = re.search(
        r"(20[0-9]{2})年[^。；]{0,10}至(20[0-9]{2})年[^。；]{0,14}累计[^，。；0-9]{0,14}$", before
    )
    if span is not None and span[1] != span[2]:
        return True
    if re.search(r"(?:以来|算起|施行起|至今|截至[^，。；]{0,8})[^。；]{0,8}累计[^，。；0-9]{0,6}$", before):
        return True
    if _SINCE.search(before[-44:]) or re.search(
        r"(?:施行|实施|开通)[^。；]{0,8}来[，]?[^，。；]{0,4}累计", before[-30:]
    ):
        return True
    return bool(_UP_TO_NOW.search(before[-30:])) and bool(_SHARE_OF_YEAR.search(after[:24]))
