"""Year, period, publication, announced chapters."""

from __future__ import annotations

import pytest
from checks_material import Paper

PERIOD, YEAR, PUBLISHED = ["meta.period"], ["meta.year"], ["meta.published"]


@pytest.mark.parametrize(
    ("year", "start", "end", "expected"),
    [
        (2018, "2018-01-01", "2018-12-31", []),
        (2018, "2018-01-11", "2018-12-31", PERIOD),
        (2018, "2018-01-01", "2018-11-30", PERIOD),
        (2018, "2017-01-01", "2017-12-31", YEAR * 2),
        (2018, "2017-01-01", "2018-12-31", YEAR),
        (2008, "2008-05-01", "2008-12-31", []),
        (2008, "2008-01-01", "2008-12-31", PERIOD),
        (2018, None, "2018-12-30", PERIOD),
        (2018, "2018-11", "2018-1231", []),
        (None, "2018-02-01", "2018-12-31", []),
    ],
)
def test_period(year: int | None, start: str | None, end: str | None, expected: list[str]) -> None:
    values = {"year": year, "period_start": start, "period_end": end}
    paper = Paper().meta(**{key: value for key, value in values.items() if value is not None})
    assert paper.breaches() == expected


@pytest.mark.parametrize(
    ("year", "issuer_type", "published", "expected"),
    [
        (2019, "department", "2020-01-31", []),
        (2019, "department", "2020-02-01", PUBLISHED),
        (2019, "government", "2020-03-31", []),
        (2019, "government", "2020-04-01", PUBLISHED),
        (2019, "township", "2020-03-31", []),
        (2018, "department", "2019-03-31", []),
        (2018, "department", "2019-04-01", PUBLISHED),
        (2018, "department", "2018-12-31", PUBLISHED),
        (2018, "department", "2018-01-19", PUBLISHED),
        (2018, None, "2019-01-15", []),
    ],
)
def test_publication(year: int, issuer_type: str | None, published: str, expected: list[str]) -> None:
    paper = Paper().meta(year=year, published_on=published)
    if issuer_type is not None:
        paper.meta(issuer_type=issuer_type)
    assert paper.breaches() == expected


def test_a_signature_before_the_period_closed_says_nothing_of_publication() -> None:
    assert Paper().meta(year=2010, signed_on="2010-12-30").breaches() == []


def test_the_signature_speaks_where_no_publication_is_printed() -> None:
    late = Paper().meta(year=2018, signed_on="2019-05-06")
    assert late.breaches() == PUBLISHED
    assert late.meta(published_on="2019-03-02").breaches() == []


CHAPTERS = [
    "一、概述",
    "二、主动公开情况",
    "三、依申请公开情况",
    "四、收费情况",
    "五、复议诉讼情况",
    "六、问题",
]


@pytest.mark.parametrize(
    ("preface", "chapters", "expected"),
    [
        ("本报告由概述、主动公开等六部分组成。", CHAPTERS, []),
        ("全文包括概述、主动公开情况、问题等 6 个部分。", CHAPTERS, []),
        ("全文共分六个部分。", CHAPTERS, []),
        ("全文包括概述、主动公开情况、问题等六部分内容。", CHAPTERS[:5], ["meta.chapters"]),
        ("本报告由概述、主动公开等五部分组成。", CHAPTERS, ["meta.chapters"]),
        ("本报告由概述、主动公开等十二部分组成。", [f"## {line}" for line in CHAPTERS], ["meta.chapters"]),
        ("工作分六个部分推进。", CHAPTERS[:3], []),
        ("本报告由概述等六部分组成。", ["概述", "问题"], []),
    ],
)
def test_chapters(preface: str, chapters: list[str], expected: list[str]) -> None:
    lines = [preface]
    for chapter in chapters:
        lines += [chapter, "（一）小标题", "本镇认真公开，一、二、三项都做了。"]
    assert Paper().prose("\n".join(lines)).breaches() == expected


def test_rows_of_the_requests_table_are_no_chapters() -> None:
    rows = [
        "一、本年新收政府信息公开申请数量\t3",
        "二、上年结转政府信息公开申请数量\t0",
        "三、本年度办理结果",
        "四、结转下年度继续办理",
        "0",
    ]
    lines = ["本报告共分六个部分。", *CHAPTERS[:3], *rows, *CHAPTERS[3:]]
    assert Paper().prose("\n".join(lines)).breaches() == []


def test_a_list_inside_a_chapter_is_no_chapter() -> None:
    lines = ["本报告共分六个部分。", *CHAPTERS[:3], "一、当面申请", "二、网上申请", *CHAPTERS[3:]]
    assert Paper().prose("\n".join(lines)).breaches() == []


def test_a_gap_in_the_numbering_leaves_the_cause_open() -> None:
    lines = ["本报告共分六个部分。", *CHAPTERS[:3], *CHAPTERS[4:]]
    (finding,) = Paper().prose("\n".join(lines)).check()
    assert (finding.severity, finding.cause, finding.expected, finding.printed) == ("note", "unknown", 6, 5)
