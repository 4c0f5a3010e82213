"""The overview's data and page: what is counted, where its evidence is, what a hostile report can do."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest
from overview_material import CLOUD, HOSTILE, OFFICE, STONE, Made, failed, reports, write_run

from pipeline.cli.app import app, run_app
from pipeline.fact import Evidence, Fact
from pipeline.overview import content as content_module
from pipeline.overview.collect import material_of
from pipeline.overview.content import Content, overview_content
from pipeline.overview.excerpts import MOST_CHARACTERS, Texts, excerpt
from pipeline.overview.material import Paper
from pipeline.overview.page import render_overview

SCRIPT = re.compile(r"<script[^>]*>(.*?)</script>", re.DOTALL)


def unpacked(content: Content) -> list[dict[str, Any]]:
    return [each for part in content.details for each in json.loads(zlib.decompress(base64.b64decode(part)))]


def prints_of(detail: dict[str, Any]) -> list[dict[str, Any]]:
    """The prints of a detail as the page's script reads them."""
    columns, start, found = detail["prints"], 0, []
    for position in range(len(columns["path"])):
        print_ = {name: column[position] for name, column in columns.items()}
        start += print_["start"]
        found.append({**print_, "start": start})
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("overview") / "made", reports(), [failed("broken")])


@pytest.fixture(scope="module")
def content(run: Path) -> Content:
    return overview_content(material_of([run]))


# ---- index -------------------------------------------------------------------------------


def test_rows_are_issuers_by_year_with_their_status(content: Content) -> None:
    columns = content.index["columns"]
    names = [content.index["issuers"][issuer][1] for issuer in columns["issuer"]]
    statuses = [content_module.STATUSES[status] for status in columns["status"]]
    assert list(zip(names, columns["year"], statuses, strict=True)) == [
        (STONE[0], 2021, "ok"),
        (STONE[0], 2022, "ok"),
        # Its own identities hold; it is at odds with the year before.
        (STONE[0], 2023, "flagged"),
        (OFFICE[0], 2023, "ok"),
        (CLOUD[0], 2021, "flagged"),
        (CLOUD[0], 2023, "ok"),
    ]


def test_an_issuer_has_its_place_type_and_level(content: Content) -> None:
    names, office = content.index["names"], content.index["issuers"][1]
    assert office[0] == "990101:教育局"
    places = [
        names[key][office[place]] for place, key in enumerate(("level", "type", "province", "prefecture"), 2)
    ]
    assert places == ["county", "department", "青岚省", "云溪市"]
    assert office[6] == "990101"


def test_charted_values_are_those_of_the_panel(content: Content) -> None:
    values = content.index["columns"]["values"]
    assert values["h_requests_granted"] == [5, 4711, 8, 0, 1, 2]
    assert values["h_requests_denied"] == [0, 3, 0, 0, 0, 0]
    assert values["rate_granted"] == [7143, 9994, 6154, None, 3333, 10000]  # ten-thousandths


def test_flagged_figures_are_those_of_errors_and_warnings(content: Content) -> None:
    columns = content.index["columns"]
    assert columns["flagged"] == [0, 0, 1, 0, 2, 0]
    assert columns["figures"] == [25, 25, 26, 26, 25, 25]


def test_findings_are_listed_with_both_sides_and_the_prints_latest_first(content: Content) -> None:
    rules, years = content.index["names"]["rules"], content.index["columns"]["year"]
    listed = [
        (years[row], rules[rule], expected, printed)
        for row, _, rule, _, expected, printed, *_ in content.index["findings"]
    ]
    assert listed == [
        (2023, "year.carry", 0, 4),
        (2023, "meta.chapters", 6, HOSTILE),
        (2021, "requests.outcome_total", 1, 3),
    ]
    assert [finding[-1] for finding in content.index["findings"]] == [["4", "0"], [], ["1", "3"]]


def test_findings_beyond_what_a_page_holds_are_counted(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_module, "MOST_FINDINGS", 1)
    index = overview_content(material_of([run])).index
    assert len(index["findings"]) == 1
    assert index["findings_in_all"] == 3


def test_documents_without_a_place_are_named_with_the_reason(content: Content) -> None:
    assert content.index["unplaced"] == [["broken", "made", "the PDF is cut off"]]


def test_two_runs_are_one_panel_and_a_run_named_twice_counts_once(run: Path, tmp_path: Path) -> None:
    later = Made("stone_2024", STONE[0], 2024, STONE[1]).requests(granted=1)
    other = write_run(tmp_path / "later", [later])
    index = overview_content(material_of([run, other, run])).index
    assert index["runs"] == ["made", "later"]
    assert index["columns"]["year"][:4] == [2021, 2022, 2023, 2024]


def test_versions_are_counted_and_told(tmp_path: Path) -> None:
    first, second = (Made(name, STONE[0], 2021, STONE[1]).requests(granted=5) for name in ("a", "b"))
    made = overview_content(material_of([write_run(tmp_path / "run", [first, second])]))
    assert made.index["columns"]["versions"] == [2]
    roles = {version[0]: version[2] for version in unpacked(made)[0]["versions"]}
    assert sorted(roles.values()) == ["chosen", "duplicate"]


def test_a_run_without_reports_makes_a_page(tmp_path: Path) -> None:
    made = overview_content(material_of([write_run(tmp_path / "run", [], [failed("a")])]))
    assert made.index["columns"]["year"] == []
    assert "broken" not in render_overview(made)


# ---- evidence ----------------------------------------------------------------------------


def test_each_print_stands_where_its_evidence_says(content: Content) -> None:
    texts = {report.doc_id: report.text for report in reports()}
    details = unpacked(content)
    assert [detail["doc"] for detail in details][:3] == ["stone_2021", "stone_2022", "stone_2023"]
    for detail in details:
        for found in prints_of(detail):
            document = found.get("document") or detail["doc"]
            raw = found.get("raw") if found.get("raw") is not None else str(found["value"])
            place = texts[document][found["start"] : found["start"] + found["length"]]
            assert place == raw


def test_a_figure_is_its_print_and_a_sum_has_all_of_its_prints(content: Content) -> None:
    detail, variables = unpacked(content)[1], [each[0] for each in content.index["variables"]]
    granted = detail["figures"][variables.index("h_requests_granted")]
    assert prints_of(detail)[-1 - granted]["value"] == 4711
    value, _, prints = detail["figures"][variables.index("h_requests_denied")]
    assert value == 3
    assert len(prints) == 8


def test_kinds_of_no_number_stay_apart(content: Content) -> None:
    statuses, variables = content.index["names"]["statuses"], [each[0] for each in content.index["variables"]]
    details = {detail["doc"]: detail for detail in unpacked(content)}

    def status(doc_id: str, name: str) -> str:
        detail = details[doc_id]
        figure = detail["figures"][variables.index(name)]
        if isinstance(figure, list):
            figure = figure[1]
        return str(statuses[figure if figure >= 0 else prints_of(detail)[-1 - figure]["status"]])

    assert status("stone_2023", "h_normdocs_issued") == "blank"
    assert status("stone_2022", "h_normdocs_issued") == "not_mentioned"
    assert status("stone_2022", "h_items_gazette") in ("not_in_template", "not_mentioned")
    assert status("office_2023", "h_fees_charged_yuan") == "zero_in_words"
    assert status("office_2023", "rate_granted") == "undefined"


def test_a_finding_across_years_has_the_prints_of_both(content: Content) -> None:
    detail = unpacked(content)[2]
    finding = next(
        each for each in detail["findings"] if content.index["names"]["rules"][each["rule"]] == "year.carry"
    )
    both = [
        (found["value"], found.get("document"))
        for found in (prints_of(detail)[place] for place in finding["prints"])
    ]
    assert both == [(4, None), (0, "stone_2022")]


def test_rates_name_the_variables_they_are_made_of(content: Content) -> None:
    variables = content.index["variables"]
    rate = next(each for each in variables if each[0] == "rate_granted")
    assert [variables[part][0] for part in rate[5]] == ["h_requests_granted", "h_requests_concluded"]


# ---- excerpts ----------------------------------------------------------------------------


def fact(start: int, end: int, raw: str) -> Fact:
    return Fact(
        path="p", value=1, raw=raw, source="table", method="rule", evidence=Evidence(start=start, end=end)
    )


@pytest.mark.parametrize(
    ("text", "place", "raw", "expected"),
    [
        ("全年收到申请12件，", (6, 8), "12", ("全年收到申请", "12", "件，")),
        ("收到 12 件", (0, 7), "12", ("收到 ", "12", " 件")),  # a cell of which the figure is a part
        ("甲\n\n\t乙12\n丙", (5, 7), "12", ("甲 乙", "12", " 丙")),
        ("12", (0, 2), "12", ("", "12", "")),
        ("𠀀𠀀12件", (2, 4), "12", ("𠀀𠀀", "12", "件")),
    ],
)
def test_an_excerpt_marks_the_figure(
    text: str, place: tuple[int, int], raw: str, expected: tuple[str, str, str]
) -> None:
    assert excerpt(text, fact(*place, raw)) == expected


@pytest.mark.parametrize("length", [1, 79, 80, 500])
def test_an_excerpt_is_never_longer_than_it_may_be(length: int) -> None:
    text = "前" * 300 + "1" * length + "后" * 300
    found = excerpt(text, fact(300, 300 + length, "1" * length))
    assert found is not None
    assert sum(map(len, found)) <= MOST_CHARACTERS
    assert found[0]
    assert found[2]


@pytest.mark.parametrize("place", [(5, 5), (3, 99), (-1, 2)])
def test_a_place_that_is_not_in_the_text_has_no_excerpt(place: tuple[int, int]) -> None:
    assert excerpt("只有五个字", fact(*place, "1")) is None


def test_excerpts_end_with_their_budget_and_need_a_text(run: Path) -> None:
    report = reports()[0]
    record = report.record()
    figure = next(each for each in record.facts if each.source == "table")
    paper = Paper(record.doc_id, record.sha256, run)
    texts = Texts(characters_left=10)
    assert texts.excerpt(paper, figure) is not None
    assert texts.excerpt(paper, figure) is None
    assert Texts(1000).excerpt(Paper("x", "f" * 64, run), figure) is None
    assert Texts(1000).excerpt(Paper(record.doc_id, record.sha256), figure) is None


def test_a_large_panel_keeps_excerpts_of_flagged_figures_alone(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_module, "MOST_WITH_EXCERPTS", 0)
    for detail in unpacked(overview_content(material_of([run]))):
        flagging = (each["prints"] for each in detail["findings"] if each["severity"] != "note")
        flagged = {place for prints in flagging for place in prints}
        with_excerpt = {place for place, found in enumerate(prints_of(detail)) if found.get("excerpt")}
        assert with_excerpt == flagged


# ---- page --------------------------------------------------------------------------------


def test_the_page_allows_its_own_script_alone_and_asks_for_nothing(content: Content) -> None:
    page = render_overview(content)
    index, details, script = SCRIPT.findall(page)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page
    assert "connect-src" not in page
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)""", page)
    assert json.loads(index) == content.index
    assert json.loads(details) == content.details


def test_what_a_report_says_is_never_markup(content: Content) -> None:
    page = render_overview(content)
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert "<img" not in page


def test_the_command_writes_the_page(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "page.html"
    assert run_app(app, ["overview", str(run), "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    said = capsys.readouterr().out
    assert "6 issuers and years" in said
    assert "1 documents without a place" in said
    first = out.read_bytes()
    assert run_app(app, ["overview", str(run), "--out", str(out)]) == 0
    assert out.read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nowhere", "--out", "page.html"], 3),
        (["RUN", "--out", "."], 2),
        (["RUN", "--out", "RUN/records.jsonl/x"], 3),
    ],
)
def test_what_cannot_be_read_or_written_is_said(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_app(app, ["overview", *(each.replace("RUN", str(run)) for each in arguments)]) == code
