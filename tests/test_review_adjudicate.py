"""Two annotators of a sample, adjudicated in a browser by keys alone; nothing decided is lost."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from evals.gold_check import check_gold
from evals.gold_file import GoldLoader, read_gold_file
from tests.browser import Scheme, chromium
from tests.review_material import SAMPLES, extracted
from tests.review_server import Visit, review_server, visit

DOC = "tinglan_2020"
# The differences that are planted, in the order in which they are asked, and the keys that decide them.
ASKED = [
    "cells proactive.procurement.amount_yuan",
    "cells requests.granted.natural_person",
    "cells requests.granted.total",
    "meta meta.phone",
    "prose capacity.meetings",
    "prose_scope capacity.trainings",
    "prose_scope capacity.trainees",
    "text text.problems",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extracted(tmp_path_factory.mktemp("adjudicate"), SAMPLES / f"{DOC}.txt")


def sample() -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(
        (SAMPLES / f"{DOC}.yaml").read_text(encoding="utf-8"), Loader=GoldLoader
    )
    return content | {"status": "annotated"}


def write(folder: Path, name: str, content: dict[str, Any]) -> Path:
    folder = folder / name
    folder.mkdir()
    text = yaml.safe_dump(content | {"annotators": [name]}, allow_unicode=True, sort_keys=False)
    (folder / f"{content['doc_id']}.yaml").write_text(text, encoding="utf-8")
    return folder


def annotators(folder: Path) -> list[str]:
    """Both annotators' folders and that of the result, as options."""
    a, b = sample(), copy.deepcopy(sample())
    b["proactive"]["procurement"]["amount_yuan"] = 486300
    b["requests"]["granted"] = [8, 1, 0, 0, 1, 0, 10]
    b["meta"]["phone"] = "0607-6630001"
    for line in b["narrative"]:
        if line["path"].startswith("capacity."):
            line["scope"] = "own"
    b["narrative"].insert(5, {"path": "capacity.meetings", "value": 22, "raw": "22次", "scope": "own"})
    b["text"]["problems"][2]["ends"] = "年底考核"
    folders = [write(folder, name, content) for name, content in (("a", a), ("b", b))]
    return ["--adjudicate", *map(str, folders), "--out", str(folder / "gold"), "--annotator", "c"]


def gold(folder: Path) -> Path:
    return folder / "gold" / f"{DOC}.yaml"


def journal(folder: Path) -> list[str]:
    """What was done, line by line."""
    path = folder / "gold" / ".review" / f"{DOC}.decisions.jsonl"
    return [json.loads(line)["action"] for line in path.read_text(encoding="utf-8").splitlines()]


def current(page: Page) -> str:
    """What is asked now: its kind and field."""
    card = page.locator("article.asked[aria-current]")
    expect(card).to_have_count(1)
    return f"{card.get_attribute('data-kind')} {card.get_attribute('data-path')}"


def state(page: Page, at: int) -> str | None:
    return page.locator("article.asked").nth(at).get_attribute("data-state")


def arrive(visiting: Visit) -> Page:
    """From the list to the document, by a key."""
    page = visiting.page
    page.keyboard.press("n")
    page.wait_for_url("**/adjudicate/1")
    expect(page.locator("article.asked[aria-current]")).to_be_focused()
    return page


def decided(page: Page, count: int) -> None:
    expect(page.locator("article.asked.is-decided")).to_have_count(count)


def decide_all(page: Page) -> None:
    """Every planted difference as the sample has it."""
    keyboard = page.keyboard
    keyboard.press("3")  # the amount, typed
    keyboard.type("486,200")
    keyboard.press("Enter")
    reason(page, 0).wait_for()
    expect(reason(page, 0)).to_be_focused()
    keyboard.type("page 2")
    keyboard.press("Enter")
    decided(page, 1)
    assert current(page) == "cells requests.granted.natural_person"
    for number, pressed in ((1, "1"), (2, "1"), (3, "1")):
        keyboard.press(pressed)
        expect(reason(page, number)).to_be_focused()
        keyboard.press("1")  # the first reason at hand
        decided(page, number + 1)
    keyboard.press("0")  # no figure of the report's own work
    expect(reason(page, 4)).to_be_focused()
    keyboard.press("6")
    decided(page, 5)
    keyboard.press("a")  # both scopes at one stroke
    keyboard.press("1")
    expect(reason(page, 5)).to_be_focused()
    keyboard.press("4")
    decided(page, 7)
    keyboard.press("1")
    expect(reason(page, 7)).to_be_focused()
    keyboard.press("=")  # the reason before
    decided(page, 8)


def reason(page: Page, at: int) -> Any:
    return page.locator("article.asked").nth(at).locator(".reason")


def test_by_keys_alone_to_a_gold_file_that_passes_and_says_what_was_decided(
    browser: Browser, run: Path, tmp_path: Path
) -> None:
    with review_server(run, *annotators(tmp_path)) as server, visit(browser, server, locale="en") as visiting:
        before = visiting.page.locator("#agreement tbody tr").first.locator("td").all_inner_texts()
        assert len(before) == 4
        page = arrive(visiting)
        cards = page.locator("article.asked").all()
        assert [
            f"{card.get_attribute('data-kind')} {card.get_attribute('data-path')}" for card in cards
        ] == ASKED
        decide_all(page)
        expect(page.locator("#standing")).to_have_attribute("data-status", "adjudicated")
        page.keyboard.press("o")
        page.wait_for_url(f"{server.base}/")
        rows = page.locator("#agreement tbody tr").first.locator("td").all_inner_texts()
        assert rows[4] == "1.000", rows  # A with the gold
        assert visiting.complaints == []
        assert visiting.strayed == []
        assert server.stop() == 0
    said = "".join(server.printed)
    assert said.index("before: A with B") < said.index("after: A with the gold, 1 of 1")
    assert [each for each in check_gold(tmp_path / "gold", SAMPLES) if each.severity == "error"] == []
    made, wanted = read_gold_file(gold(tmp_path)), read_gold_file(SAMPLES / f"{DOC}.yaml")
    outside = {"status", "annotators", "notes"}
    assert made.model_dump(exclude=outside) == wanted.model_dump(exclude=outside)
    assert (made.status, made.annotators) == ("adjudicated", ["a", "b"])
    assert made.notes is not None
    assert "proactive.procurement.amount_yuan: a 486200 | b 486300 → 486200: page 2" in made.notes
    assert made.notes.count("→") == len(ASKED)
    # Each was chosen, then given its reason: nothing is sent twice.
    assert len(journal(tmp_path)) == 1 + 2 * len(ASKED)


def test_kill_in_the_middle_loses_no_decision(browser: Browser, run: Path, tmp_path: Path) -> None:
    options = annotators(tmp_path)
    with review_server(run, *options) as server, visit(browser, server) as visiting:
        page = arrive(visiting)
        for number in range(3):
            page.keyboard.press("1")
            expect(reason(page, number)).to_be_focused()
            if number < 2:
                page.keyboard.press("2")
                decided(page, number + 1)
        server.kill()
    assert journal(tmp_path) == ["write", *["decide"] * 5]
    with review_server(run, *options) as server, visit(browser, server) as visiting:
        page = arrive(visiting)
        assert [state(page, at) for at in range(4)] == ["decided", "decided", "pending", "open"]
        assert current(page) == "cells requests.granted.total"
        page.keyboard.press("r")  # the reason is asked for again
        page.keyboard.type("printed so")
        page.keyboard.press("Enter")
        decided(page, 3)
    content = gold(tmp_path).read_text(encoding="utf-8")
    assert "granted: [7, 1, 0, 0, 1, 0, 9]" in content
    assert "amount_yuan: 486200" in content
    assert "status: draft" in content


def test_undo_and_a_reason_that_is_still_missing(browser: Browser, run: Path, tmp_path: Path) -> None:
    with review_server(run, *annotators(tmp_path)) as server, visit(browser, server, locale="en") as visiting:
        page = arrive(visiting)
        page.keyboard.press("2")
        expect(reason(page, 0)).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("article.asked").first.locator(".fault")).to_contain_text("needs a reason")
        assert "amount_yuan: ~" in gold(tmp_path).read_text(encoding="utf-8")
        page.keyboard.press("2")
        decided(page, 1)
        assert "amount_yuan: 486300" in gold(tmp_path).read_text(encoding="utf-8")
        page.keyboard.press("u")
        expect(page.locator("article.asked.is-pending")).to_have_count(1)
        page.keyboard.press("u")
        expect(page.locator("article.asked.is-open")).to_have_count(len(ASKED))
        assert "amount_yuan: ~" in gold(tmp_path).read_text(encoding="utf-8")
        expect(page.locator("#live")).to_contain_text("Undone")


def test_what_is_typed_and_cannot_be_stays_in_the_field(browser: Browser, run: Path, tmp_path: Path) -> None:
    with review_server(run, *annotators(tmp_path)) as server, visit(browser, server) as visiting:
        page = arrive(visiting)
        page.keyboard.press("3")
        page.keyboard.type("many")
        page.keyboard.press("Enter")
        card = page.locator("article.asked").first
        expect(card.locator(".fault")).to_contain_text("figure or one of")
        expect(card.locator("form.other input")).to_have_value("many")
        assert card.get_attribute("data-state") == "open"


def test_two_windows_do_not_write_over_each_other(browser: Browser, run: Path, tmp_path: Path) -> None:
    with review_server(run, *annotators(tmp_path)) as server, visit(browser, server, locale="en") as visiting:
        page = arrive(visiting)
        second = visiting.another()
        second.goto(f"{server.base}/adjudicate/1")
        expect(second.locator("article.asked[aria-current]")).to_be_focused()
        page.keyboard.press("1")
        expect(reason(page, 0)).to_be_focused()
        page.keyboard.press("1")
        decided(page, 1)
        second.keyboard.press("2")
        expect(second.locator("article.asked").first.locator(".fault")).to_contain_text("another window")
        assert state(second, 0) == "decided"
        assert second.locator("article.asked").first.get_attribute("data-choice") == "a"
    assert "amount_yuan: 486200" in gold(tmp_path).read_text(encoding="utf-8")


def test_both_places_are_marked_in_the_source(browser: Browser, run: Path, tmp_path: Path) -> None:
    with review_server(run, *annotators(tmp_path)) as server, visit(browser, server) as visiting:
        page = arrive(visiting)
        cell = page.locator("#source mark.current")
        expect(cell).to_have_text("486,200 元")  # the place of the cell, whatever was read there
        assert cell.get_attribute("class") == "said-a said-b current chosen"
        page.locator("article.asked").last.focus()
        texts = page.locator("#source mark.said-a.said-b.current").all_inner_texts()
        assert "对乡镇的指导偏重年底考核" in "".join(texts)
        only_a = page.locator("#source mark.said-a.current:not(.said-b)").all_inner_texts()
        assert "过问不多" in "".join(only_a)
        page.locator("#source mark", has_text="240").first.click()
        assert current(page).startswith("prose_scope")


def test_markup_in_an_annotation_stays_text(browser: Browser, run: Path, tmp_path: Path) -> None:
    options = annotators(tmp_path)
    path = tmp_path / "b" / f"{DOC}.yaml"
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=GoldLoader)
    evil = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
    content["meta"]["issuer"] = evil
    content["notes"] = evil
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with review_server(run, *options) as server, visit(browser, server) as visiting:
        page = arrive(visiting)
        expect(page.locator("article.asked .said-b", has_text="onerror")).to_have_count(1)
        assert (visiting.dialogs, visiting.strayed, visiting.complaints) == ([], [], [])


def test_a_second_server_for_the_same_result_is_refused(run: Path, tmp_path: Path) -> None:
    options = annotators(tmp_path)
    with (
        review_server(run, *options),
        pytest.raises(AssertionError, match="another gongkai review writes gold here"),
        review_server(run, *options),
    ):
        pass


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark")])
def test_a_narrow_window_does_not_scroll_sideways(
    browser: Browser, run: Path, tmp_path: Path, width: int, scheme: Scheme
) -> None:
    with (
        review_server(run, *annotators(tmp_path)) as server,
        visit(browser, server, width=width, scheme=scheme, locale="en") as visiting,
    ):
        for path in ("/", "/adjudicate/1"):
            visiting.open(path)
            if path != "/":
                expect(visiting.page.locator("article.asked[aria-current]")).to_be_focused()
                for form in visiting.page.locator("form.other").all():
                    form.evaluate("form => form.hidden = false")
            assert visiting.page.evaluate("document.documentElement.scrollWidth") <= width
        buttons = visiting.page.locator("article.asked button:visible, article.asked input:visible").all()
        assert all(
            button.evaluate("each => each.textContent.trim() || each.labels.length") for button in buttons
        )


def pressed(page: Page, key: str) -> dict[str, str]:
    """What the answer to a key puts in: markup by the ID of what it replaces."""
    with page.expect_response("**/decide") as answer:
        page.keyboard.press(key)
    return {each["id"]: each["html"] for each in answer.value.json()["fragments"]}


def test_a_decision_puts_in_what_it_alters_and_what_other_windows_did(
    browser: Browser, run: Path, tmp_path: Path
) -> None:
    with review_server(run, *annotators(tmp_path)) as server, visit(browser, server, locale="en") as visiting:
        page = arrive(visiting)
        assert set(pressed(page, "1")) == {"asked-1", "standing"}
        expect(reason(page, 0)).to_be_focused()
        assert set(pressed(page, "1")) == {"asked-1", "standing"}
        decided(page, 1)
        for _ in range(4):
            page.keyboard.press("n")
        assert current(page) == "prose_scope capacity.trainings"
        # Of the other scope that waits no more than how many are alike.
        assert {"asked-6", "standing"} <= set(pressed(page, "1")) <= {"asked-6", "asked-7", "standing"}
        expect(reason(page, 5)).to_be_focused()
        second = visiting.another()
        second.goto(f"{server.base}/adjudicate/1")
        expect(second.locator("article.asked[aria-current]")).to_be_focused()
        second.keyboard.press("1")
        expect(reason(second, 1)).to_be_focused()
        second.keyboard.press("1")
        decided(second, 2)
        assert set(pressed(page, "1")) == {"asked", "standing"}
        decided(page, 3)
        assert visiting.complaints == []


def test_a_key_that_comes_again_or_late_leaves_the_decision_as_it_is(
    browser: Browser, run: Path, tmp_path: Path
) -> None:
    with review_server(run, *annotators(tmp_path)) as server, visit(browser, server, locale="en") as visiting:
        page = arrive(visiting)
        page.keyboard.press("1")
        expect(reason(page, 0)).to_be_focused()
        page.keyboard.type("page 2")
        page.keyboard.press("Enter")
        decided(page, 1)
        page.keyboard.press("k")
        page.keyboard.press("1")
        expect(reason(page, 0)).to_be_focused()
        expect(reason(page, 0)).to_have_value("page 2")
        page.keyboard.press("Escape")
        decided(page, 1)
        page.keyboard.press("n")
        for number in range(1, len(ASKED)):
            page.keyboard.press("1")
            expect(reason(page, number)).to_be_focused()
            page.keyboard.press("1")
            decided(page, number + 1)
        expect(page.locator("#standing")).to_have_attribute("data-status", "adjudicated")
        for key in ("1", "2", "0"):
            page.keyboard.press(key)
        expect(page.locator("#live")).to_contain_text("cannot be chosen here")
        expect(page.locator("#next-open")).to_be_focused()
        decided(page, len(ASKED))
    assert "amount_yuan: 486200" in gold(tmp_path).read_text(encoding="utf-8")
    assert journal(tmp_path) == ["write", *["decide"] * (2 * len(ASKED))]
