"""Dates and periods as reports print them, with the damage that real files show."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.document import Document, DocumentBuilder, Span
from pipeline.metadata.dates import date_value, find_dates, find_period, year_value
from pipeline.printed import pack


def document(*paragraphs: str) -> Document:
    builder = DocumentBuilder()
    for paragraph in paragraphs:
        builder.add_text("paragraph", paragraph)
    return builder.build(doc_id="x", file="x.txt", sha256="0", media_type="text/plain")


def dates(text: str) -> list[str]:
    return [day.value.isoformat() for day in find_dates(pack(text, Span(0, len(text))))]


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("2019年1月17日", ["2019-01-17"]),
        ("2021 年 1 月 25 日", ["2021-01-25"]),
        ("２０１９年１月３日", ["2019-01-03"]),
        ("发布时间:2018-01-31 21:24:30", ["2018-01-31"]),
        ("2020/3/9", ["2020-03-09"]),
        ("2020.03.09", ["2020-03-09"]),
        ("二○一七年二月二十日", ["2017-02-20"]),
        ("二〇一四年十二月三十一日", ["2014-12-31"]),
        ("二0一一年十月十日", ["2011-10-10"]),
        ("二O一一年三月八日", ["2011-03-08"]),
        ("2018年1月1日至2018年12月31日", ["2018-01-01", "2018-12-31"]),
        # damaged: nothing is certain
        ("202020年12月31日", []),
        ("2018年11日", []),
        ("2018年1231日", []),
        ("2018年2月30日", []),
        ("2018年13月1日", []),
        # no dates
        ("电话 0535-2018 1231", []),
        ("〔2018〕23号", []),
        ("2018年1月", []),
    ],
)
def test_dates(printed: str, expected: list[str]) -> None:
    assert dates(printed) == expected


@given(st.dates(min_value=date(2008, 5, 1), max_value=date(2035, 12, 31)), st.sampled_from(["", " "]))
def test_every_day_is_read_back(day: date, gap: str) -> None:
    printed = f"{day.year}{gap}年{gap}{day.month}{gap}月{gap}{day.day}{gap}日"
    assert dates(printed) == [day.isoformat()]
    assert dates(day.isoformat()) == [day.isoformat()]


@given(st.dates(min_value=date(2008, 5, 1), max_value=date(2035, 12, 31)), st.sampled_from("〇○零0O"))
def test_every_day_in_chinese_numerals_is_read_back(day: date, zero: str) -> None:
    assert date_value(chinese(day, zero)) == day


def chinese(day: date, zero: str) -> str:
    digits = [zero, *"一二三四五六七八九"]
    year = "".join(digits[int(digit)] for digit in str(day.year))
    return f"{year}年{small(day.month)}月{small(day.day)}日"


def small(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else "一二三四五六七八九"[tens - 1] + "十"
    return head + ("" if ones == 0 else "一二三四五六七八九"[ones - 1])


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("2018年", 2018),
        ("二0一七年", 2017),
        ("二〇〇九年", 2009),
        ("202020年", None),
        ("18年", None),
        ("", None),
    ],
)
def test_years(printed: str, expected: int | None) -> None:
    assert year_value(printed) == expected


@pytest.mark.parametrize(
    ("printed", "start", "end"),
    [
        ("数据统计期限自2018年1月1日起至2018年12月31日止。", "2018-01-01", "2018-12-31"),
        ("所列数据的统计时段为2016年1月1日—2016年12月31日。", "2016-01-01", "2016-12-31"),
        ("统计期限为2011年1月1日至12月31日。", "2011-01-01", "2011-12-31"),
        ("统计期间为2018年1月1日至同年12月31日", "2018-01-01", "2018-12-31"),
        ("数据自2016年1月1日起，到2016年12月31日止。", "2016-01-01", "2016-12-31"),
        ("数据统计时间为2017年1月1日0时至2017年12月31日24时。", "2017-01-01", "2017-12-31"),
        ("公布我镇2014年（1月1日至12月31日）政府信息公开情况", "2014-01-01", "2014-12-31"),
        ("现将 2020 年 1 月 1 日至 12 月 31 日的工作情况报告如下。", "2020-01-01", "2020-12-31"),
        ("统计期限为2008年5月1日至2008年12月31日。", "2008-05-01", "2008-12-31"),
        ("统计数据截止2018年12月31日，咨询电话见下。", None, "2018-12-31"),
        ("现将2012年度（统计截止12月31日）情况公布如下。", None, "2012-12-31"),
        # damaged: the legible edge alone, or nothing
        ("数据统计期限为2018年1月1日至2018年1231日。", "2018-01-01", None),
        ("数据统计期限为2018年11日至2018年12月31日。", None, "2018-12-31"),
        ("数据统计期限为2018年11日至2018年1231日。", None, None),
        ("数据统计期限为2020年1月1日至202020年12月31日。", "2020-01-01", None),
        # not the report's own period
        ("2018年3月1日至3月31日，开展政务公开宣传月活动。", None, None),
        ("截至2018年12月31日，累计公开信息300条。", None, None),
        ("2018年9月20日，网站改版上线。", None, None),
    ],
)
def test_period(printed: str, start: str | None, end: str | None) -> None:
    period = find_period(document("砚浦县人民政府年度报告", printed))
    edges = (None, None) if period is None else (period.start, period.end)
    assert [None if edge is None else edge.value.isoformat() for edge in edges] == [start, end]


def test_stated_period_goes_before_another_range() -> None:
    period = find_period(
        document(
            "活动自2017年6月1日至2018年6月1日开展，促进了信息公开。",
            "数据统计期限为2018年1月1日至2018年12月31日。",
        )
    )
    assert period is not None
    assert period.start is not None
    assert period.start.value == date(2018, 1, 1)


def test_dates_of_one_line_keep_their_places() -> None:
    text = "自 2018 年 1 月 1 日至 2018 年 12 月 31 日"
    found = list(find_dates(pack(text, Span(0, len(text)))))
    assert [text[day.span.start : day.span.end] for day in found] == [
        "2018 年 1 月 1 日",
        "2018 年 12 月 31 日",
    ]
    assert found[1].value - found[0].value == timedelta(days=364)
