"""What the reports show beside the rates: every verdict with its place in the source.

Rows are short lists instead of objects, since a thousand documents have 300,000 of them:
`[path, source, template, verdict, expected, given, start, end, gold_start, gold_end, more]`;
the first four are positions in the lists of names, trailing nulls are cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.gold import GoldFact
from evals.occurrences import SearchText
from evals.report_pages import pages_within
from evals.score import Scoring
from evals.values import Value
from evals.verdicts import VERDICTS, Judgement
from pipeline.document import Span
from pipeline.fact import Fact
from pipeline.schema import fields
from pipeline.script_json import written_bytes

# What a page may hold to open at once; verdicts go first, then texts, then pictures of pages.
DATA_BYTES = 17_000_000
TEXT_SHARE = 0.6
ERRORS = ("wrong", "omitted", "invented")
VERDICT_LABELS = {
    "correct": "正确 correct",
    "wrong": "错误 wrong",
    "omitted": "遗漏 omitted",
    "invented": "虚增 invented",
    "correctly_absent": "同无 correctly absent",
}
SOURCE_LABELS = {"table": "表格 table", "narrative": "正文 prose", "metadata": "元数据 metadata"}
GROUP_LABELS = {
    "meta": "基本信息 meta",
    "proactive": "主动公开 proactive",
    "engagement": "解读回应 engagement",
    "requests": "依申请公开 requests",
    "fees": "收费减免 fees",
    "remedies": "复议诉讼 remedies",
    "complaints": "举报投诉 complaints",
    "capacity": "机构人员 capacity",
    "statistics": "统计表 statistics",
    "text": "问题改进 text",
}
_STATUS_SIGNS = {
    "blank": "空白 blank",
    "not_applicable": "“/” not applicable",
    "absent": "未印 not printed",
    "illegible": "不清 illegible",
}


class Names:
    """A list of names without repetition, and the position of each."""

    def __init__(self) -> None:
        self.listed: list[str] = []
        self._positions: dict[str, int] = {}

    def position(self, name: str) -> int:
        """The position of `name`, added if new."""
        if name not in self._positions:
            self._positions[name] = len(self.listed)
            self.listed.append(name)
        return self._positions[name]


@dataclass(frozen=True)
class ReportData:
    """Content of the script element of a report, and the documents whose text was left out."""

    content: dict[str, Any]
    without_text: tuple[str, ...]


def report_data(scoring: Scoring, sources: Path | None = None) -> ReportData:
    """Documents, verdicts and texts of a scored run; PDF pages too where `sources` has the files."""
    paths, templates = Names(), Names()
    by_document: dict[str, list[Judgement]] = {name: [] for name in scoring.documents}
    for judgement in scoring.judgements:
        by_document[judgement.doc_id].append(judgement)
    documents = {
        name: _document(scoring, name, judgements, paths, templates)
        for name, judgements in by_document.items()
    }
    by_errors = sorted(documents, key=lambda name: -_errors(by_document[name]))
    left = DATA_BYTES - written_bytes(list(documents.values()))
    kept = _texts_within(scoring, by_errors, int(left * TEXT_SHARE))
    for name, text in kept.items():
        documents[name]["text"] = text
    if sources is not None:
        left -= sum(written_bytes(text) for text in kept.values())
        for name, pages in pages_within(scoring, by_errors, sources, left):
            documents[name] |= pages
    content = {
        "paths": paths.listed,
        "labels": [_label(path) for path in paths.listed],
        "templates": templates.listed,
        "sources": list(SOURCE_LABELS),
        "verdicts": list(VERDICTS),
        "names": {"verdicts": VERDICT_LABELS, "sources": SOURCE_LABELS, "groups": GROUP_LABELS},
        "documents": list(documents.values()),
    }
    left_out = [name for name, text in scoring.texts.items() if text is not None and name not in kept]
    return ReportData(content, tuple(left_out))


def _label(path: str) -> str:
    spec = fields().get(path)
    return path if spec is None else spec.label


def _errors(judgements: Sequence[Judgement]) -> int:
    return sum(judgement.verdict in ERRORS for judgement in judgements)


def _texts_within(scoring: Scoring, names: Sequence[str], budget: int) -> dict[str, str]:
    """Texts of up to `budget` bytes together, those of the first of `names` first."""
    kept: dict[str, str] = {}
    for name in names:
        text = scoring.texts.get(name)
        size = written_bytes(text)
        if text is not None and size <= budget:
            kept[name] = text
            budget -= size
    return kept


def _document(
    scoring: Scoring,
    name: str,
    judgements: Sequence[Judgement],
    paths: Names,
    templates: Names,
) -> dict[str, Any]:
    """A document without its text, which is added where there is room."""
    record, text = scoring.records[name], scoring.texts[name]
    search = None if text is None else SearchText(text)
    rows = [_row(judgement, search, paths, templates) for judgement in judgements]
    findings = [] if record is None else record.findings
    return {
        "id": name,
        "status": "missing" if record is None else record.status,
        "error": None if record is None else record.error,
        "text": None,
        "rows": rows,
        "findings": [[f.rule, f.at, f.severity, f.message, list(f.paths)] for f in findings],
    }


def _row(judgement: Judgement, search: SearchText | None, paths: Names, templates: Names) -> list[Any]:
    gold, fact = judgement.gold, judgement.fact
    place = None if fact is None else Span(fact.evidence.start, fact.evidence.end)
    meant = _meant(gold, search) if judgement.verdict in ERRORS else None
    row: list[Any] = [
        paths.position(judgement.path),
        list(SOURCE_LABELS).index(judgement.source),
        templates.position(judgement.template),
        VERDICTS.index(judgement.verdict),
        None if gold is None else show(gold.value, gold.status, gold.label),
        None if fact is None else show(fact.value, fact.status, fact.label),
        None if place is None else place.start,
        None if place is None else place.end,
        None if meant is None else meant.start,
        None if meant is None else meant.end,
        _more(gold, fact),
    ]
    if (
        judgement.verdict == "correct"
        and fact is not None
        and fact.value == 0
        and judgement.source == "table"
    ):
        row[-1] = None  # most cells are zeros rightly read: nothing more to tell
    while row and row[-1] is None:
        row.pop()
    return row


def _meant(gold: GoldFact | None, search: SearchText | None) -> Span | None:
    """Where gold says that the fact is printed."""
    if gold is None or search is None:
        return None
    places = search.find(gold.raw or gold.starts or "", gold.near)
    return places[0] if places else None


def _more(gold: GoldFact | None, fact: Fact | None) -> dict[str, Any] | None:
    """What stands beside the values, as far as there is any."""
    found: dict[str, Any] = {}
    if fact is not None:
        found |= {"raw": fact.raw, "method": fact.method, "confidence": fact.confidence}
    if gold is not None and gold.raw is not None:
        found["gold_raw"] = gold.raw
    if gold is not None and fact is not None and gold.raw is not None:
        for key, expected, given in (("scope", gold.scope, fact.scope), ("bound", gold.bound, fact.bound)):
            if expected != given:
                found[key] = [expected, given]
    return {key: value for key, value in found.items() if value is not None} or None


def show(value: Value, status: str, label: str | None = None) -> str:
    """A value as the reports print it: blank, `/`, zero in words and 0 stay apart."""
    if status in _STATUS_SIGNS:
        return _STATUS_SIGNS[status]
    shown = f"{value:,.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    if status == "zero_in_words":
        shown += " (文字 in words)"
    return shown if label is None else f"{label}: {shown}"


def excerpt(text: str | None, start: int | None, end: int | None) -> tuple[str, str, str] | None:
    """Text before, at and after a place, for a reader to see it in its sentence."""
    around = 30
    if text is None or start is None or end is None or end <= start:
        return None
    return text[max(0, start - around) : start], text[start:end], text[end : end + around]


def error_kinds(judgements: Iterable[Judgement]) -> list[tuple[str, int]]:
    """Fields with the most errors first, as (path, errors)."""
    counts: dict[str, int] = {}
    for judgement in judgements:
        if judgement.verdict in ERRORS:
            counts[judgement.path] = counts.get(judgement.path, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
