"""Numbers as reports print them: value and bound, and every way of printing a number read back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.document import Span
from pipeline.fact import Bound
from pipeline.numerals import chinese_value, find_numerals, number_value, trailing_bound

Found = list[tuple[int | float, Bound, str]]


def found(text: str) -> Found:
    """Value, bound and print of every numeral."""
    return [
        (numeral.value, numeral.bound, text[numeral.span.start : numeral.span.end])
        for numeral in find_numerals(text)
    ]


PRINTED: list[tuple[str, Found]] = [
    # digits
    ("公开信息5090条", [(5090, "exact", "5090")]),
    ("申请0件", [(0, "exact", "0")]),
    ("１１期", [(11, "exact", "１１")]),
    ("1,234条", [(1234, "exact", "1,234")]),
    ("1，234条", [(1234, "exact", "1，234")]),
    ("12，345，678条", [(12_345_678, "exact", "12，345，678")]),
    ("１，２３４条", [(1234, "exact", "１，２３４")]),
    ("1 136 条", [(1136, "exact", "1 136")]),
    ("28.5万元", [(285_000, "exact", "28.5万")]),
    ("0.5元", [(0.5, "exact", "0.5")]),
    ("５．１万人", [(51_000, "exact", "５．１万")]),
    # a comma that parts two figures is no separator of thousands
    ("网站3,15条", [(3, "exact", "3"), (15, "exact", "15")]),
    ("网站1,2345条", [(1, "exact", "1"), (2345, "exact", "2345")]),
    ("2017 12", [(2017, "exact", "2017"), (12, "exact", "12")]),
    # 万 and 亿
    ("32.1万条", [(321_000, "exact", "32.1万")]),
    ("5.1万人", [(51_000, "exact", "5.1万")]),
    ("1.5亿元", [(150_000_000, "exact", "1.5亿")]),
    ("近两万条", [(20_000, "at_most", "近两万")]),
    # Chinese characters
    ("九十六件", [(96, "exact", "九十六")]),
    ("十二件", [(12, "exact", "十二")]),
    ("一百零五件", [(105, "exact", "一百零五")]),
    ("两千三百条", [(2300, "exact", "两千三百")]),
    ("二〇一七", [(2017, "exact", "二〇一七")]),
    ("二○一七", [(2017, "exact", "二○一七")]),
    ("两次", [(2, "exact", "两")]),
    ("一万二千条", [(12_000, "exact", "一万二千")]),
    # at least
    ("4200余条", [(4200, "at_least", "4200余")]),
    ("六百多条", [(600, "at_least", "六百多")]),
    ("755多条", [(755, "at_least", "755多")]),
    ("732余条次", [(732, "at_least", "732余")]),
    ("10万余条", [(100_000, "at_least", "10万余")]),
    ("3万多条", [(30_000, "at_least", "3万多")]),
    ("1.4万余条", [(14_000, "at_least", "1.4万余")]),
    ("二十余条", [(20, "at_least", "二十余")]),
    ("百余条", [(100, "at_least", "百余")]),
    ("千余条", [(1000, "at_least", "千余")]),
    ("十几条", [(10, "at_least", "十几")]),
    ("三十来条", [(30, "at_least", "三十来")]),
    ("上千条", [(1000, "at_least", "上千")]),
    ("上万条", [(10_000, "at_least", "上万")]),
    ("逾千条", [(1000, "at_least", "逾千")]),
    ("超过1.2万条", [(12_000, "at_least", "超过1.2万")]),
    ("突破2万条", [(20_000, "at_least", "突破2万")]),
    ("不少于20件", [(20, "at_least", "不少于20")]),
    ("50以上", [(50, "at_least", "50以上")]),
    # at most
    ("近90万件", [(900_000, "at_most", "近90万")]),
    ("近百条", [(100, "at_most", "近百")]),
    ("接近400条", [(400, "at_most", "接近400")]),
    ("不到20件", [(20, "at_most", "不到20")]),
    ("不足20件", [(20, "at_most", "不足20")]),
    ("少于20件", [(20, "at_most", "少于20")]),
    ("20以内", [(20, "at_most", "20以内")]),
    # about
    ("约300条", [(300, "about", "约300")]),
    ("大约300条", [(300, "about", "大约300")]),
    ("300左右", [(300, "about", "300左右")]),
    # 达 and 共 say nothing of how exact a figure is
    ("达到500条", [(500, "exact", "500")]),
    ("若干条", []),
]


@pytest.mark.parametrize(("text", "expected"), PRINTED, ids=[text for text, _ in PRINTED])
def test_printed(text: str, expected: Found) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("〇", 0), ("零", 0), ("十", 10), ("二十", 20), ("一百", 100), ("一百零五", 105), ("一百一十", 110),
        ("两千零一十五", 2015), ("九千九百九十九", 9999), ("二〇一七", 2017), ("一二三", 123), ("壹", 1),
    ],
)  # fmt: skip
def test_chinese_value(text: str, value: int) -> None:
    assert chinese_value(text) == value


@pytest.mark.parametrize("text", ["", "数", "十百", "百千", "二三十", "条", "12"])
def test_no_chinese_numeral(text: str) -> None:
    assert chinese_value(text) is None


@pytest.mark.parametrize("text", ["", "条", "1,2,x", "1.2.3", "零散", "余"])
def test_no_number(text: str) -> None:
    assert number_value(text) is None


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("50人以上", 3, ("at_least", 5)),
        ("300条左右", 4, ("about", 6)),
        ("20件以内", 3, ("at_most", 5)),
        ("20件以内", 2, None),
        ("300条", 4, None),
    ],
)
def test_bound_behind_a_measure_word(text: str, position: int, expected: tuple[Bound, int] | None) -> None:
    assert trailing_bound(text, position) == expected


def test_only_the_asked_stretch_is_searched() -> None:
    text = "去年12条，今年34条"
    assert [numeral.span for numeral in find_numerals(text, 6)] == [Span(8, 10)]
    assert [numeral.span for numeral in find_numerals(text, 0, 5)] == [Span(2, 4)]


# Ways of printing a number; each must be read back to it.

_DIGITS = "零一二三四五六七八九"


def in_chinese(number: int) -> str:
    """`number` below ten thousand with 千, 百, 十: 1015 → 一千零一十五."""
    if number == 0:
        return "零"
    text = ""
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            text += _DIGITS[digit] + name
        elif text and number % unit:
            text += "零"
    return re.sub("零+", "零", text)


def full_width(text: str) -> str:
    return text.translate({ord(char): ord(char) + 0xFEE0 for char in "0123456789.,"})


counts = st.integers(0, 99_999_999)
below_ten_thousand = st.integers(0, 9999)
tenths = st.integers(1, 99_999).map(lambda n: f"{n // 10}.{n % 10}")


@given(counts)
def test_round_trip_of_digits(number: int) -> None:
    grouped = f"{number:,}"
    for text in (
        str(number), grouped, grouped.replace(",", "，"), grouped.replace(",", " "),
        full_width(str(number)), full_width(grouped),
    ):  # fmt: skip
        assert number_value(text) == number
        assert found(f"共{text}条") == [(number, "exact", text)]


@given(below_ten_thousand)
def test_round_trip_of_chinese(number: int) -> None:
    text = in_chinese(number)
    assert chinese_value(text) == number
    assert found(f"共{text}条") == [(number, "exact", text)]


@given(st.integers(10, 19))
def test_ten_to_nineteen_without_the_leading_one(number: int) -> None:
    assert chinese_value(in_chinese(number).removeprefix("一")) == number


@given(st.integers(1000, 9999))
def test_round_trip_digit_by_digit(number: int) -> None:
    text = "".join(_DIGITS[int(digit)] for digit in str(number))
    assert chinese_value(text) == number
    assert chinese_value(text.replace("零", "〇")) == number


@given(tenths)
def test_ten_thousands_are_exact(text: str) -> None:
    whole, tenth = text.split(".")
    value = int(whole) * 10_000 + int(tenth) * 1000
    assert number_value(f"{text}万") == value
    assert isinstance(number_value(f"{text}万"), int)
    assert found(f"共{text}万条") == [(value, "exact", f"{text}万")]


BOUND_WORDS: tuple[tuple[str, str, Bound], ...] = (
    ("", "", "exact"),
    ("", "余", "at_least"),
    ("", "多", "at_least"),
    ("", "以上", "at_least"),
    ("超过", "", "at_least"),
    ("逾", "", "at_least"),
    ("近", "", "at_most"),
    ("不到", "", "at_most"),
    ("", "以内", "at_most"),
    ("约", "", "about"),
    ("", "左右", "about"),
)


@given(st.integers(1, 99_999_999), st.sampled_from(BOUND_WORDS))
def test_words_that_bound_leave_the_value(number: int, words: tuple[str, str, Bound]) -> None:
    before, after, bound = words
    assert found(f"公开{before}{number}{after}条") == [(number, bound, f"{before}{number}{after}")]


@given(st.text("0123456789０１２.,， 〇一二两十百千万亿余多近约超上左右以条件年", max_size=40))
def test_any_text_is_read_without_fault(text: str) -> None:
    numerals = list(find_numerals(text))
    ends = [numeral.span.end for numeral in numerals]
    starts = [numeral.span.start for numeral in numerals]
    assert all(start < end for start, end in zip(starts, ends, strict=True))
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
    assert all(numeral.value >= 0 for numeral in numerals)
