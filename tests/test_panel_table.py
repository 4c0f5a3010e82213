"""The exported panel: one row an issuer and year, from one run or several, and its codebook."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from run_material import record
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.errors import StartError
from pipeline.export.panel_table import IDENTITY, harmonised_columns, panel_spec
from pipeline.export.rows import Occurrence, panel_fields
from pipeline.export.stata_names import stata_names
from pipeline.export.tables import TABLES, RunTables
from pipeline.export.write import export_run, export_runs
from pipeline.fact import Evidence, Fact, Finding, Record, RecordHint, Templates
from pipeline.panel.crosswalk import crosswalk
from pipeline.runs.record import RecordFile

COUNTY, OFFICE = "青岚县人民政府", "青岚县教育局"
FORMS = Templates(document="table2021", proactive="table2021", requests="table2021", remedies="table2021")


def fact(path: str, value: float | str | None, status: str = "value", **parts: Any) -> Fact:
    is_meta = path.startswith("meta.")
    content: dict[str, Any] = {
        "path": path,
        "value": value,
        "status": status,
        "raw": str(value),
        "source": "metadata" if is_meta else "table",
        "method": "rule" if is_meta else "table_reader",
        "evidence": Evidence(start=0, end=1),
    }
    return Fact.model_validate(content | parts)


def report(
    doc_id: str, year: int, published: str | None = None, issuer: str = COUNTY, **cells: Any
) -> Record:
    """A report with a requests table; `cells` are total columns of its rows."""
    kind = "government" if issuer == COUNTY else "department"
    meta = {
        "issuer": issuer, "issuer_type": kind, "level": "county", "division_code": "990101", "year": year,
        "published_on": published,
    }  # fmt: skip
    facts = [fact(f"meta.{name}", value) for name, value in meta.items() if value is not None]
    for row, value in cells.items():
        missing = isinstance(value, str)
        facts.append(fact(f"requests.{row}.total", None if missing else value, value if missing else "value"))
    return record(doc_id, sha256=doc_id.ljust(64, "0"), templates=FORMS, facts=tuple(facts))


def warning() -> Finding:
    return Finding(rule="requests.balance", severity="error", message="does not add up")


# Two runs: a year each; the second has an altered version, a department and a document without a place.
FIRST = [report("county_2022", 2022, "2023-03-01", new_received=9, carried_in=0, concluded=7, carried_out=2)]
SECOND = [
    report(
        "county_2023", 2023, "2024-03-01", new_received=5, carried_in=3, concluded=8, carried_out=0, granted=2
    ),
    report(
        "county_2023_altered", 2023, "2024-04-02", new_received=5, carried_in=3, concluded=8, carried_out=0,
        granted=4, partially_granted="blank",
    ),
    report("office_2023", 2023, "2024-02-10", OFFICE, new_received=0, concluded=0, granted=0).model_copy(
        update={"findings": (warning(),), "status": "flagged"}
    ),
    record("unknown", sha256="f" * 64, facts=(fact("meta.year", 2023),)),
    record("broken", sha256="e" * 64, status="failed", error="cut off", error_code="broken", facts=()),
]  # fmt: skip


def write_run(folder: Path, records: list[Record]) -> Path:
    folder.mkdir()
    file = RecordFile(folder)
    for each in records:
        file.append(each)
    file.close()
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    return [write_run(folder / "run2022", FIRST), write_run(folder / "run2023", SECOND)]


Tables = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def tables(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Tables:
    out = tmp_path_factory.mktemp("out")
    counts = export_runs(runs, "csv", out)
    read = {name: rows_of(out, name) for name in TABLES}
    assert counts == {name: len(rows) for name, rows in read.items()}
    return read


def rows_of(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


# row of the panel, column → cell
PANEL: list[tuple[int, dict[str, str]]] = [
    (
        0,
        {
            "reporter_id": "990101:人民政府",
            "unit_id": "990101",
            "year": "2022",
            "issuer": COUNTY,
            "issuer_type": "government",
            "level": "county",
            "division_code": "990101",
            "county": "青岚县",
            "doc_id": "county_2022",
            "run": "run2022",
            "versions": "1",
            "record_status": "ok",
            "flags": "1",  # year.carry: 2 were carried out, the next report carries in 3
            "h_requests_carried_out": "2",
            "h_requests_granted": "",
            "h_requests_granted__status": "not_mentioned",
            "rate_granted": "",
            "rate_granted__status": "not_mentioned",
            "rate_lateness_days": "-30",
        },
    ),
    (
        1,
        {
            "year": "2023",
            "doc_id": "county_2023_altered",
            "versions": "2",
            "flags": "1",
            "h_requests_received": "5",
            "h_requests_received__status": "value",
            "h_requests_received__source": "table",
            "h_requests_received__bound": "exact",
            "h_requests_part_granted": "",
            "h_requests_part_granted__status": "blank",
            "h_staff__status": "not_in_template",
            "rate_granted": "0.5",
            "rate_granted__numerator": "4",
            "rate_granted__denominator": "8",
            "rate_granted_any__status": "blank",
            "rate_backlog": "0",
            "rate_lateness_days": "2",
            "rate_lateness_days__deadline": "2024-03-31",
            "rate_lateness_days__basis": "regulation",
            "requests.new_received.total": "5",
            "requests.new_received.total__status": "value",
            "requests.partially_granted.total__status": "blank",
        },
    ),
    (
        2,
        {
            "reporter_id": "990101:教育局",
            "doc_id": "office_2023",
            "record_status": "flagged",
            "flags": "1",
            "rate_granted": "",
            "rate_granted__status": "undefined",
            "rate_granted__numerator": "0",
            "rate_granted__denominator": "0",
            "rate_lateness_days": "10",
        },
    ),
]


@pytest.mark.parametrize("row", [row for row, _ in PANEL])
def test_panel_cells(tables: Tables, row: int) -> None:
    expected = dict(PANEL)[row]
    assert {column: tables["panel"][row][column] for column in expected} == expected


def test_one_row_an_issuer_and_year(tables: Tables) -> None:
    keys = [(row["reporter_id"], row["year"]) for row in tables["panel"]]
    assert keys == [("990101:人民政府", "2022"), ("990101:人民政府", "2023"), ("990101:教育局", "2023")]


def test_reports_keep_every_document(tables: Tables) -> None:
    documents = [(each.doc_id, run) for run, each in _all()]
    assert [(row["doc_id"], row["run"]) for row in tables["reports"]] == documents
    assert [(row["doc_id"], row["run"]) for row in tables["documents"]] == documents
    assert tables["reports"][1]["requests.granted.total"] == "2", "the version that was replaced"


def _all() -> list[tuple[str, Record]]:
    return [*(("run2022", each) for each in FIRST), *(("run2023", each) for each in SECOND)]


def test_documents_say_what_they_are_to_the_panel(tables: Tables) -> None:
    roles = {row["doc_id"]: (row["version_role"], row["version_of"]) for row in tables["documents"]}
    assert roles == {
        "county_2022": ("chosen", "county_2022"),
        "county_2023": ("superseded", "county_2023_altered"),
        "county_2023_altered": ("chosen", "county_2023_altered"),
        "office_2023": ("chosen", "office_2023"),
        "unknown": ("unplaced", ""),
        "broken": ("unplaced", ""),
    }
    reasons = {row["doc_id"]: row["version_reason"] for row in tables["documents"]}
    assert "no issuer is printed" in reasons["unknown"]
    assert all(reasons.values())


def test_documents_say_where_sources_csv_told_the_place(tmp_path: Path) -> None:
    meta = (fact("meta.issuer", "留格庄镇人民政府"), fact("meta.year", 2023))
    hinted = record("hinted", facts=meta, hint=RecordHint(place="海阳市"))
    printed = record("printed", facts=(*meta, fact("meta.division_code", "370687")), hint=hinted.hint)
    export_run(write_run(tmp_path / "run", [hinted, printed]), "csv", tmp_path / "out")
    places = {
        row["doc_id"]: (row["unit_id"], row["place_by_hint"])
        for row in rows_of(tmp_path / "out", "documents")
    }
    assert places == {"hinted": ("370687", "yes"), "printed": ("370687", "no")}


def test_findings_across_name_both_documents(tables: Tables) -> None:
    across = [row for row in tables["findings"] if row["other_doc_id"]]
    assert [
        (row["rule"], row["doc_id"], row["other_doc_id"], row["run"], row["other_run"]) for row in across
    ] == [("year.carry", "county_2023_altered", "county_2022", "run2023", "run2022")]


def test_columns_in_order() -> None:
    names = [column.name for column in panel_spec(Occurrence()).columns]
    identity = [column.name for column in IDENTITY]
    found = crosswalk()
    own = [
        *(each.name for each in found.variables),
        *(each.name for each in found.rates),
        found.lateness.name,
    ]
    printed = [spec.path for spec in panel_fields()]
    assert names[: len(identity) + len(own)] == identity + own
    first = len(identity) + len(harmonised_columns())
    assert names[first : first + len(printed)] == printed
    assert len(set(names)) == len(names)


def test_the_codebook_explains_every_column_of_the_panel(tables: Tables) -> None:
    codebook = {row["column"]: row for row in tables["codebook"]}
    rates = {each.name for each in crosswalk().rates}
    unexplained = []
    for column in tables["panel"][0]:
        base, mark, suffix = column.partition("__")
        patterns = {f"{{field}}{mark}{suffix}"} | ({f"{{rate}}{mark}{suffix}"} if base in rates else set())
        known = base in codebook and (not mark or column in codebook or patterns & codebook.keys())
        if not known:
            unexplained.append(column)
    assert unexplained == []


def test_the_codebook_has_labels_notices_and_caveats(tables: Tables) -> None:
    codebook = {row["column"]: row for row in tables["codebook"] if row["table"] in ("panel", "field")}
    for name in [*(each.name for each in crosswalk().variables), *(each.name for each in crosswalk().rates)]:
        row = codebook[name]
        assert all(row[key] for key in ("label", "meaning", "templates", "notice", "made_of", "caveat")), name
    issued = codebook["h_normdocs_issued"]
    assert issued["templates"] == "narrative stat2014 table2019 table2021"
    assert "国办公开办函〔2021〕30号" in issued["notice"]
    assert "table2019: proactive.normative_documents.made" in issued["made_of"]
    assert codebook["requests.other_misc.total"]["notice"] == "国办公开办函〔2021〕30号"
    assert codebook["requests.new_received.total"]["templates"] == "table2019 table2021"
    assert codebook["statistics.received_total"]["notice"] == "国办发〔2014〕32号"
    assert codebook["capacity.meetings"]["templates"] == "narrative"


# column of the panel → share of the three rows without a value
SHARES = {"h_requests_received": 0.0, "h_requests_carried_in": 1 / 3, "h_staff": 1.0, "rate_granted": 2 / 3}


def test_shares_missing_are_of_the_panel(tables: Tables) -> None:
    codebook = {row["column"]: row for row in tables["codebook"] if row["table"] == "panel"}
    assert {name: float(codebook[name]["share_missing"]) for name in SHARES} == pytest.approx(SHARES)


def test_the_codebook_alone_counts_for_itself(runs: list[Path], tables: Tables) -> None:
    _, rows = RunTables(runs).table("codebook")
    shares = {row["column"]: row.get("share_missing") for row in rows if row["table"] == "panel"}
    assert shares["rate_granted"] == pytest.approx(2 / 3)


def test_breaks_are_in_the_codebook(tables: Tables) -> None:
    breaks = [row for row in tables["codebook"] if row["table"] == "break"]
    assert len(breaks) == len(crosswalk().not_linked)
    assert all(row["caveat"] and row["notice"] for row in breaks)


def test_stata_names_of_the_codebook_are_those_of_the_panel(tables: Tables) -> None:
    names = stata_names(list(tables["panel"][0]))
    codebook = {
        row["column"]: row["stata_name"] for row in tables["codebook"] if row["table"] in ("panel", "field")
    }
    own = [name for name in names if "__" not in name]
    assert {name: codebook[name] for name in own} == {name: names[name] for name in own}
    assert names["rate_granted__denominator"] == "rate_granted" + codebook[
        "{rate}__denominator"
    ].removeprefix("{rate}")


def test_a_run_named_twice_counts_once(runs: list[Path], tmp_path: Path) -> None:
    assert export_runs([runs[0], runs[0]], "csv", tmp_path / "out")["documents"] == 1


def test_one_run_is_a_panel_too(runs: list[Path], tmp_path: Path) -> None:
    assert export_run(runs[1], "csv", tmp_path / "out")["panel"] == 2


def test_every_run_must_be_there(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(StartError, match="no such folder"):
        export_runs([*runs, tmp_path / "none"], "csv", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("format_name", ["csv", "parquet", "dta", "xlsx", "datasets", "duckdb"])
def test_the_command_takes_several_runs(runs: list[Path], tmp_path: Path, format_name: str) -> None:
    if format_name == "duckdb":
        pytest.importorskip("duckdb")
    arguments = ["export", *map(str, runs), "--format", format_name, "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "panel: 3 rows" in result.output


def test_the_long_view_of_duckdb_has_harmonised_figures(runs: list[Path], tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    export_runs(runs, "duckdb", tmp_path)
    with duckdb.connect(str(tmp_path / "gongkai.duckdb"), read_only=True) as database:
        rows = database.execute(
            "SELECT year, value, status FROM panel_long WHERE path = 'h_requests_part_granted' "
            "AND reporter_id = '990101:人民政府' ORDER BY year"
        ).fetchall()
        columns = [name for name, *_ in database.execute("DESCRIBE panel_long").fetchall()]
        figures = database.execute("SELECT count(DISTINCT (run, doc_id)) FROM figures").fetchone()
    assert rows == [(2022, None, "not_mentioned"), (2023, None, "blank")]
    assert columns == [*(column.name for column in IDENTITY), "path", "value", "status"]
    assert figures == (5,)
