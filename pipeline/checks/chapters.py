"""`meta.chapters`: the number of parts that the preface announces against the headings found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.checks.operands import Reading
from pipeline.document import Span
from pipeline.fact import Cause, Evidence, Finding
from pipeline.numerals import number_value

NUMERAL = "一二三四五六七八九十"
COUNT = re.compile(rf"([0-9０-９]{{1,2}}|[{NUMERAL}]{{1,3}}) ?个? ?大?部分")
SUBJECT = re.compile(r"全文|报告|年报")
VERB = re.compile(r"包括|包含|由|分|共|含")
HEADING = re.compile(
    rf"^[#* ]*(?:第 ?([{NUMERAL}]{{1,3}}) ?(?:部分|章)|([{NUMERAL}]{{1,3}}) ?[、，,．.：:])(.*)$",
    re.MULTILINE,
)
TABLE_ROWS = (
    *("本年新收", "上年结转", "本年度办理结果", "结转下年度", "结转下一年度"),
    # Of the statistics table; 一 to 三 are called like chapters of the report.
    *("行政复议数量", "行政诉讼数量", "举报投诉数量", "依申请公开信息收取的费用"),
    *("机构建设和保障经费情况", "政府信息公开会议和培训情况"),
)
LONGEST_HEADING = 45


@dataclass(frozen=True, slots=True)
class Chapter:
    """A numbered chapter heading: its number as counted and its characters."""

    number: int | float
    span: Span


def check(reading: Reading) -> Iterator[Finding]:
    """A note where announced and found numbers differ; nothing where either is missing."""
    announced = find_announcement(reading.text)
    count = number_value(reading.text[announced.start : announced.end]) if announced is not None else None
    found = find_chapters(reading.text)
    if announced is None or count is None or not found or count == len(found):
        return
    is_gapless = [chapter.number for chapter in found] == list(range(1, len(found) + 1))
    cause: Cause = "report" if is_gapless else "unknown"
    number = reading.text[announced.start : announced.end]
    places = (announced, *(chapter.span for chapter in found))
    yield Finding(
        rule="meta.chapters",
        severity="note",
        expected=count,
        printed=len(found),
        cause=cause,
        message=f"meta.chapters: the preface announces {number} parts, but {len(found)} are found",
        evidence=tuple(Evidence(start=span.start, end=span.end) for span in places),
    )


def find_announcement(text: str) -> Span | None:
    """The numeral in the first sentence that says of how many parts the report consists."""
    for match in COUNT.finditer(text):
        start = 1 + max(text.rfind(mark, 0, match.start()) for mark in "。\n")
        subject = SUBJECT.search(text, start, match.start())
        if subject is not None and VERB.search(text, subject.end(), match.start()):
            return Span(*match.span(1))
    return None


def find_chapters(text: str) -> tuple[Chapter, ...]:
    """Lines numbered 一、 二、 … (or 第一章 …) in rising order.

    Rows of the tables carry the same numbers and do not count; nor does a
    list inside a chapter, which begins at 一 again, or a numbered paragraph of prose.
    """
    found: list[Chapter] = []
    for match in HEADING.finditer(text):
        count = number_value(match.group(1) or match.group(2))
        last = found[-1].number if found else 0
        if count is not None and count > last and _is_heading(match.group(3)):
            found.append(Chapter(count, Span(*match.span())))
    return tuple(found)


def _is_heading(title: str) -> bool:
    bare = title.strip().strip("*#").strip()
    first = re.split(r"[。：:；;]", bare, maxsplit=1)[0]
    return "\t" not in title and not bare.startswith(TABLE_ROWS) and len(first) <= LONGEST_HEADING
