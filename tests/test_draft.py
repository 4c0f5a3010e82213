"""Gold drafts: what is written reads back, nothing is written over, nothing that was answered is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from eval_material import sha_of
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.gold import gold_hash
from evals.gold_file import read_gold_file
from evals.gold_new import write_frame
from evals.gold_write import content_of, gold_text
from evals.review.annotation.draft import Change, DraftConflict, GoldDraft, locked_gold, start_of
from evals.review.annotation.state import DraftState
from pipeline.errors import GoldError, RunLocked
from pipeline.fact import Evidence, Fact, Record
from pipeline.schema import request_rows, statistics_rows

REPOSITORY = Path(__file__).parents[1]
GOLD_FILES = sorted((REPOSITORY / "gold").rglob("*.yaml"))
DOC_ID = "qingshui_2020"
START = start_of(DOC_ID, f"{DOC_ID}.txt", sha_of(DOC_ID), ["a"])


def opened(folder: Path) -> GoldDraft:
    return GoldDraft(folder, START)


def test_every_gold_file_of_the_repository_reads_back_as_it_was(tmp_path: Path) -> None:
    assert len(GOLD_FILES) > 100
    for path in GOLD_FILES:
        gold = read_gold_file(path)
        copy = tmp_path / path.name
        copy.write_text(gold_text(content_of(gold)), encoding="utf-8")
        again = read_gold_file(copy)
        assert again == gold, path
        assert again.meta.model_fields_set == gold.meta.model_fields_set, path
        assert gold_hash([again]) == gold_hash([gold]), path


def test_the_layout_is_that_of_the_samples() -> None:
    path = REPOSITORY / "gold" / "samples" / "tinglan_2020.yaml"
    text = path.read_text(encoding="utf-8")
    table_heads = ("requests:", "remedies:", "notes:")
    written = gold_text(content_of(read_gold_file(path))).splitlines()
    for line, expected in zip(written, text.splitlines(), strict=True):
        if not line.startswith(table_heads):
            assert line.replace("'", '"') == expected.replace("'", '"')


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(
        st.characters(exclude_categories=("Cs", "Cc"))
        | st.sampled_from("\n\n\n\t\x85\u2028-:#|>,[]{}?~ 0无"),
        min_size=1,
    ),
    number=st.integers() | st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_text_and_figure_reads_back(
    tmp_path_factory: pytest.TempPathFactory, text: str, number: float
) -> None:
    line = {"path": "proactive.total", "value": number, "raw": text, "near": text, "scope": None}
    content = START | {"status": "reviewed", "annotators": [text], "notes": text, "narrative": [line]}
    content |= {"templates": {"document": "narrative"}, "statistics": {"meetings": number}}
    path = tmp_path_factory.getbasetemp() / f"{DOC_ID}.yaml"
    path.write_text(gold_text(content), encoding="utf-8", newline="\n")
    gold = read_gold_file(path)
    assert (gold.narrative[0].raw, gold.narrative[0].near, gold.notes) == (text, text, text)
    assert (gold.narrative[0].value, gold.statistics["meetings"], gold.annotators) == (number, number, [text])


# Notes and how they begin in the file.
NOTES = [
    ("one line: no more", "notes: 'one line"),
    ("both: 24\n- b wrote 25\n  in the table", "notes: |-\n  both: 24\n  - b wrote 25\n    in the table\n"),
    ("with an empty line\n\nbetween\n", "notes: |\n  with an empty line\n\n  between\n"),
    ("two breaks at the end\nof it\n\n", "notes: |+\n"),
    ("# no comment\n{a: 1}", "notes: |-\n  # no comment\n  {a: 1}\n"),
    ("  indented first\nthen not", 'notes: "'),
    ("ends in a space \nor a tab\t", 'notes: "'),
    ("\nbegins with a break", 'notes: "'),
    ("a break of another sort\u2028\nof text\x85", 'notes: "'),
]


@pytest.mark.parametrize(("notes", "begins"), NOTES)
def test_notes_of_several_lines_stand_as_they_are(tmp_path: Path, notes: str, begins: str) -> None:
    text = gold_text(START | {"notes": notes, "findings": []})
    assert f"\nfindings: []\n{begins}" in text
    path = tmp_path / f"{DOC_ID}.yaml"
    path.write_text(text, encoding="utf-8", newline="\n")
    assert read_gold_file(path).notes == notes
    assert opened(tmp_path).value("notes") == notes


CHANGES = [
    ("meta.issuer", None, "清水县人民政府"),
    ("meta.phone", None, "null"),
    ("meta.division_code", None, "990124"),
    ("meta.year", None, 2020),
    ("notes", None, "one line\nand another: with a colon"),
    ("findings", [], ["requests.row_total@granted"]),
    ("status", "draft", "annotated"),
    ("annotators", ["a"], ["a", "b"]),
    ("narrative/k1", None, {"path": "proactive.total", "value": 3, "raw": "3条", "bound": "at_least"}),
    ("text.problems/k1", None, {"starts": "意识不够", "ends": None}),
    ("statistics.meetings", "x", None),
    ("statistics.own_row", "x", 5),
    ("requests.granted.total", "x", 24),
    ("proactive.licensing.decisions", "x", "/"),
]


@pytest.mark.parametrize(("key", "old", "new"), CHANGES)
def test_a_change_is_in_the_file_and_can_be_undone_and_done_again(
    tmp_path: Path, key: str, old: Any, new: Any
) -> None:
    draft = opened(tmp_path)
    before = draft.value(key)
    assert before == old
    draft.change(key, old, new, "a")
    made = draft.value(key)
    assert opened(tmp_path).value(key) == made
    assert made == new or {name: made[name] for name in new} == new
    draft.undo("a")
    assert opened(tmp_path).value(key) == before
    opened(tmp_path).redo("a")
    assert opened(tmp_path).value(key) == made


def test_places_that_nobody_annotated_are_tildes_and_metadata_are_left_out(tmp_path: Path) -> None:
    draft = opened(tmp_path)
    draft.change("templates.requests", None, "table2021", "a")
    draft.change("requests.granted.total", None, 24, "a")
    draft.change("meta.phone", None, "null", "a")
    text = draft.path.read_text(encoding="utf-8")
    assert "  granted: [~, ~, ~, ~, ~, ~, 24]\n" in text
    assert "meta: {phone: null}\n" in text
    again = opened(tmp_path)
    assert again.value("requests.granted.company") is None
    assert (again.value("meta.phone"), again.value("meta.issuer")) == ("null", None)
    with pytest.raises(GoldError, match=r"requests\.new_received"):
        draft.gold()


def test_a_frame_of_gold_new_is_an_empty_draft(tmp_path: Path) -> None:
    frame = "meta: {issuer: ~, phone: ~, year: null}\nnarrative: []\n"
    text = gold_text(START).replace("meta: {}\n", frame).replace("narrative: []\ntext", "text")
    (tmp_path / f"{DOC_ID}.yaml").write_text(text, encoding="utf-8")
    draft = opened(tmp_path)
    assert [draft.value(f"meta.{key}") for key in ("issuer", "phone", "year")] == [None, None, "null"]


def test_a_path_that_is_no_field_does_not_damage_a_prefilled_frame(tmp_path: Path) -> None:
    """Records may be made by others: a path must not become a key that YAML reads in another way."""
    odd = Fact(
        path="statistics.a: [b",
        value=3,
        raw="3",
        source="table",
        method="table_reader",
        evidence=Evidence(start=0, end=1),
    )
    record = Record(
        doc_id=DOC_ID,
        file=f"{DOC_ID}.txt",
        sha256="0" * 64,
        media_type="text/plain",
        status="ok",
        facts=(odd,),
    )
    path = write_frame(record, tmp_path, prefill=True)
    assert yaml.safe_load(path.read_text(encoding="utf-8")).get("statistics", {}) == {}


def test_characters_that_end_lines_elsewhere_do_not_damage_the_journal(tmp_path: Path) -> None:
    draft = opened(tmp_path)
    notes = "one\u2028two\u0085three\x0cfour"
    draft.change("notes", None, notes, "a")
    again = opened(tmp_path)
    assert again.value("notes") == notes
    again.undo("a")
    assert again.value("notes") is None


def test_a_form_brings_its_rows_and_takes_those_of_the_form_before(tmp_path: Path) -> None:
    draft = opened(tmp_path)
    draft.change("templates.document", None, "table2019", "a")
    assert list(draft.state.head["requests"]) == [row.key for row in request_rows("table2019")]
    assert draft.value("templates.remedies") == "table2019"
    draft.change("requests.other_outcome.company", None, 1, "a")
    draft.change("requests.granted.company", None, 7, "a")
    draft.change("templates.requests", "table2019", "table2021", "a")
    assert list(draft.state.head["requests"]) == [row.key for row in request_rows("table2021")]
    assert (draft.value("requests.granted.company"), draft.value("requests.other_outcome.company")) == (
        7,
        "x",
    )
    draft.undo("a")
    assert draft.value("requests.other_outcome.company") == 1
    draft.change("templates.document", "table2019", "stat2014", "a")
    assert list(draft.state.head["statistics"]) == [row.key for row in statistics_rows() if row.key]
    assert not draft.state.head["requests"]


def test_x_takes_a_row_away_that_is_not_printed_and_a_figure_brings_it_back(tmp_path: Path) -> None:
    draft = opened(tmp_path)
    draft.change("templates.remedies", None, "table2021", "a")
    draft.change("remedies.review.upheld", None, "x", "a")
    assert "review" not in draft.state.head["remedies"]
    draft.change("remedies.review.pending", "x", 2, "a")
    assert draft.value("remedies.review") == [None, None, None, 2, None]
    assert next(iter(draft.state.head["remedies"])) == "review"


def test_two_windows_never_overwrite_each_other(tmp_path: Path) -> None:
    draft = opened(tmp_path)
    draft.change("meta.year", None, 2020, "a")
    with pytest.raises(DraftConflict) as caught:
        draft.change("meta.year", None, 2021, "b")
    assert (caught.value.key, caught.value.current) == ("meta.year", 2020)
    assert draft.change("meta.year", None, 2020, "b") is None  # sent twice
    assert draft.value("meta.year") == 2020


def test_several_changes_are_one_or_none(tmp_path: Path) -> None:
    draft = opened(tmp_path)
    draft.change("templates.remedies", None, "table2021", "a")
    draft.change("remedies.review.total", None, 9, "b")
    row = [Change(f"remedies.review.{key}", None, 0) for key in ("upheld", "corrected", "other")]
    with pytest.raises(DraftConflict):
        draft.change_all([*row, Change("remedies.review.total", None, 0)], "a")
    assert draft.value("remedies.review") == [None, None, None, None, 9]
    draft.change_all(row, "a")
    assert draft.value("remedies.review") == [0, 0, 0, None, 9]
    draft.undo("a")
    assert draft.value("remedies.review") == [None, None, None, None, 9]


REFUSED = [
    ("meta.year", "2020", "meta.year"),
    ("meta.level", "city", "'county'"),
    ("meta.period_start", "2020-02-30", "period_start"),
    ("requests.granted.total", "viele", "allowed are a figure, _ / ? 无"),
    ("requests.granted.total", True, "allowed are a figure"),
    ("requests.granted.total", float("inf"), "allowed are a figure"),
    ("requests.granted.everybody", 1, "is no key"),
    ("../../etc", 1, "is no key"),
    ("narrative/k1", {"path": "meta.year"}, "number paths of the contract"),
    ("narrative/k1", {"path": "proactive.total", "colour": 1}, "colour"),
    ("text.problems/k1", {"starts": 4}, None),
    ("templates.document", "table2030", "table2021"),
    ("findings", ["the sums are wrong"], "is no rule@column"),
    ("status", "done", "adjudicated"),
]


@pytest.mark.parametrize(("key", "new", "said"), [case for case in REFUSED if case[2]])
def test_what_cannot_stand_there_is_refused_with_what_is_allowed(
    tmp_path: Path, key: str, new: Any, said: str
) -> None:
    draft = opened(tmp_path)
    with pytest.raises(ValueError, match=key.split("/")[0].replace(".", r"\.")) as caught:
        draft.change(key, draft.value(key) if "everybody" not in key and ".." not in key else None, new, "a")
    assert said in str(caught.value)
    assert not draft.is_begun


def test_a_change_of_a_finished_file_makes_it_a_draft_again(tmp_path: Path) -> None:
    draft = opened(tmp_path)
    draft.change("status", "draft", "annotated", "a")
    draft.change("notes", None, "why", "a")
    assert draft.value("status") == "annotated"
    draft.change("meta.year", None, 2020, "a")
    assert draft.value("status") == "draft"
    draft.undo("a")
    assert (draft.value("status"), draft.value("meta.year")) == ("annotated", None)


def test_undo_walks_back_to_the_start_and_redo_forward_again(tmp_path: Path) -> None:
    draft = opened(tmp_path)
    for number, key in enumerate(("k1", "k2", "k3")):
        draft.change(f"narrative/{key}", None, {"raw": f"{number}件"}, "a")
    full = draft.path.read_bytes()
    draft.change("narrative/k2", draft.value("narrative/k2"), None, "a")
    draft.change("narrative", ["k1", "k3"], ["k3", "k1"], "a")
    final = draft.path.read_bytes()
    draft.undo("a")
    draft.undo("a")
    assert draft.path.read_bytes() == full
    assert draft.state.ids["narrative"] == ["k1", "k2", "k3"]
    again = opened(tmp_path)  # another process goes on with the same stack
    while again.undo("a"):
        pass
    assert again.value("narrative") == []
    while again.redo("a"):
        pass
    assert again.path.read_bytes() == final
    again.undo("a")
    again.change("notes", None, "new", "a")
    assert not again.can_redo


def test_the_edit_of_an_editor_is_read_and_kept(tmp_path: Path) -> None:
    draft = opened(tmp_path)
    draft.change("templates.remedies", None, "table2021", "a")
    draft.change("narrative/k1", None, {"raw": "3件"}, "a")
    text = draft.path.read_text(encoding="utf-8")
    edited = text.replace("review: [~, ~", "review: [5, ~").replace("status: draft", "status: draft  # mine")
    draft.path.write_text(edited, encoding="utf-8")
    with pytest.raises(DraftConflict) as caught:
        draft.change("remedies.review.upheld", None, 6, "a")
    assert caught.value.current == 5
    draft.change("remedies.review.corrected", None, 1, "a")
    assert "review: [5, 1," in draft.path.read_text(encoding="utf-8")
    assert draft.state.ids["narrative"] == ["k1"]  # the page's lines are still those
    draft.undo("a")
    assert draft.undo("a") is None  # not past what somebody else has done
    assert any("# mine" in path.read_text(encoding="utf-8") for path in (tmp_path / ".review").glob("*.yaml"))


def test_a_damaged_file_is_named_and_stays_as_it_is(tmp_path: Path) -> None:
    draft = opened(tmp_path)
    draft.change("meta.year", None, 2020, "a")
    for damaged, said in (("doc_id: [", "no valid YAML"), ("doc_id: x\ndoc_id: y\n", "stands twice")):
        draft.path.write_text(damaged, encoding="utf-8")
        with pytest.raises(GoldError, match=rf"{DOC_ID}\.yaml.*{said}"):
            draft.change("meta.year", 2020, 2021, "a")
        with pytest.raises(GoldError, match=rf"{DOC_ID}\.yaml"):
            opened(tmp_path)
        assert draft.path.read_text(encoding="utf-8") == damaged


def test_gold_of_another_file_is_refused(tmp_path: Path) -> None:
    opened(tmp_path).change("meta.year", None, 2020, "a")
    with pytest.raises(GoldError, match="gold for another file"):
        GoldDraft(tmp_path, START | {"sha256": sha_of("other")})


def test_a_disk_that_is_full_leaves_file_and_journal_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = opened(tmp_path)
    draft.change("meta.year", None, 2020, "a")
    journal = tmp_path / ".review" / f"{DOC_ID}.jsonl"
    before = draft.path.read_bytes(), journal.read_bytes()

    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("evals.review.annotation.draft.write_atomically", full)
        with pytest.raises(OSError, match="No space left"):
            draft.change("meta.year", 2020, 2021, "a")
    assert (draft.path.read_bytes(), journal.read_bytes()) == before
    draft.change("meta.year", 2020, 2021, "a")
    assert opened(tmp_path).value("meta.year") == 2021


def test_what_was_cut_off_between_journal_and_file_is_finished(tmp_path: Path) -> None:
    draft = opened(tmp_path)
    draft.change("meta.year", None, 2020, "a")
    before = draft.path.read_bytes()
    draft.change("notes", None, "the last word", "a")
    draft.path.write_bytes(before)
    os.utime(draft.path, (time.time() - 5, time.time() - 5))
    assert opened(tmp_path).value("notes") == "the last word"
    draft.path.write_bytes(before)
    os.utime(draft.path, (time.time() + 60, time.time() + 60))
    assert opened(tmp_path).value("notes") is None  # an editor took it back later


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    child = "from pathlib import Path; import sys; from evals.review.annotation.draft import locked_gold\n"
    child += "with locked_gold(Path(sys.argv[1])): print('locked', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", child, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(
            RunLocked, match=rf"another gongkai review writes gold here \(process {holder.pid}\)"
        ):
            locked_gold(tmp_path).__enter__()
        holder.kill()
    with locked_gold(tmp_path):
        pass


WRITER = """
import sys
from pathlib import Path
from evals.review.annotation.draft import GoldDraft
from test_draft import START
draft = GoldDraft(Path(sys.argv[1]), START)
number = len(draft.value("narrative"))
while True:
    draft.change(f"narrative/k{number}", None, {"raw": f"{number}件"}, "a")
    print(number, flush=True)
    number += 1
"""


def test_kill_9_in_the_middle_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    answered = -1
    for round_ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
        ) as writer:
            assert writer.stdout is not None
            answered = int(writer.stdout.readline())
            time.sleep(0.013 * (round_ + 1))
            writer.send_signal(signal.SIGKILL)
            for line in writer.stdout.read().splitlines():
                answered = int(line)
        state = DraftState.of(START) if not (draft := opened(tmp_path)).is_begun else draft.state
        lines = [line["raw"] for line in state.lists["narrative"].values()]
        assert lines[: answered + 1] == [f"{number}件" for number in range(answered + 1)]
        assert len(lines) - (answered + 1) in (0, 1)  # one may be written and not yet answered
        entries = (tmp_path / ".review" / f"{DOC_ID}.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(entry)["number"] for entry in entries] == list(range(1, len(entries) + 1))
    assert answered > 20
