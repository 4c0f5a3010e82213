"""A small country that does not exist: its panel is the truth, and every planted error is found.

The large one is made and compared by `country_panel.py`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from country_panel import compare, extract, report
from made_country import MadeCountry, make_country
from made_places import YEARS, made_province
from made_planting import LIST_APART, PLANTS
from made_reports import Paragraph
from report_carriers import as_text

from pipeline.extraction import extract_document
from pipeline.read import read_document

COUNTIES, SEED, PLANTED = 7, 3, 0.12


@pytest.fixture(scope="module")
def country() -> MadeCountry:
    return make_country(COUNTIES, SEED, PLANTED)


@pytest.fixture(scope="module")
def run(country: MadeCountry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("country")
    country.write(folder / "reports")
    extract(folder / "reports", folder / "run", concurrency=2)
    return folder / "run"


def test_the_panel_is_the_truth_and_every_planted_error_is_found(country: MadeCountry, run: Path) -> None:
    comparison = compare(country, run)
    assert comparison.holds, report(comparison)
    assert min(count.compared for count in comparison.counts) > 0


def test_what_differs_from_the_truth_is_counted(country: MadeCountry, run: Path) -> None:
    document = next(each for each in country.documents if each.role == "chosen" and not each.plan.copies)
    year = next(fact for fact in document.report.expected if fact.path == "meta.year")
    facts = document.report.expected - {year} | {replace(year, value="1999")}
    other = replace(document, report=replace(document.report, expected=facts), role="superseded")
    truth = MadeCountry(
        country.province, country.plans, [other if each is document else each for each in country.documents]
    )
    truth.broken_within = frozenset()
    comparison = compare(truth, run)
    wrong = {count.what: len(count.wrong) for count in comparison.counts}
    assert wrong["facts read from documents"] == 1
    assert wrong["rows: issuers and years"] == 1
    assert wrong["roles of documents"] == 1
    # What nothing explains is a false alarm.
    rules = Counter(each.rule for each in country.broken_within)
    assert rules
    assert {rule: comparison.alarms[rule] for rule in rules} == rules


def test_a_list_behind_a_full_stop_is_added_up(tmp_path: Path) -> None:
    country = make_country(5, SEED, planted=0.01, kinds=(LIST_APART,))
    document = next(each for each in country.documents if each.plan.plant == LIST_APART)
    (tmp_path / "report.txt").write_bytes(as_text(document.report))
    extraction = extract_document(read_document(tmp_path / "report.txt"))
    paragraphs = [block.text for block in document.report.blocks if isinstance(block, Paragraph)]
    assert any("。其中，" in text for text in paragraphs)
    assert "narrative.closed_list" in {finding.rule for finding in extraction.findings}


def test_without_planted_errors_every_identity_holds() -> None:
    country = make_country(12, SEED, planted=0)
    assert {each.rule for each in country.broken_within} <= {"meta.published"}  # altered too late
    # A prefecture that counts itself alone is no sum of its counties.
    assert {each.rule for each in country.broken_across} <= {"level.sum"}


def test_every_kind_of_error_breaks_its_identity() -> None:
    country = make_country(12, SEED, planted=0.15)
    broken = country.broken_within | country.broken_across
    planted = [row for row in country.rows if row.plan.plant is not None]
    assert {row.plan.plant for row in planted} == PLANTS.keys()
    for row in planted:
        rules = {each.rule for each in broken if each.doc_id == row.doc_ids[0]}
        plant = PLANTS[str(row.plan.plant)]
        assert plant.rule in rules, (row.doc_ids[0], row.plan.plant)


def test_a_seed_gives_the_same_country() -> None:
    one, two, other = (make_country(5, seed) for seed in (1, 1, 2))
    assert one.documents == two.documents
    assert one.documents != other.documents


def test_a_place_keeps_its_identifier_through_renaming() -> None:
    province = made_province(25, SEED)
    renamed = [place for place in province.counties if len(place.names) > 1]
    assert {place.names[-1].name[-1] for place in renamed} == {"县", "市", "区"}
    for place in renamed:
        units = {province.unit_of(place.name_in(year).code, year) for year in YEARS}
        assert {unit.unit_id for unit in units if unit is not None} == {place.unit_id}
        assert {unit.name for unit in units if unit is not None} == {each.name for each in place.names}


def test_a_merged_county_names_its_successor() -> None:
    province = made_province(25, SEED)
    merged = [place for place in province.counties if place.successor is not None]
    for place in merged:
        unit = province.unit_of(place.unit_id, place.last_year)
        assert unit is not None
        assert unit.successors == (place.successor,)
        assert place.successor in {each.unit_id for each in province.units_in(place.last_year + 1)}
    assert len(merged) == 2
