"""Whether a text is an annual disclosure report at all."""

from __future__ import annotations

import re

from pipeline.document import Document, Span
from pipeline.errors import NotAReport
from pipeline.metadata.issuers import find_title, head_spans
from pipeline.metadata.not_reports import what_instead
from pipeline.printed import pack
from pipeline.read.lines import is_chapter

# Labels that stand in the national forms of 2019 and 2021 and nowhere else.
_TABLES = {
    "主动公开": re.compile(r"信息内容.{0,400}?(?:制发件数|新制作数量|处理决定数量|收费金额|项目数量)"),
    "申请": re.compile(r"新收政府信息公开申请|结转下年度继续办理|本年度办理结果"),
    "复议诉讼": re.compile(r"结果维持.{0,60}?结果纠正.{0,200}?尚未审结"),
}
_SUBJECTS = {
    "主动公开": r"主动公开",
    "依申请公开": r"依申请|公开.{0,6}申请|申请.{0,6}公开",
    "收费": r"收费|减免|费用|信息处理费",
    "复议诉讼": r"行政?复议|诉讼",
    "问题": r"问题|不足|欠缺|改进",
}
_SPEAKS_AS_REPORT = re.compile(r"本报告|报告如下|公布如下")
_OTHER_PAPER = re.compile(
    r"(?:通知|办法|条例|指南|规定|方案|目录|解读|要点|一览|列表|说明)(?:[（(].*[)）])?$"
)
_MIN_PROSE = 3
_MIN_SUBJECTS = 4
_MIN_SUBJECTS_WITH_TITLE = 2


def is_report(document: Document) -> bool:
    """Whether the document is an annual disclosure report."""
    return not missing(document)


def require_report(document: Document) -> None:
    """Raise NotAReport, saying what was missing, unless the document is a report."""
    lacking = missing(document)
    if not lacking:
        return
    instead = what_instead(document)
    if instead is not None:
        raise NotAReport(f"{document.file}: no annual disclosure report but {instead.what}. {instead.advice}")
    raise NotAReport(
        f"{document.file}: no annual disclosure report (政府信息公开工作年度报告): {'; '.join(lacking)}. "
        "Give the page of the report itself, not a list, a notice or news about it."
    )


def missing(document: Document) -> tuple[str, ...]:
    """What the document lacks to be taken for a report; empty if it is one.

    Two of the three national tables are enough; else a title with a chapter or text of its own; else
    the subjects of Articles 31–32 of the Regulation of 2007 in a text that calls itself a report.
    """
    tables = _tables(document)
    prose = _prose(document)
    subjects = sorted(
        name for name, word in _SUBJECTS.items() if any(re.search(word, line) for line in prose)
    )
    has_title = find_title(document) is not None
    has_substance = len(prose) >= _MIN_PROSE or bool(tables)
    if len(tables) >= 2 or (has_title and has_substance and len(subjects) >= _MIN_SUBJECTS_WITH_TITLE):
        return ()
    if has_title and prose and subjects and _has_chapter(document):
        return ()
    if has_substance and len(subjects) >= _MIN_SUBJECTS and _speaks_as_report(document, prose):
        return ()
    lacking = [
        (has_title, "no title such as 某县人民政府2018年政府信息公开工作年度报告"),
        (has_substance, f"{len(prose)} paragraphs of prose and no table of the national forms"),
        (len(subjects) >= _MIN_SUBJECTS, f"of a report's subjects only {', '.join(subjects) or 'none'}"),
        (_speaks_as_report(document, prose), "the text does not call itself a report"),
    ]
    return tuple(text for is_there, text in lacking if not is_there)


def _tables(document: Document) -> list[str]:
    """The national tables whose labels are printed, as cells or in flattened text."""
    text = pack(document.text, Span(0, len(document.text))).text
    return [name for name, pattern in _TABLES.items() if pattern.search(text)]


def _has_chapter(document: Document) -> bool:
    return any(is_chapter(document.slice(block.span)) for block in document.blocks if block.table is None)


def _prose(document: Document) -> list[str]:
    """Paragraphs with a sentence in them, without white space."""
    lines = [pack(document.text, block.span).text for block in document.blocks if block.table is None]
    return [line for line in lines if "。" in line or "；" in line]


def _speaks_as_report(document: Document, prose: list[str]) -> bool:
    head = [pack(document.text, span).text for span in head_spans(document)[:3]]
    if any(_OTHER_PAPER.search(line) for line in head):
        return False
    return any(_SPEAKS_AS_REPORT.search(line) for line in prose)
