"""Every rule that can stand in a record has a title in both languages, and findings are told by it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from evals.review.figures.document import document_view
from evals.review.render import environment
from evals.review.words import LANGS, Lang, words
from pipeline.checks.counts import FAMILY
from pipeline.checks.statistics import SAME_COUNT, _counterpart
from pipeline.extraction import LOSS_RULE, NOTE_RULE
from pipeline.fact import Evidence, Finding, Record
from pipeline.runs.work import DUPLICATE_RULE

PIPELINE = Path(__file__).parents[1] / "pipeline"
# Findings across documents and the pages of the overview are not shown beside a document.
ELSEWHERE = ("panel", "overview")
# Where a rule is no constant, and so has to be spelled out in `made_of_parts`.
NO_CONSTANT = {
    "checks/counts.py": {"rule"},
    "checks/cross.py": {"rule"},
    "checks/findings.py": {"self.rule"},
    "checks/meta.py": {"rule"},
    "checks/statistics.py": {"f'cross.{group}'"},
    "extraction.py": {"LOSS_RULE", "NOTE_RULE"},
    "metadata/hints.py": {"rule"},
    "runs/work.py": {"DUPLICATE_RULE"},
    "tables/facts.py": {"f'table.{rule}'"},
}


def made_of_parts() -> set[str]:
    counts = {f"{family}.{end}" for family in FAMILY.values() for end in ("integer", "non_negative")}
    cross = {_counterpart(prose, key).rule for prose, key in SAME_COUNT.items()}
    return counts | cross | {"cross.zero", "meta.period", "meta.year", LOSS_RULE, NOTE_RULE, DUPLICATE_RULE}


def calls() -> Iterator[tuple[str, ast.expr]]:
    """Each expression that names a rule, with its file."""
    for path in sorted(PIPELINE.rglob("*.py")):
        name = path.relative_to(PIPELINE).as_posix()
        if name.startswith(ELSEWHERE) or name == "tables/identities.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id not in ("Finding", "Identity", "Counterpart", "reading_finding", "_differs"):
                continue
            rule = next((each.value for each in node.keywords if each.arg == "rule"), None)
            for part in _parts(rule or node.args[0]):
                is_table = node.func.id == "reading_finding" and isinstance(part, ast.Constant)
                yield name, ast.Constant(f"table.{part.value}") if is_table else part  # type: ignore[attr-defined]


def _parts(rule: ast.expr) -> tuple[ast.expr, ...]:
    return (rule.body, rule.orelse) if isinstance(rule, ast.IfExp) else (rule,)


def rules() -> set[str]:
    constants = {str(part.value) for _, part in calls() if isinstance(part, ast.Constant)}
    return constants | made_of_parts()


def test_rules_without_a_constant_are_known() -> None:
    found: dict[str, set[str]] = {}
    for name, part in calls():
        if not isinstance(part, ast.Constant):
            found.setdefault(name, set()).add(ast.unparse(part))
    assert found == NO_CONSTANT
    assert {"requests.row_total", "table.row_length", "narrative.bounds", "meta.hint_year"} <= rules()


@pytest.mark.parametrize("lang", LANGS)
def test_every_rule_has_a_title_and_every_title_a_rule(lang: Lang) -> None:
    titled = {key.removeprefix("rule."): text for key, text in words(lang).items() if key.startswith("rule.")}
    assert set(titled) == rules()
    assert [text for text in titled.values() if len(text) > 70 or text != text.strip()] == []
    assert len(set(titled.values())) == len(titled), "two rules read alike"


TOLD = [
    (
        Finding(rule="requests.row_total", severity="error", at="carried_in", expected=1, printed=2,
                message="requests.row_total, 上年结转: 1 + 0 = 1 by applicant, but 总计 prints 2"),
        "各类申请人之和与总计不符 上年结转 应为 1，实为 2",
        "The applicants do not add up to the row's total 上年结转 expected 1, found 2 "
        "1 + 0 = 1 by applicant, but 总计 prints 2",
    ),
    (
        Finding(rule="table.row_length", severity="warning", evidence=(Evidence(start=0, end=6),),
                message="予以公开: 1 2 – 2 figures for 7 columns"),
        "行内数字个数与列数不符 予以公开 │ 1",
        "A row has more or fewer figures than columns 予以公开 │ 1 予以公开: 1 2 – 2 figures for 7 columns",
    ),
    (
        Finding(rule="read.loss", severity="warning", message="read.loss: page 3 holds a picture"),
        "文件有部分内容未能读取 page 3 holds a picture",
        "Part of the file was not read page 3 holds a picture",
    ),
    (
        Finding(rule="rule.of_old", severity="note", message="rule.of_old: something <b>else</b>"),
        "rule.of_old something <b>else</b>",
        "rule.of_old something <b>else</b>",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("finding", "zh", "en"), TOLD)
def test_a_finding_is_told_in_the_language_of_the_page(finding: Finding, zh: str, en: str) -> None:
    record = Record(doc_id="a", file="a", sha256="0" * 64, media_type="text/plain", status="flagged",
                    findings=(finding,))  # fmt: skip
    view = document_view(record, "予以公开\t1\t2", ())
    assert (_told(view.findings[0], "zh"), _told(view.findings[0], "en")) == (zh, en)


def _told(view: object, lang: Lang) -> str:
    template = environment().from_string(
        '{% from "figures_finding.html" import told with context %}{{ told(each) }}'
    )
    html = template.render(each=view, t=words(lang), lang=lang)
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())
