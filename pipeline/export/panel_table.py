"""The table `panel`: one row an issuer and year, of the report that counts.

Who and where as of the year, the document, its versions and flags; harmonised variables and
rates (`crosswalk.yaml`); then all fields as printed, as in the table `reports`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import get_args

from pipeline.export.rows import (
    BOUNDS,
    RECORD_STATUSES,
    SOURCES,
    STATUS_WORDS,
    Occurrence,
    printed_cells,
    printed_columns,
)
from pipeline.export.table import Column, Row, TableSpec, Value
from pipeline.fact import Record
from pipeline.panel.crosswalk import Rate, Variable, crosswalk
from pipeline.panel.harmonised import Basis, Harmonised, LatenessFigure, harmonise
from pipeline.panel.model import PanelRow
from pipeline.panel.sides import AcrossFinding

IDENTITY = (
    Column(
        "reporter_id",
        "text",
        "issuer, the same through all years: place and body",
        label_zh="报告机关标识",
        label_en="issuer, the same through all years",
    ),
    Column(
        "unit_id",
        "text",
        "place, the same through renaming, recoding and upgrading: the latest code of it",
        label_zh="地区标识",
        label_en="place, the same through all years",
    ),
    Column("year", "integer", "year reported on", label_zh="报告年度", label_en="year reported on"),
    Column("issuer", "text", "reporting body as printed", label_zh="报告机关", label_en="issuer as printed"),
    Column(
        "issuer_type",
        "text",
        "government, government_office, department, township, institution, zone, other",
        label_zh="机关类别",
        label_en="kind of body",
    ),
    Column(
        "level",
        "text",
        "national, province, prefecture, county, township",
        label_zh="层级",
        label_en="administrative level",
    ),
    Column(
        "division_code",
        "text",
        "GB/T 2260 code as of the year, six digits",
        label_zh="行政区划代码",
        label_en="GB/T 2260 code as of the year",
    ),
    Column("province", "text", "province, name as of the year", label_zh="省级", label_en="province"),
    Column("prefecture", "text", "prefecture, name as of the year", label_zh="地级", label_en="prefecture"),
    Column("county", "text", "county, name as of the year", label_zh="县级", label_en="county"),
    Column("doc_id", "text", "document chosen", label_zh="文件", label_en="document chosen"),
    Column("run", "text", "run of the document chosen", label_zh="运行", label_en="run"),
    Column(
        "versions",
        "integer",
        "documents with this report, the chosen one among them",
        label_zh="版本数",
        label_en="documents with this report",
    ),
    Column(
        "record_status",
        "text",
        "ok, flagged or failed",
        label_zh="记录状态",
        label_en="record status",
        values=RECORD_STATUSES,
    ),
    Column(
        "flags",
        "integer",
        "errors and warnings in the document and between it and others; one between two counts in both",
        label_zh="问题数",
        label_en="errors and warnings",
    ),
)


@dataclass
class Tally:
    """How many rows of a table there were, and in how many each column had a value.

    `is_complete` once all of them have passed.
    """

    rows: int = 0
    present: Counter[str] = field(default_factory=Counter)
    is_complete: bool = False

    def count(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, counted anew as they pass."""
        self.rows, self.present, self.is_complete = 0, Counter(), False
        for row in rows:
            self.rows += 1
            self.present.update(name for name, value in row.items() if value is not None)
            yield row
        self.is_complete = True

    def share_missing(self, column: str) -> float | None:
        """Share of rows without a value; None where there were no rows."""
        return (self.rows - self.present[column]) / self.rows if self.rows else None


def panel_spec(occurrence: Occurrence) -> TableSpec:
    """The panel's columns. `occurrence` tells of which fields prose has columns of its own."""
    columns = (*IDENTITY, *harmonised_columns(), *printed_columns(occurrence))
    return TableSpec("panel", columns, "one row an issuer and year: the report that counts")


def harmonised_columns() -> tuple[Column, ...]:
    """Variables, then rates and days late, then what belongs to each of them."""
    found = crosswalk()
    late = found.lateness
    days = Column(late.name, "number", late.label_en, late.label_zh, late.label_en, late.unit)
    return (
        *(_variable_column(variable) for variable in found.variables),
        *(_rate_column(rate) for rate in found.rates),
        days,
        *(column for variable in found.variables for column in _companions(variable)),
        *(column for rate in found.rates for column in _rate_companions(rate)),
        *_lateness_companions(),
    )


def _variable_column(variable: Variable) -> Column:
    labels = (variable.label_zh, variable.label_en)
    return Column(variable.name, "number", f"harmonised: {variable.label_en}", *labels, variable.unit)


def _rate_column(rate: Rate) -> Column:
    return Column(rate.name, "number", f"{rate.label_en}: {rate.formula}", rate.label_zh, rate.label_en)


def _companions(variable: Variable) -> Iterator[Column]:
    yield _status_column(variable.name, variable.label_zh, variable.label_en)
    yield Column(
        f"{variable.name}__source",
        "text",
        f"where the figures of {variable.name} stand: table or narrative",
        f"{variable.label_zh}（来源）",
        f"{variable.label_en}: source",
        values=SOURCES,
    )
    yield Column(
        f"{variable.name}__bound",
        "text",
        f"bound of {variable.name}: exact, at_least, at_most or about",
        f"{variable.label_zh}（界限）",
        f"{variable.label_en}: bound",
        values=BOUNDS,
    )


def _rate_companions(rate: Rate) -> Iterator[Column]:
    yield _status_column(rate.name, rate.label_zh, rate.label_en)
    for part, zh in (("numerator", "分子"), ("denominator", "分母")):
        yield Column(
            f"{rate.name}__{part}",
            "number",
            f"{part} of {rate.name}",
            f"{rate.label_zh}（{zh}）",
            f"{rate.label_en}: {part}",
            status=f"{rate.name}__status",
        )


def _lateness_companions() -> tuple[Column, ...]:
    late = crosswalk().lateness
    deadline = Column(
        f"{late.name}__deadline",
        "text",
        "last day in time, ISO 8601",
        "法定公布期限",
        "last day in time",
    )
    basis = Column(
        f"{late.name}__basis",
        "text",
        "regulation, or convention where no regulation names a day for this kind of body",
        "期限依据",
        "basis of the deadline",
        values=get_args(Basis),
    )
    return _status_column(late.name, late.label_zh, late.label_en), deadline, basis


def _status_column(name: str, zh: str, en: str) -> Column:
    return Column(
        f"{name}__status",
        "text",
        f"status of {name}: see the statuses",
        f"{zh}（状态）",
        f"{en}: status",
        values=STATUS_WORDS,
    )


def panel_rows(
    rows: Iterable[PanelRow], occurrence: Occurrence, across: Iterable[AcrossFinding] = ()
) -> Iterator[Row]:
    """One row an issuer and year. `across` are the findings between documents, for the flags."""
    flags = _flags_across(across)
    for row in rows:
        record = row.chosen.record
        found = harmonise(record, row.year, row.chosen.issuer_type, row.chosen.level)
        yield {
            **_identity(row, record, flags[row.chosen.run, record.doc_id]),
            **harmonised_cells(found),
            **printed_cells(record, occurrence),
        }


def _flags_across(across: Iterable[AcrossFinding]) -> Counter[tuple[str, str]]:
    """Findings by run and document; one between two documents is a flag of both."""
    flags: Counter[tuple[str, str]] = Counter()
    for each in across:
        if each.finding.severity != "note":
            flags.update({(each.run, each.doc_id), (each.other_run, each.other_doc_id)})
    return flags


def _identity(row: PanelRow, record: Record, flags_across: int) -> dict[str, Value]:
    source, unit = row.chosen, row.chosen.unit
    return {
        "reporter_id": row.reporter_id,
        "unit_id": unit.unit_id if unit else None,
        "year": row.year,
        "issuer": source.issuer,
        "issuer_type": source.issuer_type,
        "level": source.level,
        "division_code": (unit.code or None) if unit else None,
        "province": unit.province if unit else None,
        "prefecture": unit.prefecture if unit else None,
        "county": unit.county if unit else None,
        "doc_id": record.doc_id,
        "run": source.run,
        "versions": len(row.versions),
        "record_status": record.status,
        "flags": sum(finding.severity != "note" for finding in record.findings) + flags_across,
    }


def harmonised_cells(found: Harmonised) -> dict[str, Value]:
    """The cells of `harmonised_columns`."""
    cells: dict[str, Value] = {}
    for name, figure in found.variables.items():
        cells |= {
            name: figure.value,
            f"{name}__status": figure.status,
            f"{name}__source": figure.source,
            f"{name}__bound": figure.bound,
        }
    for name, rate in found.rates.items():
        cells |= {
            name: rate.value,
            f"{name}__status": rate.status,
            f"{name}__numerator": rate.numerator,
            f"{name}__denominator": rate.denominator,
        }
    return cells | _lateness_cells(found.lateness)


def _lateness_cells(found: LatenessFigure) -> dict[str, Value]:
    name = crosswalk().lateness.name
    return {
        name: found.days,
        f"{name}__status": found.status,
        f"{name}__deadline": found.deadline.isoformat() if found.deadline else None,
        f"{name}__basis": found.basis,
    }
