"""Both reports in a real browser: opened from disk without a network, filtered, sorted, drilled into."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from browser import Scheme, Watched, chromium, opened
from playwright.sync_api import Browser, expect

from evals.cli import add_commands
from pipeline.cli.app import app as pipeline_app
from pipeline.cli.support import run_app

SAMPLES = Path(__file__).parents[1] / "gold" / "samples"
PDF = "botang_2023"
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)><style>body{display:none}</style>"
# Planted into the second run: (document, path) → value, None to leave the fact out.
PLANTED: dict[tuple[str, str], Any] = {
    (PDF, "requests.unprocessed_mass.company"): 4711,
    (PDF, "proactive.penalties.decisions"): None,
    ("moling_2023", "requests.granted.research"): 12345,
    ("qilan_2022", "meta.issuer"): HOSTILE,
}


@dataclass(frozen=True)
class Reports:
    """The two reports, and how many facts the second run has wrong."""

    report: Path
    comparison: Path
    scores: dict[str, Any]


def plant(line: str) -> str:
    """A record with the planted errors."""
    record = json.loads(line)
    kept = []
    for fact in record["facts"]:
        value = PLANTED.get((record["doc_id"], fact["path"]), fact["value"])
        if value is not None or fact["value"] is None:
            kept.append(fact | {"value": value})
    return json.dumps(record | {"facts": kept}, ensure_ascii=False)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """Sample reports read without a model, then with planted errors; scored and compared."""
    folder = tmp_path_factory.mktemp("reports")
    good, bad, out = folder / "good", folder / "bad", folder / "out"
    assert run_app(pipeline_app, ["extract", str(SAMPLES), "--out", str(good), "--strategy", "rules"]) == 0
    bad.mkdir()
    (bad / "text").symlink_to(good / "text")
    lines = (good / "records.jsonl").read_text(encoding="utf-8").splitlines()
    (bad / "records.jsonl").write_text("".join(f"{plant(line)}\n" for line in lines), encoding="utf-8")
    commands = typer.Typer()
    add_commands(commands)
    gold = ["--gold", str(SAMPLES), "--out", str(out)]
    assert run_app(commands, ["eval", str(bad), *gold]) == 0
    assert run_app(commands, ["compare", str(good), str(bad), *gold]) == 0
    scores = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    return Reports(out / "report.html", out / "comparison.html", scores)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def report(browser: Browser, reports: Reports) -> Iterator[Watched]:
    with opened(browser, reports.report) as watched:
        yield watched
        assert watched.complaints == []


@pytest.fixture
def comparison(browser: Browser, reports: Reports) -> Iterator[Watched]:
    with opened(browser, reports.comparison) as watched:
        yield watched
        assert watched.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["report", "comparison"])
def test_a_page_opens_from_disk_and_fits(
    browser: Browser, reports: Reports, name: str, width: int, scheme: Scheme
) -> None:
    file: Path = getattr(reports, name)
    with opened(browser, file, width, scheme) as watched:
        assert watched.complaints == []
        assert [url for url in watched.requests if not url.startswith("data:")] == [file.as_uri()]
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
        background = watched.page.evaluate("getComputedStyle(document.body).backgroundColor")
        lightness = sum(int(part) for part in background.removeprefix("rgb(").removesuffix(")").split(","))
        assert (lightness > 384) == (scheme == "light")


def test_errors_are_shown_first_and_all_of_them(report: Watched, reports: Reports) -> None:
    overall = reports.scores["overall"]
    errors = overall["wrong"] + overall["omitted"] + overall["invented"]
    expect(report.page.locator("#facts tbody tr")).to_have_count(errors)
    expect(report.page.locator("#count")).to_contain_text(str(errors))
    report.page.select_option("#by-verdict", "")
    judged = errors + overall["correct"] + overall["correctly_absent"]
    expect(report.page.locator("#count")).to_contain_text(str(judged))


def test_filters_narrow_the_list(report: Watched) -> None:
    page, rows = report.page, report.page.locator("#facts tbody tr")
    page.select_option("#by-verdict", "")
    page.select_option("#by-group", "remedies")
    assert rows.count() > 0
    assert all(
        ".remedies." in f".{text}" for text in rows.locator("td:first-child .soft").all_text_contents()[::2]
    )
    page.select_option("#by-template", "table2019")
    narrowed = rows.count()
    page.select_option("#by-document", label="moling_2023")
    assert rows.count() < narrowed
    page.select_option("#by-template", "")
    page.select_option("#by-group", "")
    page.select_option("#by-verdict", "wrong")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("12345")


def test_a_figure_of_a_pdf_is_outlined_on_its_page(report: Watched) -> None:
    page = report.page
    page.select_option("#by-document", label=PDF)
    page.select_option("#by-verdict", "wrong")
    page.locator("#facts tbody tr", has_text="4711").locator("button").click()
    place = page.locator("#source .place.chosen")
    expect(place).to_have_count(1)
    expect(place).to_be_in_viewport()
    picture = page.locator("#source .sheet", has=page.locator(".place.chosen")).locator("img")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 500")
    inside, outside = place.bounding_box(), picture.bounding_box()
    assert inside is not None
    assert outside is not None
    assert outside["y"] <= inside["y"] <= inside["y"] + inside["height"] <= outside["y"] + outside["height"]
    page.click("#view-text")
    expect(page.locator("#source mark.chosen")).to_be_in_viewport()


def test_on_a_telephone_the_outlined_figure_comes_into_view(browser: Browser, reports: Reports) -> None:
    with opened(browser, reports.report, 390, "dark") as watched:
        page = watched.page
        page.select_option("#by-document", label=PDF)
        page.select_option("#by-verdict", "wrong")
        page.locator("#facts tbody tr", has_text="4711").locator("button").click()
        expect(page.locator("#source .place.chosen")).to_be_in_viewport()
        assert watched.complaints == []


def test_a_place_in_the_source_shows_its_fact(report: Watched) -> None:
    page = report.page
    page.select_option("#by-document", label=PDF)
    page.locator("#source .place").first.click()
    expect(page.locator("#facts tr.chosen")).to_have_count(1)
    page.select_option("#by-document", label="moling_2023")
    page.locator("#source mark").first.click()
    expect(page.locator("#facts tr.chosen")).to_have_count(1)


def test_tables_sort_and_keep_the_baselines_below(report: Watched) -> None:
    table = report.page.locator("table.sortable").last
    table.locator("th button").nth(1).click()
    falling = [float(text) for text in table.locator("tbody td:nth-child(2)").all_text_contents()]
    assert falling == sorted(falling, reverse=True)
    assert len(falling) == 9
    expect(table.locator("tfoot tr")).to_have_count(2)


def test_what_a_document_says_stays_text(report: Watched) -> None:
    report.page.select_option("#by-document", label="qilan_2022")
    report.page.select_option("#by-group", "meta")
    expect(report.page.locator("#facts tbody tr")).to_contain_text("<script>alert(1)</script>")
    assert report.page.locator("#facts img, #facts script, #facts style").count() == 0


def test_the_comparison_shows_only_differences_and_filters_them(comparison: Watched) -> None:
    page = comparison.page
    rows = page.locator("[data-changes] tbody tr:visible")
    expect(rows).to_have_count(len(PLANTED))
    page.select_option("[data-key=document]", PDF)
    expect(rows).to_have_count(2)
    page.select_option("[data-key=group]", "proactive")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("omitted")
    documents = page.locator("#documents-0 tbody tr:visible")
    expect(documents).to_have_count(3)
    page.click("[data-differing]")
    expect(documents).to_have_count(9)
