"""Annotation from scratch in a real browser, by keyboard alone; blind; nothing left is lost."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from annotate_material import (
    MACHINE_SURENESS,
    MACHINE_VALUE,
    MACHINE_WORDS,
    SAMPLES,
    Annotator,
    machine_run,
    text_of,
    until,
)
from browser import chromium
from playwright.sync_api import Browser, Page, expect
from review_server import ReviewServer, review_server, visit
from starlette.testclient import TestClient

from evals.gold_file import GoldFile, read_gold_file
from evals.gold_write import content_of
from evals.occurrences import SearchText
from evals.review.annotation.draft import GoldDraft, start_of
from evals.review.app import make_pages
from evals.review.library import Library
from evals.review.settings import ReviewContext, ReviewSettings
from evals.review.source.reading_child import Reading
from pipeline.fact import Record

# One server for the tests with a browser: each has documents of its own.
DOCUMENTS = (
    *("yanxi_2017.txt", "tinglan_2020.txt", "lanqiu_2016.txt", "xuntong_2022.txt", "moling_2023.md"),
    *("qilan_2022.html", "jichuan_2019.html", "qingfei_2024.html"),
)
YANXI, TINGLAN, LANQIU, XUNTONG, MOLING, QILAN, JICHUAN, QINGFEI = range(1, 9)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return machine_run(tmp_path_factory.mktemp("machine") / "run", [SAMPLES / name for name in DOCUMENTS])


def serving(run: Path, gold: Path, *options: str) -> Any:
    return review_server(
        run, "--documents", str(SAMPLES), "--annotate", str(gold), "--annotator", "h", *options
    )


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("annotator") / "gold"


@pytest.fixture(scope="module")
def server(run: Path, gold: Path) -> Iterator[ReviewServer]:
    with serving(run, gold) as started:
        yield started


@pytest.fixture
def client(run: Path, tmp_path: Path) -> Iterator[TestClient]:
    """The pages without a server and a guard, on a folder of their own."""
    settings = ReviewSettings(run, documents=SAMPLES, annotator="h", lang="en", annotate=tmp_path / "gold")
    context = ReviewContext(settings, Library(run, SAMPLES), Reading(), "csrf", ExitStack())
    with TestClient(make_pages(context)) as pages:
        yield pages


def comparable(gold: GoldFile, text: SearchText) -> dict[str, Any]:
    """What two annotators have to agree on: who, how far and why aside; `near` as the place it tells."""
    content = content_of(gold)
    lines = [line | {"near": text.find(line["raw"], line["near"])[:1]} for line in content.pop("narrative")]
    rest = {key: value for key, value in content.items() if key not in ("status", "annotators", "notes")}
    return rest | {"narrative": lines}


def check_of_gold(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from evals.cli import main; main()", "gold", "check", str(folder)]
    return subprocess.run(
        [*command, "--documents", str(SAMPLES)],
        capture_output=True,
        text=True,
        check=False,
        cwd=SAMPLES.parents[1],
    )


@pytest.mark.parametrize("name", ["lanqiu_2016", "tinglan_2020"])
def test_a_report_is_annotated_from_scratch_by_keyboard_alone(
    browser: Browser, server: ReviewServer, gold: Path, tmp_path: Path, name: str
) -> None:
    expected = read_gold_file(SAMPLES / f"{name}.yaml")
    text = text_of(SAMPLES / f"{name}.txt")
    with visit(browser, server) as visiting:
        visiting.open(f"/annotate/{1 + DOCUMENTS.index(f'{name}.txt')}")
        annotator = Annotator(visiting.page, text)
        annotator.annotate(expected)
        annotator.finish()
        assert visiting.page.locator("#problems .done").count() == 1, visiting.page.inner_text("#problems")
        assert visiting.complaints == []
        assert visiting.strayed == []
    written = read_gold_file(gold / f"{name}.yaml")
    assert (written.status, written.annotators) == ("annotated", ["h"])
    assert comparable(written, SearchText(text)) == comparable(expected, SearchText(text))
    shutil.copy(gold / f"{name}.yaml", tmp_path)
    checked = check_of_gold(tmp_path)
    assert checked.returncode == 0, checked.stdout
    assert "1 gold files, 0 errors" in checked.stdout


def test_kill_9_in_the_middle_loses_nothing_that_was_left(
    browser: Browser, run: Path, tmp_path: Path
) -> None:
    gold = tmp_path / "gold"
    expected = read_gold_file(SAMPLES / "tinglan_2020.yaml")
    with serving(run, gold) as first, visit(browser, first) as visiting:
        visiting.open(f"/annotate/{TINGLAN}")
        annotator = Annotator(visiting.page, text_of(SAMPLES / "tinglan_2020.txt"))
        annotator.forms(expected)
        annotator.metadata(expected)
        annotator.to_part("k-proactive.regulations.made")
        entries = [
            (f"proactive.{item}.{column}", entry)
            for item, columns in expected.proactive.items()
            for column, entry in columns.items()
        ]
        annotator.cells(entries[:7])
        first.kill()
        annotator.cells(entries[7:])  # typed on while nobody answers
        visiting.page.wait_for_selector("#banner:not([hidden])")
        with serving(run, gold, "--port", str(first.port)) as second:
            again = visiting.another()
            again.goto(second.url)
            visiting.page.wait_for_selector("#banner[hidden]", state="attached")
            until(visiting.page, "!document.querySelector('.saving, .draft, .editing')")
            last = f"[data-key='{entries[-1][0]}']"
            visiting.page.wait_for_selector(f"{last}[data-value='{entries[-1][1]}']")
    record = start_of("tinglan_2020", "tinglan_2020.txt", expected.sha256)
    draft = GoldDraft(gold, record)
    assert {key: draft.value(key) for key, _ in entries} == dict(entries)
    assert draft.value("meta.issuer") == expected.meta.issuer


# ---- blind ----


def changed(client: TestClient, number: int, **body: object) -> tuple[int, dict[str, Any]]:
    answer = client.post(f"/annotate/{number}/changes", json=body)
    return answer.status_code, answer.json()


def put(server: ReviewServer, number: int, **body: object) -> None:
    """A change from another window than the one that is looked at."""
    headers = {"Cookie": server.cookie(), "X-Gongkai-CSRF": server.csrf(), "Content-Type": "application/json"}
    answer = server.ask("POST", f"/annotate/{number}/changes", headers, json.dumps(body).encode())
    assert answer.status == 200, answer.body


def test_nothing_that_the_machine_has_read_is_ever_sent(client: TestClient) -> None:
    changes: list[dict[str, object]] = [
        {"key": "templates.document", "old": "", "new": "table2021"},
        {"key": "requests.granted.total", "old": "", "new": "5"},
        {"key": "narrative/k1", "old": None, "new": {}},
        {"key": "narrative/k1", "field": "path", "old": {}, "new": "proactive.total"},
    ]
    form = client.get(f"/annotate/{YANXI}")
    answers = [form, *(client.get(path) for path in ("/", "/annotate/paths", "/?state=none"))]
    answers += [client.post(f"/annotate/{YANXI}/changes", json=change) for change in changes]
    answers += [client.post(f"/annotate/{YANXI}/{what}", json={"number": 5}) for what in ("finish", "undo")]
    answers += [client.get(f"/annotate/{YANXI}"), client.get(f"/documents/{YANXI}/places?spans=20-24")]
    assert {answer.status_code for answer in answers} == {200}
    # The words of the pages are those of every mode.
    contents = [re.sub(r'data-words="[^"]*"', "", answer.text) for answer in answers]
    for secret in (str(MACHINE_VALUE), str(MACHINE_SURENESS), MACHINE_WORDS, "flagged", "<mark"):
        assert not [content for content in contents if secret in content], secret
    assert "砚溪县人民政府" in contents[0]
    assert 'value="砚溪县人民政府"' not in contents[0]
    assert " selected" not in contents[0]  # not even the form that was detected


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/documents/1"),
        ("GET", "/next?kind=flagged"),
        ("GET", "/documents"),
        ("GET", "/queue"),
        ("POST", "/documents/1/figures"),
        ("GET", "/adjudicate"),
        ("GET", "/compare"),
    ],
)
def test_the_pages_of_the_other_modes_are_not_there(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path, json={} if method == "POST" else None)
    assert answer.status_code == 404
    assert str(MACHINE_VALUE) not in answer.text


def test_a_frame_that_holds_a_program_s_output_is_not_opened(client: TestClient, tmp_path: Path) -> None:
    gold = tmp_path / "gold"
    sample = (SAMPLES / "yanxi_2017.yaml").read_text(encoding="utf-8")
    prefilled = sample.replace("annotators: [author]", "annotators: []\nprefilled: true")
    (gold / "yanxi_2017.yaml").write_text(prefilled, encoding="utf-8")
    (gold / "lanqiu_2016.yaml").write_text(
        (SAMPLES / "lanqiu_2016.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    for number, said in ((YANXI, "began as a program&#39;s output"), (LANQIU, "annotation of author")):
        page = client.get(f"/annotate/{number}")
        assert page.status_code == 409
        assert said in page.text
        assert "3230" not in page.text


def test_a_document_that_the_run_could_not_open_is_named(run: Path, tmp_path: Path) -> None:
    broken = Record(
        doc_id="gone", file="gone.pdf", sha256="", media_type=None, status="failed", error="no such"
    )
    copied = tmp_path / "run"
    shutil.copytree(run, copied)
    with (copied / "records.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(broken.model_dump_json() + "\n")
    settings = ReviewSettings(copied, annotator="h", lang="en", annotate=tmp_path / "gold")
    context = ReviewContext(settings, Library(copied), Reading(), "csrf", ExitStack())
    with TestClient(make_pages(context)) as pages:
        page = pages.get(f"/annotate/{len(DOCUMENTS) + 1}")
    assert page.status_code == 409
    assert "gone.pdf: could not be opened by the run (no such)" in page.text


# ---- changes ----


def test_two_windows_on_one_document_never_overwrite(client: TestClient) -> None:
    changed(client, TINGLAN, key="templates.remedies", old="", new="table2019")
    assert changed(client, TINGLAN, key="remedies.review.total", old="", new="1")[0] == 200
    status, answer = changed(client, TINGLAN, key="remedies.review.total", old="", new="7")
    assert status == 409
    assert (answer["conflict"]["theirs"], answer["conflict"]["mine"]) == ("1", "7")
    assert changed(client, TINGLAN, key="remedies.review.total", old="", new="1")[0] == 200  # sent twice
    line = {"key": "narrative/k1", "old": None, "new": {}}
    changed(client, TINGLAN, **line)
    empty = changed(client, TINGLAN, **line)[1]
    assert empty["number"] == 4
    old = {"path": None, "value": None, "raw": None, "near": None}
    old |= {"status": "value", "bound": "exact", "scope": None, "label": None}
    asked = {"key": "narrative/k1", "field": "raw", "old": old}
    assert changed(client, TINGLAN, **asked, new="24件")[0] == 200
    status, answer = changed(client, TINGLAN, **asked, new="86条")
    assert status == 409
    assert "24件" in answer["conflict"]["theirs"]


def test_the_conflict_of_two_windows_is_asked_about(browser: Browser, server: ReviewServer) -> None:
    put(server, QILAN, key="templates.remedies", old="", new="table2021")
    with visit(browser, server) as visiting:
        page = visiting.page
        visiting.open(f"/annotate/{QILAN}")
        put(server, QILAN, key="remedies.review.upheld", old="", new="1")
        put(server, QILAN, key="meta.year", old="", new="2020")
        for key, typed in (("remedies.review.upheld", "7"), ("meta.year", "2021")):
            page.focus(f"[data-key='{key}']")
            page.keyboard.type(typed)
            page.keyboard.press("Tab")
            page.wait_for_selector("dialog[open] .choices")
            assert typed in page.inner_text("dialog[open]")
            page.keyboard.press("Tab" if key == "meta.year" else "Enter")
            if key == "meta.year":
                page.keyboard.press("Enter")
            page.wait_for_selector("dialog[open]", state="detached")
        page.wait_for_selector("[data-key='meta.year'][data-value='2021']")
        assert page.input_value("[data-key='remedies.review.upheld']") == "1"


REFUSED = [
    ({"key": "requests.granted.total", "old": "", "new": "viele"}, "viele"),
    ({"key": "meta.year", "old": "", "new": "20"}, "2008"),
    ({"key": "meta.period_start", "old": "", "new": "2020-02-30"}, "2024-01-31"),
    ({"key": "meta.division_code", "old": "", "new": "99"}, "99"),
    ({"key": "narrative/../x", "old": None, "new": {}}, "is no key"),
    ({"key": "doc_id", "old": "a", "new": "b"}, "doc_id"),
    ({"key": "sha256", "old": "a", "new": "b"}, "sha256"),
    ({"key": "prefilled", "old": None, "new": True}, None),
    ({"key": "findings", "old": [], "new": ["sums are wrong"]}, "rule@column"),
    ({"key": "narrative/k1", "old": None, "new": {"span": [0, 99999999]}}, "no place of the text"),
]


@pytest.mark.parametrize(("body", "said"), REFUSED)
def test_what_cannot_stand_is_refused_with_what_is_allowed(
    client: TestClient, body: dict[str, Any], said: str | None
) -> None:
    status, answer = changed(client, YANXI, **body)
    assert status in (400, 422)
    assert said is None or said in answer["error"]


@pytest.mark.parametrize("body", [{}, {"key": 5}, {"changes": []}, {"changes": "x"}, {"changes": [5]}, []])
def test_what_no_page_sends_is_refused(client: TestClient, body: object) -> None:
    assert client.post("/annotate/1/changes", json=body).status_code == 400


def test_marks_figures_and_metadata_as_people_type_them(client: TestClient, tmp_path: Path) -> None:
    changed(client, TINGLAN, key="templates.document", old="", new="table2019")
    typed = {
        "requests.granted.total": "１，２４８",
        "requests.granted.company": "w",
        "requests.granted.research": "—",
        "requests.granted.nonprofit": "b",
        "requests.granted.legal_service": "？",
        "proactive.licensing.items_change": "-17",
        "proactive.licensing.decisions": "-3",
        "proactive.procurement.amount_yuan": "486,200.5元",
        "requests.other_outcome.total": "x",
        "meta.signed_on": "2021年1月25日",
        "meta.phone": "x",
        "meta.issuer_type": "government_office",
    }
    for key, text in typed.items():
        status, answer = changed(client, TINGLAN, key=key, old="", new=text)
        assert status == 200, answer
    written = (tmp_path / "gold" / "tinglan_2020.yaml").read_text(encoding="utf-8")
    assert '  granted: [~, 无, /, _, "?", ~, 1248]\n' in written
    assert "licensing: {items_previous: ~, items_change: -17, decisions: -3}" in written
    assert "amount_yuan: 486200.5" in written
    assert "other_outcome" not in written
    assert "meta: {issuer_type: government_office, signed_on: 2021-01-25, phone: null}" in written


def test_the_statistics_table_with_rows_of_the_place(client: TestClient, tmp_path: Path) -> None:
    changed(client, YANXI, key="templates.document", old="", new="stat2014")
    cells = {"received_total": "9", "received_in_person": "3", "received_fax": "0", "received_online": "5"}
    for key, typed in (cells | {"received_mail": "0", "fees_wan_yuan": "0.35", "meetings": "x"}).items():
        status, answer = changed(client, YANXI, key=f"statistics.{key}", old="", new=typed)
        assert status == 200, answer
    assert changed(client, YANXI, key="statistics.website_visits", old="x", new="")[0] == 200
    assert changed(client, YANXI, key="statistics.row_of_their_own", old="x", new="7")[0] == 200
    page = client.get(f"/annotate/{YANXI}").text
    assert "parts give 8, printed is 9" in page
    assert 'data-key="statistics.row_of_their_own" data-value="7"' in page
    assert 'data-key="statistics.meetings" data-value="x"' in page
    written = (tmp_path / "gold" / "yanxi_2017.yaml").read_text(encoding="utf-8")
    assert "  fees_wan_yuan: 0.35\n" in written
    assert "  website_visits: ~\n" in written
    assert "meetings" not in written


def test_a_file_that_an_editor_damages_meanwhile_is_named(client: TestClient, tmp_path: Path) -> None:
    changed(client, YANXI, key="meta.year", old="", new="2017")
    (tmp_path / "gold" / "yanxi_2017.yaml").write_text("doc_id: [", encoding="utf-8")
    status, answer = changed(client, YANXI, key="meta.year", old="2017", new="2018")
    assert status == 422
    assert "yanxi_2017.yaml: no valid YAML" in answer["error"]
    assert (tmp_path / "gold" / "yanxi_2017.yaml").read_text(encoding="utf-8") == "doc_id: ["


def test_sums_that_do_not_hold_are_told_at_once_and_listed_with_one_key(
    browser: Browser, server: ReviewServer, gold: Path
) -> None:
    with visit(browser, server, locale="en-US") as visiting:
        page, keys = visiting.page, visiting.page.keyboard
        visiting.open(f"/annotate/{XUNTONG}")
        annotator = Annotator(page, text_of(SAMPLES / "xuntong_2022.txt"))
        annotator.forms(read_gold_file(SAMPLES / "xuntong_2022.yaml"))
        annotator.to_part("k-remedies.review.upheld")
        for entry in (5, 1, 0, 0, 9):
            keys.type(str(entry))
            keys.press("Tab")
        page.wait_for_selector(".broken li")
        said = page.inner_text(".broken li")
        assert "parts give 6, printed is 9" in said
        assert "remedies.total@review" in said
        keys.press("F9")
        keys.press("Enter")
        page.wait_for_selector(".listed li")
        assert page.query_selector(".broken li") is None
    written = (gold / "xuntong_2022.yaml").read_text(encoding="utf-8")
    assert "findings: [remedies.total@review]" in written


def test_undo_and_redo_by_keys(browser: Browser, server: ReviewServer) -> None:
    with visit(browser, server) as visiting:
        page, keys = visiting.page, visiting.page.keyboard
        visiting.open(f"/annotate/{MOLING}")
        annotator = Annotator(page, "")
        annotator.forms(read_gold_file(SAMPLES / "moling_2023.yaml"))
        annotator.to_part("k-requests.new_received.", is_prefix=True)
        keys.type("0")
        keys.press("Shift+Enter")
        row = "[data-key^='requests.new_received.'][data-value='0']"
        until(page, f'document.querySelectorAll("{row}").length === 7')
        assert annotator.focused == "k-requests.carried_in.natural_person"
        keys.press("Control+d")
        page.wait_for_selector("[data-key='requests.carried_in.natural_person'][data-value='0']")
        keys.press("Control+z")
        page.wait_for_selector("[data-key='requests.carried_in.natural_person'][data-value='']")
        keys.press("Control+z")  # the row is one change
        until(page, f'document.querySelectorAll("{row}").length === 0')
        keys.press("Control+y")
        until(page, f'document.querySelectorAll("{row}").length === 7')
        assert visiting.complaints == []


def test_a_selection_in_the_source_becomes_a_line_and_an_item(
    browser: Browser, server: ReviewServer, gold: Path
) -> None:
    select = """([text, length]) => {
      document.getElementById('source-body').focus();
      for (const holder of document.querySelectorAll('#source [data-start]')) {
        const at = holder.textContent.indexOf(text);
        if (at >= 0) {
          getSelection().setBaseAndExtent(holder.firstChild, at, holder.firstChild, at + length);
          return;
        }
      }
    }"""
    with visit(browser, server) as visiting:
        page = visiting.page
        visiting.open(f"/annotate/{YANXI}")
        page.evaluate(select, ["九场", 2])
        page.keyboard.press("n")
        page.wait_for_selector(".line")
        until(page, "document.activeElement.dataset.field === 'path'")
        page.evaluate(select, ["1.公开数量", 34])
        page.keyboard.press("p")
        page.wait_for_selector(".item")
    content = (gold / "yanxi_2017.yaml").read_text(encoding="utf-8")
    assert "value: 9, raw: 九场," in content
    # Without enumerator and end punctuation.
    assert "- {starts: 公开数量增长, ends: 信息仍嫌笼统}" in content


def test_finishing_too_early_leads_to_what_is_missing(browser: Browser, server: ReviewServer) -> None:
    with visit(browser, server) as visiting:
        page = visiting.page
        visiting.open(f"/annotate/{JICHUAN}")
        page.keyboard.press("Control+Shift+Enter")
        page.wait_for_selector("#problems .goto")
        page.keyboard.press("Enter")
        until(page, "document.activeElement.id === 'k-templates.document'")


def test_the_list_tells_how_far_every_draft_is(client: TestClient, tmp_path: Path) -> None:
    changed(client, YANXI, key="meta.year", old="", new="2017")
    (tmp_path / "gold" / "lanqiu_2016.yaml").write_text("doc_id: [", encoding="utf-8")
    rows = re.findall(r"<tr>.*?</tr>", client.get("/").text, re.DOTALL)[1:]
    assert [re.findall("not begun|draft|damaged", row)[:1] for row in rows[:3]] == [
        ["draft"],
        ["not begun"],
        ["damaged"],
    ]
    assert "9 %" in rows[0]
    assert "lanqiu_2016.yaml: no valid YAML" in rows[2]
    assert client.get("/?state=draft").text.count("<tr>") == 2
    assert client.get("/?q=LING&state=none").text.count("<tr>") == 2


def test_the_list_fits_a_telephone(browser: Browser, server: ReviewServer) -> None:
    with visit(browser, server, width=390, locale="en-US") as visiting:
        assert visiting.page.locator("table.documents tbody tr").count() == len(DOCUMENTS)
        assert visiting.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert visiting.complaints == []


def test_the_form_fits_a_telephone(browser: Browser, server: ReviewServer) -> None:
    put(server, QINGFEI, key="templates.document", old="", new="table2019")
    put(server, QINGFEI, key="narrative/k1", old=None, new={"span": [140, 160]})
    with visit(browser, server, width=390, height=800) as visiting:
        visiting.open(f"/annotate/{QINGFEI}")
        assert visiting.page.evaluate("document.documentElement.scrollWidth") <= 390
        unlabelled = visiting.page.evaluate(
            "[...document.querySelectorAll('#form input, #form select, #form textarea')]"
            ".filter(each => !each.labels.length && !each.getAttribute('aria-label')).map(each => each.id)"
        )
        assert unlabelled == []
        assert visiting.complaints == []


def test_a_second_server_on_the_folder_is_refused(server: ReviewServer, run: Path, gold: Path) -> None:
    command = [sys.executable, "-c", "from evals.cli import main; main()", "review", str(run), "--no-browser"]
    second = subprocess.run(
        [*command, "--annotate", str(gold), "--annotator", "h"],
        capture_output=True,
        text=True,
        check=False,
        cwd=SAMPLES.parents[1],
        timeout=60,
    )
    assert second.returncode == 3
    assert f"process {server.pid}" in second.stderr


# ---- as in a spreadsheet ----


@pytest.fixture
def own(run: Path, tmp_path: Path) -> Iterator[ReviewServer]:
    """A server on a folder of its own, with the form of QINGFEI begun."""
    with serving(run, tmp_path / "own") as started:
        put(started, QINGFEI, key="templates.document", old="", new="table2021")
        yield started


def values_of(page: Page, row: str) -> list[str | None]:
    return [cell.get_attribute("data-value") for cell in page.locator(f"[data-key^='requests.{row}.']").all()]


def test_a_block_of_a_spreadsheet_is_pasted_as_one_change(browser: Browser, own: ReviewServer) -> None:
    block = "３８\t1,248\t0\t_\t无\t3\t60\t99\r\n1\t0\tviele\t/\t1\t0\t2\r\n"
    with visit(browser, own, locale="en-US") as visiting:
        page, keys = visiting.page, visiting.page.keyboard
        visiting.context.grant_permissions(["clipboard-read", "clipboard-write"])
        visiting.open(f"/annotate/{QINGFEI}")
        before = int(page.get_attribute("#form-head", "data-journal") or "0")
        page.focus("[data-key='requests.new_received.natural_person']")
        page.evaluate("text => navigator.clipboard.writeText(text)", block)
        keys.press("Control+v")
        page.wait_for_selector("[data-key='requests.carried_in.total'][data-value='2']")
        assert values_of(page, "new_received") == ["38", "1248", "0", "_", "无", "3", "60"]
        assert values_of(page, "carried_in") == ["1", "0", "", "/", "1", "0", "2"]
        refused = page.locator("[data-key='requests.carried_in.research']")
        expect(refused).to_have_value("viele")
        expect(refused).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#part-requests ~ .fault")).to_contain_text("“viele” is no figure")
        assert int(page.get_attribute("#form-head", "data-journal") or "0") == before + 1
        # What was refused stays to be mended, also when the form is put in anew by an undo.
        keys.press("Control+z")
        page.wait_for_selector("[data-key='requests.carried_in.total'][data-value='']")
        assert values_of(page, "new_received") == [""] * 7
        expect(refused).to_have_value("viele")
        expect(refused).to_have_attribute("aria-invalid", "true")


def test_tab_goes_on_behind_a_mark_and_out_of_the_table_behind_the_last_cell(
    browser: Browser, own: ReviewServer
) -> None:
    with visit(browser, own) as visiting:
        page, keys = visiting.page, visiting.page.keyboard
        visiting.open(f"/annotate/{QINGFEI}")
        page.focus("[data-key='remedies.review.upheld']")
        for key, following in (("b", "corrected"), ("/", "other"), ("w", "pending"), ("?", "total")):
            keys.press(key)
            keys.press("Tab")
            assert page.evaluate("document.activeElement.dataset.key") == f"remedies.review.{following}"
        keys.press("Shift+Tab")
        assert page.evaluate("document.activeElement.dataset.key") == "remedies.review.pending"
        page.wait_for_selector("[data-key='remedies.review.pending'][data-value='?']")
        page.focus("[data-key='remedies.litigation_after_review.total']")
        keys.press("0")
        keys.press("Tab")
        assert page.evaluate("document.activeElement.className") == "plain add"


def test_an_input_method_types_into_cells_lines_and_metadata(browser: Browser, own: ReviewServer) -> None:
    put(own, QINGFEI, key="narrative/k1", old=None, new={})
    with visit(browser, own) as visiting:
        page, keys = visiting.page, visiting.page.keyboard
        method = visiting.context.new_cdp_session(page)

        def compose(so_far: str, chosen: str) -> None:
            """Letters that are not text yet, Enter that takes the word, and the word."""
            place = {"selectionStart": len(so_far), "selectionEnd": len(so_far)}
            method.send("Input.imeSetComposition", {"text": so_far, **place})
            keys.press("Enter")
            method.send("Input.insertText", {"text": chosen})

        visiting.open(f"/annotate/{QINGFEI}")
        page.focus("[data-key='requests.granted.natural_person']")
        keys.press("F2")
        compose("wu", "无")
        assert page.evaluate("document.activeElement.dataset.key") == "requests.granted.natural_person"
        keys.press("Tab")
        page.wait_for_selector("[data-key='requests.granted.natural_person'][data-value='无']")
        page.focus("[data-key='meta.issuer']")
        compose("qingfei", "青霏县人民政府")
        assert page.evaluate("document.activeElement.dataset.key") == "meta.issuer"
        keys.press("Enter")
        page.wait_for_selector("[data-key='meta.issuer'][data-value='青霏县人民政府']")
        page.focus("#line-k1-path")
        compose("xinshou", "新收")
        # The word is what is searched for; the key that took it has chosen nothing.
        assert page.evaluate("document.activeElement.id") == "line-k1-path"
        expect(page.locator("#line-k1-list [role=option]").first).to_contain_text("新收")
        keys.press("Enter")
        until(
            page,
            "JSON.parse(document.getElementById('line-k1').dataset.item).path?.startsWith('requests.new_received')",
        )
        assert visiting.complaints == []


# ---- two windows on one line ----


def test_a_conflict_on_a_line_keeps_what_is_typed_elsewhere(
    browser: Browser, own: ReviewServer, tmp_path: Path
) -> None:
    empty = {"path": None, "value": None, "raw": None, "near": None}
    empty |= {"status": "value", "bound": "exact", "scope": None, "label": None}
    put(own, QINGFEI, key="narrative/k1", old=None, new={})
    with visit(browser, own, locale="en-US") as visiting:
        page, keys = visiting.page, visiting.page.keyboard
        visiting.open(f"/annotate/{QINGFEI}")
        page.evaluate("window.stayed = true")
        page.focus("[data-key='meta.year']")
        keys.type("20")  # refused, to be mended later
        keys.press("Tab")
        page.wait_for_selector("[data-key='meta.year'].invalid")
        put(own, QINGFEI, key="narrative/k1", field="scope", old=empty, new="own")
        put(own, QINGFEI, key="narrative/k2", old=None, new={})
        page.focus("#line-k1-value")
        keys.type("7")
        keys.press("Tab")
        page.wait_for_selector("dialog[open] .choices")
        keys.press("Enter")  # theirs
        page.wait_for_selector("#line-k1-scope[data-value='own']")
        page.wait_for_selector("#line-k2")
        assert page.input_value("#line-k1-value") == ""
        year = page.locator("[data-key='meta.year']")
        expect(year).to_have_value("20")
        expect(year).to_have_attribute("aria-invalid", "true")
        expect(page.locator(".field-row:has([data-key='meta.year']) .fault")).to_contain_text("2008")
        # A line that the other window takes away comes back with what was typed, if that is wanted.
        put(own, QINGFEI, key="narrative/k1", old=empty | {"scope": "own"}, new=None)
        page.focus("#line-k1-value")
        keys.type("9")
        keys.press("Tab")
        page.wait_for_selector("dialog[open] .choices")
        keys.press("Tab")
        keys.press("Enter")  # mine
        page.wait_for_selector("#line-k1-value[data-value='9']")
        assert page.evaluate("window.stayed") is True
    written = (tmp_path / "own" / "qingfei_2024.yaml").read_text(encoding="utf-8")
    assert "value: 9, raw: ~, scope: own" in written


def test_findings_of_two_windows_are_both_listed(browser: Browser, own: ReviewServer) -> None:
    with visit(browser, own) as visiting:
        page, keys = visiting.page, visiting.page.keyboard
        visiting.open(f"/annotate/{QINGFEI}")
        put(own, QINGFEI, key="findings", old=[], new=["meta.chapters"])
        page.focus("#add-finding")
        keys.type("proactive.non_negative@decisions")
        keys.press("Enter")
        page.wait_for_selector(".listed li >> nth=1")
        assert page.locator(".listed code").all_inner_texts() == [
            "meta.chapters",
            "proactive.non_negative@decisions",
        ]
        assert page.locator("dialog[open]").count() == 0
        expect(page.locator("#add-finding")).to_have_value("")
