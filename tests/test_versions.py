"""Several documents for one issuer and year: the same report, or versions of it, and which counts."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from checks_material import Cell, Paper
from panel_material import failed, made, requests_paper, rows_of, six

from pipeline.fact import Record
from pipeline.panel.content import Content
from pipeline.panel.sources import sources_of_records
from pipeline.panel.versions import choose, unplaced

HTML, PDF = "text/html", "application/pdf"
PROSE = "公开[120条|proactive.total]，微信[30条|proactive.channel.wechat]，[5次|capacity.meetings]。"
ROWS = {"granted": six(company=3), "carried_out": six(company=2)}
SAME = "0" * 64
BROKEN = {"status": "failed", "error": "cut short"}
MORE = "上网[9条|proactive.channel.website]，培训[1次|capacity.trainings]。"


def paper(prose: str = PROSE, changed: Mapping[str, Cell] | None = None) -> Paper:
    return requests_paper(
        "table2021", {"granted": six(company=3), "carried_out": six(company=2)}, changed
    ).prose(prose)


ALTERED = {"granted.company": 4}


def doc(doc_id: str, **parts: object) -> Record:
    changed = parts.pop("changed", None)
    return made(doc_id, paper(changed=changed), **parts)  # type: ignore[arg-type]


def found(*records: Record) -> dict[str, str]:
    """Role by doc_id in the one row that the records make."""
    (row,) = rows_of(*records)
    return {version.source.doc_id: version.role for version in row.versions}


ROLES = [
    # documents, roles
    ("one", [doc("a")], {"a": "chosen"}),
    ("the same bytes", [doc("a", sha256=SAME), doc("b", sha256=SAME)],
     {"a": "chosen", "b": "duplicate"}),
    ("the same figures", [doc("a"), doc("b")], {"a": "chosen", "b": "duplicate"}),
    ("another carrier", [doc("a", media_type=PDF), doc("b", media_type=HTML)],
     {"a": "chosen", "b": "other_carrier"}),
    ("a copy with more facts", [doc("a"), made("b", paper().prose("[9人次|capacity.trainees]"))],
     {"b": "chosen", "a": "duplicate"}),
    ("a copy with fewer errors", [doc("a", errors=1), doc("b")], {"b": "chosen", "a": "duplicate"}),
    ("the first of equal copies", [doc("b"), doc("a")], {"a": "chosen", "b": "duplicate"}),
    ("an altered report published later",
     [doc("a", published_on="2022-01-20"), doc("b", published_on="2022-05-01", changed=ALTERED)],
     {"b": "chosen", "a": "superseded"}),
    ("an altered report published earlier",
     [doc("a", published_on="2022-05-20"), doc("b", published_on="2022-05-01", changed=ALTERED)],
     {"a": "chosen", "b": "superseded"}),
    ("signed where no day of publication is printed",
     [doc("a", published_on="2022-01-20"), doc("b", signed_on="2022-05-01", changed=ALTERED)],
     {"b": "chosen", "a": "superseded"}),
    ("one without a date: more facts",
     [doc("a", published_on="2022-01-20"), made("b", paper(changed=ALTERED).prose(MORE))],
     {"b": "chosen", "a": "superseded"}),
    ("no dates, as many facts: fewer errors", [doc("a", errors=1), doc("b", changed=ALTERED)],
     {"b": "chosen", "a": "superseded"}),
    ("no dates, nothing else: the first", [doc("a"), doc("b", changed=ALTERED)],
     {"a": "chosen", "b": "superseded"}),
    ("an old report posted again after the altered one",
     [doc("a", published_on="2022-01-20"), doc("b", published_on="2022-05-01", changed=ALTERED),
      doc("c", published_on="2023-01-01")],
     {"b": "chosen", "a": "superseded", "c": "superseded"}),
    ("a carrier that lost cells",
     [doc("a", media_type=PDF), made("b", requests_paper("table2021", ROWS), media_type=HTML)],
     {"a": "chosen", "b": "other_carrier"}),
    ("the tables alone are gone", [doc("a"), made("b", Paper().prose(PROSE))],
     {"a": "chosen", "b": "superseded"}),
    ("failed, of the same bytes", [doc("a", sha256=SAME), failed("b", sha256=SAME)],
     {"a": "chosen", "b": "failed"}),
    ("failed, but with an issuer", [doc("a"), doc("b", **BROKEN, published_on="2023-01-01")],
     {"a": "chosen", "b": "failed"}),
    ("all failed", [doc("b", **BROKEN), doc("a", **BROKEN)],
     {"a": "chosen", "b": "duplicate"}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "records", "roles"), ROLES, ids=[row[0] for row in ROLES])
def test_the_role_of_each_document(what: str, records: list[Record], roles: dict[str, str]) -> None:
    assert found(*records) == roles
    assert found(*reversed(records)) == roles


def test_every_version_names_the_chosen_one() -> None:
    (row,) = rows_of(doc("a"), doc("b"), doc("c", changed=ALTERED))
    assert row.chosen.doc_id == "a"
    assert {version.of for version in row.versions} == {"a"}
    assert [version.source.doc_id for version in row.versions] == ["a", "b", "c"]


REASONS = [
    (ALTERED, "1 fields differ (requests.granted.company), 0 are in one document only"),
    ({"granted.company": 4, "granted.total": 4, "concluded.company": 4, "concluded.total": 4},
     "4 fields differ (requests.concluded.company, requests.concluded.total, requests.granted.company"
     " and 1 more), 0 are in one document only"),
    ({"granted.company": ""}, "1 fields differ (requests.granted.company)"),  # blank is no zero
]  # fmt: skip


@pytest.mark.parametrize(("changed", "reason"), REASONS)
def test_what_an_altered_report_differs_in_is_counted(changed: dict[str, Cell], reason: str) -> None:
    (row,) = rows_of(doc("a"), doc("b", changed=changed))
    assert row.versions[1].reason.startswith(reason)


COMPARED = [
    # one text, the other, whether they are the same report
    ("公开[120条|proactive.total]", "公开[120条|proactive.total]", True),
    ("公开[120条|proactive.total]", "公开[120 条|proactive.total]", True),
    ("公开[120条|proactive.total]", "公开[120余条|proactive.total|at_least]", False),
    ("公开[120条|proactive.total]", "公开[121条|proactive.total]", False),
    ("未收费[未收|fees.charged_yuan|zero]", "收费[0元|fees.charged_yuan]", False),
    ("公开[120条|proactive.total]", "公开[120条|proactive.total]会议[2次|capacity.meetings]", False),
    ("", "", True),
]


@pytest.mark.parametrize(("one", "other", "is_same"), COMPARED)
def test_contents_are_compared(one: str, other: str, is_same: bool) -> None:
    first, second = (Content.of(made("a", Paper().prose(text))) for text in (one, other))
    assert first.compare(second).is_same is is_same
    assert second.compare(first).is_same is is_same


def test_a_text_worded_anew_is_another_version() -> None:
    def worded(doc_id: str, *items: str) -> Record:
        text = paper()
        for item in items:
            text._add(path="text.problems", value=item, raw=item, source="narrative", method="rule")
        return made(doc_id, text)

    assert found(worded("a", "意识不强。", "更新不及时。"), worded("b", "意识不强", "更新 不及时")) == {
        "a": "chosen",
        "b": "duplicate",
    }
    (row,) = rows_of(worded("a", "意识不强", "更新不及时"), worded("b", "力量薄弱", "平台陈旧"))
    assert row.versions[1].role == "superseded"
    assert "worded anew" in row.versions[1].reason


def test_a_department_is_no_version_of_its_government() -> None:
    rows = rows_of(
        doc("a", issuer="青岚县人民政府"),
        doc("b", issuer="青岚县人民政府办公室"),
        doc("c", issuer="青岚县教育局"),
        doc("d", issuer="青岚县石桥镇人民政府"),
        doc("e", issuer="青岚县人民政府", year=2022),
    )
    assert [len(row.versions) for row in rows] == [1] * 5
    assert [(row.reporter_id.split(":")[-1], row.year) for row in rows] == [
        ("人民政府", 2021),
        ("人民政府", 2022),
        ("人民政府办公室", 2021),
        ("教育局", 2021),
        ("石桥镇人民政府", 2021),
    ]


def test_a_renamed_county_goes_on() -> None:
    rows = rows_of(
        doc("a", issuer="洪泽县人民政府", code="320829", year=2015),
        doc("b", issuer="洪泽区人民政府", code="320813", year=2017),
    )
    assert {row.reporter_id for row in rows} == {"320813:人民政府"}
    assert [row.chosen.unit.name for row in rows if row.chosen.unit] == ["洪泽县", "洪泽区"]


def test_documents_outside_of_the_panel_are_listed() -> None:
    records = [
        doc("a", sha256=SAME),
        doc("b", year=None),
        doc("c", issuer=None),
        doc("d", issuer="砚浦镇人民政府"),
        failed("e"),
        failed("f", sha256=SAME),
        doc("g", issuer=None, year=None),
    ]
    sources = sources_of_records(("run", record) for record in records)
    assert {each.source.doc_id: each.reason for each in unplaced(sources)} == {
        "b": "no year is printed",
        "c": "no issuer is printed",
        "d": "nothing printed tells in which place 砚浦镇人民政府 lies",
        "e": "failed: it has no facts",
        "g": "no year is printed; no issuer is printed",
    }
    placed = {version.source.doc_id for row in choose(sources) for version in row.versions}
    assert placed == {"a", "f"}


def test_the_same_document_in_two_runs() -> None:
    one, two = doc("a"), made("a", paper().prose("[9人次|capacity.trainees]"))
    (row,) = choose(sources_of_records([("one", one), ("two", two)]))
    assert (row.chosen.run, row.versions[1].source.run, row.versions[1].role) == ("two", "one", "duplicate")
