"""Exported tables: what each cell holds, in each format, read back by another program."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from run_material import record

from pipeline.errors import StartError
from pipeline.export.codebook import STATUSES
from pipeline.export.csv_file import neutralized
from pipeline.export.rows import Occurrence, panel_fields, reports_spec
from pipeline.export.write import export_run
from pipeline.fact import Evidence, Fact, Finding, Record
from pipeline.runs.record import RecordFile
from pipeline.schema import fields

TABLES = ["facts", "panel", "reports", "documents", "findings", "codebook"]


def fact(path: str, value: float | str | None, status: str = "value", **parts: Any) -> Fact:
    content: dict[str, Any] = {
        "path": path,
        "value": value,
        "status": status,
        "raw": "" if value is None else str(value),
        "source": "table",
        "method": "table_reader",
        "evidence": Evidence(start=4, end=6, page=1, table=0, row=2, column=3),
    }
    return Fact.model_validate(content | parts)


FACTS = (
    fact("meta.issuer", "青岚县人民政府", source="metadata", method="rule"),
    fact("meta.division_code", "990101", source="metadata", method="rule"),
    fact("meta.year", 2023, source="metadata", method="rule"),
    fact("requests.new_received.total", 12),
    fact("requests.new_received.total", 400, source="narrative", bound="at_least", raw="四百余"),
    fact("requests.carried_in.total", 0),
    fact("requests.granted.total", None, "blank", raw=""),
    fact("requests.partially_granted.total", None, "not_applicable", raw="/"),
    fact("requests.denied_state_secret.total", None, "illegible", raw="?"),
    fact("fees.charged_yuan", 0, "zero_in_words", source="narrative", raw="未收取"),
    fact("fees.waived_yuan", 12.5, source="narrative", raw="12.5元"),
    fact("proactive.category", 7, source="narrative", label="=教育"),
    fact("text.problems", "意识不强", source="narrative", raw="意识不强"),
)
FINDINGS = (
    Finding(
        rule="requests.balance",
        severity="error",
        paths=("requests.new_received.total", "requests.carried_in.total"),
        expected=12.0,
        printed=11,
        cause="report",
        message="requests.balance, 总计: 12 + 0 = 12, printed is 11",
        at="total",
    ),
)


def records() -> list[Record]:
    return [
        record("qinglan_2023", facts=FACTS, findings=FINDINGS, status="flagged"),
        record("copy", facts=(), findings=(duplicate_note(),)),
        record("broken", status="failed", error="=cut off", error_code="broken", facts=(), media_type=None),
    ]


def duplicate_note() -> Finding:
    return Finding(rule="run.duplicate", severity="note", at="qinglan_2023", message="the same file")


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    file = RecordFile(folder)
    for item in records():
        file.append(item)
    file.close()
    return folder


def read(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


# How the first document's row of the reports must look: column → cell of the CSV.
REPORT = {
    "doc_id": "qinglan_2023",
    "record_status": "flagged",
    "meta.issuer": "青岚县人民政府",
    "meta.division_code": "990101",
    "meta.year": "2023",
    "requests.new_received.total": "12",
    "requests.new_received.total__status": "value",
    "requests.new_received.total__source": "table",
    "requests.new_received.total__bound": "exact",
    "requests.new_received.total__narrative": "400",
    "requests.new_received.total__narrative_bound": "at_least",
    "requests.carried_in.total": "0",
    "requests.carried_in.total__status": "value",
    "requests.granted.total": "",
    "requests.granted.total__status": "blank",
    "requests.partially_granted.total": "",
    "requests.partially_granted.total__status": "not_applicable",
    "requests.denied_state_secret.total": "",
    "requests.denied_state_secret.total__status": "illegible",
    "fees.charged_yuan": "0",
    "fees.charged_yuan__status": "zero_in_words",
    "fees.charged_yuan__source": "narrative",
    "fees.waived_yuan": "12.5",
    "complaints.total": "",
    "complaints.total__status": "not_mentioned",
}


@pytest.mark.parametrize(("column", "cell"), REPORT.items(), ids=list(REPORT))
def test_report_cells(run_folder: Path, tmp_path: Path, column: str, cell: str) -> None:
    export_run(run_folder, "csv", tmp_path / "out")
    assert read(tmp_path / "out", "reports")[0][column] == cell


def test_a_failed_document_has_a_row_that_says_so(run_folder: Path, tmp_path: Path) -> None:
    export_run(run_folder, "csv", tmp_path / "out")
    row = read(tmp_path / "out", "reports")[2]
    assert row["record_status"] == "failed"
    assert {value for column, value in row.items() if column.endswith("__status")} == {"failed"}


# Of rates only: tests/test_harmonised.py has them.
NOT_HERE = {"undefined", "not_comparable"}


def test_every_kind_of_no_number_is_told_apart_and_explained(run_folder: Path, tmp_path: Path) -> None:
    export_run(run_folder, "csv", tmp_path / "out")
    seen = {
        value
        for table in ("reports", "panel")
        for row in read(tmp_path / "out", table)
        for column, value in row.items()
        if column.endswith("__status")
    }
    assert seen == set(STATUSES) - NOT_HERE
    explained = {
        row["column"]
        for row in read(tmp_path / "out", "codebook")
        if row["table"] == "status" and row["meaning"]
    }
    assert explained == set(STATUSES)


def test_facts_are_long_and_complete(run_folder: Path, tmp_path: Path) -> None:
    export_run(run_folder, "csv", tmp_path / "out")
    rows = read(tmp_path / "out", "facts")
    assert [row["path"] for row in rows] == [item.path for item in FACTS]
    assert rows[3]["findings"] == "requests.balance"
    assert (rows[3]["page"], rows[3]["row"], rows[3]["column"]) == ("1", "2", "3")
    assert (rows[0]["value"], rows[0]["value_text"]) == ("", "青岚县人民政府")
    assert (rows[3]["value"], rows[3]["value_text"]) == ("12", "")


def test_documents_and_findings(run_folder: Path, tmp_path: Path) -> None:
    export_run(run_folder, "csv", tmp_path / "out")
    first, copy, broken = read(tmp_path / "out", "documents")
    assert (first["issuer"], first["year"], first["facts"], first["errors"]) == (
        "青岚县人民政府",
        "2023",
        "13",
        "1",
    )
    assert copy["duplicate_of"] == "qinglan_2023"
    assert (broken["status"], broken["error_code"], broken["error"]) == ("failed", "broken", "'=cut off")
    finding = read(tmp_path / "out", "findings")[0]
    assert (finding["rule"], finding["expected"], finding["printed"]) == ("requests.balance", "12", "11")
    assert finding["paths"] == "requests.new_received.total requests.carried_in.total"


def test_csv_opens_in_excel_as_utf8(run_folder: Path, tmp_path: Path) -> None:
    export_run(run_folder, "csv", tmp_path / "out")
    assert (tmp_path / "out" / "facts.csv").read_bytes().startswith(b"\xef\xbb\xbf")


FORMULAS = [
    ("=1+1", "'=1+1"),
    ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("-2+3", "'-2+3"),
    ("＝1＋1", "'＝1＋1"),
    (" =1", "' =1"),
    ("\t=1", "'\t=1"),
    ("\r\n", "'\r\n"),
    ("-4", "-4"),
    ("+3.5", "+3.5"),
    ("-1,234", "-1,234"),
    ("-", "-"),
    ("—", "—"),
    ("/", "/"),
    ("5090条", "5090条"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "expected"), FORMULAS, ids=[ascii(row[0]) for row in FORMULAS])
def test_text_like_formulas_is_neutralized(text: str, expected: str) -> None:
    assert neutralized(text) == expected


def test_parquet_holds_the_same_with_types(run_folder: Path, tmp_path: Path) -> None:
    export_run(run_folder, "parquet", tmp_path / "out")
    export_run(run_folder, "csv", tmp_path / "out")
    for table in TABLES:
        typed = pq.read_table(tmp_path / "out" / f"{table}.parquet").to_pandas()
        plain = pd.read_csv(tmp_path / "out" / f"{table}.csv", dtype=str, keep_default_na=False)
        assert list(typed.columns) == list(plain.columns)
        assert len(typed) == len(plain)
    facts = pq.read_table(tmp_path / "out" / "facts.parquet")
    assert str(facts.schema.field("value").type) == "double"
    assert facts.column("value").to_pylist()[3] == 12
    assert facts.column("label").to_pylist()[11] == "=教育", "Parquet is no spreadsheet"


def test_datasets_folder_opens(run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    export_run(run_folder, "datasets", tmp_path / "out")
    for table in TABLES:
        rows = datasets.load_dataset(
            str(tmp_path / "out"), table, split="train", cache_dir=str(tmp_path / "c")
        )
        assert len(rows) == pq.read_metadata(tmp_path / "out" / "data" / f"{table}.parquet").num_rows


def test_codebook_explains_every_field_and_every_column(run_folder: Path, tmp_path: Path) -> None:
    export_run(run_folder, "csv", tmp_path / "out")
    rows = read(tmp_path / "out", "codebook")
    by_field = {row["column"]: row for row in rows if row["table"] == "field"}
    assert list(by_field) == list(fields())
    assert all(row["meaning"] for row in rows)
    received = by_field["requests.new_received.total"]
    assert (received["documents"], received["share_missing"]) == ("1", "0.5")
    assert by_field["requests.other_outcome.total"]["template"] == "table2019"
    assert by_field["requests.other_misc.total"]["template"] == "table2021"
    assert by_field["proactive.category"]["repeatable"] == "yes"
    for table in ("facts", "documents", "findings"):
        explained = [row["column"] for row in rows if row["table"] == table]
        assert explained == list(read(tmp_path / "out", table)[0])


def test_the_reports_have_the_same_value_columns_in_every_run() -> None:
    columns = [column.name for column in reports_spec(Occurrence()).columns]
    assert columns[4:] == [
        *(spec.path for spec in panel_fields()),
        *(f"{spec.path}__status" for spec in panel_fields()),
    ]
    assert len(set(columns)) == len(columns)


def test_no_run_and_no_place(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StartError, match="no such folder"):
        export_run(tmp_path / "none", "csv", tmp_path / "out")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StartError, match="cannot be written"):
        export_run(run_folder, "csv", tmp_path / "file" / "out")


def test_a_run_without_documents_has_headers(tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").write_text("", encoding="utf-8")
    counts = export_run(tmp_path, "csv", tmp_path / "out")
    assert (counts["facts"], counts["panel"]) == (0, 0)
    assert (tmp_path / "out" / "facts.csv").read_text(encoding="utf-8-sig").startswith("doc_id,path,value")
    export_run(tmp_path, "parquet", tmp_path / "out")
    assert pq.read_metadata(tmp_path / "out" / "panel.parquet").num_rows == 0
