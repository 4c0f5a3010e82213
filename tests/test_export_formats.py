"""Each format read back by an independent reader: equal values, labels and kinds of no number."""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path
from typing import Any, get_args

import openpyxl
import pandas as pd
import pytest
from export_material import (
    HARD,
    MISSING,
    READERS,
    arrow_metadata,
    differences,
    hard_rows,
    write,
)
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.app import app
from pipeline.cli.support import run_app
from pipeline.errors import StartError, UsageError
from pipeline.export import arrow, hub
from pipeline.export import stata_names as names_module
from pipeline.export.codebook import CODEBOOK, PANEL_SUFFIXES, STATUSES
from pipeline.export.excel_file import write_excel
from pipeline.export.formats import DATABASE, FORMATS, WORKBOOK, Format
from pipeline.export.made_with import made_with
from pipeline.export.missing import MISSING_LETTERS
from pipeline.export.panel_table import panel_spec
from pipeline.export.rows import (
    DOCUMENTS,
    FACTS,
    FINDINGS,
    STATUS_WORDS,
    Occurrence,
    reports_spec,
)
from pipeline.export.stata_file import write_stata
from pipeline.export.stata_names import stata_name, stata_names, stata_suffix
from pipeline.export.table import Column, Row, TableSpec
from pipeline.export.tables import RunTables
from pipeline.export.write import export_run
from pipeline.fact import Status
from pipeline.runs.record import read_records
from pipeline.schema import fields

ROOT = Path(__file__).parents[1]
# What is wanted of the readers, not of the program itself.
pytest.importorskip("duckdb")
pytest.importorskip("pyreadstat")

Tables = list[tuple[TableSpec, list[Row]]]


@pytest.fixture(scope="module", autouse=True)
def offline() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


@pytest.fixture(scope="module")
def samples_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("formats") / "run"
    samples = ROOT / "gold" / "samples"
    assert run_app(app, ["extract", str(samples), "--out", str(out), "--strategy", "rules"]) == 0
    return out


@pytest.fixture(scope="module")
def tables(samples_run: Path) -> Tables:
    return [(HARD, hard_rows()), *((spec, list(rows)) for spec, rows in RunTables([samples_run]))]


@pytest.fixture(scope="module")
def written(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Format → folder with all tables in it."""
    out = tmp_path_factory.mktemp("written")
    for name in FORMATS:
        assert write(name, out / name, tables) == {spec.name: len(rows) for spec, rows in tables}
    return {name: out / name for name in FORMATS}


@pytest.mark.parametrize("reader", READERS)
def test_everything_comes_back(reader: str, written: dict[str, Path], tables: Tables) -> None:
    format_name, read = READERS[reader]
    for spec, rows in tables:
        found = read(written[format_name], spec)
        assert list(differences(reader, spec, rows, found)) == [], spec.name


@pytest.mark.parametrize("reader", READERS)
def test_kinds_of_no_number_come_back_apart(reader: str, written: dict[str, Path]) -> None:
    format_name, read = READERS[reader]
    status = "requests.new_received.total__status"
    found = {row[status] for row in read(written[format_name], HARD)}
    assert found == {"value", *MISSING}


@pytest.mark.parametrize("reader", ["parquet", "datasets", "duckdb", "dta by pandas", "dta by readstat"])
def test_a_negative_zero_stays_one(reader: str, written: dict[str, Path]) -> None:
    format_name, read = READERS[reader]
    number = read(written[format_name], HARD)[1]["requests.new_received.total"]
    assert (number, math.copysign(1, number)) == (0, -1)


# ---- Stata -------------------------------------------------------------------------------


def test_stata_tells_kinds_of_no_number_apart_in_the_number(written: dict[str, Path]) -> None:
    frame = pd.read_stata(written["dta"] / "hard.dta", convert_missing=True, convert_categoricals=False)
    for name, status in (("rq_new_received_total", "rq_new_received_total_st"), ("meta_year", "year_status")):
        found = {
            STATUS_WORDS[code - 1]: str(cell)
            for cell, code in zip(frame[name], frame[status], strict=True)
            if STATUS_WORDS[code - 1] != "value"
        }
        assert found == {kind: f".{letter}" for kind, letter in MISSING_LETTERS.items()}


def test_stata_labels(written: dict[str, Path]) -> None:
    with pd.io.stata.StataReader(written["dta"] / "hard.dta") as reader:
        assert reader.variable_labels()["rq_new_received_total"] == "新收 / 总计（件）"
        labels = reader.value_labels()
        assert reader.data_label == "hard: one row a trap"
    assert list(labels["status"].values()) == list(STATUS_WORDS)
    assert list(labels["missing_kind"].values())[:-1] == list(MISSING_LETTERS)


def test_readstat_finds_labels_and_missing_kinds(written: dict[str, Path]) -> None:
    import pyreadstat

    frame, meta = pyreadstat.read_dta(str(written["dta"] / "hard.dta"), user_missing=True)
    kinds = {letter: kind for kind, letter in MISSING_LETTERS.items()}
    found = {kinds[cell] for cell in frame["rq_new_received_total"] if isinstance(cell, str)}
    assert found == set(MISSING)
    shown = meta.variable_value_labels["rq_new_received_total"]
    assert kinds.items() <= shown.items()
    assert meta.column_names_to_labels["rq_new_received_total"] == "新收 / 总计（件）"


def test_labels_of_all_variables_fit_and_begin_and_end_alike(
    written: dict[str, Path], tables: Tables
) -> None:
    spec = next(spec for spec, _ in tables if spec.name == "reports")
    with pd.io.stata.StataReader(written["dta"] / "reports.dta") as reader:
        labels = reader.variable_labels()
    names = stata_names([column.name for column in spec.columns])
    for column in spec.columns:
        label = labels[names[column.name]]
        assert 0 < len(label) <= 80
        whole = column.label_zh or column.meaning
        assert label.startswith(whole[:30]), column.name
    assert labels["rq_new_received_natural"] == "本年新收政府信息公开申请数量 / 自然人（件）"


def test_a_stata_file_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_stata(tmp_path / name, HARD, hard_rows())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_word_that_is_not_in_the_list_is_an_error(tmp_path: Path) -> None:
    spec = TableSpec("t", (Column("status", "text", "", values=("a", "b")),))
    with pytest.raises(ValueError, match=r"status: \['c'\] is none of the words a, b"):
        write_stata(tmp_path / "t.dta", spec, [{"status": "a"}, {"status": "c"}])


def test_a_status_of_another_kind_is_kept_apart(tmp_path: Path) -> None:
    spec = TableSpec("t", (Column("rate", "number", ""), Column("rate__status", "text", "")))
    rows = [{"rate": None, "rate__status": word} for word in ("not_assessable", "blank", None)]
    write_stata(tmp_path / "t.dta", spec, rows)
    frame = pd.read_stata(tmp_path / "t.dta", convert_missing=True, convert_categoricals=False)
    assert list(map(str, frame["rate"])) == [".z", ".a", "."]


def test_nul_does_not_end_a_text_in_stata(tmp_path: Path) -> None:
    spec = TableSpec("t", (Column("text", "text", ""),))
    write_stata(tmp_path / "t.dta", spec, [{"text": "a\0b"}])
    assert list(pd.read_stata(tmp_path / "t.dta")["text"]) == ["a␀b"]


def test_a_table_without_rows(tmp_path: Path) -> None:
    assert write_stata(tmp_path / "none.dta", HARD, []) == 0
    assert pd.read_stata(tmp_path / "none.dta").empty


@pytest.mark.parametrize("reader", ["parquet", "dta by pandas", "dta by readstat", "duckdb"])
def test_several_batches(reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "_BATCH_CELLS", 400)
    monkeypatch.setattr(arrow, "_FEWEST_ROWS", 10)
    rows = [{**row, "doc_id": f"{turn} {row['doc_id']}"} for turn in range(60) for row in hard_rows()]
    format_name, read = READERS[reader]
    assert write(format_name, tmp_path, [(HARD, rows)]) == {"hard": len(rows)}
    assert list(differences(reader, HARD, rows, read(tmp_path, HARD))) == []


# ---- names -------------------------------------------------------------------------------

NAMES = [
    ("requests.new_received.natural_person", "rq_new_received_natural"),
    ("requests.denied_state_secret.total__status", "rq_dn_secret_total_st"),
    ("requests.other_fee_unpaid.other_organisation__narrative_status", "rq_oth_unpaid_other_org_nar_st"),
    ("remedies.litigation_after_review.corrected", "rm_lit_after_corrected"),
    ("proactive.normative_documents.disclosed_total", "pa_normdoc_discl_total"),
    ("statistics.denied_not_government_information", "st_dn_not_gov_info"),
    ("meta.year", "meta_year"),
    ("doc_id", "doc_id"),
    ("h_requests_received", "h_requests_received"),
]


@pytest.mark.parametrize(("path", "expected"), NAMES, ids=[row[0] for row in NAMES])
def test_names_can_be_read(path: str, expected: str) -> None:
    assert stata_name(path) == expected


def test_no_column_of_the_tables_needs_a_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(readable: str, *_: object) -> str:
        raise AssertionError(f"{readable}: add an abbreviation for a part of it")

    monkeypatch.setattr(names_module, "_with_hash", refuse)
    everywhere = Occurrence(in_prose=set(fields()))
    for spec in (FACTS, panel_spec(everywhere), reports_spec(everywhere), DOCUMENTS, FINDINGS, CODEBOOK):
        columns = [column.name for column in spec.columns]
        assert stata_names(columns) == {name: stata_name(name) for name in columns}
    assert len({stata_name(path) for path in fields()}) == len(fields())


_PARTS = st.sampled_from(
    ["requests", "total", "natural_person", "natural", "a", "b_c", "in", "长", "1", "_n"]
)
_PATHS = st.builds(
    lambda parts, suffix: ".".join(parts) + suffix,
    st.lists(_PARTS, min_size=1, max_size=6),
    st.sampled_from(["", "__status", "__narrative", "_st"]),
)


@given(st.lists(st.one_of(_PATHS, st.text(max_size=60)), unique=True, max_size=40))
def test_names_are_valid_and_lead_back_to_their_columns(columns: list[str]) -> None:
    names = stata_names(columns)
    back = {name: column for column, name in names.items()}
    assert len(back) == len(columns)
    assert [back[names[column]] for column in columns] == columns
    for name in back:
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,31}", name)
        assert name not in ("in", "if", "using", "with", "int", "long", "str5")
    assert stata_names(columns[::-1]) == names, "the order does not matter"


@given(st.text(max_size=60), st.lists(st.text(max_size=10), max_size=5))
def test_a_name_does_not_depend_on_other_columns_unless_they_are_alike(name: str, others: list[str]) -> None:
    alike = [other for other in others if other != name and stata_name(other) == stata_name(name)]
    if not alike:
        assert stata_names(list(dict.fromkeys([name, *others])))[name] == stata_name(name)


def test_the_codebook_names_the_variables(written: dict[str, Path], tables: Tables) -> None:
    rows = next(rows for spec, rows in tables if spec.name == "codebook")
    by_field = {row["column"]: row["stata_name"] for row in rows if row["table"] == "field"}
    frame = pd.read_stata(written["dta"] / "reports.dta", convert_categoricals=False)
    in_panel = {path: name for path, name in by_field.items() if not fields()[str(path)].repeatable}
    assert set(in_panel.values()) <= set(frame.columns)
    assert all(f"{name}{stata_suffix('__status')}" in frame.columns for name in in_panel.values())
    kinds = {row["column"]: row["stata_name"] for row in rows if row["table"] == "status"}
    assert kinds == {word: f".{MISSING_LETTERS[word]}" if word in MISSING else None for word in STATUSES}
    suffixes = {row["column"]: row["stata_name"] for row in rows if str(row["column"]).startswith("{field}")}
    assert suffixes == {f"{{field}}{each}": f"{{field}}{stata_suffix(each)}" for each in PANEL_SUFFIXES}


def test_every_status_has_a_letter_or_a_value() -> None:
    with_value = {"value", "zero_in_words"}
    assert set(get_args(Status)) - with_value <= MISSING_LETTERS.keys()
    assert with_value | MISSING_LETTERS.keys() == set(STATUS_WORDS) == STATUSES.keys()


# ---- Excel -------------------------------------------------------------------------------


def test_workbook_for_people(written: dict[str, Path], tables: Tables) -> None:
    workbook = openpyxl.load_workbook(written["xlsx"] / WORKBOOK)
    assert workbook.sheetnames[:3] == ["codebook", "readme", "hard"]
    assert set(workbook.sheetnames) == {"readme", *(spec.name for spec, _ in tables)}
    assert workbook.active.title == "codebook"
    for spec, rows in tables:
        sheet = workbook[spec.name]
        assert sheet.freeze_panes == "B2"
        assert sheet.auto_filter.ref.endswith(str(len(rows) + 1))
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row), "no formula"
        assert sheet.column_dimensions["A"].width > 10
    cells = {row[0]: row[1] for row in workbook["readme"].iter_rows(values_only=True)}
    assert cells["strategy"] == "rules"
    assert cells["note"] == "1 texts of hard are cut to 32767 characters"


def test_more_rows_than_a_sheet_has(tmp_path: Path) -> None:
    rows: list[Row] = [{"doc_id": f"d{number}"} for number in range(10)]
    spec = TableSpec("facts", (Column("doc_id", "text", ""),))
    assert write_excel(tmp_path / "b.xlsx", [(spec, rows)], {}, max_rows=5) == {"facts": 10}
    workbook = openpyxl.load_workbook(tmp_path / "b.xlsx")
    assert workbook.sheetnames == ["readme", "facts", "facts_2", "facts_3"]
    found = [
        [row[0] for row in workbook[name].iter_rows(values_only=True)] for name in workbook.sheetnames[1:]
    ]
    assert [len(rows) for rows in found] == [5, 5, 3], "each with its header"
    assert [name for rows in found for name in rows[1:]] == [row["doc_id"] for row in rows]
    notes = [row[1] for row in workbook["readme"].iter_rows(values_only=True) if row[0] == "note"]
    assert notes == [
        "facts goes on in the sheet facts_2: a sheet has 5 rows",
        "facts goes on in the sheet facts_3: a sheet has 5 rows",
    ]


def test_a_full_sheet_opens_no_further_one(tmp_path: Path) -> None:
    spec = TableSpec("facts", (Column("doc_id", "text", ""),))
    write_excel(tmp_path / "b.xlsx", [(spec, [{"doc_id": "a"}] * 4)], {}, max_rows=5)
    assert openpyxl.load_workbook(tmp_path / "b.xlsx").sheetnames == ["readme", "facts"]


# ---- Parquet, DuckDB ---------------------------------------------------------------------


def test_parquet_says_what_a_column_is(written: dict[str, Path]) -> None:
    metadata = arrow_metadata(written["parquet"] / "reports.parquet")
    column = metadata["requests.new_received.total"]
    assert (column["label_zh"], column["unit"]) == ("本年新收政府信息公开申请数量 / 总计", "件")
    assert column["status"] == "requests.new_received.total__status"
    assert json.loads(metadata[column["status"]]["values"]) == list(STATUS_WORDS)


def test_duckdb_views(written: dict[str, Path], tables: Tables) -> None:
    import duckdb

    facts = next(rows for spec, rows in tables if spec.name == "facts")
    kinds = {path: spec.kind for path, spec in fields().items()}
    numeric = [row for row in facts if kinds[str(row["path"])] not in ("text", "date")]
    with duckdb.connect(str(written["duckdb"] / DATABASE), read_only=True) as database:
        found = database.execute("SELECT doc_id, path, value, status, issuer, year FROM figures").fetchall()
        assert len(found) == len(numeric)
        assert all(issuer and year for *_, issuer, year in found)
        long = database.execute("SELECT doc_id, path, value, status FROM reports_long").fetchall()
        comment = database.execute(
            "SELECT comment FROM duckdb_columns() WHERE table_name = 'reports' AND column_name = 'meta.year'"
        ).fetchone()
    panel = next(rows for spec, rows in tables if spec.name == "reports")
    paths = [path for path, spec in fields().items() if not spec.repeatable and _is_figure(spec.kind)]
    expected = {(row["doc_id"], path, row[path], row[f"{path}__status"]) for row in panel for path in paths}
    assert set(long) == expected
    assert comment == ("报告年度: year reported on",)


def _is_figure(kind: str) -> bool:
    return kind not in ("text", "date", "year")


def test_without_duckdb_the_message_says_how(
    samples_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(UsageError, match=r"pip install 'gongkai\[duckdb\]'"):
        export_run(samples_run, "duckdb", tmp_path / "out")
    assert not (tmp_path / "out").exists()


# ---- datasets ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scores(samples_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from evals.gold import load_gold
    from evals.runs import load_run
    from evals.score import score_run
    from evals.score import scores as lay_out

    scoring = score_run(load_run(samples_run), load_gold(ROOT / "gold" / "samples"))
    path = tmp_path_factory.mktemp("scores") / "scores.json"
    path.write_text(json.dumps(lay_out(scoring)), encoding="utf-8")
    return path


def test_the_card_states_model_counts_and_score(samples_run: Path, scores: Path, tmp_path: Path) -> None:
    export_run(samples_run, "datasets", tmp_path, scores)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    overall = json.loads(scores.read_text(encoding="utf-8"))["overall"]
    interval = f"{overall['f1']:.3f} | {overall['f1_low']:.3f}–{overall['f1_high']:.3f}"
    manifest = json.loads((samples_run / "run.json").read_text(encoding="utf-8"))
    for words in (interval, "strategy: `rules`", manifest["schema_sha256"], "| `documents` | 9 |", "Licence"):
        assert words in text


def test_without_scores_the_card_says_so(samples_run: Path, tmp_path: Path) -> None:
    export_run(samples_run, "datasets", tmp_path)
    assert "Not stated: `gongkai export" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_scores_of_another_extraction_are_refused(samples_run: Path, scores: Path, tmp_path: Path) -> None:
    content = json.loads(scores.read_text(encoding="utf-8"))
    content["run"]["model"] = "another"
    other = tmp_path / "scores.json"
    other.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UsageError, match="a run with model 'another', this one has None"):
        made_with(samples_run, other)
    for text in ("{}", "[]", "no json"):
        other.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match=r"is no scores\.json"):
            made_with(samples_run, other)
    with pytest.raises(UsageError, match="cannot be read"):
        made_with(samples_run, tmp_path / "none.json")


class Hub:
    """Stands for the Hub: what was asked of it."""

    calls: list[tuple[str, dict[str, Any]]]

    def create_repo(self, name: str, **options: Any) -> str:
        Hub.calls.append(("create", {"name": name, **options}))
        return f"https://hub.example/datasets/{name}"

    def upload_folder(self, **options: Any) -> None:
        Hub.calls.append(("upload", options))


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> type[Hub]:
    import huggingface_hub

    Hub.calls = []
    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    return Hub


def test_push_uploads_the_tables_and_nothing_else(
    samples_run: Path, tmp_path: Path, stub: type[Hub], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "dataset"
    call = ["export", str(samples_run), "--format", "datasets", "--out", str(out), "--push", "lab/reports"]
    assert run_app(app, call) == 0
    assert "uploaded to https://hub.example/datasets/lab/reports" in capsys.readouterr().out
    (_, created), (_, uploaded) = stub.calls
    assert created == {"name": "lab/reports", "repo_type": "dataset", "private": True, "exist_ok": True}
    assert uploaded["allow_patterns"] == ["README.md", "data/*.parquet"]
    assert (uploaded["repo_id"], uploaded["folder_path"]) == ("lab/reports", out)


def test_nothing_is_uploaded_without_push(samples_run: Path, tmp_path: Path, stub: type[Hub]) -> None:
    assert run_app(app, ["export", str(samples_run), "--format", "datasets", "--out", str(tmp_path)]) == 0
    assert stub.calls == []


@pytest.mark.parametrize("name", ["reports", "a/b/c", "", "a b/c", "https://x/y", "数据/集"])
def test_push_needs_a_name(name: str) -> None:
    with pytest.raises(UsageError, match="needed is OWNER/NAME"):
        hub.require_repository(name)


@pytest.mark.parametrize("option", ["--push", "--scores"])
def test_options_of_datasets_are_for_datasets(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_app(app, ["export", str(tmp_path), "--out", str(tmp_path), option, "a/b"]) == 2
    assert "--scores and --push are for --format datasets" in capsys.readouterr().err


def test_a_hub_that_refuses_is_an_error_with_a_way_on(
    tmp_path: Path, stub: type[Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub.errors import LocalTokenNotFoundError

    def refuse(*_: object, **__: object) -> str:
        raise LocalTokenNotFoundError("Token is required, but no token found.\nMore words")

    monkeypatch.setattr(stub, "create_repo", refuse)
    with pytest.raises(
        StartError, match=r"lab/x: the Hub did not take it \(Token is required.*hf auth login"
    ):
        hub.push_dataset(tmp_path, "lab/x")


# ---- all formats -------------------------------------------------------------------------


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_file_is_whole_or_not_there(format_name: Format, tmp_path: Path) -> None:
    class Cut(Exception):
        pass

    def rows() -> Any:
        yield hard_rows()[0]
        raise Cut

    with pytest.raises(Cut):
        write(format_name, tmp_path, [(HARD, rows())])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_command_writes_every_format_twice(
    format_name: Format, samples_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        call = ["export", str(samples_run), "--format", format_name, "--out", str(tmp_path)]
        assert run_app(app, call) == 0
    facts = sum(len(record.facts) for record in read_records(samples_run))
    assert f"facts: {facts} rows" in capsys.readouterr().out
    assert not list(tmp_path.rglob(".*")), "nothing is left over"
