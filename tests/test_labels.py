"""Labels as printed → the label that is meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tables.claims import request_row
from pipeline.tables.labels import LabelSet, read_label
from pipeline.tables.templates import applicant_labels, column_labels, item_labels, kinds_of_label


@pytest.mark.parametrize(
    ("printed", "text", "enumerator"),
    [
        ("一、本年新收政府信息公开申请数量", "本年新收政府信息公开申请数量", "一、"),
        ("（六）其他处理", "其他处理", "(六)"),
        ("(六) 其他 处理", "其他处理", "(六)"),
        ("1.属于国家秘密", "属于国家秘密", "1."),
        ("1．属于国家秘密", "属于国家秘密", "1."),
        ("1、属于国家秘密", "属于国家秘密", "1."),
        ("１.属于国家秘密", "属于国家秘密", "1."),
        ("3.危及“三安全一稳定”", "危及三安全一稳定", "3."),
        ("三安全一稳定", "三安全一稳定", ""),
        ("总 计", "总计", ""),
        ("本年增/减", "本年增减", ""),
        ("**规章**", "规章", ""),
    ],
)
def test_normal_form(printed: str, text: str, enumerator: str) -> None:
    label = read_label(printed)
    assert (label.core, label.enumerator) == (text, enumerator)


@pytest.mark.parametrize(
    ("printed", "row", "kind"),
    [
        ("一、本年新收政府信息公开申请数量", "new_received", "exact"),
        ("一、本年新收政府信息公开申请数", "new_received", "exact"),
        ("（二）部分公开（区分处理的，只计这一情形，不计其他情形）", "partially_granted", "exact"),
        ("（二）部分公开（区分处理的，只计这一情形，不", "partially_granted", "exact"),
        ("(二)部分公开", "partially_granted", "exact"),
        ("计其他情形)", "partially_granted", "part"),
        ("2.其他法律行政法规禁止公开", "denied_law_prohibits", "exact"),
        ("2.其他法律、行政法规禁止公开", "denied_law_prohibits", "exact"),
        ("2.其他法律行政止公开", "denied_law_prohibits", "fuzzy"),
        ("3.危及‘三安全一稳定’", "denied_security_stability", "exact"),
        ("5.属于三类内部事务", "denied_internal_affairs", "part"),
        ("1.信访举报投诉类申请", "unprocessed_petition", "exact"),
        ("2.重复申请", "unprocessed_repeat", "exact"),
        ("4.无正当理由大量反复申请", "unprocessed_mass", "exact"),
        ("1.申请人无正当理由逾期不补正，行政机关不再处理其政府信息公开申请", "other_not_corrected", "exact"),
        ("2.申请人逾期未按收费通知要求缴纳费用", "other_fee_unpaid", "part"),
        ("（六）其他处理", "other_outcome", "exact"),
        ("（六）其他", "other_outcome", "part"),
        ("3.其他", "other_misc", "exact"),
        ("（七）总计", "concluded", "exact"),
        ("四、结转下年度继续办理", "carried_out", "exact"),
    ],
)
def test_rows_of_the_requests_table(printed: str, row: str, kind: str) -> None:
    match = request_row(printed)
    assert match is not None
    assert (match.key, match.kind) == (row, kind)


@pytest.mark.parametrize("printed", ["公开", "信息", "三、本", "申请", "年度工作要点", "政府网站信息", ""])
def test_text_that_is_no_row(printed: str) -> None:
    match = request_row(printed)
    assert match is None


@pytest.mark.parametrize(
    ("printed", "key"),
    [
        ("规范性文件", "normative_documents"),
        ("行政规范性文件", "normative_documents"),
        ("其他对外管理服务", "other_services"),
        ("政府集中采购", "procurement"),
        ("行政强 制", "coercion"),
    ],
)
def test_items(printed: str, key: str) -> None:
    match = item_labels().match(printed)
    assert match is not None
    assert match.key == key


@pytest.mark.parametrize(
    ("printed", "key"),
    [
        ("本年新 制作数量", "made"),
        ("处理决定数量", "decisions"),
        ("本年处理决定数量", "decisions"),
        ("本年收费金额（单位：万元）", "amount_wan_yuan"),
        ("本年收费金额（单位：元）", "amount_wan_yuan"),
        ("采购总金额(万元)", "amount_yuan"),
        ("现行有 效件数", "in_force"),
    ],
)
def test_columns(printed: str, key: str) -> None:
    match = column_labels().match(printed)
    assert match is not None
    assert match.key == key


def test_one_label_for_two_places_is_told_by_the_enumerator() -> None:
    assert applicant_labels().exact("其他") == "other_organisation"
    assert request_row("3.其他") != request_row("（六）其他")


@pytest.mark.parametrize(
    ("printed", "kinds"),
    [
        ("第二十条第（一）项", {"proactive"}),
        ("第二十条 第（八）项", {"proactive"}),
        ("规章", {"proactive"}),
        ("法律服务机构", {"requests"}),
        ("尚未审结", {"remedies"}),
        ("其他", set()),
        ("总计", set()),
        ("在编人员", set()),
    ],
)
def test_which_table_a_label_stands_in(printed: str, kinds: set[str]) -> None:
    assert kinds_of_label(printed) == kinds


def test_two_that_would_do_are_none() -> None:
    labels = LabelSet({"licensing": ["行政许可数量"], "penalties": ["行政处罚数量"]})
    assert labels.match("数量") is None
    assert labels.match("行政数量") is None


def test_within_narrows_the_choice() -> None:
    labels = LabelSet({"one": ["申请总数量"], "two": ["申请办结数量"]})
    match = labels.match("申请数量", within={"one"})
    assert match is not None
    assert match.key == "one"


@given(st.text(alphabet="规章行政许可属于国家秘密申请数量", min_size=1, max_size=12), st.integers(0, 11))
def test_white_space_and_quotes_make_no_difference(label: str, at: int) -> None:
    spaced = f"{label[:at]} “{label[at:]}”\u3000"
    assert read_label(spaced).text == read_label(label).text == label
