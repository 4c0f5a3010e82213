"""The queue: which figure comes next, how many checks remain, what a random sample says."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from review_runs import made_finding, made_record, made_run

from evals.review.library import Library
from evals.review.queue.index import RiskIndex
from evals.review.queue.order import lowest_needed
from evals.review.queue.reading import CHANCES
from evals.review.queue.remaining import Audit, Checks, checks_remaining, exact_share
from evals.review.queue.risk import CERTAIN, METADATA, TEXT_ITEM, risks
from evals.review.queue.state import Place
from pipeline.fact import Fact, Record
from pipeline.runs.record import RecordFile
from pipeline.runs.reviews import Action, ReviewLog, Target

ME = "tester"


@contextmanager
def queue_of(folder: Path) -> Iterator[tuple[RiskIndex, Library, ReviewLog]]:
    with ReviewLog.opened(folder) as log:
        library = Library(folder)
        index = RiskIndex(library, log)
        index.start()
        try:
            assert index.wait(30)
            yield index, library, log
        finally:
            index.close()


def fact_at(record: Record, place: Place) -> Fact:
    return next(fact for fact in record.facts if Target.of(fact).key == place.key)


def say(log: ReviewLog, record: Record, fact: Fact, action: Action, **changes: object) -> int:
    human = None
    if action == "correct":
        human = fact.model_copy(update={"method": "human", "confidence": None, **changes})
    return log.append(record.doc_id, record.sha256, ME, action, Target.of(fact), human, seen=fact).number


def walk(index: RiskIndex, library: Library, kind: str, count: int) -> list[tuple[int, str]]:
    """The next figures in turn, each as document and field."""
    found, place = [], None
    for _ in range(count):
        place = index.next(kind, place)  # type: ignore[arg-type]
        assert place is not None
        found.append((place.number, fact_at(library.record(place.number), place).path.rpartition(".")[2]))
    return found


def test_figures_come_by_doubt_then_by_chance_then_by_place(tmp_path: Path) -> None:
    plain = made_record("a", [1.0, 0.7, 1.0])
    doubted = made_record("b", [1.0, 0.2, 0.9])
    warned = made_record("c", [0.95, 1.0])
    doubted = made_record("b", [1.0, 0.2, 0.9], [made_finding(doubted.facts[::2], "error", "reading")])
    warned = made_record("c", [0.95, 1.0], [made_finding(warned.facts[:1], "warning", "unknown")])
    run = made_run(tmp_path / "run", [plain, doubted, warned])
    with queue_of(run) as (index, library, _):
        assert walk(index, library, "unchecked", 8) == [
            (2, "natural_person"),  # an error doubts both; the same chance: by place
            (2, "research"),
            (3, "natural_person"),  # a warning
            (2, "company"),  # confidence 0.2
            (1, "company"),  # 0.7
            (1, "natural_person"),
            (1, "research"),
            (3, "company"),
        ]
        assert walk(index, library, "unchecked", 9)[8] == (2, "natural_person"), "behind the last the first"


def test_what_the_target_needs_is_gone_through_document_by_document(tmp_path: Path) -> None:
    records = [
        made_record("a", [0.7, 1.0, 0.5, 1.0]),
        made_record("b", [1.0, 0.6, 0.2]),
        made_record("c", [0.9] * 10),
    ]
    with queue_of(made_run(tmp_path / "run", records)) as (index, library, log):
        assert index.state(0.9).remaining.count == 3
        found, place = [], None
        for _ in range(4):
            place = index.next("unchecked", place, target=0.9)
            assert place is not None
            found.append((place.number, fact_at(library.record(place.number), place).confidence))
        # Needed are those of 0.2, 0.5 and 0.6; the document of 0.2 comes first, and whole.
        assert found == [(2, 0.6), (2, 0.2), (1, 0.5), (2, 0.6)]
        for at in (1, 2):
            say(log, records[1], records[1].facts[at], "confirm")
        index.sync()
        assert index.state(0.9).remaining.count == 0
        assert walk_confidences(index, library, 0.9) == [0.5, 0.7, 0.9], "no more is needed: by chance"


def walk_confidences(index: RiskIndex, library: Library, target: float) -> list[float | None]:
    found: list[float | None] = []
    place = None
    for _ in range(3):
        place = index.next("unchecked", place, target=target)
        assert place is not None
        found.append(fact_at(library.record(place.number), place).confidence)
    return found


def test_a_flagged_figure_passed_over_comes_again_after_all_others(tmp_path: Path) -> None:
    records = []
    for doc_id in "abc":
        facts = made_record(doc_id, [1.0] * 4).facts
        cause = "reading" if doc_id == "b" else "report"
        records.append(made_record(doc_id, [1.0] * 4, [made_finding(facts[1:3], "error", cause)]))
    with queue_of(made_run(tmp_path / "run", records)) as (index, library, _):
        both = ("company", "research")
        order = [(number, name) for number in (2, 1, 3) for name in both]
        assert walk(index, library, "flagged", 7) == [*order, order[0]]


def test_the_lowest_code_that_is_needed() -> None:
    unchecked = np.array([9, 0, 2, 3])
    assert [lowest_needed(unchecked, count) for count in (0, 1, 3, 4, 6, 99)] == [None, 3, 3, 2, 0, 0]


def test_a_large_run_takes_little_memory(tmp_path: Path) -> None:
    """5,000 documents of 300 figures are to stay below 40 MB."""
    run = made_run(tmp_path / "run", [made_record(f"d{at:03}", [0.9, 1.0] * 150) for at in range(50)])
    with ReviewLog.opened(run) as log:
        library = Library(run)
        tracemalloc.start()
        index = RiskIndex(library, log)
        index.start()
        assert index.wait(60)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        index.close()
    assert held < 40e6 * 50 / 5000


def test_a_figure_that_the_report_has_wrong_is_flagged_but_not_taken_for_misread(tmp_path: Path) -> None:
    facts = made_record("a", [1.0, 1.0, 0.6]).facts
    record = made_record("a", [1.0, 1.0, 0.6], [made_finding(facts[:1], "error", "report")])
    with queue_of(made_run(tmp_path / "run", [record])) as (index, library, _):
        assert walk(index, library, "flagged", 2) == [(1, "natural_person")] * 2
        assert walk(index, library, "unchecked", 1) == [(1, "research")]


def test_a_checked_figure_leaves_the_queue_and_an_undo_brings_it_back(tmp_path: Path) -> None:
    record = made_record("a", [0.2, 1.0, 1.0])
    with queue_of(made_run(tmp_path / "run", [record])) as (index, library, log):
        first = index.next("unchecked")
        assert first is not None
        number = say(log, record, record.facts[0], "correct", value=8, raw="3")
        index.sync()
        state = index.state(0.99)
        assert (state.checked, state.unchecked, state.checks.found) == (1, 2, 1)
        assert index.next("unchecked") != first
        log.append("a", record.sha256, ME, "undo", Target.of(record.facts[0]), undoes=number)
        index.sync()
        assert index.next("unchecked") == first
        assert index.state(0.99).checked == 0
        assert library.entry(1).doc_id == "a"


def test_only_another_figure_counts_as_an_error_of_the_machine(tmp_path: Path) -> None:
    record = made_record("a", [0.5] * 5)
    with queue_of(made_run(tmp_path / "run", [record])) as (index, _, log):
        say(log, record, record.facts[0], "confirm")
        say(log, record, record.facts[1], "correct", scope="own")
        say(log, record, record.facts[2], "correct", value=0, status="zero_in_words")
        say(log, record, record.facts[3], "remove")
        index.sync()
        checks = index.state(0.99).checks
    assert (checks.count, checks.found) == (4, 2)
    assert checks.expected == pytest.approx(2.0)


def test_reviews_of_before_count_from_the_start(tmp_path: Path) -> None:
    record = made_record("a", [0.5, 1.0])
    run = made_run(tmp_path / "run", [record, made_record("b", [0.4])])
    with ReviewLog.opened(run) as log:
        say(log, record, record.facts[0], "remove")
    with queue_of(run) as (index, library, _):
        assert (index.state(0.9).checked, index.state(0.9).checks.found) == (1, 1)
        assert walk(index, library, "unchecked", 1) == [(2, "natural_person")]


def test_documents_that_the_run_writes_meanwhile_are_taken_up(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", [made_record("a", [0.9, 1.0])])
    with queue_of(run) as (index, library, _):
        file = RecordFile(run)
        file.append(made_record("b", [0.3]))
        file.append(made_record("a", [0.8]))  # done again, with another figure
        file.close()
        index.sync()
        assert index.wait(30)
        assert (index.state(0.99).figures, index.state(0.99).documents) == (2, 2)
        assert walk(index, library, "unchecked", 3) == [
            (2, "natural_person"),
            (1, "natural_person"),
            (2, "natural_person"),
        ]


def test_a_damaged_line_costs_one_document_and_is_told(tmp_path: Path) -> None:
    run = made_run(tmp_path / "run", [made_record("a", [0.9]), made_record("b", [0.8])])
    content = (run / "records.jsonl").read_bytes()
    (run / "records.jsonl").write_bytes(content.replace(b'"confidence":0.9,', b'"confidence":0.9;'))
    with queue_of(run) as (index, library, _):
        state = index.state(0.99)
        assert (state.is_complete, state.unread, state.figures) == (True, 1, 1)
        assert index.document(1).unread
        assert walk(index, library, "unchecked", 1) == [(2, "natural_person")]


def test_documents_without_figures_do_not_shift_the_others(tmp_path: Path) -> None:
    failed = made_record("a", [], status="failed", error="is empty", error_code="empty")
    run = made_run(
        tmp_path / "run", [failed, made_record("b", [0.5]), made_record("c", []), made_record("d", [0.4])]
    )
    with queue_of(run) as (index, library, _):
        assert walk(index, library, "unchecked", 2) == [(4, "natural_person"), (2, "natural_person")]


@pytest.mark.parametrize(
    ("path", "source", "method", "confidence", "chance"),
    [
        ("requests.granted.total", "table", "table_reader", 1.0, CERTAIN),
        ("requests.granted.total", "table", "table_reader", 0.8, 0.2),
        ("requests.granted.total", "table", "table_reader", 0.0, 1.0),
        ("meta.year", "metadata", "rule", None, METADATA),
        ("text.problems", "narrative", "rule", None, TEXT_ITEM),
        ("proactive.total", "narrative", "fill", None, 0.5),
    ],
)
def test_the_chance_of_a_figure_without_findings(
    path: str, source: str, method: str, confidence: float | None, chance: float
) -> None:
    fact = made_record("a", [confidence]).facts[0].model_dump()
    (risk,) = risks([{**fact, "path": path, "source": source, "method": method}], [])
    assert risk.chance == pytest.approx(chance)


def test_a_finding_over_many_figures_doubts_each_of_them_little(tmp_path: Path) -> None:
    facts = made_record("a", [1.0] * 8).facts
    (one, *_), _ = (
        risks([fact.model_dump() for fact in facts], [made_finding(facts, "error", cause).model_dump()])
        for cause in ("unknown", "report")
    )
    assert one.chance == pytest.approx(0.5 / 8)
    (read,) = risks([facts[0].model_dump()], [made_finding(facts, "error", "reading").model_dump()])
    assert read.chance == pytest.approx(0.5), "as pipeline.checks.trust has it"


# ---- how many checks remain ----


def figures_of(seed: int, count: int = 200_000) -> tuple[np.ndarray, np.random.Generator]:
    """Chances as a run has them: nearly all small, some large; in the order of the queue."""
    random = np.random.default_rng(seed)
    chances = np.where(random.random(count) < 0.15, random.beta(0.7, 4, count), CERTAIN)
    return np.sort(np.round(chances, 4))[::-1], random


def grouped(chances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, counts = np.unique(chances, return_counts=True)
    return counts[::-1], values[::-1]


@pytest.mark.parametrize("target", [0.985, 0.99, 0.995, 0.999])
def test_the_checks_that_remain_reach_the_target_and_no_more(target: float) -> None:
    for seed in range(5):
        chances, random = figures_of(seed)
        is_wrong = random.random(len(chances)) < chances
        needed = checks_remaining(*grouped(chances), len(chances), target, 1.0)
        assert 0 < needed < len(chances) / 4
        assert 1 - is_wrong[needed:].mean() == pytest.approx(
            target, abs=4 * np.sqrt((1 - target) / len(chances))
        )
        fewer = 1 - chances[needed - 1 :].sum() / len(chances)
        assert fewer < target, "one check less would not do"


def test_no_check_remains_where_the_target_is_met_and_all_where_it_cannot_be() -> None:
    counts, chances = np.array([10, 90]), np.array([0.5, 0.001])
    assert checks_remaining(counts, chances, 100, 0.94, 1.0) == 0
    assert checks_remaining(counts, chances, 100, 0.95, 1.0) == 1
    assert checks_remaining(counts, chances, 100, 1.0, 1.0) == 100
    assert checks_remaining(counts[:0], chances[:0], 0, 0.99, 1.0) == 0


def review_to_the_end(factor: float, *, learns: bool, target: float = 0.99) -> float:
    """Check in steps until none remains, chances being wrong by `factor`; the share right in the end."""
    chances, random = figures_of(7)
    is_wrong = random.random(len(chances)) < np.minimum(1, chances * factor)
    done = 0
    while True:
        checks = Checks.of(*grouped(chances[:done]), int(is_wrong[:done].sum()))
        scale = checks.scale if learns else 1.0
        more = checks_remaining(*grouped(chances[done:]), len(chances), target, scale)
        if not more:
            return float(1 - is_wrong[done:].sum() / len(chances))
        done += min(more, 200)


def test_a_model_too_sure_of_itself_is_found_out_by_the_checks() -> None:
    assert review_to_the_end(3.0, learns=False) < 0.98
    assert review_to_the_end(3.0, learns=True) == pytest.approx(0.99, abs=0.001)
    assert review_to_the_end(1.0, learns=True) == pytest.approx(0.99, abs=0.001)


def checks_of(count: int, chance: float, found: int) -> Checks:
    return Checks.of(np.array([count]), np.array([chance]), found)


def test_few_checks_move_the_scale_little_and_many_move_it_all_the_way() -> None:
    assert checks_of(0, 0.1, 0).scale == pytest.approx(1)
    assert checks_of(3, 0.03, 1).scale < 1.2
    many = checks_of(9_000, 1 / 30, 900)
    assert many.scale == pytest.approx(3, abs=0.05)
    assert many.low < 3 < many.high < 3.3


def test_the_interval_of_the_scale_covers_the_truth() -> None:
    chances, random = figures_of(3, 2_000)
    counts, values = grouped(chances[:200])
    for factor in (0.5, 1.0, 2.0):
        errors = [int((random.random(200) < np.minimum(1, factor * chances[:200])).sum()) for _ in range(300)]
        found = {each: Checks.of(counts, values, each) for each in set(errors)}
        assert np.mean([found[each].low <= factor <= found[each].high for each in errors]) >= 0.94


# ---- the random sample ----


def test_the_interval_of_a_sample_covers_the_truth() -> None:
    random = np.random.default_rng(1)
    for share in (0.002, 0.02, 0.2):
        wrong = random.binomial(300, share, 1000)
        intervals = {int(k): exact_share(int(k), 300) for k in np.unique(wrong)}
        covered = np.mean([intervals[int(k)].low <= share <= intervals[int(k)].high for k in wrong])  # type: ignore[union-attr]
        assert covered >= 0.94


def test_the_sample_tells_of_the_rest_what_checks_by_chance_cannot(tmp_path: Path) -> None:
    """The machine is wrong mostly where it says so, and oftener than it says. Both kinds of check in turn."""
    random = np.random.default_rng(5)
    sure = np.round(np.where(random.random((12, 50)) < 0.1, random.uniform(0.2, 0.9, (12, 50)), 0.99), 2)
    records = [made_record(f"d{at}", row.tolist()) for at, row in enumerate(sure)]
    wrong = {
        (at + 1, Target.of(fact).key)
        for at, record in enumerate(records)
        for fact in record.facts
        if random.random() < (1 - (fact.confidence or 0)) * 1.5
    }
    with queue_of(made_run(tmp_path / "run", records)) as (index, _, log):

        def check(kind: str, count: int) -> None:
            for _ in range(count):
                place = index.next(kind)  # type: ignore[arg-type]
                assert place is not None
                record = records[place.number - 1]
                is_wrong = (place.number, place.key) in wrong
                say(log, record, fact_at(record, place), "remove" if is_wrong else "confirm")
                index.sync()

        check("unchecked", 40)
        assert index.state(0.99).audit == Audit(0, 0), "no check by chance is taken for one of the sample"
        check("sample", 100)
        check("unchecked", 10)
        state = index.state(0.99)
    left = state.unchecked
    truth = (len(wrong) - state.checks.found) / left
    share = state.audit.wrong_among_unchecked()
    assert share is not None
    assert state.audit.count == 100
    assert share.low <= truth <= share.high
    assert state.checks.found / state.checks.count > 2 * truth, (
        "checks by chance find more: they are no sample"
    )


def test_the_sample_is_without_preference(tmp_path: Path) -> None:
    """A tenth of the figures is doubtful; so is about a tenth of a sample, whatever the seed."""
    records = [made_record(f"d{at}", [0.1 if k % 10 == 0 else 1.0 for k in range(50)]) for at in range(40)]
    run = made_run(tmp_path / "run", records)
    library = Library(run)
    drawn = []
    with ReviewLog.opened(run) as log:
        index = RiskIndex(library, log, seed=11)
        index.start()
        assert index.wait(30)
        for _ in range(200):
            place = index.next("sample")
            assert place is not None
            fact = fact_at(records[place.number - 1], place)
            drawn.append(fact.confidence == 0.1)
            say(log, records[place.number - 1], fact, "confirm")
            index.sync()
        index.close()
    assert sum(drawn) == pytest.approx(20, abs=13)


def test_a_sample_is_the_same_again_and_is_remembered(tmp_path: Path) -> None:
    record = made_record("a", [0.5] * 50)
    run = made_run(tmp_path / "run", [record, made_record("b", [1.0] * 50)])
    with queue_of(run) as (index, library, log):
        first = index.next("sample")
        assert first is not None
        assert index.next("sample", first) == first, "a drawn figure cannot be passed over"
        drawn = library.record(first.number)
        say(log, drawn, fact_at(drawn, first), "remove")
        index.sync()
        second = index.next("sample")
    with queue_of(run) as (index, _, _):
        assert index.state(0.99).audit == Audit(1, 1)
        assert index.next("sample") == second


def test_codes_keep_chances() -> None:
    assert CHANCES[0] == 0
    assert CHANCES[10_000] == 1
    assert CHANCES[10_001] == 0


def test_the_pace_is_that_of_the_person_without_breaks(tmp_path: Path) -> None:
    from evals.review.queue.review_tail import ReviewTail

    times = ["10:00:00", "10:00:10", "10:00:20", "10:00:30", "11:30:00", "11:30:10", "11:30:20"]
    lines = [
        f'{{"doc_id":"a","action":"confirm","annotator":"{name}","at":"2025-01-01T{time}+00:00"}}\n'
        for time in times
        for name in ("a", "b")
    ]
    path = tmp_path / "review.jsonl"
    path.write_text("".join(lines[:8]))
    tail = ReviewTail(path)
    assert tail.changed() == {"a"}
    assert tail.seconds_a_check("a") is None, "too few"
    path.write_text("".join(lines))
    assert tail.changed() == {"a"}
    assert tail.changed() == set()
    assert tail.seconds_a_check("a") == pytest.approx(10)
    assert tail.seconds_a_check("nobody") is None
