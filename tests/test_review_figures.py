"""How a document's figures are laid out, and what of the page a change touches."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from evals.review.figures.cells import cells_of
from evals.review.figures.document import DocumentView, document_view
from pipeline.document import Span
from pipeline.extraction import extract_document
from pipeline.fact import Fact, Record
from pipeline.read import read_document
from pipeline.runs.reviews import Action, ReviewEvent, Target
from tests.statistics_material import as_html

SAMPLES = Path(__file__).parents[1] / "gold" / "samples"
NAMES = sorted(path.name for path in SAMPLES.iterdir() if path.suffix != ".yaml")


@cache
def extracted(name: str) -> tuple[Record, str]:
    document = read_document(SAMPLES / name)
    found = extract_document(document)
    record = Record(
        doc_id=document.doc_id,
        file=name,
        sha256=document.sha256,
        media_type=document.media_type,
        templates=found.templates,
        status="ok",
        facts=found.facts,
        findings=found.findings,
    )
    return record, document.text


def view_of(name: str, *events: ReviewEvent) -> DocumentView:
    return document_view(*extracted(name), events)


def changed(
    record: Record, path: str, value: int, action: Action = "correct", number: int = 1
) -> ReviewEvent:
    fact = next(fact for fact in record.facts if fact.path == path and fact.source == "table")
    return ReviewEvent(
        number=number,
        doc_id=record.doc_id,
        sha256=record.sha256,
        at="2026-01-01T00:00:00+00:00",
        annotator="ada",
        action=action,
        target=Target.of(fact),
        fact=fact.model_copy(update={"value": value, "method": "human"}) if action == "correct" else None,
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_one_place(name: str) -> None:
    record, text = extracted(name)
    view = document_view(record, text, ())
    keys = [place.key for place in view.places.values() if place.key]
    assert sorted(keys) == sorted({Target.of(fact).key for fact in record.facts})
    assert view.counts.total == len(record.facts)
    assert view.sections[0].key == "meta"


def test_tables_are_laid_out_as_printed() -> None:
    grids = {grid.form: grid for section in view_of("qingfei_2024.html").sections for grid in section.grids}
    requests = list(grids["requests"].rows)
    assert len(requests) == 25
    assert [column.label for column in grids["requests"].blocks[0].columns] == [
        "自然人", "商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他", "总计",
    ]  # fmt: skip
    assert [(row.above, row.span) for row in requests if row.above == "不予公开"] == [("不予公开", 8)]
    assert sum(row.span for row in requests if row.above) == sum(row.level for row in requests)
    proactive = [[row.label for row in block.rows] for block in grids["proactive"].blocks]
    assert proactive == [
        ["规章", "行政规范性文件"], ["行政许可", "行政处罚", "行政强制"], ["行政事业性收费"],
    ]  # fmt: skip


def test_a_correction_that_mends_a_sum_takes_its_finding_away() -> None:
    record, _ = extracted("qingfei_2024.html")
    before = view_of("qingfei_2024.html")
    broken = [each for each in before.findings if each.finding.rule == "remedies.total"]
    assert len(broken) == 1
    assert {link.label for link in broken[0].links} == {
        "结果维持",
        "结果纠正",
        "其他结果",
        "尚未审结",
        "总计",
    }
    after = view_of("qingfei_2024.html", changed(record, "remedies.review.total", 2))
    assert not [each for each in after.findings if each.finding.rule == "remedies.total"]
    place = after.places["cell:remedies.review.total"]
    assert (place.shown, place.was, place.verdict, place.kind) == ("2", "1", "corrected", "checked")
    # The other cells of the row are no longer in doubt, and all else is as it was.
    other = {slot for slot, each in after.places.items() if each != before.places[slot]}
    assert {slot.rpartition(".")[0] for slot in other} == {"cell:remedies.review"}


def test_a_finding_of_the_report_itself_is_done_when_its_figures_are_checked() -> None:
    record, _ = extracted("qingfei_2024.html")
    paths = [f"remedies.review.{column}" for column in ("upheld", "corrected", "other", "pending", "total")]
    events = [changed(record, path, 0, "confirm", number) for number, path in enumerate(paths, 1)]
    finding = next(
        each
        for each in view_of("qingfei_2024.html", *events).findings
        if each.finding.rule == "remedies.total"
    )
    assert finding.is_done
    half = view_of("qingfei_2024.html", *events[:-1])
    assert not next(each for each in half.findings if each.finding.rule == "remedies.total").is_done
    assert half.places["cell:remedies.review.total"].kind == "flagged"
    assert half.places["cell:remedies.review.upheld"].kind == "checked"


# ---- where an empty place is printed ----


def without(record: Record, *paths: str) -> Record:
    """The record as if the machine had missed these cells."""
    facts = tuple(fact for fact in record.facts if fact.source != "table" or fact.path not in paths)
    return record.model_copy(update={"facts": facts})


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_that_was_missed_is_found_by_its_neighbours(name: str) -> None:
    record, text = extracted(name)
    for fact in [fact for fact in record.facts if fact.source == "table"][::19]:
        view = document_view(without(record, fact.path), text, ())
        found = cells_of(view, text, fact.path)
        if not found:  # a cell a line, and none beside it in its row
            assert name == "xuntong_2022.txt"
            assert fact.path.startswith("proactive."), fact.path
            continue
        assert len(found) == 1, fact.path
        assert found[0].covers(Span(fact.evidence.start, fact.evidence.end)), fact.path


@pytest.mark.parametrize("row", ["coercion", "penalties", "administrative_fees"])
def test_a_row_that_was_missed_is_found_by_its_label(row: str) -> None:
    record, text = extracted("jichuan_2019.html")
    _is_found_again(record, text, f"proactive.{row}.")


def test_a_row_that_is_printed_with_another_label_is_not_guessed() -> None:
    record, text = extracted("jichuan_2019.html")
    _is_found_again(record, text.replace("行政处罚", "处罚案件"), "proactive.penalties.", is_told=False)


def _is_found_again(record: Record, text: str, row: str, *, is_told: bool = True) -> None:
    missed = [fact for fact in record.facts if fact.source == "table" and fact.path.startswith(row)]
    assert missed
    view = document_view(without(record, *(fact.path for fact in missed)), text, ())
    for fact in missed:
        found = cells_of(view, text, fact.path)
        assert found == ((_place(fact),) if is_told else ()), fact.path


def _place(fact: Fact) -> Span:
    return Span(fact.evidence.start, fact.evidence.end)


def test_a_field_of_no_table_has_no_cell() -> None:
    record, text = extracted("jichuan_2019.html")
    assert cells_of(document_view(record, text, ()), text, "meta.published_on") == ()


def test_a_row_of_the_statistics_table_is_found(tmp_path: Path) -> None:
    (tmp_path / "form.html").write_text(as_html(), encoding="utf-8")
    document = read_document(tmp_path / "form.html")
    found = extract_document(document)
    record = Record(doc_id="form", file="form.html", sha256=document.sha256, media_type="text/html",
                    templates=found.templates, status="ok", facts=found.facts)  # fmt: skip
    for path in ("statistics.disclosed_website", "statistics.received_total", "statistics.budget_wan_yuan"):
        _is_found_again(record, document.text, path)
    # With another label it is the one row between those above and below it.
    renamed = document.text.replace("政府网站公开", "门户网站公开")
    assert renamed != document.text
    _is_found_again(record, renamed, "statistics.disclosed_website")
