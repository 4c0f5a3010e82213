"""review.jsonl: nothing acknowledged is lost, nothing is overwritten, nothing lands on another figure."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from run_material import record as plain_record

from pipeline.errors import RunLocked, StartError
from pipeline.fact import Evidence, Fact, Record
from pipeline.runs.corrected import Figure, facts_in_force, figures, reviewed
from pipeline.runs.record import RecordFile, write_text
from pipeline.runs.reviews import (
    Action,
    ReviewConflict,
    ReviewEvent,
    ReviewLog,
    ReviewRefused,
    Target,
    base_of,
    read_reviews,
)

TEXT = "青岚县人民政府2017年政府信息公开工作年度报告\n全年主动公开信息120条，其中规章3件，收到申请18件。\n"
RULES, RECEIVED = "proactive.regulations.issued", "requests.new_received.total"


def fact(path: str, raw: str, value: int | None = None, *, human: bool = False, **about: object) -> Fact:
    """A figure of `TEXT`, where `raw` stands in it."""
    start = TEXT.index(raw)
    return Fact.model_validate(
        {
            "path": path,
            "value": int(raw) if value is None else value,
            "raw": raw,
            "source": "narrative",
            "method": "human" if human else "rule",
            "evidence": Evidence(start=start, end=start + len(raw)),
            **about,
        }
    )


TOTAL = fact("proactive.total", "120")
ISSUED = fact(RULES, "3")
MACHINE = (TOTAL, ISSUED)


def document(facts: tuple[Fact, ...] = MACHINE, sha256: str = "a" * 64) -> Record:
    """The record of `TEXT`."""
    return plain_record("r").model_copy(update={"sha256": sha256, "facts": facts})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run folder with the record and its text."""
    records = RecordFile(tmp_path)
    records.append(document())
    records.close()
    write_text(tmp_path, "a" * 64, TEXT)
    return tmp_path


@pytest.fixture
def log(folder: Path) -> Iterator[ReviewLog]:
    """The log, open for writing."""
    with ReviewLog.opened(folder) as opened:
        yield opened


def say(
    log: ReviewLog, action: Action, on: Fact = TOTAL, to: Fact | None = None, **about: object
) -> ReviewEvent:
    """A change by 甲."""
    target = Target.of(on)
    return log.append("r", "a" * 64, "甲", action, target, to, **about)  # type: ignore[arg-type]


def figure(log: ReviewLog, of: Fact = TOTAL, record: Record | None = None) -> Figure:
    """A figure as it stands now."""
    found = figures(record or document(), log.events_of("r"))
    return next(each for each in found if each.target == Target.of(of))


def test_a_correction_stands_beside_the_machine_s_reading(log: ReviewLog) -> None:
    human = fact("proactive.total", "120", 12, human=True)
    event = say(log, "correct", to=human, reason="the scan shows 12", base=0)
    now = figure(log)
    assert (now.machine, now.human, now.fact) == (TOTAL, human, human)
    assert (now.verdict, now.last, now.base) == ("corrected", event, 1)
    assert (event.annotator, event.reason, event.fact and event.fact.method) == (
        "甲",
        "the scan shows 12",
        "human",
    )
    assert facts_in_force(document(), log.events_of("r")) == (human, ISSUED)
    assert figure(log, ISSUED).verdict == "unchecked"


def test_every_kind_of_change_and_what_is_in_force_then(log: ReviewLog) -> None:
    received = fact(RECEIVED, "18", human=True)
    say(log, "confirm", base=0)
    say(log, "remove", ISSUED, reason="another year's", base=0)
    say(log, "add", received, received, base=0)
    verdicts = {each.target.path: each.verdict for each in figures(document(), log.events_of("r"))}
    assert verdicts == {TOTAL.path: "confirmed", RULES: "removed", RECEIVED: "added"}
    assert facts_in_force(document(), log.events_of("r")) == (TOTAL, received)
    assert facts_in_force(document(), ()) == MACHINE


def test_an_added_fact_stands_where_it_is_printed(log: ReviewLog) -> None:
    middle = fact(RULES, "3", human=True, label="between the two")
    last = fact(RECEIVED, "18")
    say(log, "add", middle, middle)
    assert facts_in_force(document((TOTAL, last)), log.events_of("r")) == (TOTAL, middle, last)


def test_a_confirmation_keeps_the_correction_that_it_confirms(log: ReviewLog) -> None:
    """Two people: what the second one saw was the first one's value, never the machine's again."""
    human = fact("proactive.total", "120", 12, human=True)
    say(log, "correct", to=human)
    second = log.append("r", "a" * 64, "乙", "confirm", Target.of(TOTAL), base=1)
    now = figure(log)
    assert (now.verdict, now.fact, now.last) == ("corrected", human, second)


def test_changes_are_undone_from_the_last_to_the_first(log: ReviewLog) -> None:
    first, second = (fact("proactive.total", "120", value, human=True) for value in (12, 20))
    say(log, "correct", to=first)
    say(log, "correct", to=second)
    with pytest.raises(ReviewRefused, match=r"number 1 cannot be undone: .* that is number 2"):
        say(log, "undo", undoes=1)
    say(log, "undo", undoes=2)
    assert figure(log).fact == first
    with pytest.raises(ReviewRefused, match="number 2 cannot be undone"):
        say(log, "undo", undoes=2)
    say(log, "undo", undoes=1)
    untouched = figure(log)
    assert (untouched.fact, untouched.verdict, untouched.last, untouched.base) == (
        TOTAL,
        "unchecked",
        None,
        4,
    )
    with pytest.raises(ReviewRefused, match="there is none"):
        say(log, "undo", undoes=1)
    say(log, "correct", to=second, base=4)  # an undo is itself undone by making the change again
    assert figure(log).fact == second


def test_an_added_figure_is_gone_when_undone_and_can_be_added_again(log: ReviewLog) -> None:
    received = fact(RECEIVED, "18", human=True)
    say(log, "add", received, received, base=0)
    say(log, "undo", received, undoes=1, base=1)
    assert [each.target.path for each in figures(document(), log.events_of("r"))] == [TOTAL.path, RULES]
    base = base_of(log.events_of("r"), Target.of(received), "a" * 64)
    say(log, "add", received, received, base=base)
    assert figure(log, received).verdict == "added"
    say(log, "remove", received, base=3)
    removed = figure(log, received)
    assert (removed.verdict, removed.fact, removed.human) == ("removed", None, received)


def test_a_second_window_is_refused_and_shown_what_the_first_one_wrote(log: ReviewLog) -> None:
    first = say(log, "correct", to=fact("proactive.total", "120", 12, human=True), base=0)
    with pytest.raises(ReviewConflict, match=r"number 1 \(correct by 甲\)") as caught:
        say(log, "confirm", base=0)
    assert caught.value.current == first
    undo = say(log, "undo", undoes=1, base=1)
    with pytest.raises(ReviewConflict) as caught:
        say(log, "confirm", base=0)
    assert caught.value.current == undo, "an undo is a change too"
    say(log, "confirm", ISSUED, base=0)  # another figure is no conflict
    assert len(log) == 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"action": "correct"}, "a fact belongs to correct"),
        ({"action": "confirm", "to": TOTAL}, "a fact belongs to correct"),
        ({"action": "correct", "to": TOTAL}, "the method of a person's fact is human"),
        ({"action": "undo"}, "undo needs it"),
        ({"action": "add", "to": fact(RULES, "3", human=True)}, "its own target"),
        ({"action": "correct", "to": fact("no.such", "3", human=True)}, "'no.such' is no field"),
        ({"action": "correct", "to": fact(RULES, "3", human=True, status="blank")}, "does not go with"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["action"],
)
def test_a_change_that_makes_no_sense_is_refused_and_not_written(
    log: ReviewLog, change: dict[str, object], why: str
) -> None:
    with pytest.raises(ReviewRefused, match=why):
        say(log, **change)  # type: ignore[arg-type]
    assert len(log) == 0
    assert log.path.read_bytes() == b""


@pytest.mark.parametrize(("start", "end"), [(0, len(TEXT) + 1), (-1, 3), (9, 3)])
def test_the_place_of_a_new_reading_lies_within_the_text(log: ReviewLog, start: int, end: int) -> None:
    outside = fact("proactive.total", "120", human=True, evidence=Evidence(start=start, end=end))
    with pytest.raises(ReviewRefused, match="outside of the text"):
        say(log, "correct", to=outside)
    assert say(log, "correct", to=fact("proactive.total", "18", human=True)).number == 1


def test_without_its_text_a_document_takes_no_new_places(log: ReviewLog) -> None:
    (log.folder / "text" / f"{'a' * 64}.txt").unlink()
    received = fact(RECEIVED, "18", human=True)
    with pytest.raises(ReviewRefused, match="text is not kept"):
        say(log, "add", received, received)
    say(log, "correct", to=fact("proactive.total", "120", 12, human=True))


# After a document was read anew by another version, or from other bytes.
def test_changes_of_figures_that_are_gone_are_kept_and_reported(log: ReviewLog) -> None:
    say(log, "correct", to=fact("proactive.total", "120", 12, human=True))
    moved = TOTAL.model_copy(update={"evidence": Evidence(start=TOTAL.evidence.start + 1, end=34)})
    found = reviewed(document((moved, ISSUED)), log.events_of("r"))
    assert [each.verdict for each in found.figures] == ["unchecked", "unchecked"]
    assert [(each.event.number, each.why) for each in found.orphaned] == [
        (1, "the record has no such figure any more")
    ]
    replaced = reviewed(document(sha256="b" * 64), log.events_of("r"))
    assert [each.fact for each in replaced.figures] == list(MACHINE)
    assert [each.why for each in replaced.orphaned] == ["made on another file of this name"]
    assert log.append("r", "b" * 64, "甲", "confirm", Target.of(TOTAL), base=0).number == 2


def test_a_figure_that_is_read_otherwise_now_is_no_longer_confirmed(log: ReviewLog) -> None:
    say(log, "confirm", seen=TOTAL)
    say(log, "correct", ISSUED, fact(RULES, "3", 8, human=True), seen=ISSUED)
    anew = (TOTAL.model_copy(update={"value": 121}), ISSUED.model_copy(update={"value": 4}))
    found = reviewed(document(anew), log.events_of("r"))
    assert [each.verdict for each in found.figures] == ["unchecked", "corrected"]
    assert [each.event.number for each in found.orphaned] == [1]
    other_print = (TOTAL, ISSUED.model_copy(update={"raw": "30", "value": 30}))
    found = reviewed(document(other_print), log.events_of("r"))
    assert [each.verdict for each in found.figures] == ["confirmed", "unchecked"]
    assert [each.event.number for each in found.orphaned] == [2]


def test_keys_tell_figures_apart_by_label() -> None:
    keys = {Target.of(ISSUED.model_copy(update={"label": label})).key for label in (None, "教育", "卫生")}
    assert len(keys) == 3
    assert f"{RULES}~narrative~{ISSUED.evidence.start}~{ISSUED.evidence.end}" in keys
    assert all(key.isascii() for key in keys)


@pytest.mark.parametrize("cut", [1, 2, 40, -2, -1])
def test_a_torn_last_line_is_passed_over_and_then_cut_off(folder: Path, cut: int) -> None:
    with ReviewLog.opened(folder) as log:
        say(log, "confirm")
        say(log, "confirm", ISSUED)
    path = folder / "review.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:cut])
    read = read_reviews(folder)
    assert ([event.number for event in read.events_of("r")], read.was_torn) == ([1], True)
    assert path.read_bytes() == lines[0] + lines[1][:cut], "a reader writes nothing"
    with ReviewLog.opened(folder) as log:
        assert log.was_torn
        assert say(log, "remove", ISSUED).number == 2
    assert [event.action for event in read_reviews(folder).events_of("r")] == ["confirm", "remove"]


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda line: line.replace(b'"number":2', b'"number":'), "is damaged"),
        (lambda line: line.replace(b'"confirm"', b'"confrim"'), "action: Input should be"),
        (lambda line: line[:40] + b"\n", "is damaged"),
        (lambda line: line.replace(b'"number":2', b'"number":1'), "number 1 follows 1"),
    ],
)
def test_a_damaged_line_is_named_with_the_remedy_and_the_remedy_works(
    folder: Path, damage: object, why: str
) -> None:
    with ReviewLog.opened(folder) as log:
        for _ in range(3):
            say(log, "confirm")
    path = folder / "review.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + damage(lines[1]) + lines[2])  # type: ignore[operator]
    for reads in (read_reviews, ReviewLog):
        with pytest.raises(StartError, match=f"line 2.*{why}.*delete this line"):
            reads(folder)
    path.write_bytes(lines[0] + lines[2])
    assert [event.number for event in read_reviews(folder).events_of("r")] == [1, 3]
    with ReviewLog.opened(folder) as log:
        assert say(log, "confirm").number == 4


_CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_reviews import TOTAL, fact, say
from pipeline.runs.reviews import ReviewLog
with ReviewLog.opened(Path(sys.argv[1])) as log:
    for value in range(100_000):
        event = say(log, "correct", to=fact("proactive.total", "120", value, human=True))
        print(event.number, flush=True)
"""


def child(folder: Path) -> subprocess.Popen[bytes]:
    """A process that writes changes and says the number of each that was acknowledged."""
    code = _CHILD.format(tests=str(Path(__file__).parent))
    return subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE)


def acknowledged(process: subprocess.Popen[bytes], count: int) -> list[int]:
    """The numbers that it said, at least so many, until it was killed."""
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(count)]
    process.send_signal(signal.SIGKILL)
    said += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    return [int(line) for line in said if line.endswith(b"\n")]


def test_a_kill_loses_nothing_that_was_acknowledged_and_frees_the_lock(folder: Path) -> None:
    for count in (1, 25, 60):
        before = read_reviews(folder).last_number
        numbers = acknowledged(child(folder), count)
        assert len(numbers) >= count
        kept = [event.number for event in read_reviews(folder).events_of("r")]
        assert kept == list(range(1, len(kept) + 1))
        assert set(numbers) <= set(kept)
        assert before < numbers[-1] <= len(kept) <= numbers[-1] + 1, "at most one was not yet acknowledged"
    with ReviewLog.opened(folder) as log:
        assert say(log, "confirm").number == len(kept) + 1


def test_a_second_writer_is_told_which_process_has_the_folder(folder: Path) -> None:
    process = child(folder)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        held = rf"open on this folder \(process {process.pid}\)"
        with pytest.raises(RunLocked, match=held), ReviewLog.opened(folder):
            pytest.fail("two writers")
        assert read_reviews(folder).last_number >= 1, "readers need no lock"
    finally:
        acknowledged(process, 0)


def test_a_reader_sees_whole_changes_while_others_are_written(folder: Path) -> None:
    process = child(folder)
    try:
        assert process.stdout is not None
        seen: list[tuple[int, int]] = []
        for _ in range(40):
            said = int(process.stdout.readline())
            seen.append((said, len(read_reviews(folder).events_of("r"))))
    finally:
        acknowledged(process, 0)
    counts = [count for _, count in seen]
    assert counts == sorted(counts)
    assert all(count >= said for said, count in seen), "what was acknowledged can be read"


def test_threads_of_one_server_never_write_into_each_other(log: ReviewLog) -> None:
    conflicts: list[ReviewConflict] = []

    def work(path: Fact) -> None:
        for base in range(20):
            try:
                say(log, "confirm", path, base=base)
            except ReviewConflict as conflict:
                conflicts.append(conflict)

    threads = [threading.Thread(target=work, args=(on,)) for on in (TOTAL, ISSUED, TOTAL, ISSUED)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    events = read_reviews(log.folder).events_of("r")
    assert [event.number for event in events] == list(range(1, len(log) + 1))
    assert len(events) + len(conflicts) == 80
    assert sum(event.target.path == RULES for event in events) >= 1


def test_a_full_disk_leaves_no_half_line(log: ReviewLog, monkeypatch: pytest.MonkeyPatch) -> None:
    say(log, "confirm")
    whole = os.write
    with monkeypatch.context() as patch:
        calls = iter([10])

        def full(descriptor: int, content: bytes) -> int:
            if (room := next(calls, None)) is None:
                raise OSError(28, "No space left on device")
            return whole(descriptor, content[:room])

        patch.setattr(os, "write", full)
        with pytest.raises(StartError, match=r"No space left on device.*Make room"):
            say(log, "remove")
    assert figure(log).verdict == "confirmed"
    assert say(log, "remove").number == 2
    assert [event.number for event in read_reviews(log.folder).events_of("r")] == [1, 2]


def test_a_log_that_an_editor_replaced_is_not_written_into_the_void(log: ReviewLog) -> None:
    say(log, "confirm")
    copy = log.path.with_name("copy")
    copy.write_bytes(log.path.read_bytes())
    os.replace(copy, log.path)
    with pytest.raises(StartError, match=r"changed by another program.*Nothing was written"):
        say(log, "remove")


def test_a_line_has_the_names_that_scripts_rely_on(log: ReviewLog) -> None:
    say(log, "correct", to=fact("proactive.total", "120", 12, human=True), reason="扫描件为12", seen=TOTAL)
    line = json.loads(log.path.read_text(encoding="utf-8"))
    assert list(line) == [
        *("number", "doc_id", "sha256", "at", "annotator", "action", "target", "fact", "reason", "undoes"),
        "seen",
    ]
    assert line["at"].endswith("+00:00")
    assert "扫描件为12" in log.path.read_text(encoding="utf-8"), "readable by people"


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="gongkai extract"), ReviewLog.opened(tmp_path):
        pytest.fail("opened")
    assert len(read_reviews(tmp_path)) == 0
    with pytest.raises(StartError, match="no such folder"), ReviewLog.opened(tmp_path / "none"):
        pytest.fail("opened")


WITHIN_LIMIT = """
import resource, sys
from pathlib import Path
from pipeline.errors import StartError
from pipeline.fact import Evidence
from pipeline.runs.reviews import ReviewLog, Target
with ReviewLog.opened(Path(sys.argv[1])) as log:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    written, refused = 0, ""
    while not refused:
        try:
            target = Target(path="proactive.total", source="narrative", start=written, end=written)
            log.append("r", "a" * 64, "甲", "confirm", target)
            written += 1
        except StartError as error:
            refused = str(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    log.append("r", "a" * 64, "甲", "remove", target)
    print(written, refused)
"""


@pytest.mark.parametrize("limit", [700, 1000, 1001])
def test_a_file_that_may_not_grow_keeps_whole_lines_and_goes_on_later(folder: Path, limit: int) -> None:
    command = [sys.executable, "-c", WITHIN_LIMIT, str(folder), str(limit)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    written = int(done.stdout.split()[0])
    assert "cannot be written (File too large)" in done.stdout
    reviews = read_reviews(folder)
    assert not reviews.was_torn
    assert [each.number for each in reviews.events_of("r")] == list(range(1, written + 2))
    assert written >= 1


READ_ONLY = """
import os, sys
from pathlib import Path
from pipeline.errors import StartError
from pipeline.runs.reviews import ReviewLog, read_reviews
folder = Path(sys.argv[1])
if os.getuid() == 0:
    os.setuid(65534)
try:
    with ReviewLog.opened(folder) as log:
        print("opened")
except StartError as error:
    print(error)
print(len(read_reviews(folder)))
"""


def test_a_folder_that_may_only_be_read_is_named_and_still_read(log: ReviewLog) -> None:
    say(log, "confirm")
    log.close()
    # Not below the folder of the tests, which another user cannot enter.
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(log.folder, folder, dirs_exist_ok=True)
        Path(folder).chmod(0o555)
        command = [sys.executable, "-c", READ_ONLY, folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        Path(folder).chmod(0o755)
    said = done.stdout.splitlines()
    assert folder in said[0]
    assert "cannot be written" in said[0]
    assert said[-1] == "1"


def test_a_clock_that_goes_backwards_changes_no_order(
    log: ReviewLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at, value in (("2026-05-01T00:00:00Z", 12), ("2020-01-01T00:00:00Z", 13)):
        monkeypatch.setattr("pipeline.runs.reviews.now", lambda at=at: at)
        say(log, "correct", to=fact("proactive.total", "120", value, human=True))
    assert figure(log).human == fact("proactive.total", "120", 13, human=True)
    again = read_reviews(log.folder).events_of("r")
    assert [(each.number, each.at[:4]) for each in again] == [(1, "2026"), (2, "2020")]
