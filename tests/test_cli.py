"""The command: help, exit codes, messages, what it prints of hostile documents."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from run_material import ROOT, record, write_reports

from pipeline.cli.app import app, run_app
from pipeline.cli.show import find_record, render_record, shown_value
from pipeline.errors import (
    GongkaiError,
    ModelUnavailable,
    NotAReport,
    PromptError,
    RunLocked,
    StartError,
    TransportFailed,
    UsageError,
)
from pipeline.fact import Evidence, Fact, Finding
from pipeline.runs.brief import brief_of
from pipeline.runs.manifest import prompt_hashes
from pipeline.runs.progress import duration, run_progress
from pipeline.runs.record import RecordFile, read_records, write_text
from pipeline.runs.session import ModelChoice, Spending, check_choice, identity_of, in_flight_of, processes_of
from pipeline.terminal import printable

SAMPLES = ROOT / "gold" / "samples"


def call(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = run_app(app, [str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


# ---- help and usage ----------------------------------------------------------------------

COMMANDS = [
    ("extract",),
    ("check",),
    ("export",),
    ("overview",),
    ("show",),
    ("model", "list"),
    ("model", "pull"),
    ("model", "serve"),
]


def paths_of(command: Any, *above: str) -> list[tuple[str, ...]]:
    """Every command below a group, with the names of its groups."""
    if not hasattr(command, "commands"):
        return [above]
    return [path for name, child in command.commands.items() for path in paths_of(child, *above, name)]


def test_every_command_is_in_the_list_above() -> None:
    assert paths_of(typer.main.get_command(app)) == COMMANDS


@pytest.mark.parametrize("command", [(), ("model",), *COMMANDS], ids=" ".join)
def test_every_command_has_help_with_examples(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    code, out, _ = call(capsys, *command, "--help")
    assert code == 0
    assert "Example" in out
    assert f"gongkai {' '.join(command)}".strip() in out
    for line in out.splitlines():
        if line.strip().startswith("--"):
            assert len(line.split(maxsplit=1)) == 2, f"{line}: an option without help"


USAGE = [
    # arguments, what the message names
    (["extract", "in", "--out", "run", "--fast"], ["--fast", "--strategy", "--concurrency"]),
    (["extract", "in"], ["--out"]),
    (["extract", "--out", "run"], ["SOURCE"]),
    (["extract", "in", "--out", "run", "--strategy", "guess"], ["guess", "label", "fill", "rules"]),
    (["extract", "s3://b/in", "--out", "run", "--strategy", "rules"], ["s3://b/in", "--engine ray"]),
    (["extract", "in", "--out", "run", "--engine", "spark"], ["spark", "local", "ray"]),
    (
        ["extract", "in", "--out", "run", "--concurrency", "0"],
        ["--concurrency", "greater than or equal to 1"],
    ),
    (["extract", "in", "--out", "run", "--model", "gpt"], ["gpt", "qwen2.5-coder-1.5b", "--base-url"]),
    (["extract", "in", "--out", "run", "--base-url", "http://h/v1"], ["--model"]),
    (["extract", "in", "--out", "run", "--strategy", "rules", "--model", "m"], ["rules", "--model"]),
    (["export", "run", "--out", "o", "--format", "sas"], ["sas", "csv", "parquet", "datasets"]),
    (["export", "run", "--out", "o", "--format", "dta", "--push", "a/b"], ["--push", "--format datasets"]),
    (["model", "pull", "llama"], ["llama", "qwen2.5-coder-1.5b"]),
    (["frobnicate"], ["frobnicate", "extract", "export"]),
    (["model", "frobnicate"], ["frobnicate", "list", "pull", "serve"]),
]


@pytest.mark.parametrize(("arguments", "named"), USAGE, ids=[" ".join(row[0]) for row in USAGE])
def test_a_wrong_call_exits_2_and_says_what_is_allowed(
    capsys: pytest.CaptureFixture[str], arguments: list[str], named: list[str]
) -> None:
    code, _, err = call(capsys, *arguments)
    assert code == 2
    for words in named:
        assert words in err


NO_START = [
    (["extract", "{tmp}/none", "--out", "{tmp}/run", "--strategy", "rules"], "no such file or folder"),
    (["extract", "{tmp}/empty", "--out", "{tmp}/run", "--strategy", "rules"], "no document to read"),
    (["extract", "{tmp}/in", "--out", "{tmp}/file/run", "--strategy", "rules"], "cannot be written"),
    (["extract", "{tmp}/in", "--out", "{tmp}/run", "--model-path", "{tmp}/none"], "no weights at"),
    (["check", "{tmp}/none"], "no such folder"),
    (["show", "{tmp}/empty", "doc"], "holds no records.jsonl"),
    (["export", "{tmp}/empty", "--out", "{tmp}/o"], "holds no records.jsonl"),
]


@pytest.mark.parametrize(("arguments", "message"), NO_START, ids=[" ".join(row[0]) for row in NO_START])
def test_what_cannot_start_exits_3(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], message: str
) -> None:
    write_reports(tmp_path / "in", 1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, _, err = call(capsys, *(argument.format(tmp=tmp_path) for argument in arguments))
    assert code == 3
    assert message in err
    assert err.startswith("gongkai: ") or "\ngongkai: " in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (StartError("x"), 3),
        (ModelUnavailable("x"), 3),
        (RunLocked("x"), 3),
        (NotAReport("x"), 1),
        (TransportFailed("x"), 1),
        (PromptError("x"), 3),
        (GongkaiError("x"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_are_messages_with_exit_codes(
    capsys: pytest.CaptureFixture[str], error: GongkaiError, code: int
) -> None:
    failing = typer.Typer()

    @failing.command()
    def fail() -> None:
        raise error

    assert run_app(failing, []) == code
    assert capsys.readouterr().err == "gongkai: x\n"


# ---- extract, check, export, show on the samples -----------------------------------------


@pytest.fixture(scope="module")
def samples_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("samples") / "run"
    assert run_app(app, ["extract", str(SAMPLES), "--out", str(out), "--strategy", "rules"]) == 0
    return out


def test_samples_are_extracted_and_gold_is_skipped(samples_run: Path) -> None:
    records = list(read_records(samples_run))
    reports = [path for path in SAMPLES.iterdir() if path.suffix != ".yaml"]
    assert [item.file for item in records] == sorted(path.name for path in reports)
    assert all(item.facts for item in records)


def test_every_fact_points_at_its_print(samples_run: Path) -> None:
    for item in read_records(samples_run):
        text = (samples_run / "text" / f"{item.sha256}.txt").read_bytes().decode()
        for fact in item.facts:
            shown = text[fact.evidence.start : fact.evidence.end]
            assert "".join(fact.raw.split()) in "".join(shown.split()), f"{item.doc_id} {fact.path}"


def test_check_finds_again_what_the_run_found(samples_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (samples_run / "records.jsonl").read_bytes()
    code, out, _ = call(capsys, "check", samples_run)
    assert code == 0
    assert "0 of them are not in the records" in out
    assert (samples_run / "records.jsonl").read_bytes() == before
    content = json.loads((samples_run / "check.json").read_text(encoding="utf-8"))
    recorded = {
        (item.doc_id, finding.rule, finding.at)
        for item in read_records(samples_run)
        for finding in item.findings
    }
    found = {
        (doc_id, finding["rule"], finding["at"])
        for doc_id, findings in content["by_document"].items()
        for finding in findings
    }
    assert found
    assert found <= recorded


def test_export_then_count(samples_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "export", samples_run, "--format", "csv", "--out", tmp_path)
    facts = sum(len(item.facts) for item in read_records(samples_run))
    assert code == 0
    assert f"facts: {facts} rows" in out
    with (tmp_path / "facts.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == facts


def test_show_a_report_with_tables(samples_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "show", samples_run, "qingfei")
    assert code == 0
    for words in ("qingfei_2024", "本年新收", "行政复议", "不予公开", "requests.row_total"):
        assert words in out


def test_a_rerun_does_nothing_and_exits_0(samples_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (samples_run / "records.jsonl").read_bytes()
    code, _, err = call(capsys, "extract", SAMPLES, "--out", samples_run, "--strategy", "rules")
    assert code == 0
    assert "0 documents to do" in err
    assert (samples_run / "records.jsonl").read_bytes() == before


def test_a_failed_document_exits_1_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_reports(tmp_path / "in", 1)
    (source / "empty.txt").write_bytes(b"")
    code, out, _ = call(capsys, "extract", source, "--out", tmp_path / "run", "--strategy", "rules")
    assert code == 1
    assert "failed: empty [empty] empty.txt: " in out
    assert "--retry-failed" in out


def test_nothing_listens_at_the_endpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--strategy", "fill", "--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    code, _, err = call(capsys, "extract", SAMPLES / "yanxi_2017.txt", "--out", tmp_path / "run", *options)
    assert code == 3
    assert "nothing listens at http://127.0.0.1:9/v1" in err
    assert (tmp_path / "run" / "records.jsonl").read_bytes() == b"", "no document is blamed for it"


def test_the_reader_of_the_output_may_go(samples_run: Path) -> None:
    program = f"{sys.executable} -c 'from pipeline.cli.app import main; main()'"
    command = f"{program} show {samples_run} qingfei | head -1"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, check=False, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


# ---- the model asked ---------------------------------------------------------------------


def test_no_key_in_what_the_run_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONGKAI_API_KEY", "sk-very-secret")
    choice = ModelChoice("label", "m", "https://models.example/v1")
    identity = identity_of(choice)
    assert "sk-very-secret" not in json.dumps(asdict(identity))
    assert identity.endpoint == "models.example/v1"


def test_the_embedded_model_is_known_by_its_hash() -> None:
    identity = identity_of(ModelChoice("label"))
    assert identity.model == "qwen2.5-coder-1.5b"
    assert identity.model_resolved is not None
    assert identity.model_resolved.endswith(
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
    )
    assert identity.prompts == prompt_hashes("label")


REMOTE = ModelChoice("label", "m", "http://h/v1")


@pytest.mark.parametrize(
    ("choice", "wanted", "in_flight"),
    [(ModelChoice("label"), None, 1), (ModelChoice("label"), 4, 1), (REMOTE, None, 64), (REMOTE, 32, 32)],
)
def test_requests_at_a_time(choice: ModelChoice, wanted: int | None, in_flight: int) -> None:
    check_choice(choice)
    assert in_flight_of(choice, Spending(concurrency=wanted)) == in_flight


@pytest.mark.parametrize(
    ("choice", "wanted", "pending", "processes"),
    [
        (ModelChoice("rules"), 4, 1000, 4),
        (ModelChoice("rules"), 4, 9, 2),  # few documents are not worth the start of a process
        (ModelChoice("rules"), 4, 0, 1),
        (ModelChoice("label"), None, 1000, 1),  # the model needs the cores
        (REMOTE, 32, 100_000, os.cpu_count()),
    ],
)
def test_worker_processes(choice: ModelChoice, wanted: int | None, pending: int, processes: int) -> None:
    assert processes_of(choice, Spending(concurrency=wanted), pending) == processes


# ---- what is printed of documents --------------------------------------------------------

ESCAPED = [
    ("普通文字 123", "普通文字 123"),
    ("\x1b[31mred", "\\x1b[31mred"),
    ("bell\a", "bell\\x07"),
    ("\u202eevil", "\\u202eevil"),
    ("zero\u200bwidth", "zero\\u200bwidth"),
    ("\x9b31m", "\\x9b31m"),
    ("a\rb", "a\\rb"),
    ("\udcff", "\\udcff"),
    ("全角　空格", "全角　空格"),
]


@pytest.mark.parametrize(("text", "expected"), ESCAPED, ids=[ascii(row[0]) for row in ESCAPED])
def test_printable(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_a_hostile_document_cannot_drive_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J[bold red]x[/bold red]\u202e3件"
    text = f"共{hostile}。"
    item = record(
        "evil",
        file=hostile,
        facts=(
            Fact(
                path="proactive.category",
                value=3,
                raw=hostile,
                label=hostile,
                source="narrative",
                method="rule",
                evidence=Evidence(start=1, end=1 + len(hostile)),
            ),
        ),
        findings=(Finding(rule="r", severity="error", message=hostile),),
        status="flagged",
    )
    records = RecordFile(tmp_path)
    records.append(item)
    records.close()
    write_text(tmp_path, item.sha256, text)
    for arguments in (("show", tmp_path, "evil"), ("check", tmp_path)):
        _, out, err = call(capsys, *arguments)
        assert not set(out + err) & {"\x1b", "\x07", "\u202e"}
    console = Console(width=300, file=None, record=True, color_system=None)
    console.print(render_record(item, text))
    assert "[bold red]x[/bold red]" in console.export_text()


VALUES = [
    # value, status, bound, shown
    (5, "value", "exact", "5"),
    (5.0, "value", "exact", "5"),
    (0.5, "value", "exact", "0.5"),
    (400, "value", "at_least", "≥ 400"),
    (90, "value", "at_most", "≤ 90"),
    (90, "value", "about", "≈ 90"),
    (0, "zero_in_words", "exact", "0*"),
    (0, "value", "exact", "0"),
    (None, "blank", "exact", "·"),
    (None, "not_applicable", "exact", "/"),
    (None, "illegible", "exact", "?"),
]


@pytest.mark.parametrize(("value", "status", "bound", "shown"), VALUES)
def test_kinds_of_values_look_different(value: Any, status: Any, bound: Any, shown: str) -> None:
    fact = Fact(
        path="complaints.total",
        value=value,
        status=status,
        bound=bound,
        raw="",
        source="table",
        method="table_reader",
        evidence=Evidence(start=0, end=0),
    )
    assert shown_value(fact) == shown
    assert shown_value(None) == "-"


@pytest.mark.parametrize(
    ("name", "found"),
    [("qinglan_2017", "qinglan_2017"), ("qinglan_2018.txt", "qinglan_2018"), ("yan", "yanxi_2017")],
)
def test_a_document_is_found_by_name_or_beginning(tmp_path: Path, name: str, found: str) -> None:
    records = RecordFile(tmp_path)
    for doc_id in ("qinglan_2017", "qinglan_2018", "yanxi_2017"):
        records.append(record(doc_id))
    records.close()
    assert find_record(tmp_path, name).doc_id == found
    with pytest.raises(StartError, match="begins several documents: qinglan_2017, qinglan_2018"):
        find_record(tmp_path, "qinglan")
    with pytest.raises(
        StartError, match="has no document 'x'; it has qinglan_2017, qinglan_2018, yanxi_2017"
    ):
        find_record(tmp_path, "x")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4, "0 s"), (59, "59 s"), (60, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_duration(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_progress_is_plain_lines_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    progress = run_progress(Console(stderr=True, force_terminal=False, width=200))
    progress.begin(2, 5)
    progress.add(brief_of(record("a")))
    progress.add(brief_of(record("b", status="failed", error="b.txt: \x1b[2Jempty", facts=())))
    progress.end()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "2 documents to do, 5 are done already."
    assert lines[1] == "failed: b.txt: \\x1b[2Jempty"
    assert lines[2].startswith("7/7 documents: 1 failed, 1 facts, 0 findings")


def test_progress_on_a_terminal_ends_clean(capsys: pytest.CaptureFixture[str]) -> None:
    progress = run_progress(Console(stderr=True, force_terminal=True, width=120))
    progress.begin(2, 0)
    progress.add(brief_of(record("[bold]a")))
    progress.say("[red]not markup[/red]")
    progress.add(brief_of(record("b")))
    progress.end()
    assert "[red]not markup[/red]" in capsys.readouterr().err
