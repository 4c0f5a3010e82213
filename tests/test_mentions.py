"""Figures and zeros in words that are found in prose, and numbers that are none of a report's figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prose_material import document, mentions, prints, said, spans, squeezed

from pipeline.document import CellDraft, DocumentBuilder
from pipeline.fact import Bound
from pipeline.prose.mentions import find_mentions, find_sentences

Figure = tuple[str, int | float, str | None, Bound]


def figures(*lines: str) -> list[Figure]:
    """Print, value, unit and bound of every figure."""
    report = document(*lines)
    return [
        (squeezed(mention.raw(report)), mention.value, mention.unit, mention.bound)
        for mention in find_mentions(report)
        if mention.kind == "figure"
    ]


def zeros(text: str) -> list[str]:
    """The print of every denial."""
    report = document(text)
    return prints([mention for mention in find_mentions(report) if mention.kind == "zero"], report)


FIGURES: list[tuple[str, list[Figure]]] = [
    # how numbers are printed
    ("全年公开政府信息5090条。", [("5090条", 5090, "条", "exact")]),
    ("公开政府信息4200余条。", [("4200余条", 4200, "条", "at_least")]),
    ("公开信息 1 136 条。", [("1136条", 1136, "条", "exact")]),
    ("信息1，234条，图片1,050张。", [("1，234条", 1234, "条", "exact"), ("1,050张", 1050, "张", "exact")]),
    ("举办访谈１１期。", [("１１期", 11, "期", "exact")]),
    ("发布信息32.1万条次。", [("32.1万条次", 321_000, "条次", "exact")]),
    ("发布信息732余条次。", [("732余条次", 732, "条次", "at_least")]),
    ("六百多条、图片二十余张。", [("六百多条", 600, "条", "at_least"), ("二十余张", 20, "张", "at_least")]),
    ("公开信息百余条。", [("百余条", 100, "条", "at_least")]),
    ("公开信息上千条。", [("上千条", 1000, "条", "at_least")]),
    ("召开发布会三场，举办培训两次。", [("三场", 3, "场", "exact"), ("两次", 2, "次", "exact")]),
    # words that bound stand before the figure, behind it, and behind the measure word
    ("栏目访问近90万人次。", [("近90万人次", 900_000, "人次", "at_most")]),
    ("公开信息不到20条。", [("不到20条", 20, "条", "at_most")]),
    ("培训干部约300人次。", [("约300人次", 300, "人次", "about")]),
    ("培训干部300人次左右。", [("300人次左右", 300, "人次", "about")]),
    ("培训干部300人次以上。", [("300人次以上", 300, "人次", "at_least")]),
    # measure words
    ("收到申请4起、5宗。", [("4起", 4, "起", "exact"), ("5宗", 5, "宗", "exact")]),
    ("专职1人、兼职2名。", [("1人", 1, "人", "exact"), ("2名", 2, "名", "exact")]),
    ("查阅点5处，公告牌6块。", [("5处", 5, "处", "exact"), ("6块", 6, "块", "exact")]),
    ("纪要12份、公告3则。", [("12份", 12, "份", "exact"), ("3则", 3, "则", "exact")]),
    ("案件1例、批文2批。", [("1例", 1, "例", "exact"), ("2批", 2, "批", "exact")]),
    ("图解7幅，视频8段。", [("7幅", 7, "幅", "exact"), ("8段", 8, "段", "exact")]),
    # without one: only where the words before say that a count follows
    ("公开信息数为312。", [("312", 312, None, "exact")]),
    ("受理申请总数：17", [("17", 17, None, "exact")]),
    ("主动公开政府信息共计 305 。", [("305", 305, None, "exact")]),
    # money is in yuan
    ("收取费用1500元。", [("1500元", 1500, "元", "exact")]),
    ("收取费用18元5角。", [("18元5角", 18.5, "元", "exact")]),
    ("减免1.5万元。", [("1.5万元", 15_000, "万元", "exact")]),
    ("安排经费20余万元。", [("20余万元", 200_000, "万元", "at_least")]),
    ("安排经费二十万元。", [("二十万元", 200_000, "万元", "exact")]),
    # an outcome that contains a denial is counted like any other
    ("信息不存在3件，未审结2件。", [("3件", 3, "件", "exact"), ("2件", 2, "件", "exact")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FIGURES, ids=[text for text, _ in FIGURES])
def test_figures(text: str, expected: list[Figure]) -> None:
    assert figures(text) == expected


ZEROS: list[tuple[str, list[str]]] = [
    ("未收到公开申请。", ["未收到"]),
    ("没有收到信息公开申请。", ["没有收到"]),
    ("全年没有接收到申请。", ["没有接收到"]),
    ("未接到申请。", ["未接到"]),
    ("尚未收到申请。", ["未收到"]),
    ("未收取费用。", ["未收取"]),
    ("暂未收取费用。", ["未收取"]),
    ("没有收取任何费用。", ["没有收取任何"]),
    ("未产生收费。", ["未产生"]),
    ("不存在收费情况。", ["不存在"]),
    ("一律不收费。", ["不收费"]),
    ("均免费。", ["均免费"]),
    ("免费提供信息。", ["免费提供"]),
    ("未发生行政复议。", ["未发生"]),
    ("没有发生行政诉讼。", ["没有发生"]),
    ("未被提起行政诉讼。", ["未被提起"]),
    ("无行政复议案件。", ["无"]),
    ("行政诉讼无一例。", ["无一例"]),
    ("行政复议：无。", ["无"]),
    ("零申请。", ["零"]),
    ("申请、复议、诉讼均为零。", ["为零"]),
    ("一件也没有收到。", ["一件也没有收到"]),
    ("从未有过投诉。", ["未有过"]),
    ("无公民提出申请。", ["无"]),
    ("未曾收到申请，也没有发生行政复议和行政诉讼，亦无投诉举报。", ["未曾收到", "没有发生", "无"]),
    # words that begin alike and deny nothing that is counted
    ("未及时公开。", []),
    ("未经批准不得公开。", []),
    ("没有完全公开。", []),
    ("无障碍浏览。", []),
    ("无偿提供查阅。", []),
    ("无法提供相关信息。", []),
    ("信息不存在3件。", []),
    ("答复“信息不存在”2件。", []),
    ("未审结2件。", []),
    ("无正当理由大量反复申请1件。", []),
]


@pytest.mark.parametrize(("text", "expected"), ZEROS, ids=[text for text, _ in ZEROS])
def test_zeros_in_words(text: str, expected: list[str]) -> None:
    assert zeros(text) == expected


def test_a_zero_in_words_has_no_measure_word() -> None:
    (zero,) = mentions("未收到申请。")
    assert (zero.kind, zero.value, zero.bound, zero.unit) == ("zero", 0, "exact", None)


NO_FIGURES = [
    # dates
    "2017年10月12日，2017年度，二0一七年，二O一一年，二〇一八年三月五日。",
    "统计期限为1月1日至12月31日。",
    "2017-10-12发布，2018.3.5更新。",
    # numbers of documents, articles, proposals
    "依据〔2018〕23号文件和第74号建议。",
    "根据《条例》第二十条第一项、第9条。",
    # shares and changes
    "占总数的35.2%，增长百分之十二，提高3个百分点，是上年的2.1倍。",
    # telephone, post code, address
    "咨询电话0607-2290418，传真：2290419，邮编000571。",
    "地址：文心街5号，办公楼3楼301室。",
    # names with numbers
    "拨打12345热线。89000民生服务中心受理。",
    "推进“五公开”，落实36项重点工作。",
    "学习十九大精神，两会期间公布“三公”经费，服务三农。",
    "一次性告知，一站式服务，一网通办。",
    "全县三类信息目录。",
    # enumerators and ordinals
    "（一）加强领导。（2）规范管理。",
    "1.加强领导；2、规范管理。",
    "一是加强领导；二是规范管理。",
    "第一批公布的目录，参加第3次会议，位列第2名。",
    # time, and the counting rule
    "15个工作日内答复，每周3天、每天8小时开放。",
    "同一信息计为1条。相同信息计1条。",
    # parts of other things
    "实现了三个方面的突破，开设4个栏目，2个专题。",
    # no value
    "公开信息数十条，图片几百张，回复若干条。",
]


@pytest.mark.parametrize("text", NO_FIGURES)
def test_numbers_that_are_no_figures(text: str) -> None:
    assert figures(text) == []


# Figures with a measure word that the grammar cannot rule out: found, but of no field.
NO_FIELD = [
    "12345热线来电4500余宗。",
    "全县政务服务事项686项，累计办件近90万件。",
    "出台二十条措施，最多跑一次。",
    "查处案件8件，罚没款12万元。",
    "印发手册2000册，编发简报24期。",
    "粉丝1.2万人，阅读量超20万次。",
    "领导小组成员单位40家，乡镇14个。",
]


@pytest.mark.parametrize("text", NO_FIELD)
def test_figures_of_no_field(text: str) -> None:
    assert said(document(text)) == []


# Sentences


def test_sentences_know_their_headings_and_what_stands_before() -> None:
    chapters = ("# 二、主动公开情况", "# （一）公开数量", "全年公开信息12条。其中网站8条。")
    report = document(*chapters, "# 三、依申请公开情况", "无。")
    found = list(find_sentences(report))
    told = [(sentence.text, sentence.headings, sentence.before) for sentence in found if sentence.block > 1]
    assert told == [
        ("全年公开信息12条。", ("二、主动公开情况", "（一）公开数量"), ""),
        ("其中网站8条。", ("二、主动公开情况", "（一）公开数量"), "全年公开信息12条。"),
        ("三、依申请公开情况", ("三、依申请公开情况",), ""),
        ("无。", ("三、依申请公开情况",), ""),
    ]


def test_a_point_in_a_figure_ends_no_sentence() -> None:
    assert len(list(find_sentences(document("公开1.2万条，占35.2%。收到申请3件。")))) == 2


def test_spans_point_at_the_print_in_the_whole_text() -> None:
    report = document("# 一、概述", "全年公开信息12条。", "未收到申请。")
    assert [report.slice(span) for span in spans(find_mentions(report))] == ["12条", "未收到"]


def test_bare_figures_of_the_forms_are_left_to_the_table_reader() -> None:
    builder = DocumentBuilder()
    builder.add_table(
        [[CellDraft("规章"), CellDraft("3")], [CellDraft("政府网站"), CellDraft("302 条")]], "grid"
    )
    report = builder.build(doc_id="d", file="", sha256="", media_type="text/plain")
    assert prints(find_mentions(report), report) == ["302条"]


@given(
    st.text(
        "全年公开信息申请未收到没有无复议诉讼0123456789１一二十百万余近约条件次元，。；、：（）%年月 ",
        max_size=60,
    )
)
def test_any_prose_is_read_without_fault(text: str) -> None:
    report = document(text)
    found = find_mentions(report)
    assert spans(found) == sorted(spans(found))
    assert all(mention.raw(report).strip() for mention in found)


@given(st.integers(0, 999_999), st.sampled_from(["条", "件", "篇", "人次", "元"]))
def test_every_counted_figure_is_found(number: int, unit: str) -> None:
    assert figures(f"全年共有{number}{unit}。") == [(f"{number}{unit}", number, unit, "exact")]
