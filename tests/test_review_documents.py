"""The list of documents and the way to the next figure, as the pages and as a browser shows them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from browser import Scheme, chromium
from playwright.sync_api import Browser, expect
from review_runs import made_fact, made_finding, made_record, made_run
from review_server import ReviewServer, review_server, visit
from starlette.applications import Starlette
from starlette.testclient import TestClient

from evals.review.library import Library
from evals.review.queue import index as queue
from evals.review.queue import routes as documents
from evals.review.settings import ReviewContext, ReviewSettings
from evals.review.source.reading_child import Reading
from pipeline.fact import Record
from pipeline.runs.reviews import ReviewLog, Target

ME = "tester"


@dataclass
class Pages:
    """The pages without a socket, and the log that they look at."""

    client: TestClient
    log: ReviewLog

    def text(self, path: str) -> str:
        """What a page says, without markup."""
        answer = self.client.get(path)
        assert answer.status_code == 200
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())

    def names(self, path: str) -> list[str]:
        """The documents that a page lists, in order."""
        return re.findall(r'class="name"[^>]*>([^<]+)<', self.client.get(path).text)

    def next(self, path: str) -> str:
        """Where a way to the next figure leads."""
        answer = self.client.get(path, follow_redirects=False)
        assert answer.status_code == 303
        return unquote(answer.headers["location"])

    def wait(self) -> None:
        for _ in range(200):
            if self.client.get("/progress").json()["complete"]:
                return
            threading.Event().wait(0.05)
        raise AssertionError("the records are not read")

    def say(self, record: Record, position: int, action: str = "confirm") -> None:
        fact = record.facts[position]
        self.log.append(record.doc_id, record.sha256, ME, action, Target.of(fact), seen=fact)  # type: ignore[arg-type]


@contextmanager
def pages_of(run: Path, *, is_read: bool = True, lang: str = "en") -> Iterator[Pages]:
    with ReviewLog.opened(run) as log, ExitStack() as resources:
        settings = ReviewSettings(run, annotator=ME, lang=lang)  # type: ignore[arg-type]
        context = ReviewContext(settings, Library(run), Reading(), "csrf", resources, None, log)
        app = Starlette(routes=documents.routes(context))
        app.state.context = context
        pages = Pages(TestClient(app), log)
        if is_read:
            pages.wait()
        yield pages


def three_records() -> list[Record]:
    """One without doubt, one with an error and 2 figures of meta, one that could not be read."""
    facts = (
        made_fact("meta.issuer", 0, None, source="metadata", method="rule", raw="砚溪县人民政府").model_copy(
            update={"value": "砚溪县人民政府"}
        ),
        made_fact("meta.year", 20, None, value=2023, source="metadata", method="rule"),
        made_fact("requests.granted.total", 30, 0.9),
        made_fact("requests.granted.company", 40, 1.0),
    )
    flagged = made_record("b_2023", [], [made_finding(facts[2:], "error", "reading")], facts=facts)
    failed = made_record("c_2022", [], status="failed", error="the file is empty", error_code="empty")
    return [made_record("a_2021", [1.0] * 5), flagged, failed]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return made_run(tmp_path / "run", three_records())


def test_the_list_has_every_document_with_its_findings_and_counts(run: Path) -> None:
    with pages_of(run) as pages:
        text = pages.text("/")
        assert pages.names("/") == ["b_2023", "a_2021", "c_2022"], "the likeliest to be wrong first"
        assert "砚溪县人民政府 · 2023" in text
        assert "Errors: 1 To look at: 2 0 of 4" in text
        assert "c_2022 Not read: the file is empty" in text
        assert 'href="/documents/3"' not in pages.client.get("/").text, "nothing to see of what was not read"
        assert "0 of 9 figures checked" in text
        assert "2 flagged figures not checked" in text


def test_what_was_checked_counts_at_the_next_look(run: Path) -> None:
    record = three_records()[1]
    with pages_of(run) as pages:
        assert pages.next("/next") == "/documents/2#figure-requests.granted.total~table~30~31"
        pages.say(record, 2, "remove")
        assert pages.next("/next") == "/documents/2#figure-requests.granted.company~table~40~41"
        text = pages.text("/")
        assert "To look at: 1 1 of 4" in text
        assert "1 of 9 figures checked" in text
        assert "Checked: 1 figures, wrong: 1; by the machine's own chances 0.5" in text
        pages.say(record, 3)
        assert pages.next("/next?kind=flagged") == "/?said=none_flagged"
        assert "No flagged figure is left to check." in pages.text("/?said=none_flagged")
        assert pages.next("/next").startswith("/documents/2#figure-meta.")


def test_the_next_figure_goes_on_behind_the_one_named_and_stays_within_a_document(run: Path) -> None:
    with pages_of(run) as pages:
        after = "after=2&key=requests.granted.total~table~30~31"
        assert pages.next(f"/next?kind=flagged&{after}").endswith("requests.granted.company~table~40~41")
        assert pages.next("/next?in=1").startswith("/documents/1#")
        assert pages.next("/next?kind=flagged&in=1") == "/?said=none_flagged"
        assert pages.next("/next?in=99") == "/?said=none_unchecked"
        assert pages.next("/next?after=99&key=nothing").startswith("/documents/2#")
        assert pages.next("/next?after=x&key=%00").startswith("/documents/2#")
        assert pages.client.get("/next?kind=worst").status_code == 404


def test_a_script_is_told_the_next_figure_without_leaving_its_page(run: Path) -> None:
    with pages_of(run) as pages:
        headers = {"accept": "application/json"}
        key = "requests.granted.total~table~30~31"
        answer = pages.client.get("/next?kind=flagged", headers=headers)
        assert answer.json() == {"number": 2, "key": key, "address": f"/documents/2#figure-{key}"}
        answer = pages.client.get("/next?kind=flagged&in=1", headers=headers)
        assert answer.json() == {"number": None, "key": None, "address": "/?said=none_flagged"}


def test_everything_checked_is_said_so(tmp_path: Path) -> None:
    record = made_record("a", [0.5, 0.5])
    with pages_of(made_run(tmp_path / "run", [record])) as pages:
        for position in range(2):
            pages.say(record, position)
        for kind in ("unchecked", "flagged", "sample"):
            assert pages.next(f"/next?kind={kind}") == f"/?said=none_{kind}"
        assert "0 checks remain" in pages.text("/")
        assert "Every figure has been checked." in pages.text("/?said=none_unchecked")
        assert pages.client.get("/?said=<script>").text.count("<script>") == 0


def test_documents_are_found_filtered_and_paged(tmp_path: Path) -> None:
    records = [
        made_record(f"d{at:03}", [1.0 if at % 2 else 0.4], status="ok" if at % 10 else "flagged")
        for at in range(250)
    ]
    with pages_of(made_run(tmp_path / "run", records)) as pages:
        assert pages.names("/?sort=name") == [f"d{at:03}" for at in range(100)]
        assert pages.names("/?sort=name&page=3") == [f"d{at:03}" for at in range(200, 250)]
        assert pages.names("/?sort=name&page=999") == pages.names("/?sort=name&page=3")
        assert pages.names("/?page=x") == pages.names("/")
        assert set(pages.names("/")) == {f"d{at:03}" for at in range(0, 200, 2)}, "by risk"
        assert pages.names("/?q=D00+4") == ["d004"]
        assert len(pages.names("/?status=flagged")) == 25
        assert "No document fits this choice." in pages.text("/?q=nothing")
        assert "Documents 101 to 200 of 250" in pages.text("/?sort=name&page=2")
        assert 'href="/?sort=name&amp;page=3"' in pages.client.get("/?sort=name&page=2").text
        pages.say(records[4], 0)
        assert "d004" not in pages.names("/?show=unchecked&q=d00")
        assert pages.names("/?show=flagged") == []


def test_the_list_waits_for_no_record(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_read = threading.Event()
    read = queue.read_figures

    def slow(*arguments: object) -> object:
        assert may_read.wait(30)
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(queue, "read_figures", slow)
    with pages_of(run, is_read=False) as pages:
        text = pages.text("/")
        assert pages.names("/") == ["b_2023", "a_2021", "c_2022"], (
            "by findings as long as risks are not known"
        )
        assert "Reading the records: 0 of 3" in text
        assert "… of 5" in text
        assert pages.next("/next?kind=sample") == "/?said=not_read"
        progress = pages.client.get("/progress").json()
        assert (progress["complete"], [each["id"] for each in progress["fragments"]]) == (
            False,
            ["queue-state"],
        )
        may_read.set()
        pages.wait()
        progress = pages.client.get("/progress").json()
        assert [each["id"] for each in progress["fragments"]] == ["queue-state", "documents"]
        assert progress["figures"] == 9


def test_the_random_sample_is_told_apart_from_checks_by_chance(tmp_path: Path) -> None:
    record = made_record("a", [0.5, 1.0] * 40)
    with pages_of(made_run(tmp_path / "run", [record])) as pages:
        keys = {Target.of(fact).key: at for at, fact in enumerate(record.facts)}
        pages.say(record, keys[pages.next("/next").partition("#figure-")[2]], "remove")
        assert "None drawn yet." in pages.text("/")
        for _ in range(20):
            pages.say(record, keys[pages.next("/next?kind=sample").partition("#figure-")[2]])
        text = pages.text("/")
        assert (
            "20 figures drawn at random, 0 were wrong. Of the figures not checked, 100.00 % are right" in text
        )
        # Clopper and Pearson for 0 of 20: 16.84 %; of all figures 59 of 80 are unchecked.
        assert "(95 %: 83.16 % to 100.00 %)" in text
        assert "100.00 % (87.58 % to 100.00 %)" in text


def test_the_time_left_is_told_by_the_pace_of_the_reviewer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = made_record("a", [0.5] * 100)
    seconds = iter(range(0, 1000, 30))
    monkeypatch.setattr(
        "pipeline.runs.reviews.now",
        lambda: f"2025-01-01T10:{(at := next(seconds)) // 60:02}:{at % 60:02}+00:00",
    )
    with pages_of(made_run(tmp_path / "run", [record])) as pages:
        assert "at your pace" not in pages.text("/")
        for position in range(10):
            pages.say(record, position)
        text = pages.text("/")
        remaining = int(re.findall(r"(\d+) checks remain", text)[0])
        assert 80 < remaining < 90
        assert f"About {round(remaining / 2)} min at your pace." in text


def test_what_a_report_says_is_no_markup(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    issuer = made_fact("meta.issuer", 0, None, source="metadata", method="rule").model_copy(
        update={"value": evil}
    )
    records = [
        made_record("a", [], facts=(issuer,)),
        made_record('b"><script>', [], status="failed", error=evil, error_code="empty"),
    ]
    with pages_of(made_run(tmp_path / "run", records)) as pages:
        html = pages.client.get("/").text
        assert "<img" not in html
        assert '"><script>' not in html
        assert html.count("&lt;img src=x onerror=alert(1)&gt;") == 2


# ---- in a browser ----


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReviewServer]:
    records = [
        *three_records(),
        *(made_record(f"long_name_of_a_report_{at}" * 2, [0.9] * 20) for at in range(20)),
    ]
    run = made_run(tmp_path_factory.mktemp("list") / "run", records)
    with review_server(run, "--annotator", ME) as started:
        yield started


def test_the_list_can_be_used_by_keyboard_alone(browser: Browser, server: ReviewServer) -> None:
    with visit(browser, server, locale="en-US") as visiting:
        page = visiting.page
        expect(page.locator("#queue-state")).to_have_attribute("data-complete", "true")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        focused = page.locator("tbody tr").nth(1).locator("a.name")
        expect(focused).to_be_focused()
        page.keyboard.press("ArrowUp")
        expect(page.locator("tbody tr").nth(0).locator("a.name")).to_be_focused()
        page.keyboard.press("/")
        expect(page.locator("#search")).to_be_focused()
        page.keyboard.type("n_2023")
        assert page.url.endswith("/"), "letters in the search are no commands"
        page.keyboard.press("Control+a")
        page.keyboard.type("b_2023")
        page.keyboard.press("Enter")
        page.wait_for_url("**/?q=b_2023**")
        expect(page.locator("tbody tr")).to_have_count(1)
        page.locator("h2").first.press("f")
        page.wait_for_url("**/documents/2#figure-requests.granted.total~table~30~31")
        assert visiting.strayed == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("locale", "title"), [("zh-CN", "run 的文件"), ("en-US", "Documents of run")])
def test_the_list_fits_a_telephone(
    browser: Browser, server: ReviewServer, scheme: Scheme, locale: str, title: str
) -> None:
    with visit(browser, server, 390, scheme=scheme, locale=locale) as visiting:
        page = visiting.page
        expect(page.locator("#queue-state")).to_have_attribute("data-complete", "true")
        page.locator("#queue-how summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        unnamed = page.locator("a, button, select, input, progress").evaluate_all(UNNAMED)
        assert unnamed == 0
        low = page.evaluate(CONTRAST)
        assert low == []
        assert visiting.complaints == []
        assert visiting.strayed == []


# Text whose colour is too near to that behind it.
CONTRAST = """() => {
  const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = rgb => 0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2]);
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const hasText = node => [...node.childNodes].some(each => each.nodeType === 3 && each.data.trim());
  const low = [];
  for (const node of document.querySelectorAll('main *')) {
    if (!hasText(node) || !node.getClientRects().length) continue;
    const pair = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    if ((Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05) < 4.5) low.push(node.outerHTML.slice(0, 80));
  }
  return low;
}"""
UNNAMED = """all => all.filter(
  each => !(each.getAttribute('aria-label') || each.labels?.length || each.textContent.trim())
).length"""
