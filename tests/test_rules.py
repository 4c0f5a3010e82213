"""What wording alone says of figures: the cases of rules_cases.txt, then how labels become facts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from prose_material import document, labelled, mentions, said

from pipeline.fact import Fact
from pipeline.prose.categories import category_label, category_of
from pipeline.prose.cue_choice import possible_paths
from pipeline.prose.facts import facts_of
from pipeline.prose.fields import path_of_label, prose_fields
from pipeline.prose.rules import label_by_rules
from pipeline.prose.scope import find_scope
from pipeline.schema import fields

CASES_FILE = Path(__file__).with_name("rules_cases.txt")
NOTHING = "(nothing)"


@dataclass(frozen=True)
class Case:
    """The lines of a made-up report and what is to be found in it."""

    theme: str
    lines: tuple[str, ...]
    expected: tuple[str, ...]


def read_cases() -> list[Case]:
    """The cases of the file, in order."""
    _, *themes = re.split(r"^== ", CASES_FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [_case(theme.partition(":")[0], block) for theme in themes for block in _blocks(theme)]


def _blocks(theme: str) -> list[str]:
    return re.split(r"\n\n+", theme.strip())[1:]


def _case(theme: str, block: str) -> Case:
    lines = block.split("\n")
    expected = tuple(line.strip() for line in lines if line.startswith("    "))
    if not expected:
        raise ValueError(f"{CASES_FILE.name}: {block!r} does not say what it expects; nothing is {NOTHING}")
    paragraphs = tuple(line for line in lines if not line.startswith("    "))
    return Case(theme, paragraphs, () if expected == (NOTHING,) else expected)


CASES = read_cases()


def test_cases_name_fields_of_prose() -> None:
    assert len(CASES) >= 90
    assert {line.split()[1] for case in CASES for line in case.expected} <= set(prose_fields())


def shortened(line: str) -> str:
    """`未收到 fees.charged_yuan` → `未 fees.charged_yuan`: how far a denial's print goes is not fixed."""
    return re.sub(r"^(未|没有?|不|无|免)[^ 0-9]*", r"\1", line)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.theme}-{case.lines[-1]}")
def test_field_of_each_figure(case: Case) -> None:
    found = said(document(*case.lines), 2021)
    assert sorted(map(shortened, found)) == sorted(map(shortened, case.expected))


# The same sentences in other characters: files come with full-width digits and half-width marks.

OTHER_CHARACTERS = {
    "full-width digits": str.maketrans("123456789", "１２３４５６７８９"),
    "half-width marks": str.maketrans("，；：（）", ",;:()"),
}


@pytest.mark.parametrize("name", OTHER_CHARACTERS)
def test_other_characters_change_no_field(name: str) -> None:
    changed = {}
    for case in CASES:
        lines = [line.translate(OTHER_CHARACTERS[name]) for line in case.lines]
        found = sorted(line.partition(" ")[2] for line in said(document(*lines), 2021))
        if found != sorted(line.partition(" ")[2] for line in case.expected):
            changed[lines[-1]] = found
    assert changed == {}


# How plainly it is said


def test_the_figures_own_clause_is_stronger_than_an_earlier_one() -> None:
    report = mentions("# 三、依申请公开情况", "收到申请26件，其中9件予以公开，17件另行说明。")
    strengths = [(label.path, label.strength) for label in label_by_rules(report)]
    assert strengths[0] == ("requests.new_received.total", "strong")
    assert strengths[1] == ("requests.granted.total", "strong")
    assert strengths[2][1] != "strong"


def test_a_figure_of_which_wording_says_nothing_is_left_open() -> None:
    (label,) = label_by_rules(mentions("栽种树木300项。"))
    assert (label.path, label.strength) == (None, "none")


def test_other_work_is_of_no_field_for_sure() -> None:
    (label,) = label_by_rules(mentions("网站点击35万次。"))
    assert (label.path, label.strength) == (None, "strong")


def test_the_year_of_the_report_decides_which_year_counts() -> None:
    report = document("2020年收到申请15件，2021年收到申请18件。")
    assert said(report, 2021) == ["18件 requests.new_received.total"]
    assert said(report, 2020) == ["15件 requests.new_received.total"]


@pytest.mark.parametrize(
    ("text", "possible", "impossible"),
    [
        ("微博发布96条。", "proactive.channel.weibo", "proactive.channel.wechat"),
        ("收取复印费12元。", "fees.charged_yuan", "requests.new_received.total"),
        ("配备专职人员3名。", "capacity.staff_full_time", "capacity.meetings"),
        ("网站发布信息30条。", "proactive.category", "proactive.channel.gazette"),
        # the measure word rules out what the words would allow
        ("培训班3期。", "capacity.trainings", "capacity.trainees"),
        ("查阅点3处。", "capacity.reading_points", "capacity.budget_wan_yuan"),
    ],
)
def test_possible_fields_are_those_that_word_and_measure_allow(
    text: str, possible: str, impossible: str
) -> None:
    (mention,) = mentions(text)
    assert possible in possible_paths(mention)
    assert impossible not in possible_paths(mention)


def test_labels_of_fields_are_one_to_one_and_of_the_schema() -> None:
    assert len(path_of_label()) == len(prose_fields())
    assert set(prose_fields()) <= set(fields())


# Subjects of categories


@pytest.mark.parametrize(
    ("clause", "label"),
    [
        ("其中政府文件类", "政府文件类"),
        ("公开财政资金信息", "财政资金信息"),
        ("在门户网站发布人事信息", "人事信息"),
        ("以及环境监测信息", "环境监测信息"),
        ("其中：重大项目类共", "重大项目类"),
        ("通知公告为", "通知公告"),
    ],
)
def test_category_label(clause: str, label: str) -> None:
    assert category_label(clause) == label


def test_category_of_a_figure_behind_another_one() -> None:
    first, second = mentions("公开政策法规类32条、人事信息类18条。")
    assert category_of(first) == "政策法规类"
    assert (category_of(second) or "").lstrip("、") == "人事信息类"


# For whom a figure speaks

SCOPES: Sequence[tuple[str, list[str | None]]] = [
    ("全年公开信息12条。", [None]),
    ("我局公开信息12条。", ["own"]),
    ("本机关收到申请3件。", ["own"]),
    ("我镇公开信息12条。", ["own"]),
    ("全县公开信息12条。", ["jurisdiction"]),
    ("各部门公开信息12条。", ["jurisdiction"]),
    ("我市公开信息12条。", ["jurisdiction"]),
    ("全县公开信息120条，我办公开信息12条。", ["jurisdiction", "own"]),
    # the subject goes on over the sentences of a paragraph
    ("本局推进信息公开。公开信息12条。收到申请3件。", ["own", "own"]),
]


@pytest.mark.parametrize(("text", "scopes"), SCOPES, ids=[text for text, _ in SCOPES])
def test_scope(text: str, scopes: list[str | None]) -> None:
    assert [find_scope(mention) for mention in mentions(text)] == scopes


# From labels to facts


def facts(*lines: str) -> tuple[Fact, ...]:
    report = document(*lines)
    return facts_of(labelled(report, 2021), report)


def told(*lines: str) -> list[tuple[str, int | float | str | None, str]]:
    """Path, value and print of every fact."""
    return [(fact.path, fact.value, fact.raw) for fact in facts(*lines)]


@pytest.mark.parametrize(
    ("text", "path", "value", "unit"),
    [
        ("收取复印费1500元。", "fees.charged_yuan", 1500, "元"),
        ("收取复印费0.12万元。", "fees.charged_yuan", 1200, "万元"),
        ("收取复印费18元5角。", "fees.charged_yuan", 18.5, "元"),
        ("收取信息处理费1,260元。", "fees.processing_fee_yuan", 1260, "元"),
        ("安排专项经费28.5万元。", "capacity.budget_wan_yuan", 28.5, "万元"),
        ("安排专项经费85000元。", "capacity.budget_wan_yuan", 8.5, "元"),
        ("安排专项经费20万元。", "capacity.budget_wan_yuan", 20, "万元"),
    ],
)
def test_money_is_in_the_unit_of_its_path(text: str, path: str, value: float, unit: str) -> None:
    (fact,) = facts(text)
    assert (fact.path, fact.value, fact.unit) == (path, value, unit)
    assert fact.raw in text


def test_a_fact_of_a_figure() -> None:
    (fact,) = facts("# 二、主动公开情况", "我局全年共公开政府信息 1 136 余条。")
    assert (fact.value, fact.status, fact.bound, fact.unit) == (1136, "value", "at_least", "条")
    assert (fact.source, fact.method, fact.scope) == ("narrative", "rule", "own")
    assert "1 136" in fact.raw


def test_a_fact_of_a_zero_in_words() -> None:
    (fact,) = facts("我局未收到信息公开申请。")
    assert (fact.value, fact.status, fact.bound, fact.unit) == (0, "zero_in_words", "exact", None)
    assert (fact.raw, fact.scope) == ("未收到", "own")


def test_a_printed_zero_is_a_value() -> None:
    (fact,) = facts("全年收到信息公开申请0件。")
    assert (fact.value, fact.status, fact.raw) == (0, "value", "0件")


def test_evidence_is_the_print() -> None:
    report = document(
        "# 二、主动公开情况", "全年公开政府信息12条。", "通过网站公开8条，微信推送４条。", "未收取费用。"
    )
    for fact in facts_of(labelled(report), report):
        assert report.text[fact.evidence.start : fact.evidence.end] == fact.raw


def test_a_figure_stated_twice_is_one_fact_at_its_first_place() -> None:
    text = ("全年主动公开政府信息312条。", "2021年共公开政府信息312条，其中网站280条。")
    found = [fact for fact in facts(*text) if fact.path == "proactive.total"]
    assert len(found) == 1
    assert found[0].evidence.start < len(text[0])


def test_own_and_jurisdiction_stay_two_facts() -> None:
    found = facts("全县公开信息1.4万余条。", "我办公开信息1300余条。")
    assert [(fact.scope, fact.value) for fact in found] == [("jurisdiction", 14_000), ("own", 1300)]


def test_one_denial_gives_a_fact_for_each_thing_denied() -> None:
    assert told("未发生收费和减免情况。") == [
        ("fees.charged_yuan", 0, "未发生"),
        ("fees.waived_yuan", 0, "未发生"),
    ]


def test_categories_repeat_each_with_its_subject() -> None:
    found = facts("# （二）公开内容", "其中政策法规类32条，人事信息类18条。")
    assert [(fact.label, fact.value) for fact in found] == [("政策法规类", 32), ("人事信息类", 18)]
