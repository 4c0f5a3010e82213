"""The HTML reports and the commands that write them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typer
from eval_material import FORM_2021, fact, gold_content, perfect, record, write_gold, write_run
from typer.testing import CliRunner

from evals import report_data
from evals.cli import add_commands
from evals.gold import load_gold
from evals.rows import as_dataset, gold_rows, verdict_rows
from evals.runs import load_run
from evals.score import score_run
from pipeline.cli.support import run_app
from pipeline.fact import Evidence
from pipeline.script_json import script_json, written_bytes

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u2028&amp;'\""
TEXT = f"清水县\n全年公开 1 200余条。{HOSTILE}\n一是意识不强。\n"
RUNNER = CliRunner()


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    add_commands(made)
    return made


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """`gold`, `runs/good` and `runs/bad` with a document that wants to run scripts."""
    line = {"path": "proactive.total", "value": 1200, "raw": "1200余条", "bound": "at_least", "scope": None}
    category = {"path": "proactive.category", "value": 3, "raw": "3条", "label": HOSTILE, "scope": None}
    content = gold_content(
        "qingshui_2020",
        meta={"issuer": HOSTILE},
        templates=FORM_2021,
        proactive={"licensing": {"decisions": 0}, "penalties": {"decisions": "_"}},
        narrative=[line, category],
        text={"problems": [{"starts": "意识", "ends": "不强"}]},
    )
    gold = write_gold(tmp_path / "gold", content, gold_content("baishi_2020", meta={"issuer": "白石镇"}))
    place = Evidence(start=9, end=16)
    good = [
        one.model_copy(update={"evidence": place, "confidence": 0.9})
        if one.path == "proactive.total"
        else one
        for one in perfect(gold.documents[1])
    ]
    bad = [fact("proactive.total", 7, raw=HOSTILE, evidence=place), fact("meta.issuer", HOSTILE)]
    other = record(gold.documents[0], perfect(gold.documents[0]))
    texts = {"qingshui_2020": TEXT, "baishi_2020": TEXT}
    write_run(tmp_path / "runs" / "good", [record(gold.documents[1], good), other], texts)
    write_run(tmp_path / "runs" / "bad", [record(gold.documents[1], bad), other], texts)
    return tmp_path


class Page(HTMLParser):
    """Elements and attributes of a page, and the text of its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and self.scripts:
            self.scripts[-1] += data


def assert_closed(page: str) -> Page:
    """A page that asks no server for anything and in which nothing of a document can run."""
    parsed = Page(page)
    for tag, attributes in parsed.elements:
        assert tag not in ("img", "link", "iframe", "object", "base", "form")
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "href", "action")]
    assert "default-src 'none'" in page
    assert "alert(1)" not in "".join(re.findall(r"<script>(.*?)</script>", page, re.S))
    return parsed


def test_the_report_holds_everything_and_runs_nothing_of_a_document(app: typer.Typer, folders: Path) -> None:
    out = folders / "out"
    called = RUNNER.invoke(
        app, ["eval", str(folders / "runs/bad"), "--gold", str(folders / "gold"), "--out", str(out)]
    )
    assert called.exit_code == 0, called.output
    parsed = assert_closed((out / "report.html").read_text(encoding="utf-8"))
    data = json.loads(parsed.scripts[0])
    document = next(d for d in data["documents"] if d["id"] == "qingshui_2020")
    assert document["text"] == TEXT
    rows = {data["paths"][row[0]]: (data["verdicts"][row[3]], row[4:]) for row in document["rows"]}
    assert rows["proactive.total"][0] == "wrong"
    assert rows["proactive.total"][1][:4] == ["1200", "7", 9, 16]
    assert rows["text.problems"][0] == "omitted"
    scores = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    assert f"{scores['overall']['f1']:.3f}" in (out / "report.html").read_text(encoding="utf-8")
    rows_written = (out / "verdicts.jsonl").read_text(encoding="utf-8").count("\n")
    assert rows_written == sum(len(d["rows"]) for d in data["documents"])


def test_the_comparison_lists_changes_with_their_sentence(app: typer.Typer, folders: Path) -> None:
    out = folders / "out"
    runs = [str(folders / "runs/good"), str(folders / "runs/bad")]
    called = RUNNER.invoke(app, ["compare", *runs, "--gold", str(folders / "gold"), "--out", str(out)])
    assert called.exit_code == 0, called.output
    page = (out / "comparison.html").read_text(encoding="utf-8")
    parsed = assert_closed(page)
    (changes,) = json.loads(parsed.scripts[0])["pairs"]
    sentence = next(change[-1] for change in changes if change[2] == "proactive.total")
    assert sentence == ["清水县\n全年公开 ", "1 200余条", f"。{HOSTILE}"[:30]]
    pair = json.loads((out / "comparison.json").read_text(encoding="utf-8"))["pairs"][0]
    assert {change["kind"] for change in pair["changes"]} == {"regression"}


def test_texts_that_do_not_fit_are_left_out_those_with_fewest_errors_first(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scoring = score_run(load_run(folders / "runs" / "bad"), load_gold(folders / "gold"))
    assert report_data.report_data(scoring).without_text == ()
    rows = written_bytes(
        [one | {"text": None} for one in report_data.report_data(scoring).content["documents"]]
    )
    size = written_bytes(TEXT)
    monkeypatch.setattr(report_data, "DATA_BYTES", rows + int(1.2 * size / report_data.TEXT_SHARE))
    assert report_data.report_data(scoring).without_text == ("baishi_2020",)
    monkeypatch.setattr(report_data, "DATA_BYTES", rows)
    assert set(report_data.report_data(scoring).without_text) == {"baishi_2020", "qingshui_2020"}


@pytest.mark.parametrize("text", [HOSTILE, "<!--", "]]>", "\u2029", "普通文字"])
def test_json_in_a_script_element_is_inert_and_the_same(text: str) -> None:
    written = str(script_json({"text": text}))
    assert not re.search(r"[<>&\u2028\u2029]", written)
    assert json.loads(written) == {"text": text}


EXIT_CODES = [
    (["eval", "runs/good", "--gold", "gold", "--out", "out"], 0),
    (["eval", "runs/good", "--gold", "gold", "--out", "out", "--min-f1", "overall=0.9"], 0),
    (["eval", "runs/bad", "--gold", "gold", "--out", "out", "--min-f1", "prose=0.9"], 4),
    (["eval", "runs/good", "--gold", "gold", "--out", "out", "--min-f1", "overall=0.9", "--slack", "0.1"], 5),
    (["eval", "runs/good", "--gold", "gold", "--out", "out", "--min-f1", "much"], 2),
    (["eval", "runs", "--gold", "gold", "--out", "out"], 3),
    (["eval", "runs/good", "--gold", "runs", "--out", "out"], 3),
    (["compare", "runs/good", "--gold", "gold", "--out", "out"], 2),
    (["compare", "runs/good", "runs/good", "--gold", "gold", "--out", "out", "--gate"], 0),
    (["compare", "runs/good", "runs/bad", "--gold", "gold", "--out", "out", "--gate"], 5),
    (["agree", "gold", "gold"], 0),
    (["agree", "gold", "nowhere"], 3),
    (["gold", "check", "gold"], 1),
    (["gold", "new", "runs/good", "qingshui_2020", "--out", "new"], 0),
    (["gold", "new", "runs/good", "qingshui_2020", "--out", "gold"], 3),
    (["gold", "new", "runs/good", "nothing", "--out", "new"], 2),
    (["gold", "rows", "gold", "--out", "gold.jsonl"], 0),
]


@pytest.mark.parametrize(("arguments", "code"), EXIT_CODES)
def test_exit_codes(
    app: typer.Typer, folders: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int
) -> None:
    monkeypatch.chdir(folders)
    assert run_app(app, arguments) == code


@pytest.mark.parametrize("command", ["eval", "compare", "agree", "gold check", "gold new", "gold rows"])
def test_every_command_has_help_and_an_example(app: typer.Typer, command: str) -> None:
    shown = RUNNER.invoke(app, [*command.split(), "--help"]).output
    assert f"gongkai {command}" in shown


def test_an_empty_frame_is_no_finished_gold(
    app: typer.Typer, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folders)
    RUNNER.invoke(app, ["gold", "new", "runs/good", "qingshui_2020", "--out", "new"])
    called = RUNNER.invoke(app, ["gold", "check", "new", "--quiet"])
    assert called.exit_code == 1
    assert "200 cells not annotated yet, the first cell proactive.regulations.issued" in called.output


def test_a_prefilled_frame_says_so_and_so_does_every_score(
    app: typer.Typer, folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folders)
    RUNNER.invoke(app, ["gold", "new", "runs/good", "baishi_2020", "--out", "new", "--prefill"])
    path = folders / "new/baishi_2020.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("~", "null"), encoding="utf-8")
    called = RUNNER.invoke(app, ["eval", "runs/good", "--gold", "new", "--out", "out"])
    assert called.exit_code == 0, called.output
    assert "Gold began as a program's output: baishi_2020" in called.output


def test_gold_and_verdicts_open_as_datasets(folders: Path) -> None:
    gold = load_gold(folders / "gold")
    scoring = score_run(load_run(folders / "runs/good"), gold)
    facts = as_dataset(gold_rows(gold))
    verdicts = as_dataset(verdict_rows(scoring))
    assert facts.num_rows == sum(len(document.facts) for document in gold.documents)
    assert set(verdicts["verdict"]) <= {"correct", "correctly_absent"}
