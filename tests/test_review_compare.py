"""Two runs compared: exactly what was planted is shown, who is right, and 5,000 documents hold up no page."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from evals.review.comparison.differences import Comparison, compare_records
from evals.review.comparison.runs import ComparedRuns
from evals.review.library import Library
from pipeline.fact import Evidence, Fact, Finding, Record, Templates
from pipeline.runs.reviews import ReviewLog, Target
from tests.browser import chromium
from tests.review_material import SAMPLES, extracted
from tests.review_runs import made_record, made_run
from tests.review_server import review_server, visit

DOC = "tinglan_2020"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extracted(tmp_path_factory.mktemp("compare"), SAMPLES / f"{DOC}.txt", SAMPLES / "yanxi_2017.txt")


# ---- pairing ----


def fact(path: str, value: int | str | None, start: int, **parts: Any) -> Fact:
    """A figure of the prose at `start`."""
    content = {"source": "narrative", "method": "rule", "raw": str(value), "scope": None} | parts
    end = start + len(str(content["raw"]))
    return Fact.model_validate(
        {"path": path, "value": value, "evidence": Evidence(start=start, end=end)} | content
    )


def record(*facts: Fact, **parts: Any) -> Record:
    content = {"doc_id": "x", "file": "x.txt", "sha256": "0" * 64, "media_type": None, "status": "ok"} | parts
    return Record.model_validate(content | {"facts": facts})


def compared(ones: Sequence[Fact], others: Sequence[Fact], same_text: bool = True) -> Comparison:
    return compare_records(record(*ones), record(*others), same_text)


def named(found: Comparison) -> list[tuple[str, Any, Any, str]]:
    return [
        (each.path, each.one and each.one.value, each.other and each.other.value, " ".join(each.aspects))
        for each in found.facts
    ]


CATEGORY, WEBSITE = "proactive.category", "proactive.channel.website"
# facts of the first run, of the second, what differs
PAIRS: list[tuple[list[Fact], list[Fact], list[tuple[str, Any, Any, str]]]] = [
    ([fact(WEBSITE, 5, 10)], [fact(WEBSITE, 5, 10, confidence=0.4, method="label")], []),
    ([fact(WEBSITE, 5, 10)], [fact(WEBSITE, 6, 10)], [(WEBSITE, 5, 6, "value")]),
    # A field that is stated once: what stands elsewhere is another answer to it.
    ([fact(WEBSITE, 5, 10)], [fact(WEBSITE, 6, 50)], [(WEBSITE, 5, 6, "value")]),
    ([fact(WEBSITE, 5, 10)], [], [(WEBSITE, 5, None, "missing")]),
    ([], [fact(WEBSITE, 5, 10)], [(WEBSITE, None, 5, "added")]),
    (
        [fact(WEBSITE, 5, 10, scope="own")],
        [fact(WEBSITE, 5, 10, bound="about")],
        [(WEBSITE, 5, 5, "bound scope")],
    ),
    (
        [fact(WEBSITE, 0, 10, status="zero_in_words", raw="无")],
        [fact(WEBSITE, None, 10, status="blank", raw="无")],
        [(WEBSITE, 0, None, "status value")],
    ),
    # Repeatable ones: by place and label, whatever their order.
    (
        [fact(CATEGORY, 5, 10, label="财政"), fact(CATEGORY, 6, 20, label="教育")],
        [fact(CATEGORY, 6, 20, label="教育"), fact(CATEGORY, 5, 10, label="财政")],
        [],
    ),
    (
        [fact(CATEGORY, 5, 10, label="财政"), fact(CATEGORY, 6, 20, label="教育")],
        [fact(CATEGORY, 7, 20, label="教育")],
        [(CATEGORY, 5, None, "missing"), (CATEGORY, 6, 7, "value")],
    ),
    (
        [fact(CATEGORY, 5, 10, label="财政")],
        [fact(CATEGORY, 9, 80, label="医疗")],
        [(CATEGORY, 5, None, "missing"), (CATEGORY, None, 9, "added")],
    ),
    # One print taken for two fields is one difference.
    (
        [fact(CATEGORY, 5, 10, label="简报")],
        [fact("proactive.channel.other", 5, 10)],
        [(CATEGORY, 5, 5, "field label")],
    ),
    (
        [fact("text.problems", "公开意识有待增强", 10)],
        [fact("text.problems", "公开意识有待增强，更新不及时", 10)],
        [("text.problems", "公开意识有待增强", "公开意识有待增强，更新不及时", "value")],
    ),
]


@pytest.mark.parametrize(("ones", "others", "expected"), PAIRS)
def test_only_what_differs_is_kept(
    ones: list[Fact], others: list[Fact], expected: list[tuple[str, Any, Any, str]]
) -> None:
    assert sorted(named(compared(ones, others)), key=str) == sorted(expected, key=str)


def test_places_of_two_texts_are_not_compared() -> None:
    """Read into another text, a figure stands elsewhere; it is the same figure."""
    ones = [fact(CATEGORY, 5, 10, label="财政"), fact(CATEGORY, 6, 20, label="教育")]
    others = [fact(CATEGORY, 6, 10, label="教育"), fact(CATEGORY, 5, 20, label="财政")]
    assert compared(ones, others, same_text=False).count == 0


def test_findings_status_and_forms_that_differ() -> None:
    finding = Finding(rule="requests.row_total", severity="error", message="m", at="granted")
    one = record(findings=(finding,), status="flagged", templates=Templates(requests="table2021"))
    other = record(findings=(finding.model_copy(update={"at": "concluded"}),))
    found = compare_records(one, other, same_text=True)
    assert [(each.finding.at, each.is_of_one) for each in found.findings] == [
        ("granted", True),
        ("concluded", False),
    ]
    assert found.forms == (("status", "flagged", "ok"), ("requests", "table2021", "–"))


# ---- runs ----


def planted(run: Path, folder: Path) -> Path:
    """A copy of `run` in which one document was read otherwise in five places."""
    other = folder / "other"
    shutil.copytree(run, other)
    lines = []
    for line in (other / "records.jsonl").read_text(encoding="utf-8").splitlines():
        content = json.loads(line)
        if content["doc_id"] == DOC:
            plant(content)
        lines.append(json.dumps(content, ensure_ascii=False, separators=(",", ":")))
    (other / "records.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (other / "records.index").unlink()
    return other


def plant(content: dict[str, Any]) -> None:
    facts = {(each["path"], each["source"]): each for each in content["facts"]}
    facts["requests.granted.total", "table"]["value"] = 8
    facts["requests.new_received.total", "narrative"]["bound"] = "about"
    facts["capacity.trainings", "narrative"]["scope"] = "own"
    content["facts"].remove(facts["meta.issuer", "metadata"])
    cell = facts["remedies.review.upheld", "table"]
    cell |= {"status": "blank", "value": None}


PLANTED = [
    ("meta.issuer", "missing"),
    ("requests.new_received.total", "bound"),
    ("requests.granted.total", "value"),
    ("remedies.review.upheld", "status value"),
    ("capacity.trainings", "scope"),
]


def shown(page: Page) -> list[tuple[str | None, str | None]]:
    return [
        (card.get_attribute("data-path"), card.get_attribute("data-aspects"))
        for card in page.locator("article.difference").all()
    ]


def test_the_page_shows_exactly_the_planted_differences(browser: Browser, run: Path, tmp_path: Path) -> None:
    other = planted(run, tmp_path)
    with (
        review_server(run, "--compare", str(other)) as server,
        visit(browser, server, locale="en") as visiting,
    ):
        page = visiting.page
        expect(page.locator("#counting")).to_have_attribute("data-done", "2")
        rows = page.locator("#documents tbody tr").all_inner_texts()
        assert [row.split() for row in rows] == [
            [DOC, "5", "5", "0", "0"],
            ["yanxi_2017", "0", "0", "0", "0"],
        ]
        page.keyboard.press("n")
        page.wait_for_url("**/compare/*")
        assert shown(page) == PLANTED
        page.keyboard.press("j")
        page.keyboard.press("j")
        card = page.locator("article.difference[aria-current]")
        expect(card).to_have_attribute("data-path", "requests.granted.total")
        values = card.locator(".value").all_inner_texts()
        assert values == ["9", "8"]
        expect(card.locator(".said-a")).to_contain_text("table reader · confidence")
        expect(page.locator("#source mark.current")).to_have_text("9")
        page.keyboard.press("o")
        page.wait_for_url(f"{server.base}/")
        assert (visiting.complaints, visiting.strayed) == ([], [])


def test_who_is_right_is_seen_where_a_person_has_looked(browser: Browser, run: Path, tmp_path: Path) -> None:
    one, folder = tmp_path / "one", tmp_path
    shutil.copytree(run, one)
    other = planted(run, folder)
    library = Library(one)
    number = library.number_of(DOC)
    assert number is not None
    machine = library.record(number)
    by_path = {(each.path, each.source): each for each in machine.facts}
    with ReviewLog.opened(one) as log:
        granted = by_path["requests.granted.total", "table"]
        log.append(
            doc_id=DOC, sha256=machine.sha256, annotator="c", action="confirm", target=Target.of(granted)
        )  # fmt: skip
        trainings = by_path["capacity.trainings", "narrative"]
        own = trainings.model_copy(update={"scope": "own", "method": "human", "confidence": None})
        log.append(
            doc_id=DOC, sha256=machine.sha256, annotator="c", action="correct", target=Target.of(trainings),
            fact=own, reason="subject",
        )  # fmt: skip
    with (
        review_server(one, "--compare", str(other)) as server,
        visit(browser, server, locale="en") as visiting,
    ):
        visiting.open(f"/compare/{number}")
        right = {
            card.get_attribute("data-path"): card.get_attribute("data-right")
            for card in visiting.page.locator("article.difference").all()
        }
        assert right["requests.granted.total"] == "one"
        assert right["capacity.trainings"] == "other"
        assert right["meta.issuer"] == ""
        expect(visiting.page.locator("article.difference .verdict").first).to_contain_text(
            "Read by a person: 9 — A is right."
        )


def test_what_a_person_says_while_the_comparison_is_open_is_taken_up(run: Path, tmp_path: Path) -> None:
    one = tmp_path / "one"
    shutil.copytree(run, one)
    runs = ComparedRuns(Library(one), Library(planted(run, tmp_path)))
    pair = next(each for each in runs.pairs if each.doc_id == DOC)

    def right() -> str:
        found = runs.compare(pair)
        return next(each.right for each in found.facts if each.path == "requests.granted.total")

    assert right() == ""
    machine = runs.one.record(pair.one)
    granted = next(
        each for each in machine.facts if (each.path, each.source) == ("requests.granted.total", "table")
    )
    said = {"doc_id": DOC, "sha256": machine.sha256, "annotator": "c", "target": Target.of(granted)}
    with ReviewLog.opened(one) as log:
        event = log.append(**said, action="confirm")
        assert right() == "one"
        log.append(**said, action="undo", undoes=event.number)
        assert right() == ""


def test_another_text_is_said_and_places_are_those_of_each_run(
    browser: Browser, run: Path, tmp_path: Path
) -> None:
    other = planted(run, tmp_path)
    number = Library(run).number_of(DOC)
    for path in (other / "text").glob("*.txt"):
        text = path.read_bytes().decode()
        path.write_bytes(f"一行。\n{text}".encode())
    with review_server(run, "--compare", str(other)) as server, visit(browser, server) as visiting:
        visiting.open(f"/compare/{number}")
        page = visiting.page
        expect(page.locator(".warning", has_text="文本不同")).to_have_count(1)
        expect(page.locator("#source mark.said-b")).to_have_count(0)
        page.keyboard.press("t")
        page.wait_for_url("**text=other")
        expect(page.locator("#source mark.said-a")).to_have_count(0)
        expect(page.locator("#source-body")).to_contain_text("一行。")
        assert page.locator("#source mark.said-b").count() > 0


def test_documents_are_matched_by_their_bytes_then_by_name(tmp_path: Path) -> None:
    same = made_record("same", [0.9])
    renamed = made_record("old_name", [0.9])
    moved = renamed.model_copy(update={"doc_id": "new_name"})
    changed = made_record("changed", [0.9])
    newer = changed.model_copy(update={"sha256": "f" * 64})
    alone = made_record("alone", [0.9])
    one = Library(made_run(tmp_path / "one", [same, renamed, changed, alone]))
    other = Library(made_run(tmp_path / "other", [newer, moved, same]))
    runs = ComparedRuns(one, other)
    assert [(pair.doc_id, other.entry(pair.other).doc_id, pair.same_bytes) for pair in runs.pairs] == [
        ("same", "same", True),
        ("old_name", "new_name", True),
        ("changed", "changed", False),
    ]
    assert (runs.only_one, runs.only_other) == (("alone",), ())


def test_5000_documents_do_not_hold_up_the_first_page(tmp_path: Path) -> None:
    """Beside a page of the same server that needs no run: the list takes less than a second."""
    records = [made_record(f"doc_{number:04}", [0.9] * 60) for number in range(5000)]
    one = made_run(tmp_path / "one", records)
    changed = [
        each.model_copy(update={"facts": each.facts[:-1]}) if number % 10 == 0 else each
        for number, each in enumerate(records)
    ]
    other = made_run(tmp_path / "other", changed)
    with review_server(one, "--compare", str(other)) as server:
        cookie = {"Cookie": server.cookie()}
        static = seconds(lambda: server.ask("GET", "/static/style.css", cookie))
        first = seconds(lambda: server.ask("GET", "/", cookie))
        assert first < 1 + static, (first, static)
        until = time.monotonic() + 60
        while (progress := json.loads(server.ask("GET", "/compare/progress", cookie).body))["done"] < 5000:
            assert time.monotonic() < until, progress["done"]
            time.sleep(0.5)
        page = server.ask("GET", "/", cookie | {"Accept-Language": "en"}).body.decode()
        assert page.count('href="/compare/') == 100
        assert "500 differences in 500 of 5,000 documents counted" in page
        print(f"first page {first:.3f} s beside {static:.3f} s")


def seconds(call: Any) -> float:
    begun = time.perf_counter()
    assert call().status == 200
    return time.perf_counter() - begun
