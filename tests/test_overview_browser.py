"""The overview in a real browser: opened from disk without a network, filtered, sorted, drilled into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Scheme, Watched, chromium, opened
from overview_material import CLOUD, HOSTILE, OFFICE, STONE, Made, failed, reports, write_run
from playwright.sync_api import Browser, Locator, expect

from pipeline.overview.collect import material_of
from pipeline.overview.content import overview_content
from pipeline.overview.page import write_overview


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("overview")
    run = write_run(folder / "run", reports(), [failed("broken")])
    return write_overview(overview_content(material_of([run])), folder / "page.html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser, page_file: Path) -> Iterator[Watched]:
    with opened(browser, page_file) as watched:
        yield watched
        assert watched.complaints == []
        assert watched.requests == [page_file.as_uri()]


def cell(page: Watched, issuer: str, year: int) -> Locator:
    return page.page.get_by_role("button", name=f"{issuer} {year}:")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_opens_from_disk_and_fits(
    browser: Browser, page_file: Path, width: int, scheme: Scheme
) -> None:
    with opened(browser, page_file, width, scheme) as watched:
        page = watched.page
        expect(page.locator("#grid tbody tr")).to_have_count(3)
        cell(watched, CLOUD[0], 2021).click()
        expect(page.locator("#panel-body .finding")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.getElementById('panel').getBoundingClientRect().left") >= 0
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        lightness = sum(int(part) for part in background.removeprefix("rgb(").removesuffix(")").split(","))
        assert (lightness > 384) == (scheme == "light")
        assert watched.complaints == []
        assert watched.requests == [page_file.as_uri()]


def test_a_coverage_cell_opens_its_figures_with_their_prints(page: Watched) -> None:
    cell(page, STONE[0], 2022).click()
    body = page.page.locator("#panel-body")
    expect(page.page.locator("#panel-title")).to_have_text(f"{STONE[0]} · 2022")
    expect(body).to_contain_text("stone_2022")
    granted = body.locator("tr", has=page.page.locator("td", has_text="requests granted")).first
    expect(granted).to_contain_text("4,711")
    expect(granted).to_contain_text("page 2")
    expect(granted.locator("mark")).to_have_text("4711")
    expect(granted.locator(".excerpt")).to_contain_text("requests.granted.total：4711")


def test_cells_tell_ok_flagged_and_missing(page: Watched) -> None:
    expect(cell(page, STONE[0], 2022)).to_have_accessible_name(f"{STONE[0]} 2022: ok")
    expect(cell(page, CLOUD[0], 2021)).to_have_accessible_name(f"{CLOUD[0]} 2021: flagged")
    missing = cell(page, CLOUD[0], 2022)
    expect(missing).to_have_accessible_name(f"{CLOUD[0]} 2022: missing")
    missing.click()
    expect(page.page.locator("#panel-body")).to_contain_text("no report of this year")
    expect(page.page.locator("#summary")).to_contain_text("6 reports: 4 ok, 2 flagged, 0 failed, 3 missing")


def test_a_mark_of_the_outcomes_opens_the_issuers_and_their_figures(page: Watched) -> None:
    page.page.get_by_role("button", name="2022 requests granted: 4,711").first.click()
    entry = page.page.locator("#panel-body tr", has_text=STONE[0])
    expect(entry).to_contain_text("4,711")
    entry.locator("button").click()
    expect(page.page.locator("#panel-title")).to_have_text(f"{STONE[0]} · 2022")
    expect(page.page.locator("#panel-body mark", has_text="4711").first).to_be_visible()
    page.page.click("#panel-back")
    expect(page.page.locator("#panel-title")).to_contain_text("requests granted · 2022 · 4,711")


def test_a_box_opens_the_rates_of_its_year(page: Watched) -> None:
    page.page.locator("#rates").get_by_role("button", name="2021").click()
    lines = page.page.locator("#panel-body tr")
    assert [text.split()[-2] for text in lines.all_inner_texts()] == ["71.4", "33.3"]


def test_a_bar_of_flagged_figures_opens_the_reports_that_have_them(page: Watched) -> None:
    page.page.locator("#flagged").get_by_role("button", name="2021").click()
    lines = page.page.locator("#panel-body tr")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("2 / 25")


def test_a_finding_opens_both_sides_with_the_prints_of_both_documents(page: Watched) -> None:
    line = page.page.locator("#findings tbody tr", has_text="year.carry")
    line.locator("button").click()
    finding = page.page.locator("#panel-body .finding.chosen")
    expect(finding).to_contain_text("Expected 0 · Printed 4")
    expect(finding.locator(".place", has_text="stone_2022")).to_contain_text("characters")
    expect(finding.locator("mark")).to_have_text(["4", "0"])


def test_tables_of_the_charts_have_the_same_figures_and_open_them(page: Watched) -> None:
    table = page.page.locator("#outcomes-table")
    page.page.locator("figure", has=table).locator("summary").click()
    row = table.locator("tr", has=page.page.locator("th", has_text="2022"))
    assert row.locator("td").all_inner_texts() == ["4,711", "0", "3", "0", "0", "0", "4,714", "1"]
    row.locator("button").first.click()
    expect(page.page.locator("#panel-body")).to_contain_text(STONE[0])


def test_filters_narrow_everything(page: Watched) -> None:
    page.page.select_option("#by-type", label="department")
    expect(page.page.locator("#grid tbody tr")).to_have_count(1)
    expect(page.page.locator("#grid tbody tr")).to_contain_text(OFFICE[0])
    expect(page.page.locator("#findings tbody tr")).to_have_count(0)
    expect(page.page.locator("#summary")).to_contain_text("1 issuers")
    page.page.click("#filters button")
    page.page.fill("#by-name", "990102")
    expect(page.page.locator("#grid tbody tr")).to_have_count(1)
    expect(page.page.locator("#findings tbody tr")).to_have_count(2)
    page.page.click("#filters button")
    page.page.select_option("#by-status", "missing")
    expect(page.page.locator("#grid tbody tr")).to_have_count(2)


def test_rows_can_be_places_and_a_place_opens_its_issuers(page: Watched) -> None:
    page.page.select_option("#grid-rows", "prefecture")
    line = page.page.locator("#grid tbody tr")
    expect(line).to_have_count(1)
    assert line.locator(".cell").all_inner_texts() == ["2\n!", "1", "3\n!"]
    line.locator(".cell").first.click()
    expect(page.page.locator("#panel-body tr")).to_have_count(3)
    expect(page.page.locator("#panel-body tr").first).to_contain_text("flagged")


def test_the_grid_and_the_findings_sort(page: Watched) -> None:
    page.page.select_option("#grid-sort", "flagged")
    names = page.page.locator("#grid tbody th button").all_inner_texts()
    assert names[-1] == OFFICE[0]
    page.page.locator("#findings th button", has_text="Severity").click()
    severities = page.page.locator("#findings tbody td:nth-child(3)").all_inner_texts()
    assert severities == ["error", "warning", "note"]


def test_everything_can_be_reached_with_the_keyboard(page: Watched) -> None:
    first = page.page.locator("#grid tbody th button").first
    first.focus()
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("ArrowRight")
    expect(cell(page, STONE[0], 2022)).to_be_focused()
    page.page.keyboard.press("ArrowDown")
    expect(cell(page, OFFICE[0], 2022)).to_be_focused()
    page.page.keyboard.press("ArrowUp")
    page.page.keyboard.press("Enter")
    expect(page.page.locator("#panel")).to_be_focused()
    expect(page.page.locator("#panel-title")).to_contain_text("2022")
    page.page.keyboard.press("Escape")
    expect(page.page.locator("#panel")).to_be_hidden()
    expect(cell(page, STONE[0], 2022)).to_be_focused()
    page.page.locator("#rates [tabindex='0']").focus()
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("Enter")
    expect(page.page.locator("#panel-title")).to_contain_text("2022")


def test_labels_are_chinese_or_english(page: Watched) -> None:
    expect(page.page.locator("html")).to_have_attribute("lang", "en")
    cell(page, STONE[0], 2022).click()
    page.page.locator("#language").click()
    expect(page.page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.page.locator("#coverage")).to_have_text("覆盖情况：机构 × 年份")
    expect(page.page.locator("#panel-body")).to_contain_text("予以公开数")
    expect(page.page.locator("#panel-body")).to_contain_text("第 2 页")
    assert (
        page.page.locator("[data-text]").evaluate_all("all => all.filter((each) => !each.textContent).length")
        == 0
    )


def test_what_a_report_says_stays_text(page: Watched) -> None:
    expect(page.page.locator("#findings tbody")).to_contain_text("<script>alert(1)</script>")
    cell(page, OFFICE[0], 2023).click()
    expect(page.page.locator("#panel-body")).to_contain_text(f"未收取{HOSTILE[:20]}")
    cell(page, CLOUD[0], 2023).click()
    expect(page.page.locator("#panel-body .finding")).to_contain_text(HOSTILE)
    assert page.page.locator("main img, aside img, main script, aside script, main style").count() == 0


def test_many_issuers_are_shown_in_pages(browser: Browser, tmp_path: Path) -> None:
    many = [
        Made(f"r{number:03d}", f"石桥县第{number}镇人民政府", 2021, "990101").requests()
        for number in range(120)
    ]
    run = write_run(tmp_path / "run", many)
    file = write_overview(overview_content(material_of([run])), tmp_path / "page.html")
    with opened(browser, file) as watched:
        page = watched.page
        expect(page.locator("#grid tbody tr")).to_have_count(50)
        expect(page.locator("#grid-before")).to_be_disabled()
        page.click("#grid-after")
        page.click("#grid-after")
        expect(page.locator("#grid tbody tr")).to_have_count(20)
        expect(page.locator("#grid-after")).to_be_disabled()
        expect(page.locator("#grid-page")).to_contain_text("3 / 3 · 120")
        assert watched.complaints == []


def test_a_panel_without_rows_says_so(browser: Browser, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [], [failed("broken")])
    file = write_overview(overview_content(material_of([run])), tmp_path / "page.html")
    with opened(browser, file) as watched:
        expect(watched.page.locator("#outcomes")).to_contain_text("No data")
        watched.page.locator("#unplaced-count").click()
        expect(watched.page.locator("#unplaced")).to_contain_text("the PDF is cut off")
        assert watched.complaints == []
