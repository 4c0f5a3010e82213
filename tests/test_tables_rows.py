"""Which row a line is and which column a figure: by label, never by position."""

# ruff: noqa: E501 - a table row stays on one line

from __future__ import annotations

import pytest
from tables_material import APPLICANT_HEADER, document_of, read, row, rules, stream_of

from pipeline.tables.reading import read_tables

FEW_ROWS = "requests.new_received requests.carried_in requests.concluded requests.carried_out".split()


def requests(rows: str, header: str = APPLICANT_HEADER) -> str:
    return header.strip("\n") + "\n" + rows.strip("\n")


def test_2019_proactive_table_of_several_parts_in_one() -> None:
    reading = read(
        """
        第二十条第（一）项 | < | < | <
        信息内容 | 本年新制作数量 | 本年新公开数量 | 对外公开总数量
        规章 | 0 | 0 | 0
        规范性文件 | 4 | 4 | 16
        第二十条第（五）项 | < | < | <
        信息内容 | 上一年项目数量 | 本年增/减 | 处理决定数量
        行政许可 | 412 | -17 | 36208
        其他对外管理服务事项 | 2 | 减1 | 0
        第二十条第（八）项 | < | < | <
        信息内容 | 上一年项目数量 | 本年增/减 | <
        行政事业性收费 | 23 | 0 | <
        第二十条第（九）项 | < | < | <
        信息内容 | 采购项目数量 | 采购总金额 | <
        政府集中采购 | 1 | 150万元 | <
        """
    )
    assert row(reading, "proactive.normative_documents") == "4 4 16"
    assert row(reading, "proactive.licensing") == "412 -17 36208"
    assert row(reading, "proactive.other_services") == "2 -1 0"
    assert row(reading, "proactive.administrative_fees") == "23 0"
    assert row(reading, "proactive.procurement") == "1 1500000"
    assert reading.templates.proactive == reading.templates.document == "table2019"
    assert rules(reading)[:2] == ["table.missing_row@penalties", "table.missing_row@coercion"]


def test_2021_proactive_table_printed_as_separate_tables() -> None:
    reading = read(
        """
        信息内容 | 现行有效件数 | 本年制发件数 | 本年废止件数
        规章 | 11 | 1 | /
        行政规范性文件 | 66 | 8（其中修订2件） | 26
        """,
        """
        信息内容 | 本年处理决定数量
        行政许可 | 4,472
        """,
        """
        信息内容 | 本年收费金额（单位：万元）
        行政事业性收费 | 96171.6
        """,
    )
    assert row(reading, "proactive.regulations") == "1 / 11"
    assert row(reading, "proactive.normative_documents") == "8 26 66"
    assert row(reading, "proactive.licensing") == "4472"
    assert row(reading, "proactive.administrative_fees") == "96171.6"
    assert reading.templates.proactive == "table2021"
    assert "table.cell_note" in rules(reading)


def test_header_spans_that_lie() -> None:
    reading = read(
        """
        信息内容 | 本年新制作数量 | 本年新公开数量 | < | 对外公开总数量
        规章 | 1 | < | 2 | 3
        规范性文件 | 6 | < |  | 41
        """
    )
    assert row(reading, "proactive.regulations") == "1 2 3"
    assert row(reading, "proactive.normative_documents") == "6 _ 41"


@pytest.mark.parametrize(
    ("header", "figures", "expected"),
    [
        (  # as the form prints it
            APPLICANT_HEADER,
            "7 | 1 | 2 | 3 | 4 | 5 | 22",
            "7 1 2 3 4 5 22",
        ),
        (  # 科研机构 before 商业企业
            APPLICANT_HEADER.replace("商业企业 | 科研机构", "科研机构 | 商业企业"),
            "7 | 2 | 1 | 3 | 4 | 5 | 22",
            "7 1 2 3 4 5 22",
        ),
        (  # 总计 first
            """
            - | < | < | 总计 | 申请人情况 | < | < | < | < | <
            ^ | ^ | ^ | ^ | 自然人 | 法人或其他组织 | < | < | < | <
            ^ | ^ | ^ | ^ | ^ | 商业企业 | 科研机构 | 社会公益组织 | 法律服务机构 | 其他
            """,
            "22 | 7 | 1 | 2 | 3 | 4 | 5",
            "7 1 2 3 4 5 22",
        ),
        (  # one flat row
            "信息内容 | < | < | 自然人 | 商业企业 | 科研机构 | 公益组织 | 法律服务机构 | 其他 | 合计",
            "7 | 1 | 2 | 3 | 4 | 5 | 22",
            "7 1 2 3 4 5 22",
        ),
        (  # organisations before natural persons
            """
            - | < | < | 申请人情况 | < | < | < | < | < | <
            ^ | ^ | ^ | 法人或其他组织 | < | < | < | < | 自然人 | 总计
            ^ | ^ | ^ | 商业企业 | 科研机构 | 社会公益组织 | 法律服务机构 | 其他 | ^ | ^
            """,
            "1 | 2 | 3 | 4 | 5 | 7 | 22",
            "7 1 2 3 4 5 22",
        ),
    ],
)
def test_columns_go_where_the_header_says(header: str, figures: str, expected: str) -> None:
    reading = read(requests(f"一、本年新收政府信息公开申请数量 | < | < | {figures}", header))
    assert row(reading, "requests.new_received") == expected


def test_total_beside_or_below_its_parent_is_settled_by_the_sums() -> None:
    header = "申请人情况 总计 自然人 法人或其他组织 商业企业 科研机构 社会公益组织 法律服务机构 其他"
    first = read_tables(stream_of(header, "一、本年新收政府信息公开申请数量 9 7 1 0 0 1 0"))
    last = read_tables(stream_of(header, "一、本年新收政府信息公开申请数量 7 1 0 0 1 0 9"))
    assert row(first, "requests.new_received") == row(last, "requests.new_received") == "7 1 0 0 1 0 9"


def test_total_that_the_sums_cannot_place_is_said_to_be_unclear() -> None:
    header = "申请人情况 总计 自然人 法人或其他组织 商业企业 科研机构 社会公益组织 法律服务机构 其他"
    reading = read_tables(stream_of(header, "一、本年新收政府信息公开申请数量 9 0 0 0 0 0 9"))
    assert row(reading, "requests.new_received") == "9 0 0 0 0 0 9"
    assert "table.unclear_header@new_received" in rules(reading)


def test_flattened_header_without_spans() -> None:
    reading = read(
        """
        （按列核对的勾稽关系，一、二两行相加所得的数应与三、四两行之和相同） | 申请人情况 |  |  |  |  |  | 总计
         | 自然人 | 法人或其他组织 |  |  |  |  |
         |  | 商业企业 | 科研机构 | 社会公益组织 | 法律服务机构 | 其他 |
        一、本年新收政府信息公开申请数量 | 7 | 1 | 2 | 3 | 4 | 5 | 22
        """,
        form="flat",
    )
    assert row(reading, "requests.new_received") == "7 1 2 3 4 5 22"


def test_labels_cut_by_a_page_break_and_a_repeated_header() -> None:
    reading = read(
        requests(
            """
            三、本年度 | （二）部分公开（区分处理的，只计这一情形，不 | < | 5 | 0 | 0 | 0 | 0 | 0 | 5
            第4页 共6页 | < | < | < | < | < | < | < | < | <
            """
        ),
        requests(
            """
            办理结果 | 计其他情形） | < |  |  |  |  |  |  |
            ^ | （三）不 | 1.属于国家秘密 | 1 | 0 | 0 | 0 | 0 | 0 | 1
            ^ | 予公开 | 2.其他法律行政止公开 | 2 | 0 | 0 | 0 | 0 | 0 | 2
            """
        ),
    )
    assert row(reading, "requests.partially_granted") == "5 0 0 0 0 0 5"
    assert row(reading, "requests.denied_state_secret") == "1 0 0 0 0 0 1"
    assert row(reading, "requests.denied_law_prohibits") == "2 0 0 0 0 0 2"
    assert {rule.split("@")[0] for rule in rules(reading)} == {"table.missing_row", "table.missing_table"}


def test_a_label_split_over_two_lines_before_its_figures() -> None:
    reading = read_tables(
        stream_of(
            "自然人 商业企业 科研机构 社会公益组织 法律服务机构 其他 总计",
            "5.要求行政机关确认或 重新出具已获取信息 3 0 0 0 0 0 3",
        )
    )
    assert row(reading, "requests.unprocessed_confirmation") == "3 0 0 0 0 0 3"


def test_the_form_of_the_requests_table_is_told_by_its_sixth_group() -> None:
    one_row = read(requests("（六）其他处理 | < | < | 1 | 0 | 0 | 0 | 0 | 0 | 1"))
    three_rows = read(
        requests(
            """
            （六）其他处理 | 1.申请人无正当理由逾期不补正、行政机关不再处理其政府信息公开申请 | < | 1 | 0 | 0 | 0 | 0 | 0 | 1
            ^ | 3.其他 | < | 2 | 0 | 0 | 0 | 0 | 0 | 2
            （七）总计 | < | < | 3 | 0 | 0 | 0 | 0 | 0 | 3
            """
        )
    )
    assert (one_row.templates.requests, three_rows.templates.requests) == ("table2019", "table2021")
    assert row(one_row, "requests.other_outcome") == "1 0 0 0 0 0 1"
    assert row(three_rows, "requests.other_misc") == "2 0 0 0 0 0 2"
    assert row(three_rows, "requests.concluded") == "3 0 0 0 0 0 3"


def test_hybrid_of_2021_and_2019() -> None:
    reading = read(
        "信息内容 | 本年制发件数 | 本年废止件数 | 现行有效件数\n规章 | 0 | 0 | 0",
        requests("（六）其他处理 | < | < | 1 | 0 | 0 | 0 | 0 | 0 | 1"),
    )
    templates = reading.templates
    assert (templates.document, templates.proactive, templates.requests) == (
        "table2021",
        "table2021",
        "table2019",
    )


REMEDIES_HEADER = """
行政复议 | < | < | < | < | 行政诉讼 | < | < | < | < | < | < | < | < | <
结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计 | 未经复议直接起诉 | < | < | < | < | 复议后起诉 | < | < | < | <
^ | ^ | ^ | ^ | ^ | 结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计 | 结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计
"""


def test_remedies_with_totals_that_do_not_add_up_stay_as_printed() -> None:
    reading = read(REMEDIES_HEADER + "10 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 5 | 0 | 0 | 0 | 0")
    assert row(reading, "remedies.review") == "10 1 0 0 0"
    assert row(reading, "remedies.litigation_after_review") == "5 0 0 0 0"
    assert rules(reading) == ["table.missing_table@proactive", "table.missing_table@requests"]


def test_remedies_whose_suits_stand_first() -> None:
    reading = read(
        """
        行政诉讼 | < | < | < | < | < | < | < | < | < | 行政复议 | < | < | < | <
        未经复议直接起诉 | < | < | < | < | 复议后起诉 | < | < | < | < | 总计 | 结果维持 | 结果纠正 | 其他结果 | 尚未审结
        结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计 | 结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计 | ^ | ^ | ^ | ^ | ^
        1 | 2 | 3 | 4 | 10 | 0 | 1 | 0 | 1 | 2 | 9 | 5 | 2 | 1 | 1
        """
    )
    assert row(reading, "remedies.review") == "5 2 1 1 9"
    assert row(reading, "remedies.litigation_direct") == "1 2 3 4 10"
    assert row(reading, "remedies.litigation_after_review") == "0 1 0 1 2"


def test_remedies_one_cell_a_line() -> None:
    outcomes = "结果维持 结果纠正 其他结果 尚未审结 总计"
    reading = read_tables(
        stream_of(
            f"行政复议 行政诉讼 {outcomes} 未经复议直接起诉 复议后起诉 {outcomes} {outcomes}",
            "2 1 0 1 4 1 0 0 0 1 0 0 1 1 2",
        )
    )
    assert row(reading, "remedies.review") == "2 1 0 1 4"
    assert row(reading, "remedies.litigation_after_review") == "0 0 1 1 2"


def test_remedies_row_cut_by_a_page_break_is_joined() -> None:
    reading = read(REMEDIES_HEADER + "2 | 1 | 0 | 1 | 4 | 1 | 0 | 0 | 0 | 1\n0 | 0 | 1 | 1 | 2")
    assert row(reading, "remedies.review") == "2 1 0 1 4"
    assert row(reading, "remedies.litigation_after_review") == "0 0 1 1 2"


def test_a_second_line_of_remedies_and_a_page_number_are_left_out() -> None:
    figures = "2 | 1 | 0 | 1 | 4 | 1 | 0 | 0 | 0 | 1 | 0 | 0 | 1 | 1 | 2"
    reading = read(REMEDIES_HEADER + "4\n" + figures + "\n" + figures.replace("2", "7"))
    assert row(reading, "remedies.review") == "2 1 0 1 4"
    assert {"table.unclaimed_cell", "table.unclaimed_row"} <= set(rules(reading))


def test_remedies_with_blocks_as_rows() -> None:
    reading = read(
        """
        类别 | 结果维持 | 结果纠正 | 其他结果 | 尚未审结 | 总计
        复议后起诉 | 0 | 0 | 1 | 1 | 2
        行政复议 | 2 | 1 | 0 | 1 | 4
        未经复议直接起诉 | 1 | 0 | 0 | 0 | 1
        """
    )
    assert row(reading, "remedies.review") == "2 1 0 1 4"
    assert row(reading, "remedies.litigation_direct") == "1 0 0 0 1"


def test_evidence_is_the_figure_in_its_cell() -> None:
    document = document_of(
        "信息内容 | 采购项目数量 | 采购总金额\n政府集中采购 | 13（其中续签2项） | 1500084 元"
    )
    items, amount = read_tables(document).facts
    assert document.text[items.evidence.start : items.evidence.end] == items.raw == "13"
    assert document.text[amount.evidence.start : amount.evidence.end] == amount.raw == "1500084 元"
    assert (amount.evidence.table, amount.evidence.row, amount.evidence.column) == (0, 1, 2)
    assert (amount.unit, amount.value, amount.confidence) == ("元", 1500084, 1.0)


def test_a_blank_is_the_empty_span_at_its_place() -> None:
    document = document_of("信息内容 | 采购项目数量 | 采购总金额\n政府集中采购 |  | 12")
    blank = read_tables(document).facts[0]
    assert (blank.status, blank.value, blank.raw) == ("blank", None, "")
    assert blank.evidence.start == blank.evidence.end == document.tables[0].rows[1][1].span.start
