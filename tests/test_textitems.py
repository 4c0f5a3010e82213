"""Problems and improvements, as lists of items."""

from __future__ import annotations

from typing import Literal

import pytest

from pipeline.document import CellDraft, Document, DocumentBuilder
from pipeline.prose.textitems import find_text_items

BOTH = "六、存在的主要问题及改进情况"
Lines = list[str]


def document(lines: Lines, table_after: bool = False) -> Document:
    builder = DocumentBuilder()
    for line in lines:
        kind: Literal["heading", "paragraph"] = "paragraph" if line[-1] in "。；：" else "heading"
        builder.add_text(kind, line)
    if table_after:
        builder.add_table([[CellDraft("一、收到申请数"), CellDraft("件"), CellDraft("3")]], "flat")
    return builder.build(doc_id="made_up", file="made_up.txt", sha256="0" * 64, media_type="text/plain")


def items(document: Document, kind: str) -> Lines:
    return [fact.raw for fact in find_text_items(document) if fact.path == f"text.{kind}"]


CASES: list[tuple[str, Lines, Lines, Lines]] = [
    (
        "one paragraph, 一是 twice",
        [
            BOTH,
            "工作中还存在以下不足：一是栏目更新慢；二是解读偏少。"
            "2021年，我镇将：一是按月更新栏目；二是多作图解。",
        ],
        ["栏目更新慢", "解读偏少"],
        ["按月更新栏目", "多作图解"],
    ),
    (
        "two paragraphs, （一） and 1.",
        [
            BOTH,
            "对照群众期待，还有差距：1.栏目更新慢，个别栏目数月不动；2.解读偏少。",
            "针对上述不足：（一）按月更新栏目。由专人负责。（二）多作图解。",
        ],
        ["栏目更新慢，个别栏目数月不动", "解读偏少"],
        ["按月更新栏目。由专人负责", "多作图解"],
    ),
    (
        "sub-headings",
        [
            BOTH,
            "（一）存在的主要问题",
            "1.栏目更新慢。",
            "2.解读偏少。",
            "（二）改进措施",
            "1.按月更新。",
            "2.多作图解。",
        ],
        ["栏目更新慢", "解读偏少"],
        ["按月更新", "多作图解"],
    ),
    (
        "sub-headings that end with a full stop",
        [BOTH, "（一）存在问题。栏目更新慢。", "（二）下一步工作计划。按月更新栏目。多作图解。"],
        ["栏目更新慢"],
        ["按月更新栏目", "多作图解"],
    ),
    (
        "sentences without enumerators, and a mere lead-in",
        [
            BOTH,
            "去年工作取得成效，但仍存在一定差距。栏目更新慢。解读偏少。",
            "下一步，我镇将按月更新栏目。同时多作图解。",
        ],
        ["栏目更新慢", "解读偏少"],
        ["下一步，我镇将按月更新栏目", "同时多作图解"],
    ),
    (
        "a lead-in that names the problem is an item",
        [BOTH, "2018年，工作取得成绩，但还存在人手薄弱的现象。", "2019年，我办将充实人手。"],
        ["2018年，工作取得成绩，但还存在人手薄弱的现象"],
        ["2019年，我办将充实人手"],
    ),
    (
        "首先 其次",
        [BOTH, "主要不足，一是栏目更新慢，二是解读偏少。整改如下：首先，按月更新；其次，多作图解。"],
        ["栏目更新慢", "解读偏少"],
        ["按月更新", "多作图解"],
    ),
    (
        "labels with a colon",
        [BOTH, "问题：（1）栏目更新慢；（2）解读偏少。", "改进：①按月更新；②多作图解。"],
        ["栏目更新慢", "解读偏少"],
        ["按月更新", "多作图解"],
    ),
    (
        "numbering that begins again without a turn of phrase",
        [BOTH, "一是栏目更新慢；二是解读偏少。要抓好两件事：一是按月更新；二是多作图解。"],
        ["栏目更新慢", "解读偏少"],
        ["按月更新", "多作图解"],
    ),
    (
        "enumerators inside an item do not count",
        [
            BOTH,
            "（一）栏目更新慢。原因是：一是人少，二是事多。（二）解读偏少。",
            "改进措施：（一）按月更新。（二）多作图解。",
        ],
        ["栏目更新慢。原因是：一是人少，二是事多", "解读偏少"],
        ["按月更新", "多作图解"],
    ),
    (
        "items of heading and text",
        [
            "六、下一步工作计划",
            "（一）更新栏目",
            "按月更新，专人负责。",
            "（二）多作图解",
            "每件文件配一图。",
        ],
        [],
        ["更新栏目\n按月更新，专人负责", "多作图解\n每件文件配一图"],
    ),
    (
        "a list numbered 一、 inside the chapter",
        [
            BOTH,
            "公开不够及时。",
            "2021年将从两方面改进：",
            "一、按月更新。",
            "二、多作图解。",
            "七、其他",
            "无。",
        ],
        ["公开不够及时"],
        ["按月更新", "多作图解"],
    ),
    (
        "each problem followed by its improvement",
        [BOTH, "（一）解读偏少。改进情况：多作图解。（二）栏目更新慢。改进情况：按月更新。"],
        ["解读偏少", "栏目更新慢"],
        ["多作图解", "按月更新"],
    ),
    ("nothing to report", [BOTH, "无。"], [], []),
    (
        "two chapters",
        [
            "五、存在问题",
            "栏目更新慢。",
            "六、改进打算",
            "（一）按月更新；（二）多作图解。",
            "七、其他",
            "无其他事项。",
        ],
        ["栏目更新慢"],
        ["按月更新", "多作图解"],
    ),
    (
        "chapters numbered （一）",
        [
            "（四）收费情况",
            "未收取费用。",
            "（五）存在的问题和改进措施",
            "栏目更新慢。今后要按月更新。",
            "（六）其他",
            "无。",
        ],
        ["栏目更新慢"],
        ["今后要按月更新"],
    ),
    (
        "chapters without numbers",
        [
            "收费情况",
            "未收取费用。",
            "存在的问题",
            "栏目更新慢。",
            "改进措施",
            "按月更新栏目。",
            "其他事项",
            "没有。",
        ],
        ["栏目更新慢"],
        ["按月更新栏目"],
    ),
    (
        "no chapter at all",
        [
            "我乡认真公开信息，全年张贴公示三十份。",
            "没有人申请公开。",
            "问题主要是公开栏字迹不清。来年打算加装雨棚。",
        ],
        ["问题主要是公开栏字迹不清"],
        ["来年打算加装雨棚"],
    ),
    (
        "signature, date and attachments are left out",
        [BOTH, "栏目更新慢。", "今后将按月更新。", "附件：统计表", "霁川县青榧镇人民政府", "2019年1月15日"],
        ["栏目更新慢"],
        ["今后将按月更新"],
    ),
    (
        "等等 that closes a list is left out",
        [BOTH, "一是栏目更新慢；二是解读偏少，等等。", "2020年将：一是按月更新。"],
        ["栏目更新慢", "解读偏少"],
        ["按月更新"],
    ),
    (
        "a lead-in alone is no item",
        [BOTH, "工作中还存在一些不足。", "下一步将多作图解。"],
        [],
        ["下一步将多作图解"],
    ),
    (
        "针对性 is no turn; the year of the report is none either",
        [BOTH, "2020年，主要问题集中在解读上。针对性不强。", "2021年，将多作图解。"],
        ["2020年，主要问题集中在解读上", "针对性不强"],
        ["2021年，将多作图解"],
    ),
    (
        "other chapters do not count",
        ["四、回应群众反映的问题", "一是路灯不亮。", "五、收费", "没有收费。"],
        [],
        [],
    ),
]


@pytest.mark.parametrize(
    ("lines", "problems", "improvements"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_items(lines: Lines, problems: Lines, improvements: Lines) -> None:
    read = document(lines)
    assert (items(read, "problems"), items(read, "improvements")) == (problems, improvements)


def test_a_table_after_the_chapter_is_not_read_as_items() -> None:
    read = document([BOTH, "栏目更新慢。", "今后将按月更新。", "统计表"], table_after=True)
    assert items(read, "improvements") == ["今后将按月更新"]


def test_evidence_points_at_the_item() -> None:
    read = document([BOTH, "工作中还存在以下不足：一是栏目更新慢；二是解读偏少。"])
    facts = find_text_items(read)
    assert [read.text[f.evidence.start : f.evidence.end] for f in facts] == ["栏目更新慢", "解读偏少"]
    assert {(f.source, f.method, f.status, f.path) for f in facts} == {
        ("narrative", "rule", "value", "text.problems")
    }
    assert all(fact.value == fact.raw for fact in facts)


STYLES = ["一是 二是 三是", "（一） （二） （三）", "1. 2. 3.", "① ② ③", "第一， 第二， 第三，"]


@pytest.mark.parametrize("style", STYLES)
def test_enumerators(style: str) -> None:
    listed = "；".join(f"{mark}第{n}处栏目更新慢" for mark, n in zip(style.split(), "甲乙丙", strict=True))
    read = document([BOTH, f"主要有：{listed}。"])
    assert items(read, "problems") == [f"第{n}处栏目更新慢" for n in "甲乙丙"]
