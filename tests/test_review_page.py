"""The page of one document in a real browser: figures checked and corrected beside their source."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.fact import Record
from pipeline.runs.corrected import facts_in_force, figures
from pipeline.runs.record import RecordFile, read_records, read_text
from pipeline.runs.reviews import ReviewEvent, read_reviews
from tests.browser import Scheme, chromium
from tests.review_material import SAMPLES, extracted
from tests.review_runs import PATHS, made_record, made_run
from tests.review_server import ReviewServer, Visit, review_server, visit

TABLES, PDF, PROSE, BLANKS = SAMPLE_NAMES = (
    "qingfei_2024.html",
    "botang_2023.pdf",
    "yanxi_2017.txt",
    "qilan_2022.html",
)
COPIES = 40


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has every sample many times over: each test takes a document of its own."""
    run = extracted(tmp_path_factory.mktemp("review"), *(SAMPLES / name for name in SAMPLE_NAMES))
    records = list(read_records(run))
    file = RecordFile(run)
    for copy in range(COPIES):
        for record in records:
            file.append(record.model_copy(update={"doc_id": f"{record.doc_id}_{copy}"}))
    file.close()
    return run


@pytest.fixture(scope="module")
def server(made: Path) -> Iterator[ReviewServer]:
    with served(made) as found:
        yield found


@contextmanager
def served(run: Path, *options: str) -> Iterator[ReviewServer]:
    with review_server(run, "--annotator", "ada", "--documents", str(SAMPLES), *options) as server:
        yield server


@dataclass
class Opened:
    """The page of a document that no other test has, and what is on disk of it."""

    visiting: Visit
    run: Path
    number: int
    record: Record

    @property
    def page(self) -> Page:
        return self.visiting.page

    @property
    def events(self) -> tuple[ReviewEvent, ...]:
        return read_reviews(self.run).events_of(self.record.doc_id)

    def in_force(self, path: str, source: str = "table") -> Any:
        """The fact of a field after all changes that are on disk."""
        facts = facts_in_force(self.record, self.events)
        return next((fact for fact in facts if (fact.path, fact.source) == (path, source)), None)

    def another(self) -> Page:
        """The document in a second window."""
        page = self.visiting.another()
        page.goto(self.page.url)
        return page


Open = Callable[..., Opened]
_given: Counter[str] = Counter()


def document_of(run: Path, sample: str) -> tuple[int, Record]:
    """A copy of a sample that was not given out yet, with its number."""
    name = f"{Path(sample).stem}_{_given[sample]}"
    _given[sample] += 1
    return next((n, each) for n, each in enumerate(read_records(run), 1) if each.doc_id == name)


@pytest.fixture
def opened(made: Path, server: ReviewServer, browser: Browser) -> Iterator[Open]:
    with ExitStack() as stack:

        def open_page(sample: str, width: int = 1280, scheme: Scheme = "light", locale: str = "en") -> Opened:
            number, record = document_of(made, sample)
            visiting = stack.enter_context(visit(browser, server, width, scheme=scheme, locale=locale))
            visiting.open(f"/documents/{number}")
            return Opened(visiting, made, number, record)

        yield open_page


def cell(page: Page, path: str) -> Any:
    return page.locator(f'.cell[id="in:cell:{path}"]')


def at_rest(page: Page) -> None:
    """Everything that was typed has arrived."""
    expect(page.locator(".saving, .editing")).to_have_count(0)


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.dataset.path || document.activeElement.id"))


# ---- checking and correcting ----


def test_a_flagged_cell_is_corrected_by_keys_and_its_finding_goes(opened: Open) -> None:
    document = opened(TABLES)
    page, path = document.page, "remedies.review.total"
    findings = page.locator("#findings .finding.is-error")
    expect(findings).to_have_count(3)
    for _ in range(20):
        page.keyboard.press("f")
        if focused(page) == path:
            break
    assert focused(page) == path, "`f` goes through all that is flagged"
    expect(page.locator("#detail-body h3")).to_contain_text("行政复议")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(findings).to_have_count(2)
    expect(cell(page, path)).to_have_value("2")
    expect(page.locator("#live")).to_contain_text("Findings settled: 1")
    # The machine's reading stays beside it, on the page and on disk.
    expect(page.locator(f'[id="cell:{path}"] .was')).to_have_text("1")
    figure = next(
        each
        for each in figures(document.record, document.events)
        if (each.target.path, each.target.source) == (path, "table")
    )
    assert figure.machine is not None
    assert figure.machine.value == 1
    assert figure.human is not None
    assert (figure.human.value, figure.human.method) == (2, "human")
    assert figure.last is not None
    assert figure.last.annotator == "ada"
    page.reload()
    expect(cell(page, path)).to_have_value("2")
    expect(findings).to_have_count(2)
    assert document.visiting.complaints == []
    assert document.visiting.strayed == []


def test_enter_says_right_and_goes_on(opened: Open) -> None:
    document = opened(TABLES)
    page = document.page
    cell(page, "meta.issuer").focus()
    page.keyboard.press("Enter")
    assert focused(page) == "meta.issuer_type"
    page.keyboard.press("Enter")
    assert focused(page) == "meta.level"
    expect(page.locator('[id="cell:meta.issuer"]')).to_have_class(re.compile("confirmed"))
    expect(page.locator("#progress")).to_contain_text("2 / ")
    at_rest(page)
    assert [(each.action, each.target.path) for each in document.events] == [
        ("confirm", "meta.issuer"),
        ("confirm", "meta.issuer_type"),
    ]


MARKS = [
    ("_", "_", "blank"),
    ("b", "_", "blank"),
    ("/", "/", "not_applicable"),
    ("w", "无", "zero_in_words"),
    ("?", "?", "illegible"),
]


@pytest.mark.parametrize(("key", "shown", "status"), MARKS)
def test_a_mark_is_one_key(opened: Open, key: str, shown: str, status: str) -> None:
    document = opened(TABLES)
    page, path = document.page, "requests.granted.natural_person"
    cell(page, path).focus()
    page.keyboard.press(key)
    expect(cell(page, path)).to_have_attribute("data-value", shown)
    expect(cell(page, path)).to_have_value(shown)
    assert document.in_force(path).status == status
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_what_is_not_mentioned_has_no_fact_and_undo_brings_it_back(opened: Open) -> None:
    document = opened(TABLES)
    page, path = document.page, "requests.granted.natural_person"
    before = document.in_force(path)
    cell(page, path).focus()
    page.keyboard.press("x")
    expect(page.locator(f'[id="cell:{path}"]')).to_have_class(re.compile("removed"))
    assert document.in_force(path) is None
    page.keyboard.press("u")
    expect(cell(page, path)).to_have_value(str(before.value))
    expect(page.locator(f'[id="cell:{path}"]')).to_have_class(re.compile("unchecked"))
    assert document.in_force(path) == before
    assert [each.action for each in document.events] == ["remove", "undo"]


def test_arrows_move_and_escape_restores(opened: Open) -> None:
    document = opened(TABLES)
    page = document.page
    cell(page, "requests.granted.company").focus()
    page.keyboard.press("ArrowRight")
    assert focused(page) == "requests.granted.research"
    page.keyboard.press("ArrowDown")
    assert focused(page) == "requests.partially_granted.research"
    page.keyboard.type("77")
    expect(cell(page, "requests.partially_granted.research")).to_have_value("77")
    page.keyboard.press("Escape")
    expect(cell(page, "requests.partially_granted.research")).to_have_value("0")
    page.keyboard.press("F2")
    page.keyboard.type("5")
    expect(cell(page, "requests.partially_granted.research")).to_have_value("05")
    page.keyboard.press("Escape")
    assert not document.events


def test_a_block_is_pasted_as_in_a_spreadsheet(opened: Open) -> None:
    document = opened(TABLES)
    page = document.page
    document.visiting.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('7\\t_\\t1,234\\n8\\t/\\t无\\n')")
    cell(page, "requests.granted.natural_person").focus()
    page.keyboard.press("Control+v")
    expect(cell(page, "requests.partially_granted.research")).to_have_attribute("data-value", "无")
    at_rest(page)
    row = ("natural_person", "company", "research")
    found = [document.in_force(f"requests.granted.{column}") for column in row]
    assert [(fact.value, fact.status) for fact in found] == [(7, "value"), (None, "blank"), (1234, "value")]
    found = [document.in_force(f"requests.partially_granted.{column}") for column in row]
    assert [(fact.value, fact.status) for fact in found] == [
        (8, "value"),
        (None, "not_applicable"),
        (0, "zero_in_words"),
    ]


def test_what_cannot_be_stays_in_the_cell_with_the_reason(opened: Open) -> None:
    document = opened(TABLES)
    page, path = document.page, "requests.granted.natural_person"
    cell(page, path).focus()
    page.keyboard.type("3.5")
    page.keyboard.press("Enter")
    expect(cell(page, path)).to_have_attribute("aria-invalid", "true")
    expect(cell(page, path)).to_have_value("3.5")
    fault = page.locator(".fault", has_text="3.5")
    expect(fault).to_contain_text("whole numbers")
    assert cell(page, path).get_attribute("aria-errormessage") == fault.get_attribute("id")
    assert not document.events
    cell(page, path).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type("３５")
    page.keyboard.press("Enter")
    expect(cell(page, path)).to_have_value("35")
    expect(cell(page, path)).not_to_have_attribute("aria-invalid", "true")
    assert document.in_force(path).value == 35


def test_a_whole_row_is_right_with_one_key(opened: Open) -> None:
    document = opened(TABLES)
    page = document.page
    cell(page, "requests.granted.company").focus()
    page.keyboard.press("Shift+Enter")
    expect(page.locator('[id="row:requests.granted"] td.confirmed')).to_have_count(7)
    assert {each.target.path.rpartition(".")[0] for each in document.events} == {"requests.granted"}


def test_a_group_is_right_after_a_question(opened: Open) -> None:
    document = opened(TABLES)
    page = document.page
    section = page.locator('[id="section:remedies"]')
    count = section.locator("td.unchecked, td.flagged").count()
    section.locator("button.confirm-all").click()
    expect(page.locator("dialog[open]")).to_contain_text(f"{count} figures")
    page.keyboard.press("Escape")
    assert not document.events
    section.locator("button.confirm-all").click()
    page.locator("dialog[open] button", has_text="OK").click()
    expect(section.locator("td.confirmed")).to_have_count(count)


def test_bound_scope_and_reason_of_prose(opened: Open) -> None:
    document = opened(PROSE)
    page = document.page
    field = page.locator(".cell[data-path='proactive.total']").first
    field.focus()
    expect(page.locator("#detail-body h3")).to_contain_text("主动公开总数")
    before = document.in_force("proactive.total", "narrative")
    page.locator("#detail select[name=scope]").select_option("jurisdiction")
    page.locator("#detail select[name=bound]").select_option("about")
    page.locator("#detail button", has_text="Save").click()
    expect(field).to_have_value(f"≈{before.value}")
    field.focus()
    page.keyboard.press("r")
    page.keyboard.type("says so in the heading")
    page.keyboard.press("Enter")
    expect(page.locator("#detail-body q").first).to_have_text("says so in the heading")
    now = document.in_force("proactive.total", "narrative")
    assert (now.value, now.bound, now.scope, now.raw) == (before.value, "about", "jurisdiction", before.raw)
    assert document.events[-1].reason == "says so in the heading"
    assert focused(page) == "proactive.total"


def test_a_reason_goes_to_the_figure_that_is_selected(opened: Open) -> None:
    document = opened(TABLES)
    page = document.page
    one, other = "requests.granted.natural_person", "requests.granted.company"
    cell(page, one).focus()
    page.keyboard.type("5")
    page.keyboard.press("Enter")
    expect(cell(page, one)).to_have_attribute("data-value", "5")
    cell(page, other).focus()
    # At once, before the panel has come.
    page.keyboard.press("r")
    page.keyboard.type("shifted")
    cell(page, one).focus()
    expect(page.locator("#detail-reason")).to_have_value("")
    assert len(document.events) == 1, "a reason waits for its change"
    cell(page, other).focus()
    page.keyboard.press("r")
    page.keyboard.type("shifted")
    page.keyboard.press("Enter")
    page.keyboard.type("6")
    page.keyboard.press("Enter")
    expect(cell(page, other)).to_have_attribute("data-value", "6")
    assert [(each.target.path, each.reason) for each in document.events] == [(one, ""), (other, "shifted")]


# ---- what the machine missed ----


def test_a_figure_that_was_missed_is_added_by_keys_alone(opened: Open) -> None:
    document = opened(TABLES)
    page = document.page
    page.keyboard.press("a")
    page.keyboard.type("稿件17篇")
    expect(page.locator("#add-context")).to_have_text("")
    page.keyboard.press("Enter")
    page.keyboard.type("press conferences")
    page.keyboard.press("Enter")
    expect(page.locator("#add-typed")).to_have_value("17")
    page.keyboard.press("Enter")
    expect(page.locator("#add")).not_to_be_visible()
    fact = document.in_force("engagement.press_conferences", "narrative")
    text = read_text(document.run, document.record.sha256) or ""
    assert (fact.value, fact.raw, fact.method) == (17, "稿件17篇", "human")
    assert text[fact.evidence.start : fact.evidence.end] == "稿件17篇"
    added = page.locator(".cell[data-path='engagement.press_conferences']")
    expect(added).to_be_focused()
    expect(page.locator("#source mark.chosen")).to_contain_text("17")
    page.keyboard.press("u")
    expect(added).to_have_count(0)
    assert document.in_force("engagement.press_conferences", "narrative") is None
    expect(page.locator("#figures .cell:focus")).to_have_count(1)
    assert document.visiting.complaints == []


def test_an_empty_place_takes_the_print_that_is_selected(opened: Open) -> None:
    """Nothing was read for it; a value without its print is refused, with a word on what to do."""
    document = opened(PDF)
    page, path = document.page, "meta.published_on"
    assert document.in_force(path, "metadata") is None, "the sample prints no day of publication"
    cell(page, path).focus()
    page.keyboard.type("2023-12-31")
    page.keyboard.press("Enter")
    expect(page.locator(".fault", has_text="Select its print")).to_be_visible()
    assert not document.events
    _select(page, "2023年12月31日")
    cell(page, path).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(f'[id="cell:{path}"]')).to_have_class(re.compile("added"))
    fact = document.in_force(path, "metadata")
    assert (fact.value, fact.raw, fact.source) == ("2023-12-31", "2023年12月31日", "metadata")


def _select(page: Page, text: str) -> None:
    """Select the first place that reads `text` in the source."""
    page.evaluate(
        """text => {
            for (const holder of document.querySelectorAll("#source [data-start]")) {
                const at = holder.textContent.indexOf(text);
                if (at < 0) continue;
                const range = document.createRange();
                range.setStart(holder.firstChild, at);
                range.setEnd(holder.firstChild, at + text.length);
                getSelection().removeAllRanges();
                getSelection().addRange(range);
                return;
            }
        }""",
        text,
    )


# ---- source and figures ----


def test_either_side_shows_the_other(opened: Open) -> None:
    document = opened(TABLES)
    page = document.page
    mark = page.locator("#source mark", has_text="230余条")
    mark.click()
    expect(page.locator(".cell[data-path='proactive.channel.notice_board']")).to_be_focused()
    expect(mark).to_have_class(re.compile("chosen"))
    cell(page, "remedies.review.total").focus()
    chosen = page.locator("#source mark.chosen")
    expect(chosen).to_have_count(1)
    assert "remedies.review.total" in str(chosen.get_attribute("data-keys"))
    expect(chosen).to_be_in_viewport()
    # From the source by keys: the next mark, then into its cell.
    page.locator("#source-body").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("td.selected")).to_have_count(1)
    assert focused(page) == "source-body"
    page.keyboard.press("Enter")
    assert focused(page).startswith("remedies.")


def test_the_way_from_the_queue_leads_to_the_figure(opened: Open) -> None:
    document = opened(TABLES)
    key = cell(document.page, "remedies.review.total").get_attribute("data-key")
    document.page.goto("about:blank")
    document.visiting.open(f"/documents/{document.number}#figure-{key}")
    expect(cell(document.page, "remedies.review.total")).to_be_focused()
    expect(document.page.locator("#detail-body h3")).to_contain_text("行政复议")


def test_an_empty_cell_of_the_source_is_shown(opened: Open) -> None:
    page = opened(BLANKS).page
    cell(page, "requests.carried_in.research").focus()
    chosen = page.locator("#source td.chosen")
    expect(chosen).to_have_count(1)
    expect(chosen).to_be_in_viewport()
    page.locator("#source td[data-keys]").first.click()
    assert focused(page) == "proactive.regulations.issued"


def test_pages_of_a_pdf_have_the_figure_outlined(opened: Open) -> None:
    document = opened(PDF)
    page = document.page
    cell(page, "requests.granted.total").focus()
    page.locator("#source button[data-view=pages]").click()
    outline = page.locator("#source rect.place.chosen")
    expect(outline).to_have_count(1)
    expect(outline).to_be_in_viewport()
    expect(page.locator("#source rect.place.unchecked").first).to_be_attached()
    picture = page.locator("#source img").first
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 500
    page.locator("#source rect.place.unchecked").first.click()
    assert focused(page).startswith("meta.")
    assert document.visiting.complaints == []
    assert document.visiting.strayed == []


def test_marks_tell_what_is_checked(opened: Open) -> None:
    document = opened(TABLES)
    page = document.page
    mark = page.locator("#source mark", has_text="230余条")
    expect(mark).to_have_class(re.compile("unchecked"))
    mark.click()
    page.keyboard.press("Enter")
    expect(mark).to_have_class(re.compile(r"\bchecked\b"))
    expect(mark).not_to_have_class(re.compile("unchecked"))


# ---- two windows, and a server that is gone ----


def test_two_windows_on_one_figure_ask_which_value_stands(opened: Open) -> None:
    first = document = opened(TABLES)
    path = "requests.granted.natural_person"
    second = first.another()
    cell(second, path).focus()
    second.keyboard.type("6")
    cell(first.page, path).focus()
    first.page.keyboard.type("5")
    first.page.keyboard.press("Enter")
    expect(cell(first.page, path)).to_have_attribute("data-value", "5")
    second.bring_to_front()
    second.keyboard.press("Enter")
    dialog = second.locator("dialog[open]")
    expect(dialog).to_contain_text("Keep theirs: 5")
    expect(dialog).to_contain_text("Keep mine: 6")
    assert document.in_force(path).value == 5, "nothing is overwritten before the answer"
    dialog.locator("button", has_text="Keep mine").click()
    expect(cell(second, path)).to_have_attribute("data-value", "6")
    assert document.in_force(path).value == 6
    # The other way round: theirs stays, and the window shows it.
    cell(first.page, path).focus()
    first.page.keyboard.type("9")
    cell(second, path).focus()
    second.keyboard.type("8")
    second.keyboard.press("Enter")
    expect(cell(second, path)).to_have_attribute("data-value", "8")
    first.page.keyboard.press("Enter")
    first.page.locator("dialog[open] button", has_text="Keep theirs: 8").click()
    expect(cell(first.page, path)).to_have_value("8")
    assert document.in_force(path).value == 8


def test_two_windows_on_different_figures_merge(opened: Open) -> None:
    first = document = opened(TABLES)
    second = first.another()
    one, other = "requests.granted.natural_person", "remedies.review.total"
    cell(first.page, one).focus()
    first.page.keyboard.type("5")
    first.page.keyboard.press("Enter")
    expect(cell(first.page, one)).to_have_attribute("data-value", "5")
    cell(second, other).focus()
    second.keyboard.type("2")
    second.keyboard.press("Enter")
    expect(cell(second, other)).to_have_attribute("data-value", "2")
    # The answer brought what the first window had changed.
    expect(cell(second, one)).to_have_value("5")
    expect(second.locator("dialog[open]")).to_have_count(0)
    first.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(cell(first.page, other)).to_have_value("2")
    assert (document.in_force(one).value, document.in_force(other).value) == (5, 2)


def test_what_is_being_typed_stays_when_other_changes_come_in(opened: Open) -> None:
    first = document = opened(TABLES)
    second = first.another()
    path, beside = "remedies.review.total", "remedies.review.other"
    cell(second, path).focus()
    second.keyboard.type("1")
    cell(first.page, beside).focus()
    first.page.keyboard.type("0")
    first.page.keyboard.press("Enter")
    expect(cell(first.page, beside)).to_have_attribute("data-value", "0")
    # The finding of the row is settled by it: its other cells are put in anew.
    second.evaluate("dispatchEvent(new Event('focus'))")
    expect(cell(second, beside)).to_have_value("0")
    expect(cell(second, path)).to_be_focused()
    expect(cell(second, path)).to_have_value("1")
    assert len(document.events) == 1, "half a figure is not saved"
    second.keyboard.type("2")
    second.keyboard.press("Enter")
    expect(cell(second, path)).to_have_attribute("data-value", "12")
    assert document.in_force(path).value == 12


def test_an_entry_outlives_the_server(made: Path, browser: Browser, tmp_path: Path) -> None:
    one, other = "requests.granted.natural_person", "requests.granted.company"
    run = Path(shutil.copytree(made, tmp_path / "run", ignore=shutil.ignore_patterns("review*")))
    number, record = document_of(run, TABLES)
    with served(run) as server, visit(browser, server, locale="en") as visiting:
        document = Opened(visiting, run, number, record)
        visiting.open(f"/documents/{number}")
        page = visiting.page
        cell(page, one).focus()
        page.keyboard.type("5")
        page.keyboard.press("Tab")
        expect(cell(page, one)).to_have_attribute("data-value", "5")
        server.kill()
        assert document.in_force(one).value == 5, "on disk when the field was left"
        cell(page, other).focus()
        page.keyboard.type("6")
        page.keyboard.press("Tab")
        expect(page.locator("#banner")).to_contain_text("does not answer")
        with served(run, "--port", str(server.port)) as again:
            expect(page.locator("#banner")).to_contain_text("started again", timeout=20_000)
            # The new address has a new token, which this browser learns in another window.
            visiting.context.new_page().goto(again.url)
            expect(page.locator("#banner")).to_be_hidden(timeout=20_000)
            expect(cell(page, other)).to_have_attribute("data-value", "6")
            assert (document.in_force(one).value, document.in_force(other).value) == (5, 6)


# ---- going on through the run ----


@pytest.fixture(scope="module")
def queue_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ReviewServer, Path]]:
    """Two documents of forty figures, of which one each is doubtful."""
    doubtful = [0.3 if at == 20 else 1.0 for at in range(40)]
    records = [made_record(name, doubtful) for name in ("one", "two")]
    run = made_run(tmp_path_factory.mktemp("queue") / "run", records)
    with review_server(run, "--annotator", "ada") as server:
        yield server, run


def test_n_follows_the_queue_and_not_the_document(
    queue_server: tuple[ReviewServer, Path], browser: Browser
) -> None:
    server, run = queue_server
    with visit(browser, server, locale="en") as visiting:
        page = visiting.page
        expect(page.locator("#queue-state")).to_have_attribute("data-complete", "true")
        # Opened by itself: Enter goes through this document.
        page.locator("a.name", has_text="one").click()
        expect(page.locator(".cell[tabindex='0']")).to_have_count(1)  # the script has begun
        cell(page, PATHS[0]).focus()
        page.keyboard.press("Enter")
        expect(cell(page, PATHS[1])).to_be_focused()
        expect(page.locator("#next-unchecked")).to_have_attribute("aria-pressed", "false")
        # By the queue: the doubtful figure here, then that of the other document.
        page.keyboard.press("n")
        expect(cell(page, PATHS[20])).to_be_focused()
        expect(page.locator("#next-unchecked")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("Enter")
        page.wait_for_url("**/documents/2#*")
        expect(cell(page, PATHS[20])).to_be_focused()
        expect(page.locator("#next-unchecked")).to_have_attribute("aria-pressed", "true")
        events = read_reviews(run).events_of("one")
        assert [each.target.path for each in events] == [PATHS[0], PATHS[20]]
        # Escape: within this document again, and a reload stays at the figure.
        page.keyboard.press("Escape")
        expect(page.locator("#next-unchecked")).to_have_attribute("aria-pressed", "false")
        page.reload()
        expect(cell(page, PATHS[20])).to_be_focused()
        page.keyboard.press("Enter")
        expect(cell(page, PATHS[21])).to_be_focused()
        at_rest(page)
        page.keyboard.press("u")
        page.keyboard.press("u")
        at_rest(page)
        assert visiting.complaints == []


def test_a_figure_drawn_at_random_is_said_to_be(
    queue_server: tuple[ReviewServer, Path], browser: Browser
) -> None:
    server, run = queue_server
    with visit(browser, server, locale="en") as visiting:
        page = visiting.page
        expect(page.locator("#queue-state")).to_have_attribute("data-complete", "true")
        page.keyboard.press("d")
        page.wait_for_url("**/documents/*#figure-*")
        expect(page.locator("#detail-body .drawn")).to_contain_text("Drawn at random")
        expect(page.locator("#next-sample")).to_have_attribute("aria-pressed", "true")
        first = page.url
        page.keyboard.press("d")
        page.wait_for_timeout(300)
        assert page.url == first, "a sample cannot be chosen from"
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: url != first)
        expect(page.locator("#detail-body .drawn")).to_have_count(1)
        drawn = [json.loads(line) for line in (run / "review-sample.jsonl").read_text().splitlines()]
        assert len(drawn) == 2
        page.keyboard.press("ArrowDown")
        expect(page.locator("#detail-body .drawn")).to_have_count(0)
        assert visiting.complaints == []


def test_a_row_that_was_marked_right_is_undone_by_one_key(opened: Open) -> None:
    document = opened(TABLES)
    page = document.page
    cell(page, "requests.granted.company").focus()
    page.keyboard.press("Shift+Enter")
    assert focused(page) == "requests.partially_granted.company", "on to the next row"
    expect(page.locator('[id="row:requests.granted"] td.confirmed')).to_have_count(7)
    page.keyboard.press("u")
    expect(page.locator('[id="row:requests.granted"] td.confirmed')).to_have_count(0)
    assert [each.action for each in document.events] == ["confirm"] * 7 + ["undo"] * 7
    # After a reload a single figure is undone where it is selected.
    cell(page, "requests.granted.company").focus()
    page.keyboard.press("Shift+Enter")
    expect(page.locator('[id="row:requests.granted"] td.confirmed')).to_have_count(7)
    page.reload()
    cell(page, "requests.granted.company").focus()
    page.keyboard.press("u")
    expect(page.locator('[id="row:requests.granted"] td.confirmed')).to_have_count(6)


def test_another_value_of_a_cell_is_its_print_too(opened: Open) -> None:
    """What a check says of the cell is what is in force, not what the machine saw."""
    document = opened(TABLES)
    page, path = document.page, "remedies.review.total"
    before = document.in_force(path)
    cell(page, path).focus()
    page.keyboard.type("1,008")
    page.keyboard.press("Tab")
    expect(cell(page, path)).to_have_attribute("data-value", "1008")
    assert document.in_force(path).raw == "1,008"
    told = page.locator("#findings .finding", has_text="1,008")
    expect(told).to_contain_text("expected 2, found 1008")
    cell(page, path).focus()
    expect(page.locator("#detail-body")).to_have_attribute("data-slot", f"cell:{path}")
    page.locator("#detail select[name=bound]").select_option("about")
    page.locator("#detail button", has_text="Save").click()
    expect(cell(page, path)).to_have_value("≈1008")
    assert document.in_force(path).raw == "1,008"
    cell(page, path).focus()
    page.keyboard.press("_")
    expect(cell(page, path)).to_have_attribute("data-value", "_")
    assert document.in_force(path).raw == ""
    page.keyboard.type(str(before.value))
    page.keyboard.press("Tab")
    expect(cell(page, path)).to_have_attribute("data-value", str(before.value))
    assert document.in_force(path).raw == before.raw


def test_a_document_that_was_extracted_anew_is_not_confirmed_unseen(
    made: Path, browser: Browser, tmp_path: Path
) -> None:
    """The run goes on while the page is open: what is in force may be another figure than the page shows."""
    run = Path(shutil.copytree(made, tmp_path / "run", ignore=shutil.ignore_patterns("review*")))
    number, record = document_of(run, TABLES)
    path = "requests.granted.natural_person"
    with served(run) as server, visit(browser, server, locale="en") as visiting:
        visiting.open(f"/documents/{number}")
        page = visiting.page
        cell(page, path).focus()
        facts = [
            fact.model_copy(update={"value": 44}) if (fact.path, fact.source) == (path, "table") else fact
            for fact in record.facts
        ]
        file = RecordFile(run)
        file.append(record.model_copy(update={"facts": tuple(facts)}))
        file.close()
        page.keyboard.press("Enter")
        dialog = page.locator("dialog[open]", has_text="extracted anew")
        expect(dialog).to_be_visible()
        assert not read_reviews(run).events_of(record.doc_id)
        with page.expect_navigation():
            dialog.locator("button").click()
        expect(cell(page, path)).to_have_value("44")
        # A window that is come back to shows the new reading by itself.
        facts[0] = facts[0].model_copy(update={"confidence": 0.5})
        file = RecordFile(run)
        file.append(record.model_copy(update={"facts": tuple(facts[1:])}))
        file.close()
        with page.expect_navigation():
            page.evaluate("dispatchEvent(new Event('focus'))")
        expect(cell(page, path)).to_have_value("44")


# ---- for everybody ----


def test_the_language_is_switched_and_kept(opened: Open) -> None:
    document = opened(TABLES)
    page = document.page
    expect(page.locator("#facts-title")).to_have_text("Figures")
    page.locator("a[hreflang='zh-CN']").click()
    expect(page.locator("#facts-title")).to_have_text("数据")
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    page.goto(page.url.partition("?")[0])
    expect(page.locator("#facts-title")).to_have_text("数据")
    page.keyboard.press("F1")
    expect(page.locator("dialog[open]")).to_contain_text("读取无误")


@pytest.mark.parametrize("sample", [TABLES, PDF, PROSE])
def test_a_narrow_window_does_not_scroll_sideways(opened: Open, sample: str) -> None:
    page = opened(sample, 390).page
    page.keyboard.press("n")
    expect(page.locator("#detail-form")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    wide = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
            .filter((each) => !each.closest(".wide, .unseen, dialog, .skip"))
            .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
            .map((each) => each.outerHTML.slice(0, 120))"""
    )
    assert wide == []
    toggle = page.locator(".source-toggle")
    expect(toggle).to_be_visible()
    toggle.click()
    expect(toggle).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#source-body")).to_be_hidden()


NAMELESS = """() => {
    const named = (each) => (each.getAttribute("aria-label") || each.title || each.textContent
        || (each.labels && each.labels[0] && each.labels[0].textContent)
        || (document.getElementById(each.getAttribute("aria-labelledby") || "") || {}).textContent
        || each.alt || "").trim();
    const asked = "input, textarea, select, button, a, [role=region], img, progress, dialog, table.grid";
    const found = [...document.querySelectorAll(asked)].filter((each) => !named(each));
    return found.map((each) => each.outerHTML.slice(0, 160));
}"""
DANGLING = """() => ["aria-labelledby", "aria-describedby", "aria-controls", "aria-errormessage"].flatMap(
    (name) => [...document.querySelectorAll(`[${name}]`)]
        .filter((each) => !each.getAttribute(name).split(" ").every((id) => document.getElementById(id)))
        .map((each) => `${name} ${each.outerHTML.slice(0, 100)}`))"""
TWICE = """() => { const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
    return ids.filter((id, at) => ids.indexOf(id) !== at); }"""


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_everything_has_a_name(opened: Open, locale: str) -> None:
    page = opened(TABLES, locale=locale).page
    page.keyboard.press("f")
    expect(page.locator("#detail-form")).to_be_visible()
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(DANGLING) == []
    for landmark in ("header", "main", "nav[aria-label]", "aside[aria-label]", "section[aria-labelledby]"):
        assert page.locator(landmark).count() >= 1, landmark
    assert page.locator("h1").count() == 1
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, .facts h2, .facts h3, .facts h4')].map(each => +each.tagName[1])"
    )
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    assert page.evaluate(TWICE) == []
    label = cell(page, "requests.carried_in.total").get_attribute("aria-label")
    assert "上年结转政府信息公开申请数量, 总计" in str(label)
    assert ("flagged" if locale == "en" else "存疑") in str(label)


def test_tab_goes_through_the_page_in_order_and_is_seen(opened: Open) -> None:
    document = opened(TABLES)
    page = document.page
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        stops.append(
            page.evaluate(
                """() => { const each = document.activeElement; const style = getComputedStyle(each);
                const frame = each.closest("td") ? getComputedStyle(each.closest("td")) : style;
                return [each.id || each.className || each.localName,
                    style.outlineStyle !== "none" || frame.outlineStyle !== "none"]; }"""
            )
        )
    names = [name for name, _ in stops]
    assert names[0] == "skip"
    order = ["help-button", "source-find", "source-body", "next-flagged", "in:cell:meta.issuer"]
    assert [name for name in names if name in order] == order
    assert sum(name.startswith("in:") for name in names) == 1, "a table is one stop"
    assert [name for name, is_seen in stops if not is_seen] == []


COLOURS = """() => { const style = getComputedStyle(document.documentElement);
    return Object.fromEntries(%s.map((name) => [name, style.getPropertyValue("--" + name).trim()])); }"""
# Text on ground: every pair that the style sheet uses for text.
PAIRS = [
    *[(ink, ground) for ink in ("ink", "soft", "accent", "ok", "warm", "wrong", "added")
      for ground in ("page", "panel", "head")],
    *[("ink", ground) for ground in ("mark", "mark-ok", "mark-flag", "field")],
    ("wrong", "mark-flag"), ("ok", "mark-ok"), ("accent", "mark-ok"), ("wrong", "mark-ok"),
    ("soft", "mark-ok"), ("added", "mark-ok"), ("on-accent", "accent"),
    ("on-focus", "focus"), ("soft", "mark-flag"),
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(opened: Open, scheme: Scheme) -> None:
    page = opened(TABLES, scheme=scheme).page
    names = sorted({name for pair in PAIRS for name in pair})
    colours = page.evaluate(COLOURS % json.dumps(names))
    weak = {pair: round(_contrast(*(colours[name] for name in pair)), 2) for pair in PAIRS}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 4.5} == {}


def _contrast(one: str, other: str) -> float:
    """WCAG 2.2: (L1 + 0.05) / (L2 + 0.05) of the relative luminances."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_help_lists_the_keys(opened: Open) -> None:
    document = opened(TABLES)
    page = document.page
    page.locator("#help-button").click()
    dialog = page.locator("dialog[open]")
    for text in (
        "right as read, go on",
        "Next unchecked",
        "Next flagged",
        "zero in words",
        "illegible",
        "undo",
    ):
        expect(dialog).to_contain_text(text)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
