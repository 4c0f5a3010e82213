"""What is in force after any review, beside a plain model of it; findings settled; copies; stale files."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from run_material import ROOT
from run_material import record as plain_record
from typer.testing import CliRunner

import pipeline
from evals.cli import add_commands
from evals.compare import OF_THE_MACHINE
from pipeline.checks import check_facts
from pipeline.cli.app import app
from pipeline.cli.support import run_app
from pipeline.export.corrections import correction_rows
from pipeline.export.formats import FORMATS, Format
from pipeline.export.rows import figure_rows
from pipeline.export.tables import RunTables
from pipeline.export.write import export_run
from pipeline.fact import Evidence, Fact, Finding, Record, Templates
from pipeline.panel.check_runs import check_runs
from pipeline.runs.corrected import changed, facts_in_force, reviewed
from pipeline.runs.in_force import record_in_force
from pipeline.runs.record import RecordFile, read_records, write_text
from pipeline.runs.reviews import Action, ReviewEvent, ReviewLog, Target

ROW = "requests.new_received"
APPLICANTS = ("natural_person", "company", "research", "nonprofit", "legal_service", "other_organisation")
TEXT = "本年新收\t1\t2\t3\t4\t5\t6\t21\n其中投诉7件，规章8件。\n"


def fact(path: str, raw: str, value: int, **about: object) -> Fact:
    """A figure of `TEXT`."""
    start = TEXT.index(raw)
    content = {"path": path, "value": value, "raw": raw, "source": "table", "method": "table_reader"}
    return Fact.model_validate(content | {"evidence": Evidence(start=start, end=start + len(raw))} | about)


CELLS = tuple(fact(f"{ROW}.{name}", str(place), place) for place, name in enumerate(APPLICANTS, start=1))
WHOLE = fact(f"{ROW}.total", "21", 21)
COMPLAINTS = fact("complaints.total", "7", 7, source="narrative", method="rule")
RULES = fact("proactive.regulations.issued", "8", 8, source="narrative", method="rule")
MACHINE = (*CELLS[:2], WHOLE, COMPLAINTS)
EVERY = (*MACHINE, RULES)


def document(facts: tuple[Fact, ...] = MACHINE, findings: tuple[Finding, ...] = ()) -> Record:
    """A record of `TEXT`."""
    update = {"sha256": "a" * 64, "facts": facts, "findings": findings}
    return plain_record("r").model_copy(update=update)


def human(of: Fact, value: int) -> Fact:
    """A person's reading of a print."""
    return of.model_copy(update={"value": value, "method": "human", "confidence": None})


def event(number: int, action: Action, on: Fact, value: int = 0, **about: object) -> ReviewEvent:
    """A change of a figure; facts of the machine are seen."""
    new = human(on, value) if action in ("correct", "add") else None
    content = {"number": number, "doc_id": "r", "sha256": "a" * 64, "at": "2026-01-01", "annotator": "甲"}
    seen = on if on in MACHINE else None
    return ReviewEvent.model_validate(
        content | {"action": action, "target": Target.of(on), "fact": new, "seen": seen} | about
    )


# A step: which figure, what is done, and with which value.
STEPS = st.lists(
    st.tuples(
        st.integers(0, len(EVERY) - 1),
        st.sampled_from(["confirm", "change", "remove", "undo"]),
        st.integers(0, 9),
    ),
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_any_sequence_of_changes_comes_to_what_a_plain_model_says(steps: list[tuple[int, str, int]]) -> None:
    events: list[ReviewEvent] = []
    # By figure, the states so far: (value, how). An undo takes the last one away.
    model: dict[int, list[tuple[int | None, str]]] = {
        place: [(None if each is RULES else int(each.value or 0), "unchecked")]
        for place, each in enumerate(EVERY)
    }
    for place, action, value in steps:
        on, past = EVERY[place], model[place]
        own = [each.number for each in events if each.target == Target.of(on) and each.action != "undo"]
        undone = {each.undoes for each in events}
        left = [number for number in own if number not in undone]
        number = len(events) + 1
        is_there, was = past[-1][0] is not None, past[-1][1]
        if action == "undo" and left:
            events.append(event(number, "undo", on, undoes=left[-1]))
            past.pop()
        elif action == "change":
            is_new = on is RULES and not left
            events.append(event(number, "add" if is_new else "correct", on, value))
            past.append((value, "added" if on is RULES else "corrected"))
        elif action == "remove" and is_there:
            events.append(event(number, "remove", on))
            past.append((None, "removed"))
        elif action == "confirm" and is_there:
            events.append(event(number, "confirm", on))
            past.append((past[-1][0], "confirmed" if was == "unchecked" else was))
    expected = {EVERY[place].path: past[-1] for place, past in model.items()}

    record = document()
    found = changed(record, events)
    in_force = {each.path: each.value for each in found.facts}
    assert in_force == {path: value for path, (value, _) in expected.items() if value is not None}
    assert found.facts == facts_in_force(record, events)
    assert [each.path for each in found.facts] == [each.path for each in EVERY if each.path in in_force]
    verdicts = {each.target.path: each.verdict for each in reviewed(record, events).figures}
    assert verdicts == {
        path: how for path, (_, how) in expected.items() if how != "unchecked" or path != RULES.path
    }
    assert not found.orphaned

    rows = list(figure_rows(record, found))
    assert {row["path"]: row["value"] for row in rows if row["superseded"] == "no"} == in_force
    assert [row["value"] for row in rows if row["method"] != "human"] == [each.value for each in MACHINE]
    corrections = Counter(str(row["path"]) for row in correction_rows(found))
    assert corrections == {EVERY[place].path: len(past) - 1 for place, past in model.items() if past[1:]}


# Findings of the reading: of a row, of a cell, of a table without a place, of no field at all.
ROW_LENGTH = Finding(
    rule="table.row_length",
    severity="warning",
    paths=(CELLS[0].path, CELLS[1].path),
    cause="reading",
    message="row",
    evidence=(Evidence(start=0, end=TEXT.index("\n")),),
)
CELL = Finding(
    rule="reading.illegible",
    severity="warning",
    paths=(COMPLAINTS.path,),
    message="cell",
    evidence=(COMPLAINTS.evidence,),
)
MISSING = Finding(rule="table.missing_row", severity="warning", paths=(RULES.path, WHOLE.path), message="row")
LOSS = Finding(rule="read.loss", severity="warning", message="a page is lost")
OTHER_PLACE = CELL.model_copy(update={"evidence": (RULES.evidence,)})


@pytest.mark.parametrize(
    ("finding", "changes", "is_settled"),
    [
        (ROW_LENGTH, [("confirm", CELLS[0])], False),
        (ROW_LENGTH, [("confirm", CELLS[0]), ("correct", CELLS[1])], True),
        (ROW_LENGTH, [("confirm", CELLS[0]), ("remove", CELLS[1])], True),
        (ROW_LENGTH, [("confirm", WHOLE)], False),
        (CELL, [("confirm", COMPLAINTS)], True),
        (CELL, [("correct", COMPLAINTS)], True),
        (OTHER_PLACE, [("confirm", COMPLAINTS)], False),
        (MISSING, [("confirm", WHOLE)], False),  # nobody looked for the other field
        (MISSING, [("confirm", WHOLE), ("add", RULES)], True),
        (LOSS, [("confirm", each) for each in MACHINE], False),
    ],
    ids=str,
)
def test_a_finding_of_the_reading_is_settled_when_all_that_it_names_was_looked_at(
    tmp_path: Path, finding: Finding, changes: list[tuple[Action, Fact]], is_settled: bool
) -> None:
    write_text(tmp_path, "a" * 64, TEXT)
    record = document(findings=(finding,)).model_copy(update={"status": "flagged"})
    events = [event(number, action, on, 5) for number, (action, on) in enumerate(changes, start=1)]
    after = record_in_force(tmp_path, record, events)
    assert (finding not in after.findings) == is_settled
    assert after.status == ("ok" if is_settled and not after.findings else "flagged")
    assert record.findings == (finding,), "the record keeps it"


def test_an_identity_that_the_print_itself_breaks_is_never_settled(tmp_path: Path) -> None:
    write_text(tmp_path, "a" * 64, TEXT)
    cells = (*CELLS[:5], CELLS[5].model_copy(update={"value": 60}), WHOLE)
    facts = tuple(each.model_copy(update={"confidence": 1.0}) for each in cells)
    forms = Templates(requests="table2021")
    broken = check_facts(TEXT, facts, forms)
    assert [each.rule for each in broken] == ["requests.row_total"]
    record = document(facts, broken).model_copy(update={"templates": forms})
    confirmed = [event(number, "confirm", on, seen=on) for number, on in enumerate(facts, start=1)]
    assert record_in_force(tmp_path, record, confirmed).findings == broken
    # One that an earlier version worded otherwise is not kept beside the one made anew.
    worded = broken[0].model_copy(update={"message": "as it was said once"})
    right = [*confirmed, event(8, "correct", facts[5], 6)]
    earlier = record.model_copy(update={"findings": (worded,)})
    assert record_in_force(tmp_path, earlier, right).findings == ()
    assert len(record_in_force(tmp_path, earlier, [event(1, "correct", facts[5], 61)]).findings) == 1


# Runs as `gongkai extract` writes them.


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report, the same file under another name, and another report."""
    folder = tmp_path_factory.mktemp("in_force")
    (folder / "in").mkdir()
    samples = ROOT / "gold" / "samples"
    shutil.copy(samples / "qilan_2022.html", folder / "in")
    shutil.copy(samples / "qilan_2022.html", folder / "in" / "zz_copy.html")
    shutil.copy(samples / "yanxi_2017.txt", folder / "in")
    arguments = ["extract", str(folder / "in"), "--out", str(folder / "run"), "--strategy", "rules"]
    assert run_app(app, arguments) == 0
    return folder / "run"


def copied(extracted: Path, tmp_path: Path, name: str = "run") -> tuple[Path, Mapping[str, Record]]:
    run = tmp_path / name
    shutil.copytree(extracted, run)
    return run, {record.doc_id: record for record in read_records(run)}


def say(log: ReviewLog, record: Record, action: Action, on: Fact, to: Fact | None = None) -> ReviewEvent:
    return log.append(record.doc_id, record.sha256, "甲", action, Target.of(on), to, seen=on)


def first(record: Record, path: str) -> Fact:
    return next(each for each in record.facts if each.path == path)


COMPANY = f"{ROW}.company"


def test_the_copy_that_a_person_checked_is_the_one_that_counts(extracted: Path, tmp_path: Path) -> None:
    run, records = copied(extracted, tmp_path)
    copy = records["zz_copy"]
    assert copy.sha256 == records["qilan_2022"].sha256
    with ReviewLog.opened(run) as log:
        cell = first(copy, COMPANY)
        say(log, copy, "correct", cell, human(cell, 77))
        say(log, copy, "remove", first(copy, "proactive.category"))
    panel = pipeline.read_run(run).panel().set_index("doc_id")
    assert "qilan_2022" not in panel.index
    assert panel.loc["zz_copy", COMPANY] == 77
    assert panel.loc["zz_copy", "versions"] == 2


def test_changes_of_a_renamed_file_say_under_which_name_it_is_now(extracted: Path, tmp_path: Path) -> None:
    run, records = copied(extracted, tmp_path)
    yanxi = records["yanxi_2017"]
    with ReviewLog.opened(run) as log:
        say(log, yanxi, "confirm", first(yanxi, "meta.year"))
    lines = (run / "records.jsonl").read_text(encoding="utf-8")
    renamed = lines.replace('"doc_id":"yanxi_2017"', '"doc_id":"new_name"')
    (run / "records.jsonl").write_text(renamed, encoding="utf-8")
    review = check_runs([run]).runs[0][1].review
    assert review is not None
    assert [each.why for each in review.orphaned] == [
        "the run has no such document; the same file is new_name"
    ]
    assert [row["state"] for row in RunTables([run]).table("corrections")[1]] == ["orphaned"]


def test_a_log_of_another_run_is_not_applied_and_told_of(
    extracted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, records = copied(extracted, tmp_path)
    with ReviewLog.opened(run) as log:
        cell = first(records["qilan_2022"], COMPANY)
        say(log, records["qilan_2022"], "correct", cell, human(cell, 77))
    other = tmp_path / "other"
    other.mkdir()
    file = RecordFile(other)
    record = records["qilan_2022"].model_copy(update={"sha256": "b" * 64})
    file.append(record)
    file.close()
    write_text(other, "b" * 64, TEXT * 400)
    shutil.copy(run / "review.jsonl", other)
    assert facts_of(other, COMPANY) == [first(record, COMPANY).value]
    assert run_app(app, ["check", str(other)]) == 0
    assert "made on another file of this name" in " ".join(capsys.readouterr().out.split())


def facts_of(run: Path, path: str) -> list[object]:
    rows = RunTables([run]).table("facts")[1]
    return [row["value"] for row in rows if row["path"] == path and row["superseded"] == "no"]


@pytest.mark.parametrize("format_name", FORMATS)
def test_corrections_of_an_earlier_export_do_not_stay_beside_one_without(
    extracted: Path, tmp_path: Path, format_name: Format
) -> None:
    run, records = copied(extracted, tmp_path)
    out = tmp_path / "out"
    with ReviewLog.opened(run) as log:
        said = say(log, records["qilan_2022"], "confirm", first(records["qilan_2022"], COMPANY))
        assert "corrections" in export_run(run, format_name, out)
        (out / "notes.csv").write_text("mine", encoding="utf-8")
        log.append(said.doc_id, said.sha256, "乙", "undo", said.target, undoes=said.number)
    assert "corrections" not in export_run(run, format_name, out)
    assert not [path for path in out.rglob("*") if path.name.startswith("corrections.")]
    assert (out / "notes.csv").read_text(encoding="utf-8") == "mine"


def test_other_runs_of_an_export_keep_their_own_review(extracted: Path, tmp_path: Path) -> None:
    run, records = copied(extracted, tmp_path, "a")
    other, _ = copied(extracted, tmp_path, "b")
    with ReviewLog.opened(run) as log:
        cell = first(records["yanxi_2017"], "meta.year")
        say(log, records["yanxi_2017"], "correct", cell, human(cell, 2016))
    tables = RunTables([run, other])
    years = {
        (row["run"], row["year"]) for row in tables.table("documents")[1] if row["doc_id"] == "yanxi_2017"
    }
    assert years == {("a", 2016), ("b", 2017)}
    assert {row["year"] for row in tables.table("panel")[1]} == {2016, 2017, 2022}
    assert list(tables.reviews) == [run]


def test_compare_says_that_corrections_are_left_out(extracted: Path, tmp_path: Path) -> None:
    run, records = copied(extracted, tmp_path)
    other, _ = copied(extracted, tmp_path, "other")
    with ReviewLog.opened(run) as log:
        cell = first(records["qilan_2022"], COMPANY)
        say(log, records["qilan_2022"], "correct", cell, human(cell, 77))
    command = typer.Typer()
    add_commands(command)
    for runs, is_said in (([other, other], False), ([other, run], True)):
        arguments = ["compare", *map(str, runs), "--gold", str(ROOT / "gold" / "samples")]
        said = CliRunner().invoke(command, [*arguments, "--out", str(tmp_path / "out")])
        assert said.exit_code == 0, said.output
        assert (f"Reviewed: run. {OF_THE_MACHINE}" in said.output) == is_said
        content = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
        assert any(OF_THE_MACHINE in warning for warning in content["warnings"]) == is_said


def test_the_csv_of_a_review_is_that_of_the_frames(extracted: Path, tmp_path: Path) -> None:
    run, records = copied(extracted, tmp_path)
    qilan = records["qilan_2022"]
    with ReviewLog.opened(run) as log:
        cell = first(qilan, COMPANY)
        blank = human(cell, 0).model_copy(update={"value": None, "status": "blank"})
        say(log, qilan, "correct", cell, blank)
        total = first(qilan, f"{ROW}.total")
        bound = human(total, int(total.value or 0)).model_copy(update={"bound": "about", "scope": "own"})
        say(log, qilan, "correct", total, bound)
    export_run(run, "csv", tmp_path / "out")
    with (tmp_path / "out" / "reports.csv").open(encoding="utf-8-sig", newline="") as stream:
        reports = {row["doc_id"]: row for row in csv.DictReader(stream)}
    assert (reports["qilan_2022"][COMPANY], reports["qilan_2022"][f"{COMPANY}__status"]) == ("", "blank")
    frame = pipeline.read_run(run).corrections().set_index("path")
    assert frame.loc[COMPANY, "human_status"] == "blank"
    row = frame.loc[f"{ROW}.total"]
    assert (row["machine_bound"], row["human_bound"], row["human_scope"]) == ("exact", "about", "own")
    assert row["human_path"] == f"{ROW}.total"


def test_the_score_after_review_is_labelled_as_such_everywhere(extracted: Path, tmp_path: Path) -> None:
    run, records = copied(extracted, tmp_path)
    qilan = records["qilan_2022"]
    with ReviewLog.opened(run) as log:
        for cell in (first(qilan, COMPANY), first(qilan, f"{ROW}.natural_person")):
            say(log, qilan, "correct", cell, human(cell, 987))
    command = typer.Typer()
    add_commands(command)
    found = {}
    for more in ([], ["--corrected"]):
        out = tmp_path / f"scores{len(more)}"
        arguments = ["eval", str(run), "--gold", str(ROOT / "gold" / "samples"), "--out", str(out), *more]
        said = CliRunner().invoke(command, arguments)
        assert said.exit_code == 0, said.output
        assert ("in force after review: 2 figures" in said.output) == bool(more)
        found[bool(more)] = json.loads((out / "scores.json").read_text(encoding="utf-8"))
        page = (out / "report.html").read_text(encoding="utf-8")
        assert ("corrected by hand, 2 figures being checked" in page) == bool(more)
    machine, in_force = found[False], found[True]
    assert (machine["scored"], in_force["scored"]) == ("machine", "in_force")
    assert in_force["overall"]["wrong"] == machine["overall"]["wrong"] + 2, "these corrections were wrong"
    assert "corrected by hand" not in machine["statement"]["en"]
    assert "经人工复核 2 项" in in_force["statement"]["zh"]
    assert in_force["run"]["review"]["corrected"] == 2
    arguments = ["compare", str(run), str(tmp_path / "scores1"), "--gold", str(ROOT / "gold" / "samples")]
    said = CliRunner().invoke(command, [*arguments, "--out", str(tmp_path / "comparison")])
    assert "scores1 was scored with its corrections by hand" in said.output
