"""The national statistics table of 2014–2018 filled in for a county that does not exist, in several prints."""

# ruff: noqa: E501 - a table row stays on one line

from __future__ import annotations

from tables_material import document_of, drafts, shown, stream_of

from pipeline.document import Document
from pipeline.fact import Fact
from pipeline.tables.reading import TableReading, read_tables

HEADER = "统 计 指 标 | 单位 | 统计数"
# Printed row | unit | figure | key; a section has neither figure nor key.
NATIONAL = """
一、主动公开情况 | —— | |
　（一）主动公开政府信息数（不同渠道和方式公开相同信息计1条） | 条 | 1240 | disclosed_total
　　　其中：主动公开规范性文件数 | 条 | 18 | normative_documents_disclosed
　　　　　　制发规范性文件总数 | 件 | 20 | normative_documents_issued
　（二）通过不同渠道和方式公开政府信息的情况 | —— | |
　　1.政府公报公开政府信息数 | 条 | 0 | disclosed_gazette
　　2.政府网站公开政府信息数 | 条 | 1015 | disclosed_website
　　3.政务微博公开政府信息数 | 条 | 210 | disclosed_weibo
　　4.政务微信公开政府信息数 | 条 | 304 | disclosed_wechat
　　5.其他方式公开政府信息数 | 条 | 66 | disclosed_other
二、回应解读情况 | —— | |
　（一）回应公众关注热点或重大舆情数（不同方式回应同一热点或舆情计1次） | 次 | 31 | responses_total
　（二）通过不同渠道和方式回应解读的情况 | —— | |
　　1.参加或举办新闻发布会总次数 | 次 | 4 | press_conferences
　　　其中：主要负责同志参加新闻发布会次数 | 次 | 1 | press_conferences_leader
　　2.政府网站在线访谈次数 | 次 | 6 | interviews
　　　其中：主要负责同志参加政府网站在线访谈次数 | 次 | 2 | interviews_leader
　　3.政策解读稿件发布数 | 篇 | 47 | interpretations
　　4.微博微信回应事件数 | 次 | 12 | weibo_wechat_responses
　　5.其他方式回应事件数 | 次 | 9 | other_responses
三、依申请公开情况 | —— | |
　（一）收到申请数 | 件 | 53 | received_total
　　1.当面申请数 | 件 | 11 | received_in_person
　　2.传真申请数 | 件 | 3 | received_fax
　　3.网络申请数 | 件 | 32 | received_online
　　4.信函申请数 | 件 | 7 | received_mail
　（二）申请办结数 | 件 | 51 | concluded_total
　　1.按时办结数 | 件 | 46 | concluded_on_time
　　2.延期办结数 | 件 | 5 | concluded_extended
　（三）申请答复数 | 件 | 50 | answered_total
　　1.属于已主动公开范围数 | 件 | 13 | answered_already_public
　　2.同意公开答复数 | 件 | 16 | answered_granted
　　3.同意部分公开答复数 | 件 | 2 | answered_partially_granted
　　4.不同意公开答复数 | 件 | 8 | answered_denied
　　　其中：涉及国家秘密 | 件 | 1 | denied_state_secret
　　　　　　涉及商业秘密 | 件 | 2 | denied_trade_secret
　　　　　　涉及个人隐私 | 件 | 3 | denied_privacy
　　　　　　危及国家安全、公共安全、经济安全和社会稳定 | 件 | 0 | denied_security_stability
　　　　　　不是《条例》所指政府信息 | 件 | 1 | denied_not_government_information
　　　　　　法律法规规定的其他情形 | 件 | 1 | denied_other_law
　　5.不属于本行政机关公开数 | 件 | 4 | answered_not_this_body
　　6.申请信息不存在数 | 件 | 5 | answered_nonexistent
　　7.告知作出更改补充数 | 件 | 0 | answered_correction_requested
　　8.告知通过其他途径办理数 | 件 | 2 | answered_other_route
四、行政复议数量 | 件 | 6 | review_total
　（一）维持具体行政行为数 | 件 | 3 | review_upheld
　（二）被依法纠错数 | 件 | 2 | review_corrected
　（三）其他情形数 | 件 | 1 | review_other
五、行政诉讼数量 | 件 | 9 | litigation_total
　（一）维持具体行政行为或者驳回原告诉讼请求数 | 件 | 5 | litigation_upheld
　（二）被依法纠错数 | 件 | 0 | litigation_corrected
　（三）其他情形数 | 件 | 4 | litigation_other
六、举报投诉数量 | 件 | 3 | complaints_total
七、依申请公开信息收取的费用 | 万元 | 0.06 | fees_wan_yuan
八、机构建设和保障经费情况 | —— | |
　（一）政府信息公开工作专门机构数 | 个 | 22 | offices
　（二）设置政府信息公开查阅点数 | 个 | 14 | reading_points
　（三）从事政府信息公开工作人员数 | 人 | 70 | staff_total
　　1.专职人员数（不包括政府公报及政府网站工作人员数） | 人 | 25 | staff_full_time
　　2.兼职人员数 | 人 | 45 | staff_part_time
　（四）政府信息公开专项经费（不包括用于政府公报编辑管理及政府网站建设维护等方面的经费） | 万元 | 36.5 | budget_wan_yuan
九、政府信息公开会议和培训情况 | —— | |
　（一）召开政府信息公开工作会议或专题会议数 | 次 | 8 | meetings
　（二）举办各类培训班数 | 次 | 10 | trainings
　（三）接受培训人员数 | 人次 | 415 | trainees
"""


def form_rows() -> list[tuple[str, str, str, str]]:
    """Printed row, unit, figure and key of every row, sections included."""
    rows = [[cell.strip(" ") for cell in line.split("|")] for line in NATIONAL.strip("\n").splitlines()]
    return [(label, unit, figure, (rest or [""])[0]) for label, unit, figure, *rest in rows]


def printed_values() -> dict[str, str]:
    """Key → figure as printed, in printed order."""
    return {key: figure for _, _, figure, key in form_rows() if key}


def grid(replaced: dict[str, str] | None = None, left_out: tuple[str, ...] = ()) -> str:
    """The form as a table of three columns; `replaced` gives other figures by key."""
    figures = replaced or {}
    lines = [HEADER]
    for label, unit, figure, key in form_rows():
        if not key or key not in left_out:
            lines.append(f"{label} | {unit} | {figures.get(key, figure)}")
    return "\n".join(lines)


def cells() -> list[str]:
    """The form with one cell a line; the blank figure of a section leaves none."""
    rows = [HEADER.split(" | "), *(row[:3] for row in form_rows())]
    return ["".join(cell.split()) for row in rows for cell in row if cell]


def one_cell_a_line() -> Document:
    """The form as text that lost its grid."""
    return stream_of(*cells())


def values(reading: TableReading) -> dict[str, str]:
    """Key → value or mark of every fact of the statistics table."""
    return {_key(fact): shown(fact) for fact in reading.facts if fact.path.startswith("statistics.")}


def fact(reading: TableReading, key: str) -> Fact:
    """The fact of a row."""
    return next(fact for fact in reading.facts if fact.path == f"statistics.{key}")


def read_year(*tables: str, year: int) -> TableReading:
    """The reading of tables in a report on `year`."""
    return read_tables(document_of(*tables), year)


def _key(fact: Fact) -> str:
    return fact.path.partition(".")[2]


# A whole report

NARRATIVE = """
示例县人民政府2016年政府信息公开工作年度报告

　　本报告由示例县人民政府办公室编制。所列数据的统计期限自2016年1月1日起至2016年12月31日止。

一、概述

　　2016年，全县重视政务公开，召开专题会议研究部署。

二、主动公开政府信息情况

　　全年共主动公开政府信息1240条，其中通过政府网站公开1051条。

三、依申请公开政府信息情况

　　全年共收到政府信息公开申请53件，没有收取任何费用。

四、行政复议和行政诉讼情况

　　全年发生行政复议6件。

五、存在的主要问题和改进措施

　　（一）存在的主要问题。一是主动公开意识不强。二是更新不够及时。

示例县人民政府办公室
2017年1月20日

"""


def as_html() -> str:
    """The report as a web page."""
    rows = drafts(grid())
    body = "".join(f"<tr>{''.join(f'<td>{cell.text}</td>' for cell in row)}</tr>" for row in rows)
    text = "".join(f"<p>{line}</p>" for line in NARRATIVE.split("\n") if line.strip())
    return f"<html><body><div>{text}<p>附件</p><table>{body}</table></div></body></html>"


def as_lines() -> str:
    """The report as text whose table has one cell a line."""
    return NARRATIVE + "附件\n政府信息公开情况统计表\n" + "\n".join(cells()) + "\n"


def as_tabs() -> str:
    """The report as text whose table is tab-separated."""
    rows = ["\t".join(line.split(" | ")) for line in grid().splitlines()]
    return NARRATIVE + "附件\n\n" + "\n".join(rows) + "\n"
