"""Identities across years and levels, and `gongkai check` over several runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from checks_material import Cell, Paper
from panel_material import failed, made, requests_paper, rows_of, six, write_run

from pipeline.cli.app import app
from pipeline.cli.support import run_app
from pipeline.fact import Finding, Record
from pipeline.panel.across import AcrossFinding, assess_across, check_across
from pipeline.panel.across_levels import children_in, summed_paths
from pipeline.panel.model import PanelRow, Unit
from pipeline.panel.units import GB_2260, Level
from pipeline.schema import fields

Changed = Mapping[str, Cell]


def carrying(doc_id: str, year: int, form: str, changed: Changed = {}, **parts: object) -> Record:  # noqa: B006
    """A report that takes over 3 requests of companies and 1 of a person, and leaves as many."""
    four = six(company=3, natural_person=1)
    rows = {"carried_in": four, "granted": six(company=9), "carried_out": four}
    return made(doc_id, requests_paper(form, rows, changed), year=year, **parts)  # type: ignore[arg-type]


def found(*records: Record) -> list[tuple[str, str | None, float | str | None, float | str | None]]:
    """Rule, place, expected, printed of every finding across."""
    across = check_across(rows_of(*records))
    return [(f.finding.rule, f.finding.at, f.finding.expected, f.finding.printed) for f in across]


def one(*records: Record) -> AcrossFinding:
    (finding,) = check_across(rows_of(*records))
    return finding


NEW, OLD = "table2021", "table2019"
CARRY = [
    # forms of both years, changes in the earlier report, in the later one, findings (at, expected, printed)
    (NEW, NEW, {}, {}, []),
    (OLD, NEW, {}, {}, []),
    (OLD, OLD, {}, {}, []),
    (OLD, NEW, {"carried_out.company": 5}, {}, [("company", 5, 3)]),
    (OLD, NEW, {}, {"carried_in.company": 5}, [("company", 3, 5)]),
    (NEW, NEW, {}, {"carried_in.company": 0, "carried_in.total": 1}, [("company", 3, 0), ("total", 4, 1)]),
    (NEW, NEW, {}, {"carried_in.research": 1}, [("research", 0, 1)]),
    # Not assessable: blank, not applicable, illegible on either side.
    (NEW, NEW, {}, {"carried_in.company": ""}, []),
    (NEW, NEW, {"carried_out.company": "/"}, {"carried_in.company": 5}, []),
    (NEW, NEW, {"carried_out.company": "?"}, {}, []),
]


@pytest.mark.parametrize(("before", "now", "earlier", "later", "expected"), CARRY)
def test_carried_requests(
    before: str, now: str, earlier: Changed, later: Changed, expected: list[tuple[str, int, int]]
) -> None:
    records = (carrying("a", 2020, before, earlier), carrying("b", 2021, now, later))
    assert found(*records) == [("year.carry", *each) for each in expected]
    assert found(*reversed(records)) == [("year.carry", *each) for each in expected]


WRONG = {"carried_in.company": 7}
NO_PAIR = [
    # why the two reports make no pair
    ("a year between", carrying("a", 2019, NEW), carrying("b", 2021, NEW, WRONG)),
    ("another body", carrying("a", 2020, NEW, issuer="青岚县教育局"), carrying("b", 2021, NEW, WRONG)),
    ("another place", carrying("a", 2020, NEW, issuer="岚浦县人民政府"), carrying("b", 2021, NEW, WRONG)),
    ("no table before", made("a", Paper().prose("结转[2件|requests.carried_out.total]"), year=2020),
     carrying("b", 2021, NEW, WRONG)),
    ("failed", failed("a"), carrying("b", 2021, NEW, WRONG)),
]  # fmt: skip


@pytest.mark.parametrize(("why", "earlier", "later"), NO_PAIR, ids=[row[0] for row in NO_PAIR])
def test_no_pair_of_years(why: str, earlier: Record, later: Record) -> None:
    across = assess_across(rows_of(earlier, later))
    assert (across.findings, across.assessed) == ((), {})


def documents(doc_id: str, year: int, cells: Mapping[str, Mapping[str, Cell]], form: str = NEW) -> Record:
    return made(doc_id, Paper(proactive=form).table("proactive", cells), year=year)


def rules(issued: Cell, repealed: Cell, in_force: Cell) -> dict[str, Cell]:
    return {"issued": issued, "repealed": repealed, "in_force": in_force}


IN_FORCE = [
    # the earlier report, the later one, expected and printed of a finding
    (rules(1, 0, 10), rules(2, 3, 9), None),
    (rules(1, 0, 10), rules(2, 3, 12), (9, 12)),
    (rules("", "", 10), rules(2, 3, 12), (9, 12)),  # what was issued in the earlier year does not matter
    (rules(0, 0, 0), rules(0, 0, 0), None),
    (rules(1, 0, ""), rules(2, 3, 12), None),
    (rules(1, 0, 10), rules(2, "/", 12), None),
    (rules(1, 0, 10), rules(2, 3, "?"), None),
]


@pytest.mark.parametrize("item", ["regulations", "normative_documents"])
@pytest.mark.parametrize(("before", "now", "expected"), IN_FORCE)
def test_documents_in_force(
    item: str, before: dict[str, Cell], now: dict[str, Cell], expected: tuple[int, int] | None
) -> None:
    records = (documents("a", 2021, {item: before}), documents("b", 2022, {item: now}))
    assert found(*records) == ([] if expected is None else [("year.in_force", item, *expected)])


def test_documents_of_2019_are_not_those_in_force() -> None:
    old = {"normative_documents": {"made": 1, "disclosed": 1, "disclosed_total": 40}}
    new = {"normative_documents": rules(1, 0, 3)}
    across = assess_across(rows_of(documents("a", 2020, old, OLD), documents("b", 2021, new)))
    assert (across.findings, across.assessed, across.not_assessable) == ((), {}, {})


def acts(previous: Cell, change: Cell) -> dict[str, Cell]:
    return {"items_previous": previous, "items_change": change}


ITEMS = [
    (acts(100, -3), acts(97, 0), None),
    (acts(100, -3), acts(100, 0), (97, 100)),
    (acts(0, 5), acts(5, ""), None),  # the later year's own change does not matter
    (acts(100, ""), acts(100, 0), None),
    (acts("/", 3), acts(100, 0), None),
    (acts(100, 3), acts("?", 0), None),
]


@pytest.mark.parametrize(
    "item", ["licensing", "other_services", "penalties", "coercion", "administrative_fees"]
)
@pytest.mark.parametrize(("before", "now", "expected"), ITEMS)
def test_items(
    item: str, before: dict[str, Cell], now: dict[str, Cell], expected: tuple[int, int] | None
) -> None:
    records = (documents("a", 2019, {item: before}, OLD), documents("b", 2020, {item: now}, OLD))
    assert found(*records) == ([] if expected is None else [("year.items", item, *expected)])


def test_a_finding_shows_both_documents() -> None:
    earlier, later = carrying("a", 2020, OLD), carrying("b", 2021, NEW, {"carried_in.research": 2})
    across = one(earlier, later)
    finding = across.finding
    assert (across.doc_id, across.other_doc_id, across.run, across.other_run) == ("b", "a", "run", "run")
    assert (across.reporter_id, across.year) == ("name:青岚县:人民政府", 2021)
    assert finding.paths == ("requests.carried_in.research", "requests.carried_out.research")
    assert (finding.rule, finding.severity, finding.cause) == ("year.carry", "warning", "report")
    cells = {fact.path: fact.evidence for fact in later.facts}
    others = {fact.path: fact.evidence for fact in earlier.facts}
    assert finding.evidence == (cells["requests.carried_in.research"],)
    assert across.other_evidence == (others["requests.carried_out.research"],)
    assert finding.message == (
        "year.carry, 科研机构: the report on 2020 carries 0 over, but that on 2021 takes over 2; "
        "the table of 2021 does not balance, and would with 0"
    )


SUSPECTS = [
    # changes in the earlier report, in the later one, who is likelier wrong, what is said of it
    ({"carried_out.company": 5}, {}, "a", "the table of 2020 does not balance, and would with 3"),
    ({}, {"carried_in.company": 5}, "b", "the table of 2021 does not balance, and would with 3"),
    ({"carried_out.company": 5, "concluded.company": 8}, {}, "a", "the table of 2020 does not balance"),
    ({"carried_out.company": 5, "concluded.company": 7}, {}, "a",
     "the table of 2020 does not add up in this row"),
    # Both or none are broken: nothing tells.
    ({"carried_out.company": 5}, {"carried_in.company": 6}, None, ""),
    ({"carried_out.company": 5, "carried_out.total": 6, "concluded.company": 7}, {}, None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("earlier", "later", "suspect", "said"), SUSPECTS)
def test_the_side_that_is_likelier_wrong(
    earlier: Changed, later: Changed, suspect: str | None, said: str
) -> None:
    rows = rows_of(carrying("a", 2020, NEW, earlier), carrying("b", 2021, NEW, later))
    across = next(each for each in check_across(rows) if each.finding.at == "company")
    assert across.suspect == suspect
    _, _, hint = across.finding.message.partition("; ")
    assert hint == said


def doubted(record: Record, **update: object) -> Record:
    """The carried figures of companies read with less certainty, or for others."""
    facts = tuple(
        fact.model_copy(update=update) if fact.path.endswith(".company") else fact for fact in record.facts
    )
    return record.model_copy(update={"facts": facts})


def complained(record: Record) -> Record:
    finding = Finding(rule="table.row_length", severity="warning", message="m", at="carried_out")
    return record.model_copy(update={"findings": (finding,)})


EARLIER, LATER = carrying("a", 2020, NEW), carrying("b", 2021, NEW, {"carried_in.company": 5})
CAUSES = [
    (EARLIER, LATER, "report"),
    (doubted(EARLIER, confidence=0.5), LATER, "reading"),
    (EARLIER, doubted(LATER, confidence=0.5), "reading"),
    (complained(EARLIER), LATER, "reading"),
    (doubted(EARLIER, confidence=0.95), LATER, "unknown"),
    (doubted(EARLIER, scope="jurisdiction"), LATER, "scope"),
]


@pytest.mark.parametrize(("earlier", "later", "cause"), CAUSES)
def test_the_suspected_cause(earlier: Record, later: Record, cause: str) -> None:
    assert one(earlier, later).finding.cause == cause


def test_the_chosen_version_counts_and_another_that_would_agree_is_named() -> None:
    records = (
        carrying("a", 2020, NEW, published_on="2021-03-01"),
        carrying("altered", 2020, NEW, {"carried_out.company": 4}, published_on="2021-06-01"),
        carrying("b", 2021, NEW),
    )
    across = one(*records)
    assert across.other_doc_id == "altered"
    assert "it holds with another version of the report on 2020, a" in across.finding.message


def test_a_place_that_took_in_another() -> None:
    """东城区 of 北京 took in 崇文区 in 2010: its report counts more than before."""
    place = {"issuer": "北京市东城区人民政府", "code": "110101"}
    across = one(carrying("a", 2009, NEW, **place), carrying("b", 2010, NEW, WRONG, **place))
    assert across.finding.cause == "scope"
    assert "the place itself has changed in 2010" in across.finding.message


def test_a_renamed_county_is_followed() -> None:
    """洪泽县 became 洪泽区 in 2016."""
    earlier = carrying("a", 2015, NEW, issuer="洪泽县人民政府", code="320829")
    later = carrying("b", 2016, NEW, WRONG, issuer="淮安市洪泽区人民政府", code="320813")
    assert one(earlier, later).reporter_id == "320813:人民政府"


def test_what_could_be_assessed_is_counted() -> None:
    blank = {"carried_out.company": "", "carried_out.research": "/"}
    rows = rows_of(carrying("a", 2020, NEW, blank), carrying("b", 2021, NEW), carrying("c", 2022, NEW))
    across = assess_across(rows)
    assert (across.assessed, across.not_assessable) == ({"year.carry": 12}, {"year.carry": 2})


# Levels

CHILDREN = {"990301": "东陵区人民政府", "990302": "西陵县人民政府"}


def counties(year: int | None, level: Level) -> Iterator[Unit]:
    return (Unit(code, code, code, level) for code in CHILDREN if level == "county")


def prefecture(code: str, year: int | None) -> Unit | None:
    return Unit("990300", "990300", "青岚市", "prefecture") if code in CHILDREN else None


BELOW = replace(GB_2260, units_in=counties, parent_of=prefecture)


def received(doc_id: str, company: Cell, issuer: str, code: str, concluded: Cell = 0) -> Record:
    table = {"new_received": {"company": company}, "concluded": {"company": concluded}}
    return made(doc_id, Paper(requests=NEW).table("requests", table), issuer=issuer, code=code)


def level_rows(parent: Cell, *children: Cell, concluded: Cell = 0) -> tuple[PanelRow, ...]:
    records = [received("p", parent, "青岚市人民政府", "990300", concluded)]
    for (code, issuer), value in zip(CHILDREN.items(), children, strict=False):
        records.append(received(code, value, issuer, code))
    return rows_of(*records)


LEVELS = [
    # parent, children, expected and printed
    (7, (3, 4), None),
    (9, (3, 4), (7, 9)),
    (0, (0, 0), None),
    (9, (3,), None),  # a child without a report
    (9, (3, ""), None),
    ("", (3, 4), None),
]


@pytest.mark.parametrize(("parent", "children", "expected"), LEVELS)
def test_a_parent_is_the_sum_of_its_children(
    parent: Cell, children: tuple[Cell, ...], expected: tuple[int, int] | None
) -> None:
    across = check_across(level_rows(parent, *children), places=BELOW)
    assert [(each.finding.expected, each.finding.printed) for each in across] == (
        [] if expected is None else [expected]
    )


def test_a_finding_about_levels_shows_parent_and_children() -> None:
    (across,) = check_across(level_rows(9, 3, 4), places=BELOW)
    finding = across.finding
    assert (finding.rule, finding.severity, finding.at) == ("level.sum", "note", "new_received")
    assert (across.doc_id, across.other_doc_id) == ("p", "990301")
    assert [each.doc_id for each in across.further] == ["990302"]
    assert all(len(each.evidence) == 1 for each in across.further)
    assert "3 + 4 = 7 of those below, but the parent prints 9" in finding.message


def test_a_parent_that_counts_others_too_makes_one_note() -> None:
    (across,) = check_across(level_rows(9, 3, 4, concluded=5), places=BELOW)
    assert across.finding.cause == "scope"
    assert across.finding.paths == ("requests.new_received.company", "requests.concluded.company")
    assert "2 of 2 figures are not the sums of the 2 places below, 2 of them larger" in across.finding.message
    assert [len(across.finding.evidence), len(across.other_evidence)] == [2, 2]


def test_a_department_is_no_parent() -> None:
    rows = rows_of(
        received("p", 9, "青岚市教育局", "990300"),
        *(received(code, 1, issuer.replace("人民政府", "教育局"), code) for code, issuer in CHILDREN.items()),
    )
    assert check_across(rows, places=BELOW) == ()


def test_the_children_are_those_of_the_year() -> None:
    assert set(children_in(2024, GB_2260)["320800"]) == {
        "320803", "320804", "320812", "320813", "320826", "320830", "320831"
    }  # fmt: skip
    assert len(children_in(2012, GB_2260)["110000"]) == 16


def test_summed_fields_are_fields() -> None:
    assert set(summed_paths()) <= set(fields())


# The command


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = run_app(app, [str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_one_run_is_checked_across_its_years(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run", carrying("a", 2020, OLD), carrying("b", 2021, NEW, WRONG), failed("c"))
    before = (run / "records.jsonl").read_bytes()
    code, out = call(capsys, "check", run)
    assert code == 0
    assert "2 documents checked" in out
    assert "year.carry: 7 assessed, 1 do not hold; 0 not assessable" in out
    assert (run / "records.jsonl").read_bytes() == before
    content = json.loads((run / "check.json").read_text(encoding="utf-8"))
    assert content["documents"] == 2
    across = content["across"]
    (finding,) = across["findings"]
    assert (finding["rule"], finding["doc_id"], finding["other_doc_id"]) == ("year.carry", "b", "a")
    assert finding["evidence"]
    assert finding["other_evidence"]
    assert across["reporter_years"] == 2
    assert across["unplaced"] == [{"run": "run", "doc_id": "c", "reason": "failed: it has no facts"}]


def test_several_runs_are_checked_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = write_run(tmp_path / "y2020", carrying("a", 2020, OLD))
    second = write_run(tmp_path / "y2021", carrying("a", 2021, NEW, WRONG))
    code, out = call(capsys, "check", first, second, second)
    assert code == 0
    (finding,) = json.loads((first / "check.json").read_text(encoding="utf-8"))["across"]["findings"]
    assert (finding["run"], finding["other_run"]) == ("y2021", "y2020")
    assert "across" not in json.loads((second / "check.json").read_text(encoding="utf-8"))
    assert f"written: {first / 'check.json'}" in out.replace("\n", "")


def test_what_is_found_across_may_go_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = write_run(tmp_path / "y2020", carrying("a", 2020, OLD))
    second = write_run(tmp_path / "y2021", carrying("a", 2021, NEW, WRONG))
    code, _ = call(capsys, "check", first, second, "--out", tmp_path / "checked" / "both")
    assert code == 0
    content = json.loads((tmp_path / "checked" / "both" / "check.json").read_text(encoding="utf-8"))
    assert content["runs"] == [str(first), str(second)]
    assert len(content["across"]["findings"]) == 1
    assert "across" not in json.loads((first / "check.json").read_text(encoding="utf-8"))


def test_no_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run", carrying("a", 2020, OLD))
    code, out = call(capsys, "check", run, tmp_path / "none")
    assert code == 3
    assert "no such folder" in out
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, out = call(capsys, "check", run, "--out", tmp_path / "file")
    assert code == 3
    assert "cannot be made" in out
