"""政府信息公开情况统计表 (国办发〔2014〕32号) and the local forms before it → facts `statistics.{key}`.

find the tables → entries → rows by label → values → facts. What the table prints is kept
as it is; a row that no label claims, a row of the national form that is missing, a second
figure for one row become findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pipeline.document import Document, Table
from pipeline.fact import Evidence, Fact, Finding
from pipeline.schema import fields, statistics_rows
from pipeline.tables.facts import line_evidence, printed, reading_finding, whole_cell
from pipeline.tables.rows import PlacedCell
from pipeline.tables.statistics_claims import Claim, Claimed, Place, claim_entries
from pipeline.tables.statistics_columns import role_of
from pipeline.tables.statistics_entries import Entries, Entry, read_entries
from pipeline.tables.statistics_labels import is_strong, row_label
from pipeline.tables.statistics_values import (
    Value,
    fact_of,
    is_of_other_period,
    is_unit_assumed,
    value_of,
)
from pipeline.tables.templates import kinds_of_label

FEWEST_ROWS = 3  # strong labels that make a statistics table
FEWEST_UNDER_HEADER = 2  # the same where 指标 and 单位 stand above them
FEWEST_TO_CONTINUE = 1  # the same where the table before is one
FEWEST_NATIONAL = 2  # rows of the national form alone that tell it from local ones
REPEATED_SHARE = 0.5  # rows that are there already, from which on a table is a second one
FEWEST_REPEATED = 5

# Rows that no form had before 2014.
_NATIONAL_ONLY = frozenset(
    """responses_total press_conferences_leader interviews_leader interpretations weibo_wechat_responses
    disclosed_weibo disclosed_wechat concluded_total concluded_on_time concluded_extended
    answered_already_public answered_correction_requested answered_other_route""".split()
)
# Lines around the table: who filled it in, when.
_FRAME = re.compile(
    r"电话|负责人|审核|填[报表制]|联系人|日期|邮编|邮政编码|法人代码|部门编号|单位名称|制表|报出"
)


@dataclass(frozen=True)
class StatisticsReading:
    """Facts in the order of the form, findings, the tables read, and whether the form is the national one."""

    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...]
    tables: frozenset[int]
    is_national: bool


@dataclass
class _Kept:
    """Rows by key with the table that prints them, and what was found on the way."""

    rows: dict[str, tuple[Claim, Value]] = field(default_factory=dict)
    untold: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def keys(self) -> set[str]:
        return {*self.rows, *self.untold}


def read_statistics(document: Document, year: int | None = None) -> StatisticsReading:
    """Read the statistics tables of a report; `year` tells its own column from that of the year before."""
    tables = _statistics_tables(document.tables)
    kept, place = _Kept(), Place()
    before: Entries | None = None
    for table in tables:
        entries = read_entries(table, before)
        claimed = claim_entries(entries.entries, place)
        before = entries
        if _is_second(claimed, kept):
            kept.findings.append(_second_table(table))
        else:
            _keep(document, entries, claimed, year, kept)
    is_national = _is_national(kept.keys)
    findings = [*kept.findings, *(_missing_rows(kept.keys) if is_national else ())]
    facts = [
        fact_of(*kept.rows[key], document)
        for key in (path.partition(".")[2] for path in fields() if path.startswith("statistics."))
        if key in kept.rows
    ]
    findings += [finding for fact in facts for finding in _cell_findings(fact, *kept.rows[_key(fact)])]
    return StatisticsReading(
        tuple(facts), tuple(findings), frozenset(table.index for table in tables), is_national
    )


def _key(fact: Fact) -> str:
    return fact.path.partition(".")[2]


# Which tables


def _statistics_tables(tables: Iterable[Table]) -> list[Table]:
    found: list[Table] = []
    is_continued = False
    for table in tables:
        is_continued = _is_statistics(table, is_continued)
        found += [table] if is_continued else []
    return found


def _is_statistics(table: Table, is_continued: bool) -> bool:
    """Whether labels of this form stand in the table, and more of them than of the later three tables."""
    texts = {cell.text for cell in table.cells if cell.text.strip()}
    own = {row_label(text).text for text in texts if is_strong(text)}
    others = sum(bool(kinds_of_label(text)) and not is_strong(text) for text in texts)
    roles = {role_of(text) for text in texts}
    fewest = FEWEST_UNDER_HEADER if {"label", "unit"} <= roles else FEWEST_ROWS
    return len(own) >= (FEWEST_TO_CONTINUE if is_continued else fewest) and len(own) > others


def _is_second(claimed: Claimed, kept: _Kept) -> bool:
    keys = {claim.key for claim in claimed.claims}
    again = keys & kept.keys
    return len(again) >= FEWEST_REPEATED and len(again) > REPEATED_SHARE * len(keys)


def _is_national(keys: set[str]) -> bool:
    """Whether rows that only the national form has are there, and no fewer than those of local forms."""
    local = keys - {row.key for row in statistics_rows()}
    national = keys & _NATIONAL_ONLY
    return len(national) >= FEWEST_NATIONAL and len(national) >= len(local)


# Rows and values


def _keep(document: Document, entries: Entries, claimed: Claimed, year: int | None, kept: _Kept) -> None:
    kept.findings += [_unclaimed_row(document, entry) for entry in claimed.unclaimed if not _is_frame(entry)]
    kept.findings += [_unclaimed_cell(placed) for placed in entries.lone]
    values = [(claim, value_of(claim.entry, entries, year)) for claim in claimed.claims]
    if _are_columns_unclear(entries, values, year):
        kept.untold += [claim.key for claim, _ in values]
        kept.findings.append(_unclear_columns(entries, [claim.key for claim, _ in values]))
        return
    for claim, value in values:
        rival = kept.rows.get(claim.key)
        if rival is None:
            kept.rows[claim.key] = (claim, value)
            continue
        winner, loser = sorted([rival, (claim, value)], key=_strength, reverse=True)
        kept.rows[claim.key] = winner
        if loser[0].entry.figures:
            kept.findings.append(_duplicate_row(document, winner, loser))


def _strength(row: tuple[Claim, Value]) -> tuple[bool, float]:
    """Figures go before none, then the better label, then what is printed first."""
    return bool(row[0].entry.figures), row[0].confidence


def _are_columns_unclear(entries: Entries, values: Sequence[tuple[Claim, Value]], year: int | None) -> bool:
    if is_of_other_period(entries, year):
        return True
    filled = [value for claim, value in values if claim.entry.figures]
    return len(filled) > 1 and sum(not value.is_told for value in filled) * 2 > len(filled)


def _is_frame(entry: Entry) -> bool:
    return _FRAME.search("".join(entry.label.split())) is not None


# Findings


def _unclaimed_row(document: Document, entry: Entry) -> Finding:
    return reading_finding(
        "unclaimed_row",
        f"A row of the statistics table that no label claims: {printed(entry.line)}",
        evidence=[line_evidence(document, entry.line)],
    )


def _unclaimed_cell(placed: PlacedCell) -> Finding:
    return reading_finding(
        "unclaimed_cell",
        f"A figure without a label was left out: {placed.cell.text}",
        evidence=[whole_cell(placed)],
    )


def _second_table(table: Table) -> Finding:
    evidence = Evidence(start=table.span.start, end=table.span.end, table=table.index)
    return reading_finding(
        "duplicate_table",
        "A second statistics table prints the same rows again and was left out",
        at=str(table.index),
        evidence=[evidence],
    )


def _unclear_columns(entries: Entries, keys: Sequence[str]) -> Finding:
    captions = ", ".join(caption.text for half in entries.captions for caption in half)
    span = entries.table.span
    return reading_finding(
        "unclear_column",
        "No one column of the statistics table is that of the report's year and of all bodies together: "
        + (captions or "several figures a row, and no captions"),
        paths=[f"statistics.{key}" for key in dict.fromkeys(keys)],
        evidence=[Evidence(start=span.start, end=span.end, table=entries.table.index)],
    )


def _duplicate_row(document: Document, kept: tuple[Claim, Value], lost: tuple[Claim, Value]) -> Finding:
    """A note where both rows print the same figures."""
    entries = [kept[0].entry, lost[0].entry]
    figures = [[figure.cell.text for figure in entry.figures] for entry in entries]
    key = kept[0].key
    return reading_finding(
        "duplicate_row",
        f"Two rows for {key}, kept is {printed(entries[0].line)}, left out {printed(entries[1].line)}",
        at=key,
        paths=[f"statistics.{key}"],
        evidence=[line_evidence(document, entry.line) for entry in entries],
        is_note=figures[0] == figures[1],
    )


def _missing_rows(keys: set[str]) -> Iterator[Finding]:
    for row in statistics_rows():
        if row.key is not None and row.key not in keys:
            yield reading_finding(
                "missing_row",
                f"The statistics table has no row {row.key} ({row.label})",
                at=row.key,
                paths=[f"statistics.{row.key}"],
            )


def _cell_findings(fact: Fact, claim: Claim, value: Value) -> Iterator[Finding]:
    """What was not plain about a row: figures too many, text, notes, an unprinted unit of money."""
    key, paths = claim.key, [fact.path]
    if not value.is_told or value.others:
        message = f"{printed(claim.entry.line)} – more figures than columns"
        yield reading_finding("row_length", message, at=key, paths=paths, evidence=[fact.evidence])
    elif fact.status == "illegible":
        message = f"{fact.path}: cannot be read: {fact.raw}"
        yield reading_finding("illegible_cell", message, at=key, paths=paths, evidence=[fact.evidence])
    if value.cell is not None and value.cell.reading.note:
        message = f"{fact.path}: {value.cell.cell.text}"
        evidence = [whole_cell(value.cell)]
        yield reading_finding("cell_note", message, paths=paths, evidence=evidence, is_note=True)
    if is_unit_assumed(claim, value):
        message = f"{fact.path}: {fact.raw} is printed without 元 or 万元, taken for {fact.unit}"
        yield reading_finding("unit_assumed", message, at=key, paths=paths, evidence=[fact.evidence])
