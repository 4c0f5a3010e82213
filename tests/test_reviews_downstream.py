"""What people corrected reaches every program that goes on from a run; the score stays the machine's."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import openpyxl
import pytest
import typer
from rich.console import Console
from run_material import ROOT
from typer.testing import CliRunner

import pipeline
from evals.cli import add_commands
from pipeline.cli.app import app
from pipeline.cli.show import show_record
from pipeline.cli.support import run_app
from pipeline.export.formats import FORMATS
from pipeline.export.tables import RunTables
from pipeline.export.write import export_run, export_runs
from pipeline.fact import Evidence, Fact, Record
from pipeline.overview.collect import material_of
from pipeline.panel.check_runs import check_runs
from pipeline.panel.sources import sources_of
from pipeline.runs.record import read_records, read_text
from pipeline.runs.reviews import Action, ReviewLog, Target

Rows = list[dict[str, str]]
COMPANY, TOTAL = "requests.new_received.company", "requests.new_received.total"
CATEGORY, ADDED = "proactive.category", "complaints.total"


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two samples; in the table of one a cell is printed wrong: 90 for 9."""
    folder = tmp_path_factory.mktemp("reviewed")
    (folder / "in").mkdir()
    samples = ROOT / "gold" / "samples"
    table = (samples / "qilan_2022.html").read_text(encoding="utf-8")
    cells = "公开申请数量</p></td>", '<span style="font-family:Calibri">9</span>'
    before, row = table.split(f"本年新收政府信息{cells[0]}")
    wrong = row.replace(cells[1], cells[1].replace("9", "90"), 1)
    printed = f"{before}本年新收政府信息{cells[0]}{wrong}"
    (folder / "in" / "qilan_2022.html").write_text(printed, encoding="utf-8")
    shutil.copy(samples / "yanxi_2017.txt", folder / "in")
    arguments = ["extract", str(folder / "in"), "--out", str(folder / "run"), "--strategy", "rules"]
    assert run_app(app, arguments) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def run(extracted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run after a review: every kind of change, one of them undone, one twice."""
    run = tmp_path_factory.mktemp("review") / "run"
    shutil.copytree(extracted, run)
    records = {record.doc_id: record for record in read_records(run)}
    qilan, yanxi = records["qilan_2022"], records["yanxi_2017"]
    text = read_text(run, qilan.sha256) or ""
    place = text.index("186人次")
    with ReviewLog.opened(run) as log:
        cell = of(qilan, COMPANY)
        change(log, qilan, "correct", cell, human(cell, 8))
        change(log, qilan, "correct", cell, human(cell, 9), reason="看错了")
        change(log, qilan, "confirm", of(qilan, TOTAL))
        change(log, qilan, "remove", of(qilan, CATEGORY, 157), reason="上年数")
        added = human(cell, 186, path=ADDED, source="narrative", raw="186人次")
        added = added.model_copy(update={"evidence": Evidence(start=place, end=place + 5)})
        change(log, qilan, "add", added, added)
        year = of(yanxi, "meta.year")
        change(log, yanxi, "correct", year, human(year, 2016))
        undone = change(log, yanxi, "remove", of(yanxi, "capacity.offices"))
        log.append(
            "yanxi_2017", yanxi.sha256, "乙", "undo", Target.of(of(yanxi, "capacity.offices")), undoes=undone
        )
    return run


def of(record: Record, path: str, value: int | None = None) -> Fact:
    """The machine's fact of a field: that of the table where prose has it too."""
    found = [fact for fact in record.facts if fact.path == path and value in (None, fact.value)]
    return min(found, key=lambda fact: fact.source != "table")


def human(fact: Fact, value: int, **parts: object) -> Fact:
    """A person's reading of the same print."""
    return fact.model_copy(update={"value": value, "method": "human", "confidence": None, **parts})


def change(
    log: ReviewLog, record: Record, action: Action, on: Fact, to: Fact | None = None, reason: str = ""
) -> int:
    target, seen = Target.of(on), on if on.method != "human" else None
    event = log.append(record.doc_id, record.sha256, "甲", action, target, to, reason, seen=seen)
    return event.number


@pytest.fixture(scope="module")
def tables(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Rows]:
    """The exported CSV files."""
    out = tmp_path_factory.mktemp("csv")
    counts = export_run(run, "csv", out)
    return {name: read(out / f"{name}.csv") for name in counts}


def read(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_both_readings_are_in_facts_and_one_is_in_force(tables: Mapping[str, Rows]) -> None:
    rows = [row for row in tables["facts"] if row["path"] == COMPANY]
    kept = [(row["value"], row["method"], row["superseded"], row["review"]) for row in rows]
    assert kept == [
        ("90", "table_reader", "yes", "corrected"),
        ("9", "human", "no", "corrected"),
    ]
    verdicts = Counter((row["superseded"], row["review"]) for row in tables["facts"])
    assert verdicts["yes", "corrected"] == verdicts["no", "corrected"] == 2
    assert (verdicts["yes", "removed"], verdicts["no", "added"], verdicts["no", "confirmed"]) == (1, 1, 1)
    in_force = [row for row in tables["facts"] if row["superseded"] == "no"]
    documents = sum(int(row["facts"]) for row in tables["documents"])
    assert len(in_force) == documents


def test_wide_tables_have_the_figures_in_force(tables: Mapping[str, Rows]) -> None:
    panel = {row["doc_id"]: row for row in tables["panel"]}
    qilan = panel["qilan_2022"]
    assert (qilan[COMPANY], qilan[ADDED], qilan[f"{ADDED}__status"]) == ("9", "186", "value")
    assert (qilan["record_status"], qilan["flags"]) == ("ok", "0"), "the sums hold with 9"
    assert panel["yanxi_2017"]["year"] == "2016", "who reports on what is told from the facts in force"
    assert panel["yanxi_2017"]["capacity.offices"] == "31", "what was undone changes nothing"
    reports = {row["doc_id"]: row for row in tables["reports"]}
    assert reports["qilan_2022"][COMPANY] == "9"


def test_findings_are_those_of_the_figures_in_force(extracted: Path, tables: Mapping[str, Rows]) -> None:
    before = {row["rule"] for row in RunTables([extracted]).table("findings")[1]}
    assert "requests.row_total" in before
    assert not any(row["rule"].startswith("requests.") for row in tables["findings"])


def test_harmonised_variables_follow(extracted: Path, run: Path) -> None:
    def organisations(folder: Path) -> float:
        rows = pipeline.read_run(folder).panel().set_index("doc_id")
        return float(rows.loc["qilan_2022", "h_requests_organisations"])

    assert (organisations(extracted), organisations(run)) == (90 + 8, 9 + 8)


def test_corrections_name_both_readings_and_their_authors(tables: Mapping[str, Rows]) -> None:
    rows = tables["corrections"]
    assert [(row["path"], row["action"], row["state"]) for row in rows] == [
        (COMPANY, "correct", "replaced"),
        (COMPANY, "correct", "in_force"),
        (TOTAL, "confirm", "in_force"),
        (CATEGORY, "remove", "in_force"),
        (ADDED, "add", "in_force"),
        ("meta.year", "correct", "in_force"),
    ]
    row = rows[1]
    assert (row["machine_value"], row["machine_raw"], row["machine_status"]) == ("90", "90", "value")
    assert (row["human_value"], row["annotator"], row["reason"]) == ("9", "甲", "看错了")
    assert row["at"].startswith("20")
    assert rows[4]["machine_status"] == ""


def test_documents_say_how_much_was_checked(tables: Mapping[str, Rows]) -> None:
    counts = {
        row["doc_id"]: (row["figures_checked"], row["figures_corrected"]) for row in tables["documents"]
    }
    assert counts == {"qilan_2022": ("4", "3"), "yanxi_2017": ("1", "1")}


def test_the_codebook_explains_the_columns_of_the_review(tables: Mapping[str, Rows]) -> None:
    explained = {(row["table"], row["column"]): row["meaning"] for row in tables["codebook"]}
    assert "count twice" in explained["facts", "superseded"]
    assert "figures_checked" in {column for table, column in explained if table == "documents"}
    for column in tables["corrections"][0]:
        assert explained["corrections", column]


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_format_takes_a_reviewed_run(run: Path, tmp_path: Path, format_name: str) -> None:
    counts = export_run(run, format_name, tmp_path)  # type: ignore[arg-type]
    assert list(counts) == [
        *("facts", "panel", "reports", "documents", "findings", "corrections", "codebook"),
    ]
    assert counts["corrections"] == 6
    said = "5 figures of 2 documents checked by a person: 1 confirmed, 2 corrected, 1 removed, 1 added"
    if format_name == "datasets":
        assert f"- review: `{said}`" in (tmp_path / "README.md").read_text(encoding="utf-8")
    if format_name == "xlsx":
        book = openpyxl.load_workbook(tmp_path / "gongkai.xlsx", read_only=True)
        cells = {str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row}
        book.close()
        assert said in cells
    if format_name == "duckdb":
        import duckdb

        with duckdb.connect(str(tmp_path / "gongkai.duckdb"), read_only=True) as database:
            query = "SELECT value FROM figures WHERE path = ?"
            assert database.execute(query, [COMPANY]).fetchall() == [(9.0,)]


def test_two_runs_are_named_where_only_one_was_reviewed(extracted: Path, run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(extracted, other)
    export_runs([other, run], "datasets", tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "- run 2, run: review: `5 figures" in card
    assert "- run 1, other: review" not in card


def test_a_run_without_a_review_is_exported_as_ever(extracted: Path, tmp_path: Path) -> None:
    assert "corrections" not in export_run(extracted, "csv", tmp_path)
    assert {(row["superseded"], row["review"]) for row in read(tmp_path / "facts.csv")} == {
        ("no", "unchecked")
    }
    assert {row["figures_checked"] for row in read(tmp_path / "documents.csv")} == {"0"}
    assert len(pipeline.read_run(extracted).corrections()) == 0


def test_frames_have_the_review_and_records_stay_the_machine_s(run: Path) -> None:
    frames = pipeline.read_run(run)
    assert len(frames.corrections()) == 6
    values = [f.value for record in frames.records() for f in record.facts if f.path == COMPANY]
    assert values == [90]


def test_check_holds_the_identities_against_the_facts_in_force(
    extracted: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (extracted, run):
        shutil.copytree(folder, tmp_path / folder.parent.name)
    before, after = (tmp_path / folder.parent.name for folder in (extracted, run))
    assert run_app(app, ["check", str(before)]) == 0
    assert "requests.row_total" in capsys.readouterr().out
    kept = (after / "records.jsonl").read_bytes()
    assert run_app(app, ["check", str(after)]) == 0
    out = capsys.readouterr().out
    assert "requests.row_total" not in out
    assert "review: 5 figures of 2 documents checked by a person: 1 confirmed, 2 corrected" in out
    assert (after / "records.jsonl").read_bytes() == kept
    content = json.loads((after / "check.json").read_text(encoding="utf-8"))
    assert content["review"] == {
        "documents": 2,
        "checked": 5,
        "confirmed": 1,
        "corrected": 2,
        "removed": 1,
        "added": 1,
        "orphaned": [],
    }
    assert "review" not in json.loads((before / "check.json").read_text(encoding="utf-8"))


def test_changes_that_find_no_figure_are_named_and_not_applied(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = tmp_path / "run"
    shutil.copytree(run, again)
    lines = (again / "records.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if '"doc_id":"qilan_2022"' in line]
    shifted = json.loads(kept[0])
    for each in shifted["facts"]:
        each["evidence"]["end"] += each["path"] == COMPANY
    (again / "records.jsonl").write_text(json.dumps(shifted, ensure_ascii=False) + "\n", encoding="utf-8")
    result = check_runs([again]).runs[0][1].review
    assert result is not None
    assert [(each.event.doc_id, each.event.number) for each in result.orphaned] == [
        *(("qilan_2022", 1), ("qilan_2022", 2), ("yanxi_2017", 6)),
    ]
    assert run_app(app, ["check", str(again)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert f"not applied: change 2 (qilan_2022, {COMPANY}, correct by 甲): the record has no such" in out
    assert "not applied: change 6 (yanxi_2017, meta.year, correct by 甲): the run has no such" in out
    facts = RunTables([again]).table("facts")[1]
    assert [row["value"] for row in facts if row["path"] == COMPANY] == [90]
    states = [row["state"] for row in RunTables([again]).table("corrections")[1]]
    assert Counter(states) == {"in_force": 3, "orphaned": 3}


def test_show_has_both_readings_side_by_side(run: Path) -> None:
    console = Console(width=250, record=True, color_system=None, file=StringIO())
    console.print(show_record(run, "qilan_2022"))
    shown = console.export_text()
    for mark in ("9←90", "63✓", "-←157", "+186"):
        assert mark in shown, mark
    changes = shown[shown.index("人工复核") :]
    assert "看错了" in changes
    assert "requests.row_total" not in shown


def test_the_overview_draws_the_figures_in_force(run: Path) -> None:
    material = material_of([run])
    rows = {row.record.doc_id: row for row in material.rows}
    values = {fact.value for fact in rows["qilan_2022"].record.facts if fact.path == COMPANY}
    assert values == {9}
    assert rows["yanxi_2017"].row.year == 2016
    assert not rows["qilan_2022"].findings


def test_the_score_is_the_machine_s_and_says_so(extracted: Path, run: Path, tmp_path: Path) -> None:
    command = typer.Typer()
    add_commands(command)
    scores = {}
    for folder in (extracted, run):
        out = tmp_path / folder.parent.name
        arguments = ["eval", str(folder), "--gold", str(ROOT / "gold" / "samples"), "--out", str(out)]
        said = CliRunner().invoke(command, arguments)
        assert said.exit_code == 0, said.output
        assert ("scored is the machine's reading" in said.output) == (folder == run)
        scores[folder] = json.loads((out / "scores.json").read_text(encoding="utf-8"))["overall"]
    assert scores[extracted] == scores[run]


def test_a_damaged_log_stops_what_would_else_use_half_of_it(run: Path, tmp_path: Path) -> None:
    again = tmp_path / "run"
    shutil.copytree(run, again)
    path = again / "review.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[1][:50] + b"\n", *lines[2:]]))
    for arguments in (["check", str(again)], ["export", str(again), "--out", str(tmp_path / "out")]):
        assert run_app(app, arguments) == 3
    assert not (tmp_path / "out").exists()


def test_records_are_read_as_they_were_written_too(run: Path) -> None:
    source = next(source for source in sources_of([run]) if source.doc_id == "qilan_2022")
    assert of(source.written, COMPANY).value == 90
    assert of(source.record, COMPANY).value == 9
    assert of(source.written, COMPANY).value == 90
